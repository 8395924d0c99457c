import Capture
import Glibc
import Net
import Testing

@Suite(.enabled(if: noPrivateNetwork == nil && hasTshark, "needs root, ip and tshark"))
struct DissectionAgreesTests {
    /// What both sides say about a frame, in the order of `fields`; empty where a frame has no such field.
    private func line(_ frame: CapturedFrame) -> String {
        guard let dissected = Frame(frame.octets) else { return "no frame" }
        var columns = [dissected.source.description, dissected.destination.description]
        let ip = dissected.ip
        columns += [ip?.source.description ?? "", ip?.destination.description ?? ""]
        columns += [ip.map { "\($0.ttl)" } ?? "", ip.map { "\($0.totalLength)" } ?? ""]
        let tcp = ip?.tcp
        columns += [tcp?.sourcePort, tcp?.destinationPort].map { $0.map { "\($0)" } ?? "" }
        columns += [tcp?.sequence, tcp?.acknowledgement].map { $0.map { "\($0)" } ?? "" }
        columns += [tcp.map { "\($0.flags.rawValue)" } ?? "", tcp.map { "\($0.window)" } ?? ""]
        columns += [tcp.map { "\($0.payloadLength)" } ?? "", tcp?.maximumSegmentSize.map { "\($0)" } ?? ""]
        columns += [ip?.icmp.map { "\($0.type)" } ?? "", ip?.icmp?.echo.map { "\($0.sequence)" } ?? ""]
        columns += [ip?.icmp?.target?.description ?? ""]
        let arp = dissected.arp
        columns += [arp.map { "\($0.operation.rawValue)" } ?? "", arp?.senderAddress.description ?? ""]
        columns += [arp?.targetAddress.description ?? ""]
        return columns.joined(separator: "|")
    }

    /// Columns with several names are the first of these that the frame has.
    private let fields: [[String]] = [
        ["eth.src"], ["eth.dst"], ["ip.src", "ipv6.src"], ["ip.dst", "ipv6.dst"], ["ip.ttl", "ipv6.hlim"],
        ["ip.len", "ipv6.plen"], ["tcp.srcport"], ["tcp.dstport"], ["tcp.seq_raw"], ["tcp.ack_raw"], ["tcp.flags"],
        ["tcp.window_size_value"], ["tcp.len"], ["tcp.options.mss_val"], ["icmp.type", "icmpv6.type"],
        ["icmp.seq", "icmpv6.echo.sequence_number"], ["icmpv6.nd.ns.target_address", "icmpv6.nd.na.target_address"],
        ["arp.opcode"], ["arp.src.proto_ipv4"], ["arp.dst.proto_ipv4"],
    ]

    private func theirs(_ line: Substring) -> String {
        let values = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        var columns: [String] = []
        var next = 0
        for names in fields {
            let candidates = values[min(next, values.count)..<min(next + names.count, values.count)]
            next += names.count
            var value = candidates.first { !$0.isEmpty } ?? ""
            // tshark writes flags in hexadecimal, and IPv6's length field does not count the header.
            if value.hasPrefix("0x") { value = Int(value.dropFirst(2), radix: 16).map { "\($0)" } ?? value }
            if names == ["ip.len", "ipv6.plen"], candidates.first?.isEmpty == true, let length = Int(value) {
                value = "\(length + 40)"
            }
            columns.append(value)
        }
        return columns.joined(separator: "|")
    }

    @Test("tshark and drbench say the same of ARP, NDP, ping and a refused connection, IPv4 and IPv6")
    func agrees() async throws {
        let session = try CaptureSession(ports: [.init(name: "test:left", interface: "left")])
        try await inPrivateNetwork {
            let here = try currentNamespace()
            try newNamespace()
            let there = try currentNamespace()
            defer {
                close(here)
                close(there)
            }
            try enterNamespace(here)
            try run("ip", "link", "add", "left", "type", "veth", "peer", "name", "right")
            try run("ip", "link", "set", "right", "netns", "/proc/\(getpid())/fd/\(there)")
            try run("ip", "link", "set", "left", "up")
            try session.open(0)
            try enterNamespace(there)
            try run("ip", "link", "set", "right", "up")
            try run("ip", "address", "add", "203.0.113.2/27", "dev", "right")
            try run("ip", "address", "add", "2001:db8::2/64", "dev", "right", "nodad")
            try enterNamespace(here)
            try run("ip", "address", "add", "203.0.113.1/27", "dev", "left")
            try run("ip", "address", "add", "2001:db8::1/64", "dev", "left", "nodad")
            for address in ["203.0.113.2", "2001:db8::2"] {
                try run("ping", "-n", "-q", "-c", "2", "-i", "0.01", address)
                let refused = try run("bash", "-c", "exec 3<>/dev/tcp/\(address)/80", mayFail: true)
                #expect(refused.contains("refused"))
            }
        }
        #expect(session.finish().map(\.dropped) == [0])
        let octets = session.pcapng()
        let file = PcapNGReader.read(octets)
        let lines = try withTemporaryFile("agree.pcapng") { path in
            try writeFile(octets, to: path)
            // Stderr comes with it: tshark says that root is dangerous.
            return try run(
                "bash", "-c",
                "tshark -r \(path) -T fields -E separator='|' "
                    + fields.joined().map { "-e \($0)" }.joined(separator: " ") + " 2>/dev/null")
        }
        #expect(file.frames.map(line) == lines.split(separator: "\n").map(theirs))
        let dissected = file.frames.compactMap { Frame($0.octets) }
        #expect(dissected.contains { $0.arp?.operation == .reply })
        #expect(dissected.contains { $0.ip?.icmp?.target != nil })
        for version in [4, 6] {
            #expect(dissected.count { $0.ip?.version == version && $0.ip?.icmp?.echo != nil } == 4)
            #expect(dissected.contains { $0.ip?.version == version && $0.ip?.tcp?.flags == .syn })
            #expect(dissected.contains { $0.ip?.version == version && $0.ip?.tcp?.flags == [.rst, .ack] })
        }
    }
}
