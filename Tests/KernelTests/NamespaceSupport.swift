import Testing

@testable import Kernel

/// What this machine lets a test do.
enum Machine {
    static let mayCreateNamespaces = (try? NetworkNamespace.create(named: "probe")) != nil
    static let hasDummy = carriesOut([.addDummy(name: "probe")])
    static let hasNetem = carriesOut([.setNetem(link: "lo", Netem(delay: 1))])
    static let hasTokenBuckets = carriesOut([
        .setTokenBucket(link: "lo", TokenBucket(rate: 1_000_000, burst: 2000, latency: 1_000_000))
    ])
    static let hasVLANs = carriesOut([
        .addVeth(.init(name: "a", peer: .init(name: "b"))), .addVLAN(name: "probe", link: "a", id: 1),
    ])
    static let hasVXLAN = carriesOut([.addVXLAN(.init(name: "probe", id: 1))])

    static let needsRoot: Comment = "creating a network namespace needs CAP_SYS_ADMIN"

    private static func carriesOut(_ requests: [RouteRequest]) -> Bool {
        (try? RouteNetlink(in: NetworkNamespace.create(named: "probe")).perform(requests)) != nil
    }
}

extension NetworkNamespace {
    /// What `ip`, `bridge`, `tc` or another program prints in the namespace: the second opinion on what drbench says.
    func output(_ arguments: String...) throws -> String {
        let result = try ProcessRunner.run(arguments, in: self)
        guard result.succeeded else { throw KernelError(arguments[0], code: 1, explanation: result.errors) }
        return result.output
    }
}
