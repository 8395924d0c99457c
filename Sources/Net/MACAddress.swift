/// An IEEE 802 MAC address.
///
/// Written as Linux writes it, six lower-case hexadecimal octets: `fa:16:3e:00:00:03`.
public struct MACAddress: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The six octets, the first transmitted in the most significant position of the lower 48 bits.
    public let bits: UInt64

    public static let broadcast = MACAddress(bits: 0xFFFF_FFFF_FFFF)

    public init(bits: UInt64) {
        self.bits = bits & 0xFFFF_FFFF_FFFF
    }

    /// Reads the six octets at the start of `octets`; nil if there are fewer.
    public init?(octets: some Sequence<UInt8>) {
        var bits: UInt64 = 0
        var count = 0
        for octet in octets.prefix(6) {
            bits = bits << 8 | UInt64(octet)
            count += 1
        }
        guard count == 6 else { return nil }
        self.init(bits: bits)
    }

    /// Parses `fa:16:3e:00:00:03`, also with upper-case digits and with single-digit octets (`fa:16:3e:0:0:3`, as
    /// ebtables writes them).
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 6 else { return nil }
        var bits: UInt64 = 0
        for part in parts {
            guard (1...2).contains(part.utf8.count), part.utf8.allSatisfy({ $0 != 0x2B && $0 != 0x2D }),
                let octet = UInt8(part, radix: 16)
            else { return nil }
            bits = bits << 8 | UInt64(octet)
        }
        self.init(bits: bits)
    }

    public var octets: [UInt8] {
        (0..<6).map { UInt8(truncatingIfNeeded: bits >> (40 - 8 * $0)) }
    }

    /// Whether the group bit is set: multicast or broadcast (IEEE 802-2014, 8.2.2).
    public var isMulticast: Bool { bits >> 40 & 1 == 1 }

    public var description: String {
        String(unsafeUninitializedCapacity: 17) { text in
            func digit(_ value: UInt64) -> UInt8 {
                let nibble = UInt8(truncatingIfNeeded: value & 0xF)
                return nibble < 10 ? 0x30 + nibble : 0x57 + nibble
            }
            for octet in 0..<6 {
                let value = bits >> UInt64(40 - 8 * octet)
                text[octet * 3] = digit(value >> 4)
                text[octet * 3 + 1] = digit(value)
                if octet < 5 { text[octet * 3 + 2] = 0x3A }
            }
            return 17
        }
    }

    public static func < (a: MACAddress, b: MACAddress) -> Bool { a.bits < b.bits }
}

extension MACAddress: LosslessTextCodable {
    static var expected: String { "a MAC address such as fa:16:3e:00:00:03" }
    init?(text: String) { self.init(text) }
}
