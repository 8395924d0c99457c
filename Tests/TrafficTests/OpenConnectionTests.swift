import Evidence
import Kernel
import Net
import Testing
import Traffic

private let vip = "203.0.113.2"
private let second: Int64 = 1_000_000_000

extension TestNetwork {
    func request(_ kind: TrafficKind, sourcePort: UInt16? = nil) throws -> ClientRequest {
        let address = try #require(IPAddress(vip))
        return ClientRequest(
            kind: kind, from: client.handle, to: Endpoint(address, port: 80), sourcePort: sourcePort,
            timeout: 5 * second)
    }
}

extension TrafficTests {
    @Suite("Connections that stay open, and ports used again")
    struct OpenConnectionTests {
        @Test("requests on an open connection come from one endpoint", arguments: [TrafficKind.http, .tcp])
        func keepAlive(kind: TrafficKind) throws {
            try withNetwork { network in
                try network.servers.start(kind, port: 80, in: network.server.handle)
                let opened = try network.clients.open(name: "ssh", network.request(kind))
                let used = try network.clients.use(name: "ssh", bytes: 100_000, timeout: 5 * second)
                let usedAgain = try network.clients.use(name: "ssh", bytes: 0, timeout: 5 * second)
                #expect([opened, used, usedAgain].map(\.outcome) == [.answered, .answered, .answered])
                #expect([opened, used, usedAgain].map(\.connection) == ["ssh", "ssh", "ssh"])
                #expect(Set(network.servers.log.map(\.client)) == [try #require(opened.source)])
                #expect(used.source == opened.source)
                #expect(used.receivedBytes > 100_000)
                #expect(usedAgain.receivedBytes == opened.receivedBytes)
                try network.clients.close(name: "ssh")
                #expect(throws: TrafficError.noSuchConnection("ssh")) {
                    try network.clients.use(name: "ssh", bytes: 0, timeout: second)
                }
            }
        }

        @Test(
            "a request on an open connection that the network forgot is reset, or silent",
            arguments: [TrafficKind.http, .tcp])
        func forgotten(kind: TrafficKind) throws {
            try withNetwork { network in
                try network.servers.start(kind, port: 80, in: network.server.handle)
                _ = try network.clients.open(name: "a", network.request(kind))
                _ = try network.clients.open(name: "b", network.request(kind))
                try network.server.run("iptables-legacy -A INPUT -p tcp -j DROP")
                let silent = try network.clients.use(name: "a", bytes: 0, timeout: second / 10)
                #expect(silent.outcome == .connectedThenSilent)
                #expect(silent.connected == nil)
                try network.server.run(
                    "iptables-legacy -F INPUT; iptables-legacy -A INPUT -p tcp -j REJECT --reject-with tcp-reset")
                let reset = try network.clients.use(name: "b", bytes: 0, timeout: 5 * second)
                #expect(reset.outcome == .reset)
                // Both are closed, and remember why.
                #expect(try network.clients.use(name: "a", bytes: 0, timeout: second).outcome == .connectedThenSilent)
                #expect(try network.clients.use(name: "b", bytes: 0, timeout: second).outcome == .reset)
            }
        }

        @Test("a connection is not opened twice, nor over UDP, nor kept when nobody answers")
        func notOpened() throws {
            try withNetwork { network in
                #expect(try network.clients.open(name: "a", network.request(.http)).outcome == .refused)
                try network.servers.start(.http, port: 80, in: network.server.handle)
                #expect(try network.clients.open(name: "a", network.request(.http)).outcome == .answered)
                #expect(throws: TrafficError.connectionExists("a")) {
                    try network.clients.open(name: "a", network.request(.http))
                }
                #expect(throws: TrafficError.notAConnection(.udp)) {
                    try network.clients.open(name: "b", network.request(.udp))
                }
            }
        }

        @Test("one source port serves request after request", arguments: TrafficKind.allCases)
        func samePort(kind: TrafficKind) throws {
            try withNetwork { network in
                try network.servers.start(kind, port: 80, in: network.server.handle)
                var request = try network.request(kind, sourcePort: 40_000)
                request.count = 4
                let transcripts = try network.clients.request(request)
                #expect(transcripts.map(\.outcome) == Array(repeating: .answered, count: 4))
                #expect(transcripts.map { $0.seenFrom?.port } == Array(repeating: 40_000, count: 4))
            }
        }

        @Test("a source port that another connection to the same endpoint has is a failure, with the errno")
        func portInUse() throws {
            try withNetwork { network in
                try network.servers.start(.http, port: 80, in: network.server.handle)
                _ = try network.clients.open(name: "a", network.request(.http, sourcePort: 40_000))
                let transcript = try #require(
                    try network.clients.request(network.request(.http, sourcePort: 40_000)).first)
                #expect(transcript.outcome == .failed)
                #expect(transcript.detail == "EADDRNOTAVAIL")
            }
        }

        @Test("a program that was started meanwhile keeps no connection from closing")
        func notInherited() throws {
            try withNetwork { network in
                try network.servers.start(.http, port: 80, in: network.server.handle)
                _ = try network.clients.open(name: "a", network.request(.http))
                for namespace in [network.client, network.server] {
                    try namespace.run(
                        """
                        held=$(ls -l /proc/self/fd)
                        inodes=$(awk 'FNR > 1 && $10 > 0 { print $10 }' /proc/net/tcp /proc/net/tcp6)
                        test -n "$inodes"
                        for inode in $inodes; do case $held in *"socket:[$inode]"*) exit 1;; esac; done
                        """)
                }
            }
        }

        @Test("asynchronous callers get the same answers")
        func asynchronous() async throws {
            let network = try TestNetwork()
            try network.servers.start(.http, port: 80, in: network.server.handle)
            let transcripts = try await network.clients.request(network.request(.http))
            #expect(transcripts.map(\.outcome) == [.answered])
            try network.loops.shutdown()
        }

        @Test("after a shutdown nothing listens any more, and the room can be used anew")
        func shutdown() throws {
            try withNetwork { network in
                try network.servers.start(.http, port: 80, in: network.server.handle)
                _ = try network.clients.open(name: "a", network.request(.http))
                try network.loops.shutdown()
                #expect(try network.clients.request(network.request(.http)).map(\.outcome) == [.refused])
                try network.servers.start(.http, port: 80, in: network.server.handle)
                #expect(try network.clients.request(network.request(.http)).map(\.outcome) == [.answered])
            }
        }

        @Test("closing all ends servers and connections, and leaves the threads to go on")
        func closeAll() throws {
            try withNetwork { network in
                try network.servers.start(.http, port: 80, in: network.server.handle)
                _ = try network.clients.open(name: "a", network.request(.http))
                try network.loops.closeAll()
                #expect(try network.clients.use(name: "a", bytes: 0, timeout: second).outcome == .closedEarly)
                #expect(try network.clients.request(network.request(.http)).map(\.outcome) == [.refused])
            }
        }

        @Test("a port that is taken is EADDRINUSE, by the server's name", arguments: TrafficKind.allCases)
        func portTaken(kind: TrafficKind) throws {
            try withNetwork { network in
                try network.servers.start(kind, port: 80, in: network.server.handle)
                let error = #expect(throws: KernelError.self) {
                    try network.servers.start(kind, port: 80, in: network.server.handle)
                }
                #expect(error?.description == "rs1: listen on \(kind)/80: EADDRINUSE (Address already in use)")
            }
        }

        @Test("what is no namespace cannot be entered")
        func noNamespace() throws {
            let loops = TrafficLoops()
            let servers = TrafficServers(loops: loops, clock: { 0 })
            let error = #expect(throws: KernelError.self) {
                try servers.start(.http, port: 80, in: NamespaceHandle(name: "nowhere", fileDescriptor: -1))
            }
            #expect(error?.description == "nowhere: enter the network namespace: EBADF (Bad file descriptor)")
        }
    }
}
