import Net
import Testing

@testable import Verdict

@Suite("INVALID packets that come through by luck")
struct SilentInvalidTests {
    private func journey(_ number: Int, _ end: JourneyEnd, flow: Int, invalidAt ports: [String]) -> Journey {
        let hops = ["gw:eth0", "hv1:uplink", "hv1:tap", "lb:eth0"].enumerated().map { index, port in
            var hop = Hop(
                port: port, direction: .into, time: Int64(index), sourceMAC: MACAddress(bits: 1),
                destinationMAC: MACAddress(bits: 2),
                frame: index)
            if ports.contains(port) { hop.invalid = "nf_ct_proto_6: packet (index 3) in dir 0 invalid, state SYN_SENT" }
            return hop
        }
        return Journey(
            number: number, packet: "a packet", protocol: "tcp", hops: hops, copies: 0, end: end, flow: flow,
            isReply: false)
    }

    @Test("a packet counts once in each namespace that called it INVALID, whatever the number of its ports")
    func counted() throws {
        let found = SilentInvalid.all(in: [
            journey(1, .delivered, flow: 0, invalidAt: []),
            journey(2, .delivered, flow: 0, invalidAt: ["hv1:uplink", "hv1:tap"]),
            journey(3, .delivered, flow: 1, invalidAt: ["hv1:uplink", "lb:eth0"]),
        ])
        #expect(found.map(\.place) == ["hv1", "lb"])
        #expect(found.map(\.journeys) == [[2, 3], [3]])
        #expect(found.map(\.text) == ["2 packets of 2 flows", "1 packet of 1 flow"])
        #expect(
            found[0].diagnosis.because.contains("'nf_ct_proto_6: packet (index 3) in dir 0 invalid, state SYN_SENT'"))
    }

    @Test("what was dropped for it had no luck")
    func dropped() {
        #expect(SilentInvalid.all(in: [journey(1, .droppedByConntrackRule, flow: 0, invalidAt: ["hv1:uplink"])]) == [])
    }
}
