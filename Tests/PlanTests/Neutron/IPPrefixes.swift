import Net

/// Remote networks of test rules.
enum IPPrefixes {
    static let v4 = IPPrefix(host: IPAddress(v4: 0xC000_0201))
    static let v6 = IPPrefix(host: IPAddress(v6: 0x2001_0DB8 << 96 | 1))
}
