/// Packets that a namespace's conntrack called INVALID, and that came to where they should all the same: no rule that they
/// met there asked for it first. With the rules in another order they would not have come.
public struct SilentInvalid: Codable, Sendable, Equatable {
    /// The namespace: `hv1`.
    public var place: String
    /// The numbers of their journeys, ascending.
    public var journeys: [Int]
    /// How many flows they belong to.
    public var flows: Int
    public var diagnosis: Diagnosis

    /// By namespace, in the order of the first packet.
    public static func all(in journeys: [Journey]) -> [SilentInvalid] {
        var order: [String] = []
        var found: [String: (journeys: [Int], flows: Set<Int>, reason: String)] = [:]
        for journey in journeys where journey.end.isGood {
            var counted: Set<String> = []
            for hop in journey.hops {
                guard let reason = hop.invalid, counted.insert(hop.namespace).inserted else { continue }
                if found[hop.namespace] == nil { order.append(hop.namespace) }
                var known = found[hop.namespace] ?? ([], [], reason)
                known.journeys.append(journey.number)
                if let flow = journey.flow { known.flows.insert(flow) }
                found[hop.namespace] = known
            }
        }
        return order.compactMap { place in
            found[place].map { SilentInvalid(place, $0.journeys, flows: $0.flows.count, reason: $0.reason) }
        }
    }

    private init(_ place: String, _ journeys: [Int], flows: Int, reason: String) {
        self.place = place
        self.journeys = journeys
        self.flows = flows
        diagnosis = Diagnosis(
            name: "silent INVALID",
            because:
                "\(place)'s conntrack called them INVALID ('\(reason)'), and they came through by luck: no rule that they "
                + "met there asks for INVALID before another lets them pass. Where one does, as in Neutron before 2014.2.4 "
                + "and 2015.1.2, they are dropped (cross-hv-p-old).",
            remedies: [
                .init("do not track the VIP's packets (raw table, CT --notrack)", "fix-notrack-vip"),
                .init("put the real server on the director's hypervisor", "release-matters/newton-together"),
            ])
    }

    /// `10 packets of 2 flows`.
    public var text: String {
        "\(journeys.count) \(journeys.count == 1 ? "packet" : "packets") of \(flows) \(flows == 1 ? "flow" : "flows")"
    }
}
