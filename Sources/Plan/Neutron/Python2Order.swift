/// The order in which CPython 2.7 walks a `dict` or `set` of strings, a pure function of the strings and of the order of
/// their insertion as long as hash randomisation (`-R`) is off, as it is by default.
///
/// Releases up to Newton ran on Python 2 and let this order through to the kernel: the order of ports in Icehouse and Kilo,
/// of ports without port security, and of ARP rules in Newton. See Objects/stringobject.c (`string_hash`; ASCII `unicode`
/// hashes alike), Objects/dictobject.c (`lookdict_string`, `dictresize`) and Objects/setobject.c.
struct Python2Order {
    private(set) var slots: [String?] = Array(repeating: nil, count: 8)
    private(set) var count = 0

    /// The keys, as Python iterates them.
    var keys: [String] { slots.compactMap { $0 } }

    init(inserting keys: some Sequence<String> = [String]()) {
        for key in keys { insert(key) }
    }

    mutating func insert(_ key: String) {
        let slot = Self.slot(of: key, in: slots)
        guard slots[slot] == nil else { return }
        slots[slot] = key
        count += 1
        // Two thirds full: to four times the entries (twice beyond 50,000), rounded up to a power of two.
        if count * 3 >= slots.count * 2 { resize(beyond: count > 50_000 ? count * 2 : count * 4) }
    }

    /// `set.__ior__` with another set: makes room for both at once, then inserts in the other's order.
    mutating func formUnion(_ other: Python2Order) {
        if (count + other.count) * 3 >= slots.count * 2 { resize(beyond: (count + other.count) * 2) }
        for key in other.keys { insert(key) }
    }

    private mutating func resize(beyond minimum: Int) {
        var size = 8
        while size <= minimum { size *= 2 }
        var larger = [String?](repeating: nil, count: size)
        for key in keys { larger[Self.slot(of: key, in: larger)] = key }
        slots = larger
    }

    /// The key's slot, or the free one where it goes: open addressing, perturbed by the hash's upper bits.
    private static func slot(of key: String, in slots: [String?]) -> Int {
        let mask = UInt(slots.count - 1)
        var perturb = UInt(bitPattern: hash(key))
        var index = perturb & mask
        while let other = slots[Int(index & mask)], other != key {
            index = (index << 2) &+ index &+ perturb &+ 1
            perturb >>= 5
        }
        return Int(index & mask)
    }

    /// `hash(key)` of a 64-bit CPython 2.7.
    static func hash(_ key: String) -> Int {
        let octets = Array(key.utf8)
        guard let first = octets.first else { return 0 }
        var value = Int(first) << 7
        for octet in octets { value = (1_000_003 &* value) ^ Int(octet) }
        value ^= octets.count
        return value == -1 ? -2 : value
    }
}
