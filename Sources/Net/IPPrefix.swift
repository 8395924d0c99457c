/// An address with a prefix length: an interface address (`203.0.113.3/27`) or a network (`203.0.113.0/27`).
///
/// Host bits are kept, as `ip address` keeps them; `network` masks them.
public struct IPPrefix: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let address: IPAddress
    /// Leading bits of the network part, 0 to 32 or 0 to 128.
    public let length: Int

    /// nil if `length` does not fit the address family.
    public init?(_ address: IPAddress, length: Int) {
        guard (0...address.family.bitWidth).contains(length) else { return nil }
        self.address = address
        self.length = length
    }

    /// The prefix of one address: /32 or /128.
    public init(host address: IPAddress) {
        self.address = address
        length = address.family.bitWidth
    }

    /// Parses `203.0.113.3/27`; an address without a length is a host prefix.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(parts[0]) else { return nil }
        guard parts.count == 2 else {
            self.init(host: address)
            return
        }
        guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let length = Int(parts[1])
        else { return nil }
        self.init(address, length: length)
    }

    public var family: IPAddress.Family { address.family }
    public var isHost: Bool { length == family.bitWidth }

    private var mask: UInt128 {
        let width = family.bitWidth
        let all: UInt128 = family == .v4 ? 0xFFFF_FFFF : .max
        return length == 0 ? 0 : all << (width - length) & all
    }

    /// The same prefix with its host bits cleared.
    public var network: IPPrefix {
        let masked = address.value & mask
        let base = family == .v4 ? IPAddress(v4: UInt32(truncatingIfNeeded: masked)) : IPAddress(v6: masked)
        return IPPrefix(unchecked: base, length: length)
    }

    private init(unchecked address: IPAddress, length: Int) {
        self.address = address
        self.length = length
    }

    public func contains(_ other: IPAddress) -> Bool {
        other.family == family && other.value & mask == address.value & mask
    }

    public var description: String { "\(address)/\(length)" }

    public static func < (a: IPPrefix, b: IPPrefix) -> Bool { (a.address, a.length) < (b.address, b.length) }
}

extension IPPrefix: LosslessTextCodable {
    static var expected: String { "an address with a prefix length such as 203.0.113.0/27" }
    init?(text: String) { self.init(text) }
}

/// A transport endpoint: an address and a TCP or UDP port.
public struct Endpoint: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let address: IPAddress
    public let port: UInt16

    public init(_ address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }

    /// Parses `203.0.113.2:80` or `[2001:db8::2]:80`.
    public init?(_ text: some StringProtocol) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        var host = text[..<colon]
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits) else { return nil }
        let bracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if bracketed { host = host.dropFirst().dropLast() }
        guard let address = IPAddress(host), (address.family == .v6) == bracketed else { return nil }
        self.init(address, port: port)
    }

    public var description: String {
        address.family == .v6 ? "[\(address)]:\(port)" : "\(address):\(port)"
    }

    public static func < (a: Endpoint, b: Endpoint) -> Bool { (a.address, a.port) < (b.address, b.port) }
}

extension Endpoint: LosslessTextCodable {
    static var expected: String { "an address and port such as 203.0.113.2:80 or [2001:db8::2]:80" }
    init?(text: String) { self.init(text) }
}
