/// JSON that can stand in a script element: nothing in it ends the element, and it has nothing that `Markup` would not have
/// either. Written in one pass, for it is most of a page.
struct ScriptJSON {
    private(set) var octets: [UInt8] = []

    var text: String { String(decoding: octets, as: UTF8.self) }

    mutating func object(_ members: [(name: String, value: (inout ScriptJSON) -> Void)]) {
        octets.append(UInt8(ascii: "{"))
        for (index, member) in members.enumerated() {
            if index > 0 { octets.append(UInt8(ascii: ",")) }
            string(member.name)
            octets.append(UInt8(ascii: ":"))
            member.value(&self)
        }
        octets.append(UInt8(ascii: "}"))
    }

    mutating func array<Item>(_ items: [Item], _ write: (inout ScriptJSON, Item) -> Void) {
        octets.append(UInt8(ascii: "["))
        for (index, item) in items.enumerated() {
            if index > 0 { octets.append(UInt8(ascii: ",")) }
            write(&self, item)
        }
        octets.append(UInt8(ascii: "]"))
    }

    /// Numbers, and a text behind them.
    mutating func array(_ numbers: [Int], with text: String?) {
        octets.append(UInt8(ascii: "["))
        for (index, number) in numbers.enumerated() {
            if index > 0 { octets.append(UInt8(ascii: ",")) }
            octets.append(contentsOf: String(number).utf8)
        }
        if let text {
            if !numbers.isEmpty { octets.append(UInt8(ascii: ",")) }
            string(text)
        }
        octets.append(UInt8(ascii: "]"))
    }

    mutating func string(_ text: String) {
        octets.append(UInt8(ascii: "\""))
        if text.mayNeedEscapes || text.utf8.contains(UInt8(ascii: "\\")) || text.utf8.contains(0x09)
            || text.utf8.contains(0x0A)
        {
            for scalar in text.unicodeScalars { append(scalar) }
        } else {
            octets.append(contentsOf: text.utf8)
        }
        octets.append(UInt8(ascii: "\""))
    }

    private mutating func append(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\"": octets.append(contentsOf: "\\\"".utf8)
        case "\\": octets.append(contentsOf: "\\\\".utf8)
        case "\n": octets.append(contentsOf: "\\n".utf8)
        case "\t": octets.append(contentsOf: "\\t".utf8)
        case "<": octets.append(contentsOf: "\\u003c".utf8)
        default: octets.append(contentsOf: String(scalar.isUnruly ? "\u{FFFD}" : scalar).utf8)
        }
    }
}
