internal import Scenario

/// What adds up: whatever each part may have, all of them together have a limit, too. Sums are of outside numbers and end at
/// the largest there is.
extension Consistency {
    func checkSums() {
        checkNetworkSums()
        checkPortSecurity()
        checkTimelineSums()
        checkExpectations()
    }

    private func tooMuch(_ what: String, at place: SourceLocation, limit: String) {
        reader.error(at: place, what, expected: "at most \(limit)")
    }

    private func checkNetworkSums() {
        var ports = 0
        for host in scenario.hosts {
            ports += host.ports.count
            guard ports > Limits.ports else { continue }
            tooMuch(
                "more than \(Limits.ports) ports of all hosts", at: tree.location(of: ["hosts", host.name, "ports"]),
                limit: "\(Limits.ports)")
            break
        }
        let bridges = scenario.networks.count * (scenario.hypervisors.count + scenario.switches.count)
        if bridges > Limits.bridges {
            tooMuch(
                "\(bridges) bridges: each network has one on each hypervisor and switch",
                at: tree.location(of: ["networks"]), limit: "\(Limits.bridges)")
        }
    }

    /// A rule for each address, and for each rule of a group; with a remote group for each of its members' addresses.
    private func checkPortSecurity() {
        var members: [String: Int] = [:]
        let ports = scenario.hosts.flatMap(\.ports)
        for port in ports {
            let addresses = port.fixedIPs.count.times(1 + port.allowedAddressPairs.count)
            for group in port.securityGroups { members[group] = members[group, default: 0].plus(addresses) }
        }
        var rules: [String: Int] = [:]
        for group in scenario.securityGroups {
            rules[group.name] = group.rules.reduce(0) { sum, rule in
                sum.plus(rule.remoteGroup.map { members[$0] ?? 0 } ?? 1)
            }
        }
        let all = ports.reduce(0) { sum, port in
            port.securityGroups.reduce(sum.plus(port.fixedIPs.count).plus(port.allowedAddressPairs.count)) {
                $0.plus(rules[$1] ?? 0)
            }
        }
        if all > Limits.portSecurityRules {
            tooMuch(
                "port security makes \(all) rules", at: tree.location(of: ["security_groups"]),
                limit: "\(Limits.portSecurityRules)")
            return
        }
        var sum = all
        for (action, place) in placedActions {
            guard case .move = action else { continue }
            sum = sum.plus(all)
            guard sum > Limits.portSecurityRules else { continue }
            tooMuch(
                "port security makes \(all) rules, and all of them again for each move until here", at: place,
                limit: "\(Limits.portSecurityRules)")
            return
        }
    }

    /// Every action of the timeline, and where it stands.
    private var placedActions: [(Step.Action, SourceLocation)] {
        scenario.timeline.flatMap { step in
            [(step.action, step.location)] + step.meanwhile.map { ($0.action, $0.location) }
        }
    }

    private func checkTimelineSums() {
        var time = Total(Limits.virtualTime)
        var (requests, bytes, packets, frameBytes) = (
            Total(Int64(Limits.requests)), Total(Int64(Limits.allRequestBytes)), Total(Int64(Limits.packets)),
            Total(Int64(Limits.frameBytes))
        )
        var (loads, moves) = (Total(Int64(Limits.loads)), Total(Int64(Limits.moves)))
        for (action, place) in placedActions {
            if time.add(action.spokenTime) {
                tooMuch(
                    "with this step the timeline can last too long by its waits, intervals and time limits", at: place,
                    limit: "\(StepNames.duration(Limits.virtualTime)) together")
            }
            if requests.add(Int64(action.requestCount)) {
                tooMuch("with this step there are too many requests", at: place, limit: "\(Limits.requests) together")
            }
            if bytes.add(action.requestedBytes) {
                tooMuch(
                    "with this step the requests ask for too much", at: place,
                    limit: "\(Limits.allRequestBytes) bytes together")
            }
            switch action {
            case .send(let packet):
                let (frames, length) = packet.frames
                if packets.add(frames.times(Int64(packet.count))) {
                    tooMuch("with this step too many packets are sent", at: place, limit: "\(Limits.packets) together")
                }
                if frameBytes.add(frames.times(length)) {
                    tooMuch(
                        "with this step the packets that are sent are too much", at: place,
                        limit: "\(Limits.frameBytes) bytes of different frames together")
                }
            case .load:
                if loads.add(1) { tooMuch("too many loads", at: place, limit: "\(Limits.loads)") }
            case .move:
                if moves.add(1) { tooMuch("too many moves", at: place, limit: "\(Limits.moves)") }
            default: break
            }
        }
    }

    private func checkExpectations() {
        var sum = Total(Int64(Limits.expectations))
        for expectation in scenario.timeline.flatMap(\.expectations) + scenario.expectations
        where sum.add(Int64(expectation.leaves.count)) {
            tooMuch("too many expectations", at: expectation.location, limit: "\(Limits.expectations)")
        }
    }
}

/// A sum that is told once when it goes beyond its limit.
private struct Total {
    let limit: Int64
    var sum: Int64 = 0

    init(_ limit: Int64) { self.limit = limit }

    /// Whether it is beyond the limit now, and was not before.
    mutating func add(_ amount: Int64) -> Bool {
        let wasWithin = sum <= limit
        sum = sum.plus(amount)
        return wasWithin && sum > limit
    }
}

extension FixedWidthInteger {
    /// Of numbers that are not negative: the largest there is, if the sum is more.
    fileprivate func plus(_ other: Self) -> Self {
        let (sum, isTooMuch) = addingReportingOverflow(other)
        return isTooMuch ? .max : sum
    }

    fileprivate func times(_ other: Self) -> Self {
        let (product, isTooMuch) = multipliedReportingOverflow(by: other)
        return isTooMuch ? .max : product
    }
}

extension Step.Action {
    /// Nanoseconds that it can take by what it says.
    fileprivate var spokenTime: Int64 {
        if case .send(let packet) = self { return packet.interval.times(Int64(packet.count)) }
        return longest ?? 0
    }

    fileprivate var requestedBytes: Int64 {
        switch self {
        case .request(let request): Int64(request.bytes).times(Int64(request.count))
        case .open(_, let request): Int64(request.bytes)
        case .use(_, let bytes, _): Int64(bytes)
        default: 0
        }
    }
}

extension CraftedPacket {
    /// How many different frames it is, and the bytes that each carries behind Ethernet, IP and TCP headers of at most 74.
    fileprivate var frames: (count: Int64, bytes: Int64) {
        func ports(_ one: ClosedRange<UInt16>, _ other: ClosedRange<UInt16>) -> Int64 {
            Int64(one.count) * Int64(other.count)
        }
        let headers: Int64 = 74
        switch content {
        case .arp: return (1, headers)
        case .other(_, let payload): return (1, headers + Int64(payload.count))
        case .ip(let ip):
            switch ip.payload {
            case .tcp(let tcp):
                return (ports(tcp.sourcePorts, tcp.destinationPorts), headers + Int64(tcp.data.utf8.count))
            case .udp(let udp):
                return (ports(udp.sourcePorts, udp.destinationPorts), headers + Int64(udp.data.utf8.count))
            case .icmp(let icmp): return (1, headers + Int64(icmp.rest.count))
            case .other(_, let payload): return (1, headers + Int64(payload.count))
            }
        }
    }
}
