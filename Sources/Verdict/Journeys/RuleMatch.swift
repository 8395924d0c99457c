internal import Evidence
internal import Net

/// A rule of iptables, ebtables or arptables, taken apart.
struct ParsedRule {
    enum Target: Equatable {
        case accept, drop, reject, `return`
        case jump(String)
        case goTo(String)
        /// Counts, marks, translates; the packet goes on.
        case none
    }

    enum Match {
        case source(IPPrefix)
        case destination(IPPrefix)
        case protocolName(String)
        case sourcePorts([ClosedRange<UInt16>])
        case destinationPorts([ClosedRange<UInt16>])
        case sourceMACs([MACAddress])
        case destinationMACs([MACAddress])
        case inDevice(String)
        case outDevice(String)
        case states([String])
        case icmpType(String)
        /// ARP's sender address.
        case arpSource(IPPrefix)
        /// Something that is not looked into: sets, statistics, marks.
        case unknown
    }

    var counter: RuleCounter
    var matches: [(match: Match, isNegated: Bool)] = []
    var target = Target.none
    /// Whether it asks for the packet's conntrack state.
    var asksForState: Bool {
        matches.contains { if case .states = $0.match { true } else { false } }
    }

    init(_ counter: RuleCounter) {
        self.counter = counter
        if counter.number == 0, counter.rule.hasPrefix("policy ") {
            switch counter.rule.dropFirst(7) {
            case "DROP": target = .drop
            case "RETURN": target = .return
            default: target = .accept
            }
            return
        }
        var words = Self.words(counter.rule)[...]
        var isNegated = false
        while let word = words.popFirst() {
            if word == "!" {
                isNegated = true
                continue
            }
            read(word, &words, isNegated)
            isNegated = false
        }
    }

    private var isARP: Bool { counter.family == "arp" }

    private mutating func read(_ word: String, _ words: inout ArraySlice<String>, _ isNegated: Bool) {
        func value() -> String { words.popFirst() ?? "" }
        func add(_ match: Match?) { matches.append((match ?? .unknown, isNegated)) }
        switch word {
        // What ebtables calls so are MAC addresses.
        case "-s" where counter.family == "bridge": add(MACAddress(value()).map { .sourceMACs([$0]) })
        case "-d" where counter.family == "bridge":
            let mac = value()
            add((mac == "Broadcast" ? .broadcast : MACAddress(mac)).map { .destinationMACs([$0]) })
        case "-s", "--src", "--source": add(Self.prefix(value()).map { .source($0) })
        case "-d", "--dst", "--destination": add(Self.prefix(value()).map { .destination($0) })
        case "-p", "--protocol": add(.protocolName(value()))
        case "--sport", "--source-port", "--sports": add(Self.ports(value()).map { .sourcePorts($0) })
        case "--dport", "--destination-port", "--dports": add(Self.ports(value()).map { .destinationPorts($0) })
        case "--mac-source": add(MACAddress(value()).map { .sourceMACs([$0]) })
        case "--among-src":
            let macs = value().split(separator: ",").compactMap { MACAddress($0.prefix { $0 != "=" }) }
            add(.sourceMACs(macs))
        case "--physdev-in", "-i", "--in-interface": add(.inDevice(value()))
        case "--physdev-out", "-o", "--out-interface": add(.outDevice(value()))
        case "--state", "--ctstate": add(.states(value().split(separator: ",").map(String.init)))
        case "--icmp-type", "--icmpv6-type": add(.icmpType(value()))
        case "--arp-ip-src": add(Self.prefix(value()).map { .arpSource($0) })
        case "-m", "--match":
            if value() == "statistic" { add(.unknown) }
        case "--physdev-is-bridged": break
        case "--comment": _ = value()
        case "-j", "--jump", "-g", "--goto":
            let name = value()
            switch name {
            case "ACCEPT": target = .accept
            case "DROP": target = .drop
            case "REJECT": target = .reject
            case "RETURN": target = .return
            case "CONTINUE", "LOG", "NFLOG", "MARK", "CT", "NOTRACK", "SNAT", "DNAT", "REDIRECT", "MASQUERADE",
                "CONNMARK", "CLASSIFY", "TRACE", "TPROXY", "CHECKSUM", "TCPMSS":
                target = .none
            case "mangle" where isARP: target = .accept
            default: target = word == "-g" || word == "--goto" ? .goTo(name) : .jump(name)
            }
            // What follows are the target's own options; but arptables names the target first.
            if !isARP { words = [] }
        case "--mangle-target":
            switch value() {
            case "DROP": target = .drop
            case "CONTINUE": target = .none
            default: break
            }
        case _ where isARP && (word.hasPrefix("--mangle-") || word.hasPrefix("--set-")): _ = value()
        default:
            if word.hasPrefix("-") {
                add(.unknown)
                while let next = words.first, !next.hasPrefix("-"), next != "!" { words.removeFirst() }
            }
        }
    }

    private static func prefix(_ text: String) -> IPPrefix? {
        IPPrefix(text) ?? IPAddress(text).map { IPPrefix(host: $0) }
    }

    private static func ports(_ text: String) -> [ClosedRange<UInt16>]? {
        let ranges: [ClosedRange<UInt16>?] = text.split(separator: ",").map { part in
            let ends = part.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard let low = ends.first.map({ $0.isEmpty ? 0 : UInt16($0) ?? 0 }) else { return nil }
            let high = ends.count > 1 ? UInt16(ends[1]) ?? .max : low
            return low <= high ? low...high : nil
        }
        let read = ranges.compactMap(\.self)
        return read.count == ranges.count && !read.isEmpty ? read : nil
    }

    /// The rule's words; a comment in quotation marks is one.
    private static func words(_ text: String) -> [String] {
        var words: [String] = []
        var word = ""
        var isQuoted = false
        var isEscaped = false
        for character in text {
            if isEscaped {
                word.append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                isQuoted.toggle()
            } else if character == " ", !isQuoted {
                if !word.isEmpty { words.append(word) }
                word = ""
            } else {
                word.append(character)
            }
        }
        return word.isEmpty ? words : words + [word]
    }
}

/// What a rule can ask of a packet where it is filtered.
struct FilteredPacket {
    enum Answer {
        case yes, no
        /// It depends on what no evidence shows.
        case maybe

        static func both(_ one: Answer, _ other: Answer) -> Answer {
            one == .no || other == .no ? .no : one == .yes && other == .yes ? .yes : .maybe
        }
    }

    var headers: Headers
    var inDevice: String?
    /// The devices that it can have been meant to leave by.
    var outDevices: [String]
    /// The conntrack states that it can be in.
    var states: Set<String>
    var isARP: Bool { headers.neighbour.map { !$0.isIPv6 } ?? false }

    func answer(_ rule: ParsedRule) -> Answer {
        rule.matches.reduce(.yes) { answer, part in
            var own = self.answer(part.match)
            if part.isNegated { own = own == .yes ? .no : own == .no ? .yes : .maybe }
            return .both(answer, own)
        }
    }

    private func answer(_ match: ParsedRule.Match) -> Answer {
        let packet = headers.packet
        switch match {
        case .source(let prefix):
            return answer((packet?.source ?? headers.neighbour?.sender).map(prefix.contains))
        case .destination(let prefix):
            return answer((packet?.destination ?? headers.neighbour?.target).map(prefix.contains))
        case .protocolName(let name):
            if name.uppercased() == "ARP" || name == "0x0806" { return isARP ? .yes : .no }
            let number = name.hasPrefix("0x") ? UInt16(name.dropFirst(2), radix: 16) : nil
            if let type = number ?? ["IPv4": 0x0800, "IPv6": 0x86DD, "RARP": 0x8035][name] {
                return headers.etherType == type ? .yes : .no
            }
            guard let packet else { return .no }
            let names = [packet.protocolName, String(packet.protocolNumber)]
            let aliases = ["ipencap": "ipip", "ipv6-icmp": "icmpv6", "all": packet.protocolName]
            return names.contains(aliases[name] ?? name) ? .yes : .no
        case .sourcePorts(let ranges): return port(packet?.sourcePort, in: ranges)
        case .destinationPorts(let ranges): return port(packet?.destinationPort, in: ranges)
        case .sourceMACs(let macs): return macs.contains(headers.sourceMAC) ? .yes : .no
        case .destinationMACs(let macs): return macs.contains(headers.destinationMAC) ? .yes : .no
        case .inDevice(let name):
            guard let inDevice else { return .maybe }
            return name == inDevice ? .yes : name.hasPrefix("tap") || name.hasPrefix("qv") ? .no : .maybe
        case .outDevice(let name):
            guard outDevices.contains(name) else { return outDevices.isEmpty ? .maybe : .no }
            return outDevices.count == 1 ? .yes : .maybe
        case .states(let wanted):
            let fitting = states.intersection(wanted)
            return fitting.isEmpty ? .no : fitting.count == states.count ? .yes : .maybe
        case .icmpType(let text):
            guard let type = packet?.icmpType else { return .no }
            return UInt8(text.prefix { $0 != "/" }).map { $0 == type ? .yes : .no } ?? .maybe
        case .arpSource(let prefix):
            return answer(headers.neighbour.map { prefix.contains($0.sender) })
        case .unknown: return .maybe
        }
    }

    private func answer(_ truth: Bool?) -> Answer { truth.map { $0 ? .yes : .no } ?? .no }

    private func port(_ port: UInt16?, in ranges: [ClosedRange<UInt16>]) -> Answer {
        guard let port else { return headers.packet?.fragmentOffset ?? 0 > 0 ? .maybe : .no }
        return ranges.contains { $0.contains(port) } ? .yes : .no
    }
}
