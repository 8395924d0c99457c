import Capture
import Testing

@Suite struct PacketFilterTests {
    @Test(
        "a filter accepts what tcpdump would print",
        arguments: [
            ("udp", true), ("tcp", false), ("udp dst port 80", true),
            ("src host 203.0.113.1 and dst net 203.0.113.0/24", true),
            ("ether src fa:16:3e:00:00:01", true), ("ether src fa:16:3e:00:00:03", false), ("ip[8] == 64", true),
            ("len == 1500", true), ("greater 1501", false), ("", true), ("not ip", false),
            ("arp or udp[2:2] = 80", true),
        ])
    func matches(text: String, accepted: Bool) throws {
        let filter = try PacketFilter(text)
        #expect(filter.matches(udpFrame()[...], wireLength: 1500) == accepted)
        #expect(filter.text == text)
    }

    @Test("octets that were not captured match nothing, and are not read")
    func cut() throws {
        let filter = try PacketFilter("udp dst port 80")
        #expect(!filter.matches(udpFrame().prefix(36), wireLength: 60))
        #expect(filter.matches(udpFrame().prefix(38), wireLength: 60))
        #expect(!filter.matches([], wireLength: 60))
    }

    @Test(
        "a filter that does not compile says what is wrong",
        arguments: [
            ("ip and", "filter 'ip and': syntax error"), ("((", "filter '((': syntax error"),
            ("port 70000", "filter 'port 70000': illegal port number 70000 > 65535"),
            ("udp\0 and garbage", "filter 'udp\0 and garbage': contains a NUL"),
            ("host 1.2.3.256", "filter 'host 1.2.3.256': invalid IPv4 address '1.2.3.256'"),
        ])
    func wrong(text: String, message: String) {
        let error = #expect(throws: CaptureError.self) { try PacketFilter(text) }
        #expect(error?.description == message)
    }

    @Test("one filter is used by many threads, and many are compiled at once")
    func threads() async throws {
        let shared = try PacketFilter("udp dst port 80")
        let accepted = await withTaskGroup(of: Int.self) { group in
            for port in UInt16(78)..<82 {
                group.addTask {
                    let own = try? PacketFilter("udp dst port \(port)")
                    return (0..<500).count { _ in
                        shared.matches(udpFrame(port: port)[...], wireLength: 60)
                            && own?.matches(udpFrame(port: port)[...], wireLength: 60) == true
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(accepted == 500)
    }
}
