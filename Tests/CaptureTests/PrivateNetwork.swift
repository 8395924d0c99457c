import CPcap
import Glibc

/// A failure of the test's own tools.
struct ToolFailure: Error, CustomStringConvertible {
    var description: String
}

/// Why tests with real captures cannot run here; nil if they can.
let noPrivateNetwork: String? = {
    guard geteuid() == 0 else { return "needs root, to make a network namespace" }
    guard access("/usr/sbin/ip", X_OK) == 0 else { return "needs ip" }
    return nil
}()

let hasTshark = access("/usr/bin/tshark", X_OK) == 0 && access("/usr/bin/capinfos", X_OK) == 0

/// Runs `body` on a thread of its own, in a network namespace of its own that ends with it.
func inPrivateNetwork<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        let work = Work {
            do {
                try newNamespace()
                continuation.resume(returning: try body())
            } catch {
                continuation.resume(throwing: error)
            }
        }
        var thread = pthread_t()
        let status = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, Unmanaged.passRetained(work).toOpaque())
        if status == 0 {
            pthread_detach(thread)
        } else {
            continuation.resume(throwing: ToolFailure(description: "pthread_create: errno \(status)"))
        }
    }
}

private final class Work {
    let run: () -> Void
    init(run: @escaping () -> Void) { self.run = run }
}

/// glibc declares unshare and setns only with _GNU_SOURCE.
private func gnuFunction<Signature>(_ name: String, as type: Signature.Type) throws -> Signature {
    guard let symbol = dlsym(dlopen(nil, RTLD_NOW), name) else { throw ToolFailure(description: "no \(name)") }
    return unsafeBitCast(symbol, to: type)
}

/// Moves the calling thread into a new network namespace.
func newNamespace() throws {
    let unshare = try gnuFunction("unshare", as: (@convention(c) (Int32) -> Int32).self)
    // CLONE_NEWNET
    guard unshare(0x4000_0000) == 0 else { throw ToolFailure(description: "unshare: errno \(errno)") }
}

/// The calling thread's network namespace, as a descriptor.
func currentNamespace() throws -> Int32 {
    let descriptor = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw ToolFailure(description: "open namespace: errno \(errno)") }
    return descriptor
}

func enterNamespace(_ descriptor: Int32) throws {
    let setns = try gnuFunction("setns", as: (@convention(c) (Int32, Int32) -> Int32).self)
    guard setns(descriptor, 0) == 0 else { throw ToolFailure(description: "setns: errno \(errno)") }
}

/// Runs a program in the calling thread's namespace and returns what it printed; throws if it fails.
@discardableResult
func run(_ arguments: String..., mayFail: Bool = false) throws -> String {
    var pipes: [Int32] = [0, 0]
    guard pipe(&pipes) == 0 else { throw ToolFailure(description: "pipe: errno \(errno)") }
    defer { close(pipes[0]) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, pipes[1], 1)
    posix_spawn_file_actions_adddup2(&actions, pipes[1], 2)
    posix_spawn_file_actions_addclose(&actions, pipes[0])
    var vector = arguments.map { strdup($0) } + [nil]
    defer { for argument in vector { free(argument) } }
    var process = pid_t()
    let spawned = posix_spawnp(&process, arguments[0], &actions, nil, &vector, environ)
    close(pipes[1])
    guard spawned == 0 else { throw ToolFailure(description: "\(arguments[0]): errno \(spawned)") }
    var output: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while case let count = read(pipes[0], &chunk, chunk.count), count != 0 {
        if count > 0 { output += chunk[..<count] } else if errno != EINTR { break }
    }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    let text = String(decoding: output, as: UTF8.self)
    guard status == 0 || mayFail else {
        throw ToolFailure(description: "\(arguments.joined(separator: " ")): status \(status): \(text)")
    }
    return text
}

/// A veth pair in the calling thread's namespace, both ends up, without IPv6 so that nothing is sent by itself.
func makeVeth(_ name: String, peer: String) throws {
    try run("ip", "link", "add", name, "type", "veth", "peer", "name", peer)
    for interface in [name, peer] { try quietUp(interface) }
    for interface in [name, peer] { try waitForCarrier(interface) }
}

/// Waits until frames can be sent. Between carrier and linkwatch's deferred work (`linkwatch_do_dev`, dev_activate) the
/// device still has the noop queue, which drops without an error and before any tap.
func waitForCarrier(_ interface: String) throws {
    for _ in 0..<2000 where try run("ip", "link", "show", interface).contains("state UP") { return }
    throw ToolFailure(description: "\(interface) has no carrier")
}

func quietUp(_ interface: String) throws {
    try run("ip", "link", "set", interface, "addrgenmode", "none")
    try run("ip", "link", "set", interface, "arp", "off", "multicast", "off", "up")
}

/// Sends a frame out of an interface of the calling thread's namespace, as often as said.
func send(_ frame: [UInt8], outOf interface: String, count: Int = 1) throws {
    var text = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
    guard let handle = pcap_open_live(interface, 64, 0, 0, &text) else {
        throw ToolFailure(description: "send out of \(interface): cannot open it")
    }
    defer { pcap_close(handle) }
    for _ in 0..<count where pcap_inject(handle, frame, frame.count) != Int32(frame.count) {
        throw ToolFailure(description: "send out of \(interface): \(String(cString: pcap_geterr(handle)))")
    }
}

/// UDP from 203.0.113.1:5353 to 203.0.113.2:port, of `length` octets in all, to a MAC that no interface here has.
func udpFrame(port: UInt16 = 80, length: Int = 60) -> [UInt8] {
    let total = UInt16(length - 14)
    func big(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 255)] }
    return [0xFA, 0x16, 0x3E, 0, 0, 3, 0xFA, 0x16, 0x3E, 0, 0, 1, 8, 0]
        + [0x45, 0] + big(total) + [0, 7, 0x40, 0, 64, 17, 0, 0, 203, 0, 113, 1, 203, 0, 113, 2]
        + big(5353) + big(port) + big(total - 20) + [0, 0]
        + (0..<length - 42).map { UInt8(truncatingIfNeeded: $0) }
}

/// A directory of its own for `body`, gone afterwards; `body` gets a path for a file in it.
func withTemporaryFile<Result>(_ name: String, _ body: (String) throws -> Result) throws -> Result {
    var template = Array("/tmp/drbench-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw ToolFailure(description: "mkdtemp: errno \(errno)") }
    let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let path = directory + "/" + name
    defer {
        unlink(path)
        rmdir(directory)
    }
    return try body(path)
}

func writeFile(_ octets: [UInt8], to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw ToolFailure(description: "open \(path): errno \(errno)") }
    defer { close(descriptor) }
    guard write(descriptor, octets, octets.count) == octets.count else {
        throw ToolFailure(description: "write \(path): errno \(errno)")
    }
}
