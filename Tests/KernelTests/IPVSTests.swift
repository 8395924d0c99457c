import Evidence
import Glibc
import Kernel
import Net
import Testing

private let vip = "10.9.9.1"
private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }
private func endpoint(_ text: String) throws -> Endpoint { try #require(Endpoint(text)) }

/// Every kind of service and real server that the kernel takes.
private func configure(_ ipvs: IPVSHandle) throws {
    func service(
        _ key: IPVSVirtualService.Key, _ scheduler: String, _ flags: IPVSVirtualService.SchedulerFlags = [],
        persistence: UInt32? = nil, prefix: Int? = nil, onePacket: Bool = false
    ) throws {
        try ipvs.add(
            IPVSVirtualService(
                key, scheduler: scheduler, schedulerFlags: flags, persistence: persistence,
                persistencePrefix: prefix, onePacket: onePacket))
    }
    let web = IPVSVirtualService.Key.endpoint(.tcp, try endpoint("\(vip):80"))
    try service(web, "rr")
    try ipvs.add(IPVSRealServer(try address("10.9.9.3"), port: 80), to: web)
    try ipvs.add(
        IPVSRealServer(try address("10.9.9.2"), port: 80, weight: 3, upperThreshold: 10, lowerThreshold: 5), to: web)
    try service(.endpoint(.tcp, try endpoint("\(vip):81")), "sh", [.port, .fallback])
    try service(.endpoint(.tcp, try endpoint("\(vip):82")), "mh", [.port])
    try service(.endpoint(.tcp, try endpoint("\(vip):84")), "rr", [.fallback, .third], persistence: 360, prefix: 24)
    try service(.endpoint(.udp, try endpoint("\(vip):83")), "wlc", onePacket: true)
    try service(.endpoint(.udp, try endpoint("\(vip):85")), "wlc", [.port], persistence: 300, onePacket: true)
    let streams = IPVSVirtualService.Key.endpoint(.sctp, try endpoint("\(vip):83"))
    try service(streams, "wlc")
    try ipvs.add(IPVSRealServer(try address("10.3.3.3"), port: 8080, forwarding: .masquerade), to: streams)

    let mark = IPVSVirtualService.Key.firewallMark(5, .v4)
    try service(mark, "wrr")
    try service(.firewallMark(0x8000_0002, .v4), "wrr")
    try service(.firewallMark(5, .v6), "wrr")
    let tunnels: [IPVSRealServer.Tunnel?] = [
        nil, .init(), .init(kind: .gue, port: 6080), .init(kind: .gue, port: 6080, checksum: .full),
        .init(kind: .gue, port: 6080, checksum: .remote), .init(kind: .gre), .init(kind: .gre, checksum: .full),
    ]
    for (index, tunnel) in tunnels.enumerated() {
        try ipvs.add(
            IPVSRealServer(try address("10.3.3.\(index + 1)"), port: 0, forwarding: .tunnel, tunnel: tunnel), to: mark)
    }
    try ipvs.add(IPVSRealServer(try address(vip), port: 0), to: mark)

    let v6 = IPVSVirtualService.Key.endpoint(.tcp, try endpoint("[2001:db8::1]:90"))
    try service(v6, "lc", persistence: 360, prefix: 64)
    try service(.endpoint(.tcp, try endpoint("[2001:db8::1]:0")), "lc", persistence: 60)
    try ipvs.add(IPVSRealServer(try address("2001:db8::2"), port: 90, weight: 0), to: v6)
    try ipvs.add(IPVSRealServer(try address("10.2.3.4"), port: 90, forwarding: .tunnel), to: v6)
}

@Suite("IPVS", .enabled(if: PrivateNetwork.isAllowed && IPVSHandle.isAvailable, "needs root and a kernel with IPVS"))
struct IPVSTests {
    @Test("what is read back is what ipvsadm -Sn prints")
    func saved() async throws {
        try await PrivateNetwork.run {
            try Program.check(["ip", "address", "add", "\(vip)/32", "dev", "lo"])
            let ipvs = try IPVSHandle()
            #expect(try ipvs.saved() == "")
            try configure(ipvs)
            let saved = try ipvs.saved()
            #expect(saved == (try Program.check(["ipvsadm", "-Sn"])))
            #expect(saved.split(separator: "\n").count == 25)
            try ipvs.flush()
            #expect(try Program.check(["ipvsadm", "-Sn"]) == "")
        }
    }

    @Test("a configuration that ipvsadm made is read back the same")
    func ofIpvsadm() async throws {
        try await PrivateNetwork.run {
            for arguments in [
                "-A -t 10.9.9.1:80 -s rr -p 300 -M 255.255.0.0", "-a -t 10.9.9.1:80 -r 10.9.9.2 -g -w 7 -x 9 -y 3",
                "-A -f 9 -6 -s sh -b sh-port", "-A -u [2001:db8::1]:53 -s wlc -o",
                "-a -u [2001:db8::1]:53 -r [2001:db8::53]:5353 -m",
            ] {
                try Program.check(["ipvsadm"] + arguments.split(separator: " ").map(String.init))
            }
            let ipvs = try IPVSHandle()
            #expect(try ipvs.saved() == (try Program.check(["ipvsadm", "-Sn"])))
            let services = try ipvs.services()
            #expect(services.map(\.firewallMark) == [nil, nil, 9])
            #expect(services.first?.protocol == "tcp")
            #expect(services.first?.persistence == 300)
            #expect(services.first?.destinations.first?.forwarding == "Route")
            #expect(services.first?.destinations.first?.weight == 7)
        }
    }

    @Test("services and real servers are edited and deleted")
    func editing() async throws {
        try await PrivateNetwork.run {
            let ipvs = try IPVSHandle()
            let key = IPVSVirtualService.Key.endpoint(.tcp, try endpoint("\(vip):80"))
            var service = IPVSVirtualService(key, scheduler: "rr", persistence: 60)
            var server = IPVSRealServer(try address("10.9.9.2"), port: 80)
            try ipvs.add(service)
            try ipvs.add(server, to: key)
            service.scheduler = "wlc"
            service.persistence = nil
            try ipvs.edit(service)
            server.weight = 0
            server.forwarding = .tunnel
            try ipvs.edit(server, of: key)
            #expect(
                try ipvs.saved()
                    == "-A -t 10.9.9.1:80 -s wlc\n-a -t 10.9.9.1:80 -r 10.9.9.2:80 -i -w 0 --tun-type ipip\n")
            try ipvs.delete(server, from: key)
            #expect(try ipvs.saved() == "-A -t 10.9.9.1:80 -s wlc\n")
            try ipvs.delete(key)
            #expect(try ipvs.services() == [])
        }
    }

    @Test("the kernel's refusals keep their errno: EEXIST, ESRCH, ENOENT")
    func refusals() async throws {
        try await PrivateNetwork.run {
            let ipvs = try IPVSHandle()
            let key = IPVSVirtualService.Key.endpoint(.tcp, try endpoint("\(vip):80"))
            let service = IPVSVirtualService(key, scheduler: "rr")
            let server = IPVSRealServer(try address("10.9.9.2"), port: 80)
            func code(_ body: () throws -> Void) -> Int32? {
                #expect(throws: KernelError.self, performing: body)?.code
            }
            #expect(code { try ipvs.add(server, to: key) } == ESRCH)
            #expect(code { try ipvs.delete(key) } == ESRCH)
            #expect(code { try ipvs.add(IPVSVirtualService(key, scheduler: "nosuch")) } == ENOENT)
            try ipvs.add(service)
            #expect(code { try ipvs.add(service) } == EEXIST)
            #expect(code { try ipvs.edit(server, of: key) } == ENOENT)
            #expect(code { try ipvs.delete(server, from: key) } == ENOENT)
            try ipvs.add(server, to: key)
            let error = #expect(throws: KernelError.self) { try ipvs.add(server, to: key) }
            #expect(
                error?.description
                    == "add real server 10.9.9.2:80 to IPVS service -t 10.9.9.1:80: EEXIST (File exists)")
        }
    }

    @Test("timeouts are set and read; 0 leaves one as it is")
    func timeouts() async throws {
        try await PrivateNetwork.run {
            let ipvs = try IPVSHandle()
            #expect(try ipvs.timeouts() == IPVSTimeouts(tcp: 900, tcpFin: 120, udp: 300))
            try ipvs.set(IPVSTimeouts(tcp: 60, tcpFin: 0, udp: 30))
            #expect(try ipvs.timeouts() == IPVSTimeouts(tcp: 60, tcpFin: 120, udp: 30))
            #expect(
                try Program.check(["ipvsadm", "-L", "--timeout"]) == "Timeout (tcp tcpfin udp): 60 120 30\n")
        }
    }

    @Test("connections and statistics are those of ipvsadm")
    func traffic() async throws {
        try await PrivateNetwork.run {
            try Program.check(["ip", "address", "add", "\(vip)/32", "dev", "lo"])
            let ipvs = try IPVSHandle()
            let key = IPVSVirtualService.Key.endpoint(.tcp, try endpoint("\(vip):80"))
            try ipvs.add(IPVSVirtualService(key, scheduler: "rr"))
            // The real server is the director itself: its own stack answers.
            try ipvs.add(IPVSRealServer(try address(vip), port: 80), to: key)
            let datagrams = IPVSVirtualService.Key.endpoint(.udp, try endpoint("\(vip):53"))
            try ipvs.add(IPVSVirtualService(datagrams, scheduler: "rr"))
            try ipvs.add(IPVSRealServer(try address("127.0.0.1"), port: 53, forwarding: .masquerade), to: datagrams)
            let listener = try Loopback.listener(80)
            defer { close(listener) }
            for source in [40002, 40001] as [UInt16] {
                let connection = try #require(Loopback.connection(to: 80, on: vip, from: source))
                if source == 40001 { close(connection) }
            }
            Loopback.datagram(to: 53, on: vip, from: 40003)

            let early = try ipvs.connections()
            var state = try ipvs.state()
            #expect(state.connections.map(\.client) == early.map(\.client))
            #expect(state.connections.map(\.client.port) == [40001, 40002, 40003])
            #expect(state.connections.map(\.protocol) == ["tcp", "tcp", "udp"])
            #expect(state.connections[1].state == "ESTABLISHED")
            #expect(state.connections[1].virtual == (try endpoint("\(vip):80")))
            #expect((890...900).contains(state.connections[1].expires))
            let shown = try Program.check(["ipvsadm", "-Lnc"])
            for connection in state.connections {
                #expect(
                    shown.split(separator: "\n").contains { line in
                        let words = line.split(separator: " ")
                        return words.count == 6 && words[0].lowercased() == connection.protocol
                            && words[2] == connection.state && words[3] == "\(connection.client)"
                            && words[4] == "\(connection.virtual)" && words[5] == "\(connection.destination)"
                    }, "\(connection) is not in\n\(shown)")
            }

            // The kernel sums up every 2 seconds.
            let deadline = time(nil) + 10
            while try !ipvs.isCurrent(state.services), time(nil) < deadline {
                usleep(20_000)
                state = try ipvs.state()
            }
            #expect(try ipvs.isCurrent(state.services))
            let web = try #require(state.services.first { $0.protocol == "tcp" })
            #expect(web.destinations.first?.statistics == web.statistics)
            #expect(web.statistics.connections == 2)
            #expect(web.destinations.first?.activeConnections == 1)
            #expect(web.destinations.first?.inactiveConnections == 1)
            let statistics = web.statistics
            let line = try #require(
                try Program.check(["ipvsadm", "-Ln", "--stats", "--exact"]).split(separator: "\n").first {
                    $0.hasPrefix("TCP")
                })
            #expect(
                line.split(separator: " ").dropFirst(2).map(String.init)
                    == [
                        statistics.connections, statistics.inPackets, statistics.outPackets, statistics.inBytes,
                        statistics.outBytes,
                    ].map { "\($0)" })
            // Two SYNs, two ACKs, one FIN.
            #expect(statistics.inPackets == 5)
        }
    }

    @Test("a handle keeps to its namespace on any thread")
    func namespace() async throws {
        let (first, second) = (
            try await PrivateNetwork.run { try IPVSHandle() }, try await PrivateNetwork.run { try IPVSHandle() }
        )
        try first.add(IPVSVirtualService(.firewallMark(1, .v4), scheduler: "rr"))
        #expect(try first.saved() == "-A -f 1 -s rr\n")
        #expect(try second.state() == IPVSState())
    }
}

@Suite("Without IPVS", .disabled(if: IPVSHandle.isAvailable, "this kernel has IPVS"))
struct WithoutIPVSTests {
    @Test("a kernel without IPVS says so")
    func missing() {
        let error = #expect(throws: KernelError.self) { _ = try IPVSHandle() }
        #expect(error?.code == ENOENT)
        #expect(error?.explanation == "this kernel has no IPVS")
    }
}
