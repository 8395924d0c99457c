import CLinux
import Evidence
import Glibc
import Kernel
import Measurement
import Net
import Testing
import Traffic

private let milliseconds: Int64 = 1_000_000

/// Nanoseconds of a clock of their own.
private let clock: @Sendable () -> Int64 = {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
}

extension LoadRecord {
    /// Whether something took a tenth of a second that takes a few hundred microseconds: the machine has had no processor
    /// for this test, and how far a load came in its time says nothing.
    fileprivate var wasStarved: Bool { (latency.value(atQuantile: 1) ?? .max) > 100_000_000 }
}

extension TestNetwork {
    /// Runs a load from the client to the VIP.
    fileprivate func load(
        _ kind: LoadOrder.Kind = .http, port: UInt16 = 80, _ change: (inout LoadOrder) -> Void = { _ in }
    ) throws -> LoadRecord {
        let vip = Endpoint(try #require(IPAddress("203.0.113.2")), port: port)
        var order = LoadOrder(
            name: "load", kind: kind, clients: [client.handle], to: vip, warmUp: 100 * milliseconds,
            duration: 400 * milliseconds, timeout: 10_000 * milliseconds)
        change(&order)
        return try RunningLoad(order, clock: clock).wait()
    }
}

/// Builds the network with servers for loads at port 80.
private func withLoadServers(_ body: (TestNetwork) throws -> Void) throws {
    try withNetwork { network in
        let servers = LoadServers()
        let namespace = try onThread { [handle = network.server.handle] in
            guard drb_setns(handle.fileDescriptor) == 0 else { throw TestNetworkError(description: "setns") }
            return try NetworkNamespace.current(named: "rs1")
        }
        try servers.listen(port: 80, in: namespace)
        try servers.start()
        let result = Result { try body(network) }
        servers.stop()
        namespace.close()
        try result.get()
    }
}

@Suite(
    "Loads between two namespaces", .serialized,
    .enabled(if: TestNetwork.isPossible, "making network namespaces needs CAP_SYS_ADMIN"))
struct LoadTests {
    @Test("an open loop sends what is planned, and all of it is answered")
    func openLoop() throws {
        try withLoadServers { network in
            let record = try network.load {
                $0.rate = 1000
                $0.response = 1000
            }
            #expect(record.outcomes == ["answered": 400])
            #expect(record.latency.count == 400)
            #expect(record.receivedBytes >= 300 * 1000 || record.wasStarved)
            // Those of the warm-up do not count, nor do the connections that were opened in it.
            #expect(record.connections == 0)
            #expect(record.to - record.from == 400 * milliseconds)
        }
    }

    @Test("without keep-alive each request has a connection of its own")
    func churn() throws {
        try withLoadServers { network in
            let record = try network.load {
                $0.rate = 500
                $0.keepAlive = false
                $0.warmUp = 0
            }
            #expect(record.outcomes == ["answered": 200])
            // On a starved machine some are opened outside the time that counts. In virtual time IPVS counts all of them:
            // Tests/SuiteTests/Scenarios/loads.yaml.
            #expect((1...200).contains(record.connections))
        }
    }

    @Test(
        "a closed loop goes on as fast as it is answered, down and up",
        arguments: [(0, 0), (300_000, 0), (0, 300_000)])
    func closedLoop(_ response: Int, _ request: Int) throws {
        try withLoadServers { network in
            let record = try network.load {
                $0.connections = 4
                $0.response = response
                $0.request = request
                $0.duration = 1000 * milliseconds
            }
            #expect(record.failed == 0)
            #expect(record.answered > 4 || record.wasStarved)
            #expect(record.receivedBytes >= (record.answers - 4) * response)
            #expect(record.sentBytes >= (record.answers - 4) * request)
        }
    }

    @Test("datagrams are answered from the address that they were sent to", arguments: [nil, 1000])
    func datagrams(_ rate: Int?) throws {
        try withLoadServers { network in
            let record = try network.load(.udp) {
                $0.rate = rate
                $0.request = 64
                $0.response = 200
            }
            #expect(record.failed == 0)
            if rate != nil { #expect(record.outcomes == ["answered": 400]) }
            #expect(record.answered > 10)
            #expect(record.receivedBytes >= 10 * 200)
        }
    }

    @Test("drbench's other HTTP server answers a load, too")
    func otherServer() throws {
        try withNetwork { network in
            try network.servers.start(.http, port: 80, in: network.server.handle)
            let record = try network.load {
                $0.rate = 200
                $0.response = 100_000
            }
            #expect(record.outcomes == ["answered": 80])
        }
    }

    @Test("refused connections are told apart, and no loop goes wild with them", arguments: [nil, 200])
    func refused(_ rate: Int?) throws {
        try withNetwork { network in
            let record = try network.load { $0.rate = rate }
            #expect(record.answered == 0)
            // A starved machine may not get as far as a single one.
            #expect(record.outcomes.keys.allSatisfy { $0 == "refused" })
            #expect(record.failed == record.outcomes["refused", default: 0])
            if rate != nil { #expect(record.outcomes == ["refused": 80]) }
        }
    }

    @Test("what is never answered fails by its time limit, and what never found a connection is not sent")
    func silent() throws {
        try withNetwork { network in
            try network.server.run("ip link set eth0 down")
            let record = try network.load {
                $0.rate = 100
                $0.connections = 5
                $0.keepAlive = false
                $0.timeout = 300 * milliseconds
            }
            #expect(record.answered == 0)
            #expect(record.failed == 40)
        }
    }

    /// Answers requests of one connection, and once stands still for a second.
    private func stall(_ network: TestNetwork, at stalled: Int) throws {
        try network.server.acceptOnce(port: 8080) { connection in
            var (requests, end) = (0, 0)
            var octets = [UInt8](repeating: 0, count: 4096)
            let answer = Array("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".utf8)
            while true {
                let count = recv(connection, &octets, octets.count, 0)
                guard count > 0 else { return }
                // An empty line ends a request: \r\n\r\n.
                for octet in octets[..<count] {
                    if octet == UInt8(ascii: "\n") { end += 1 } else if octet != UInt8(ascii: "\r") { end = 0 }
                    guard end == 2 else { continue }
                    requests += 1
                    if requests == stalled {
                        var second = timespec(tv_sec: 1, tv_nsec: 0)
                        nanosleep(&second, nil)
                    }
                    _ = answer.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, 0) }
                }
            }
        }
    }

    @Test("a server that stands still for a second shows in p99, though it got one request in that time")
    func coordinatedOmission() throws {
        try withNetwork { network in
            try stall(network, at: 200)
            let record = try network.load(port: 8080) {
                $0.rate = 500
                $0.connections = 1
                $0.warmUp = 0
                $0.duration = 2000 * milliseconds
            }
            #expect(record.outcomes == ["answered": 1000])
            // Half of all were planned in that second: a quarter of all waited for half of it or longer.
            #expect(record.latency.value(atQuantile: 0.99) ?? 0 >= 900_000_000)
            #expect(record.latency.value(atQuantile: 0.8) ?? 0 >= 400_000_000)
        }
    }

    @Test("and a closed loop hides it, which is why there is the other")
    func omission() throws {
        try withNetwork { network in
            try stall(network, at: 200)
            let record = try network.load(port: 8080) {
                $0.connections = 1
                $0.warmUp = 0
                $0.duration = 3000 * milliseconds
            }
            #expect(record.failed == 0)
            #expect(record.answered > 300)
            #expect(record.latency.value(atQuantile: 1) ?? 0 >= 1_000_000_000)
            #expect(record.latency.value(atQuantile: 0.99) ?? .max < 900_000_000)
        }
    }
}
