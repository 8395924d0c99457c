internal import Evidence
internal import Net
internal import Scenario

extension Case {
    /// Whether anybody misses a copy of a flooded frame. Most machines have no use for what was sent to all: a copy is
    /// missed by those that it is for, as far as the evidence shows them.
    func isMissed(_ copy: Journey.LostCopy, of whole: Journey) -> Bool {
        guard journey.lastHop?.destinationMAC.isMulticast ?? false else { return false }
        if whole.end.isGood, whole.isQuestion { return false }
        guard copy.blame.rules.contains(where: { $0.chain.hasSuffix("sg-fallback") }), !isEgress else { return true }
        guard let owner = scenario.owner(ofTap: copy.port), let destination = journey.destination else { return false }
        if destination.address.isAllNodes { return true }
        return destination.port == Self.syncPort && facts.changes.isBackup(owner, at: journey.started)
    }

    /// Where directors tell each other of their connections (IP_VS_SYNC_PORT in net/netfilter/ipvs/ip_vs_sync.c).
    static let syncPort: UInt16 = 8848

    /// Whether the security group that did not let the packet through is that of the port that it came from.
    private var isEgress: Bool {
        let chain = journey.blame?.rules.last { $0.rule.contains("sg-fallback") }?.chain
        return chain?.split(separator: "-").dropFirst(2).first?.first == "o"
    }
}

extension Journey {
    /// Whether it asks for one machine's MAC address.
    fileprivate var isQuestion: Bool {
        let words = packet.split(separator: " ")
        return words.count == 5 && words[1] == "who-has" && words[2] != words[4]
    }
}

extension Scenario {
    /// The host whose port a hypervisor's device is: of `hv2:tap72733200-00`.
    fileprivate func owner(ofTap port: String) -> String? {
        let device = port.split(separator: ":").last.map(String.init)
        return hosts.first { host in host.ports.contains { $0.tapName == device } }?.name
    }
}

extension IPAddress {
    /// 224.0.0.1 and ff02::1, which every machine listens to (RFC 1112, RFC 4291).
    fileprivate var isAllNodes: Bool { self == IPAddress("224.0.0.1") || self == IPAddress("ff02::1") }
}

/// Of router advertisements ports let in only those of their network's routers.
struct AdvertisementNotFromRouter: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .droppedByRule, failure.isHypervisor, failure.journey.protocol == "icmpv6",
            failure.journey.packet.contains("type 134 "), let source = failure.journey.source?.address,
            let chain = failure.journey.blame?.rules.last(where: { $0.rule.contains("sg-fallback") })?.chain
        else { return nil }
        let rules = failure.evidence.final.rules[failure.place] ?? []
        guard
            let known = rules.first(where: { rule in
                rule.family == "ipv6" && rule.chain == chain && rule.rule.contains("-s ")
                    && rule.rule.contains("--icmpv6-type 134") && rule.rule.hasSuffix("-j RETURN")
            })
        else { return nil }
        return Diagnosis(
            name: "an advertisement that is not a router's",
            because:
                "Of router advertisements the port lets in only those of its network's routers ('\(known.rule)'), and this "
                + "one comes from \(source)\(failure.sender.map { ", \($0)'s" } ?? "").",
            remedies: [])
    }
}
