/// An IPv4 or IPv6 address, without a zone.
///
/// Written as RFC 4632 dotted decimal or RFC 5952 text.
public struct IPAddress: Hashable, Sendable, Comparable {
    public enum Family: UInt8, Hashable, Sendable, Comparable {
        case v4 = 4
        case v6 = 6

        /// Bits in an address of this family.
        public var bitWidth: Int { self == .v4 ? 32 : 128 }

        public static func < (a: Family, b: Family) -> Bool { a.rawValue < b.rawValue }
    }

    public let family: Family
    /// The address as a number; an IPv4 address stands in the lower 32 bits.
    public let value: UInt128

    public init(v4: UInt32) {
        family = .v4
        value = UInt128(v4)
    }

    public init(v6: UInt128) {
        family = .v6
        value = v6
    }

    /// Reads 4 or 16 octets in network order; nil for any other count.
    public init?(octets: some Collection<UInt8>) {
        var value: UInt128 = 0
        for octet in octets { value = value << 8 | UInt128(octet) }
        switch octets.count {
        case 4: self.init(v4: UInt32(truncatingIfNeeded: value))
        case 16: self.init(v6: value)
        default: return nil
        }
    }

    public init?(_ text: some StringProtocol) {
        if let v4 = Self.parseV4(text) {
            self.init(v4: v4)
        } else if let v6 = Self.parseV6(text) {
            self.init(v6: v6)
        } else {
            return nil
        }
    }

    /// The octets in network order: 4 or 16.
    public var octets: [UInt8] {
        let width = family.bitWidth
        return (0..<width / 8).map { UInt8(truncatingIfNeeded: value >> (width - 8 - 8 * $0)) }
    }

    public var isUnspecified: Bool { value == 0 }

    public static func < (a: IPAddress, b: IPAddress) -> Bool {
        (a.family, a.value) < (b.family, b.value)
    }

    private static func parseV4(_ text: some StringProtocol) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                part.utf8.count == 1 || part.utf8.first != 0x30, let octet = UInt8(part)
            else { return nil }
            value = value << 8 | UInt32(octet)
        }
        return value
    }

    private static func parseV6(_ text: some StringProtocol) -> UInt128? {
        var halves: [[UInt16]] = [[]]
        var rest = text[...]
        if rest.hasPrefix("::") {
            halves.append([])
            rest = rest.dropFirst(2)
        }
        while !rest.isEmpty {
            let end = rest.firstIndex(of: ":") ?? rest.endIndex
            let part = rest[..<end]
            if end == rest.endIndex, part.contains(".") {
                guard let v4 = parseV4(part) else { return nil }
                halves[halves.count - 1] += [UInt16(truncatingIfNeeded: v4 >> 16), UInt16(truncatingIfNeeded: v4)]
                rest = rest[end...]
                break
            }
            guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy({ $0 != 0x2B && $0 != 0x2D }),
                let group = UInt16(part, radix: 16)
            else { return nil }
            halves[halves.count - 1].append(group)
            rest = rest[end...]
            guard !rest.isEmpty else { break }
            rest = rest.dropFirst()
            if rest.first == ":" {
                guard halves.count == 1 else { return nil }
                halves.append([])
                rest = rest.dropFirst()
            } else if rest.isEmpty {
                return nil
            }
        }
        let written = halves.reduce(0) { $0 + $1.count }
        guard halves.count == 1 ? written == 8 : written < 8 else { return nil }
        let groups =
            halves.count == 1 ? halves[0] : halves[0] + Array(repeating: 0, count: 8 - written) + halves[1]
        return groups.reduce(0) { $0 << 16 | UInt128($1) }
    }
}

extension IPAddress: CustomStringConvertible {
    public var description: String {
        switch family {
        case .v4: v4Description
        case .v6: v6Description
        }
    }

    /// At most fifteen octets, which a String holds without memory of its own: evidence has many thousand addresses.
    private var v4Description: String {
        String(unsafeUninitializedCapacity: 15) { text in
            var count = 0
            func put(_ octet: UInt8) {
                text[count] = octet
                count += 1
            }
            for shift in [24, 16, 8, 0] {
                let octet = UInt8(truncatingIfNeeded: value >> UInt128(shift))
                if octet >= 100 { put(0x30 + octet / 100) }
                if octet >= 10 { put(0x30 + octet / 10 % 10) }
                put(0x30 + octet % 10)
                if shift > 0 { put(0x2E) }
            }
            return count
        }
    }

    /// RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups as `::`, the first of equals;
    /// IPv4-mapped addresses in mixed notation.
    private var v6Description: String {
        if value >> 32 == 0xFFFF {
            return "::ffff:" + IPAddress(v4: UInt32(truncatingIfNeeded: value)).description
        }
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: value >> (112 - 16 * $0)) }
        var longest = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > max(longest.count, 1) { longest = start..<end }
            start = max(end, start + 1)
        }
        func hex(_ part: some Sequence<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard !longest.isEmpty else { return hex(groups) }
        return hex(groups[..<longest.lowerBound]) + "::" + hex(groups[longest.upperBound...])
    }
}

extension IPAddress: LosslessTextCodable {
    static var expected: String { "an IP address such as 203.0.113.2 or 2001:db8::2" }
    init?(text: String) { self.init(text) }
}
