import Glibc
import Testing

@testable import Kernel

@Suite("Leftovers", .enabled(if: Machine.mayCreateNamespaces, Machine.needsRoot))
struct LeftoverTests {
    @Test("namespaces, sockets and programs leave no descriptor, thread or child behind")
    func nothingLeft() async {
        // In a process of its own: the other tests open descriptors meanwhile.
        await #expect(processExitsWith: .success) {
            func use() throws {
                let (a, b) = (try NetworkNamespace.create(named: "a"), try NetworkNamespace.create(named: "b"))
                let netlink = try RouteNetlink(in: a)
                try netlink.perform(.addVeth(.init(name: "v", peer: .init(name: "w", namespace: b.descriptor))))
                _ = try netlink.links()
                _ = try ProcNet.counters(of: [ProcNet(of: a)])
                try SystemControl.write("net.ipv4.ip_forward", "1", in: a)
                _ = try ProcessRunner.run(["cat"], in: a, input: "x")
                _ = try? ProcessRunner.run(["/nowhere"], in: a, input: "x")
                _ = try ProcessRunner.start(["sleep", "1000"], in: b).isRunning
                try ProcessRunner.start(["sleep", "1000"], in: b).terminate()
                _ = try? netlink.perform(.setUp("nobody"))
                b.close()
            }
            func entries(of directory: String) throws -> Int {
                let namespace = try NetworkNamespace.current(named: "own")
                return try ProcessRunner.run(["ls", "/proc/\(getpid())/\(directory)"], in: namespace).output
                    .split(separator: "\n").count
            }
            try use()
            let (descriptors, threads) = (try entries(of: "fd"), try entries(of: "task"))
            // Compared with the number of uses, not with none: the testing library has descriptors and threads of its own
            // that come and go.
            let uses = 20
            for _ in 0..<uses { try use() }
            try #require(try entries(of: "fd") < descriptors + uses)
            try #require(try entries(of: "task") < threads + uses)
            var status: Int32 = 0
            let waited = waitpid(-1, &status, WNOHANG)
            let code = errno
            try #require(waited == -1)
            try #require(code == ECHILD)
        }
    }
}
