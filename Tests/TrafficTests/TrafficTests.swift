import Evidence
import Glibc
import Kernel
import Net
import Testing
import Traffic

private let vip = "203.0.113.2"
private let milliseconds: Int64 = 1_000_000

private func endpoint(_ address: String, _ port: UInt16) throws -> Endpoint {
    Endpoint(try #require(IPAddress(address)), port: port)
}

extension TestNetwork {
    /// One request by the client, with a time limit short enough for those that wait it out.
    func ask(
        _ kind: TrafficKind, _ address: String, _ port: UInt16 = 80, count: Int = 1, sourcePort: UInt16? = nil,
        bytes: Int = 0, timeout: Int64 = 5000 * milliseconds
    ) throws -> [Transcript] {
        try clients.request(
            ClientRequest(
                kind: kind, from: client.handle, to: endpoint(address, port), count: count, sourcePort: sourcePort,
                bytes: bytes, timeout: timeout))
    }
}

/// One after another: a program that one test starts could hold a socket that another is just making.
@Suite(
    "Traffic between two namespaces", .serialized,
    .enabled(if: TestNetwork.isPossible, "making network namespaces needs CAP_SYS_ADMIN"))
struct TrafficTests {
    @Test("an answer names the server and the client's endpoint", arguments: TrafficKind.allCases)
    func answered(kind: TrafficKind) throws {
        try withNetwork { network in
            try network.servers.start(kind, port: 80, in: network.server.handle)
            let transcripts = try network.ask(kind, vip, count: 3)
            #expect(transcripts.map(\.outcome) == [.answered, .answered, .answered])
            for transcript in transcripts {
                #expect(transcript.protocol == kind.rawValue)
                #expect(transcript.client == "client")
                #expect(transcript.server == "rs1")
                #expect(transcript.seenFrom != nil && transcript.seenFrom == transcript.source)
                #expect(transcript.source?.address == IPAddress("198.51.100.10"))
                #expect((transcript.connected != nil) == (kind != .udp))
                #expect(transcript.started <= transcript.ended)
                #expect(transcript.sentBytes > 0 && transcript.receivedBytes > 0)
                #expect(transcript.detail == nil)
            }
            #expect(Set(transcripts.map(\.source)).count == 3)
            #expect(network.servers.log.map(\.client) == transcripts.map(\.source))
            #expect(try network.servers.log.map(\.local) == Array(repeating: endpoint(vip, 80), count: 3))
            #expect(network.bytesReported == transcripts.reduce(0) { $0 + $1.receivedBytes })
        }
    }

    @Test("IPv6 is served as IPv4 is", arguments: TrafficKind.allCases)
    func answeredOverIPv6(kind: TrafficKind) throws {
        try withNetwork { network in
            try network.servers.start(kind, port: 80, in: network.server.handle)
            for address in ["2001:db8::2", "2001:db8:1::2"] {
                let transcript = try #require(try network.ask(kind, address).first)
                #expect(transcript.outcome == .answered)
                #expect(transcript.seenFrom?.address == IPAddress("2001:db8::10"))
                #expect(try network.servers.log.last?.local == endpoint(address, 80))
            }
        }
    }

    @Test("where nothing listens the client is refused", arguments: TrafficKind.allCases)
    func refused(kind: TrafficKind) throws {
        try withNetwork { network in
            for address in [vip, "2001:db8::2"] {
                let transcript = try #require(try network.ask(kind, address).first)
                #expect(transcript.outcome == .refused)
                #expect(transcript.detail == "ECONNREFUSED")
                #expect(transcript.connected == nil)
                #expect(transcript.source != nil)
            }
        }
    }

    /// How a network says that there is no way, and what the client's kernel makes of it.
    enum NoWay: String, CaseIterable, CustomTestStringConvertible {
        case unreachableRoute, noRoute, routerSaysUnreachable, routerSaysProhibited, filterSaysProhibited, nobodyThere

        var testDescription: String { rawValue }

        var error: String {
            switch self {
            case .noRoute: "ENETUNREACH"
            case .unreachableRoute, .routerSaysUnreachable, .routerSaysProhibited, .filterSaysProhibited, .nobodyThere:
                "EHOSTUNREACH"
            }
        }

        func arrange(_ network: TestNetwork) throws {
            switch self {
            case .unreachableRoute: try network.client.run("ip route add unreachable 192.0.2.1")
            case .noRoute: try network.client.run("ip route del default")
            case .routerSaysUnreachable: try network.server.run("ip route add unreachable 192.0.2.1")
            case .routerSaysProhibited: try network.server.run("ip route add prohibit 192.0.2.1")
            case .filterSaysProhibited:
                try network.server.run(
                    "ip addr add 192.0.2.1/32 dev lo; iptables-legacy -A INPUT -j REJECT --reject-with icmp-admin-prohibited"
                )
            case .nobodyThere:
                try network.client.run(
                    """
                    ip route add 192.0.2.1 dev eth0; cd /proc/sys/net/ipv4/neigh/eth0
                    echo 1 > mcast_solicit; echo 50 > retrans_time_ms
                    """)
            }
        }
    }

    @Test("with an interval requests begin at equal distances, and traffic that was begun goes on by itself")
    func interval() throws {
        try withNetwork { network in
            try network.servers.start(.http, port: 80, in: network.server.handle)
            let regular = try network.clients.begin(
                ClientRequest(
                    kind: .http, from: network.client.handle, to: endpoint(vip, 80), count: 3,
                    interval: 40 * milliseconds))
            let other = try network.ask(.http, vip)
            let transcripts = try regular.wait()
            #expect(transcripts.map(\.outcome) == [.answered, .answered, .answered])
            for (one, next) in zip(transcripts, transcripts.dropFirst()) {
                #expect(next.started - one.started >= 40 * milliseconds)
            }
            #expect(try #require(other.first).ended < transcripts[2].started)
        }
    }

    @Test("no way to the server is 'unreachable', with the errno", arguments: NoWay.allCases, TrafficKind.allCases)
    func unreachable(noWay: NoWay, kind: TrafficKind) throws {
        try withNetwork { network in
            try noWay.arrange(network)
            let transcript = try #require(try network.ask(kind, "192.0.2.1").first)
            #expect(transcript.outcome == .unreachable)
            #expect(transcript.detail == noWay.error)
        }
    }

    @Test("a SYN without an answer times out, after the limit and not before")
    func connectTimedOut() throws {
        try withNetwork { network in
            try network.servers.start(.http, port: 80, in: network.server.handle)
            try network.server.run("iptables-legacy -A INPUT -p tcp -j DROP")
            let transcript = try #require(try network.ask(.http, vip, timeout: 150 * milliseconds).first)
            #expect(transcript.outcome == .connectTimedOut)
            #expect(transcript.connected == nil)
            #expect(transcript.source != nil)
            #expect(transcript.ended - transcript.started >= 150 * milliseconds)
            #expect(network.servers.log == [])
        }
    }

    @Test(
        "when all behind the SYN is dropped, the client is connected, then hears nothing",
        arguments: [TrafficKind.http, .tcp])
    func connectedThenSilent(kind: TrafficKind) throws {
        // It has to connect within the limit, on a machine where other tests run, too.
        let limit = 1000 * milliseconds
        try withNetwork { network in
            try network.servers.start(kind, port: 80, in: network.server.handle)
            try network.server.run("iptables-legacy -A INPUT -p tcp ! --syn -j DROP")
            let transcript = try #require(try network.ask(kind, vip, timeout: limit).first)
            #expect(transcript.outcome == .connectedThenSilent)
            let connected = try #require(transcript.connected)
            #expect(transcript.ended - connected >= limit)
            #expect(transcript.sentBytes > 0)
            #expect(transcript.receivedBytes == 0)
            #expect(network.servers.log == [])
        }
    }

    @Test("an RST on an established connection is a reset", arguments: [TrafficKind.http, .tcp])
    func reset(kind: TrafficKind) throws {
        try withNetwork { network in
            try network.servers.start(kind, port: 80, in: network.server.handle)
            try network.server.run(
                "iptables-legacy -A INPUT -p tcp --tcp-flags PSH PSH -j REJECT --reject-with tcp-reset")
            let transcript = try #require(try network.ask(kind, vip).first)
            #expect(transcript.outcome == .reset)
            #expect(transcript.detail == "ECONNRESET")
            #expect(transcript.connected != nil)
        }
    }

    @Test("a FIN before the whole answer is 'closed early'")
    func closedEarly() throws {
        try withNetwork { network in
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nnot a hundred octets"
            try network.server.acceptOnce(port: 80) { connection in
                var request = [UInt8](repeating: 0, count: 1000)
                _ = read(connection, &request, request.count)
                _ = write(connection, answer, answer.utf8.count)
            }
            let transcript = try #require(try network.ask(.http, vip).first)
            #expect(transcript.outcome == .closedEarly)
            #expect(transcript.receivedBytes == answer.utf8.count)
            #expect(transcript.detail == nil)

            // A server that understands no word of the request says nothing at all.
            try network.servers.start(.tcp, port: 81, in: network.server.handle)
            #expect(try network.ask(.http, vip, 81).map(\.outcome) == [.closedEarly])
        }
    }

    @Test("a web server that is not ours is 'answered' by nobody known")
    func foreignServer() throws {
        try withNetwork { network in
            let answer = "HTTP/1.0 404 Not Found\r\n\r\nno such thing"
            try network.server.acceptOnce(port: 80) { connection in
                var request = [UInt8](repeating: 0, count: 1000)
                _ = read(connection, &request, request.count)
                _ = write(connection, answer, answer.utf8.count)
            }
            let transcript = try #require(try network.ask(.http, vip).first)
            #expect(transcript.outcome == .answered)
            #expect(transcript.server == nil)
            #expect(transcript.detail == "HTTP 404")

            try network.servers.start(.http, port: 81, in: network.server.handle)
            let toldOff = try #require(try network.ask(.tcp, vip, 81).first)
            #expect(toldOff.outcome == .answered)
            #expect(toldOff.server == nil)
            #expect(toldOff.detail == "not a greeting: HTTP/1.1 400 Bad Request\r")
        }
    }

    @Test("a datagram without an answer is 'no answer'; one that netfilter does not let out was never sent")
    func noAnswer() throws {
        try withNetwork { network in
            try network.servers.start(.udp, port: 53, in: network.server.handle)
            try network.server.run("iptables-legacy -A INPUT -p udp -j DROP")
            let silent = try #require(try network.ask(.udp, vip, 53, timeout: 150 * milliseconds).first)
            #expect(silent.outcome == .noAnswer)
            #expect(silent.ended - silent.started >= 150 * milliseconds)
            #expect(silent.sentBytes > 0)
            try network.client.run("iptables-legacy -A OUTPUT -p udp -j DROP")
            let unsent = try #require(try network.ask(.udp, vip, 53).first)
            #expect(unsent.outcome == .failed)
            #expect(unsent.detail == "EPERM")
            #expect(unsent.sentBytes == 0)
        }
    }

    @Test("a datagram is answered from the address it was sent to, whatever the route prefers")
    func datagramSource() throws {
        try withNetwork { network in
            try network.servers.start(.udp, port: 53, in: network.server.handle)
            // Only answers from the VIP are let in: the client's connected socket would not take others anyway.
            try network.client.run("iptables-legacy -A INPUT -p udp ! -s \(vip) -j REJECT")
            #expect(try network.ask(.udp, vip, 53, sourcePort: 40_000).first?.outcome == .answered)
            #expect(try network.servers.log.map(\.client) == [endpoint("198.51.100.10", 40_000)])
            let other = try network.ask(.udp, "198.51.100.2", 53, timeout: 150 * milliseconds)
            #expect(other.first?.outcome == .noAnswer)
        }
    }

    @Test("every octet of a large answer is counted", arguments: [TrafficKind.http, .tcp])
    func largeAnswer(kind: TrafficKind) throws {
        try withNetwork { network in
            try network.servers.start(kind, port: 80, in: network.server.handle)
            let octets = 30_000_000
            let transcript = try #require(try network.ask(kind, vip, bytes: octets).first)
            #expect(transcript.outcome == .answered)
            let source = try #require(transcript.source)
            let line = "rs1 saw \(source) at \(vip):80\n".utf8.count
            if kind == .tcp {
                #expect(transcript.receivedBytes == octets + line)
            } else {
                #expect((octets + line + 1...octets + line + 400).contains(transcript.receivedBytes))
            }
            #expect(network.bytesReported == transcript.receivedBytes)
        }
    }

    @Test("a UDP answer has as many octets as asked for, up to the largest datagram")
    func largeDatagram() throws {
        try withNetwork { network in
            try network.servers.start(.udp, port: 80, in: network.server.handle)
            let transcript = try #require(try network.ask(.udp, vip, bytes: 5000).first)
            let source = try #require(transcript.source)
            #expect(transcript.receivedBytes == 5000 + "rs1 saw \(source) at \(vip):80\n".utf8.count)
            #expect(try network.ask(.udp, vip, bytes: 100_000).map(\.receivedBytes) == [65_507])
        }
    }
}
