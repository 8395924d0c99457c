import Foundation

/// What an input is, and so what can be done to it.
enum Kind { case yaml, json, lines, pcapng }

/// Changes bytes by chance.
struct Mutator {
    var numbers: Numbers

    private static let texts = [
        "\n", "\"", "'", "\u{1B}[2J", "\u{9B}31m", "\u{202E}", "\r", "\0", "é", "\u{FEFF}", "{", "}", "[", "]", ":",
        ": ", ", ",
        "- ", "# ", "~", "null", "true", "*a", "&a ", "<<: *a", "!!binary ", "|", ">", "%", "$(x)", "::error::x", "-1",
        "0",
        "\u{2028}", "../..", "/dev/zero", "/", " ", "\t",
    ]
    private static let extremes = [
        "0", "-1", "1", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551615",
        "18446744073709551616", "99999999999999999999999999", "1e308", "1e999", "-1e999", "0.5", "1e-320", "4294967295",
        "4294967296", "65535", "65536", "2147483648", "255", "256", "1000000000", "NaN", "0x7fffffff",
    ]

    mutating func changed(_ original: [UInt8], _ kind: Kind) -> [UInt8] {
        var bytes = original
        for _ in 0..<(1 + numbers.below(3)) {
            switch (kind, numbers.below(10)) {
            case (.json, 0..<5): bytes = JSONMutator.changed(bytes, &numbers) ?? inBytes(bytes)
            case (.pcapng, 0..<6): bytes = CaptureMutator.changed(bytes, &numbers)
            case (.pcapng, _): bytes = inBytes(bytes)
            case (_, 0..<4): bytes = inLines(bytes)
            case (_, 4..<6): bytes = withNumber(bytes)
            case (_, 6): bytes = withWord(bytes)
            default: bytes = inBytes(bytes)
            }
        }
        return bytes
    }

    private mutating func text() -> [UInt8] { Array((numbers.pick(Self.texts) ?? "").utf8) }

    private mutating func inBytes(_ original: [UInt8]) -> [UInt8] {
        var bytes = original
        guard !bytes.isEmpty else { return text() }
        let place = numbers.below(bytes.count)
        let end = min(bytes.count, place + 1 + numbers.below(numbers.below(8) == 0 ? 4096 : 32))
        switch numbers.below(8) {
        case 0: bytes[place] ^= 1 << UInt8(numbers.below(8))
        case 1: bytes[place] = UInt8(numbers.below(256))
        case 2: bytes.removeSubrange(place...)
        case 3: bytes.removeSubrange(place..<end)
        case 4: bytes.insert(contentsOf: Array(bytes[place..<end]), at: numbers.below(bytes.count))
        case 5: for index in place..<end { bytes[index] = numbers.below(2) == 0 ? 0 : 0xFF }
        default: bytes.insert(contentsOf: text(), at: place)
        }
        return bytes
    }

    private mutating func inLines(_ bytes: [UInt8]) -> [UInt8] {
        var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { Array($0) }
        let line = numbers.below(lines.count)
        switch numbers.below(6) {
        case 0: lines.remove(at: line)
        case 1: lines.insert(lines[line], at: numbers.below(lines.count))
        case 2: lines.swapAt(line, numbers.below(lines.count))
        case 3: lines[line].insert(contentsOf: Array("  ".utf8), at: 0)
        case 4:
            // What stands behind a key is of another kind.
            guard let colon = lines[line].firstIndex(of: 0x3A) else { return inBytes(bytes) }
            let values = [
                " ~", " []", " {}", " 0", " -1", " [[[[]]]]", " \"\"", " {a: b}", " true", " x", " 1e400", "",
            ]
            lines[line].replaceSubrange((colon + 1)..., with: Array((numbers.pick(values) ?? "").utf8))
        default:
            guard let colon = lines[line].firstIndex(of: 0x3A), let other = numbers.pick(lines) else { break }
            lines[line].replaceSubrange((colon + 1)..., with: other.drop { $0 != 0x3A }.dropFirst())
        }
        return Array(lines.joined(separator: [0x0A]))
    }

    private mutating func withNumber(_ original: [UInt8]) -> [UInt8] {
        var bytes = original
        let runs = bytes.split { !(0x30...0x39).contains($0) }
        guard let run = numbers.pick(runs) else { return inBytes(bytes) }
        let new = Array((numbers.pick(Self.extremes) ?? "0").utf8)
        bytes.replaceSubrange(run.startIndex..<run.endIndex, with: new)
        return bytes
    }

    private mutating func withWord(_ original: [UInt8]) -> [UInt8] {
        var bytes = original
        let words = bytes.split { !(0x2D...0x7A).contains($0) || $0 == 0x3A }
        guard let one = numbers.pick(words), let other = numbers.pick(words) else { return inBytes(bytes) }
        let new = numbers.below(4) == 0 ? text() : Array(other)
        bytes.replaceSubrange(one.startIndex..<one.endIndex, with: new)
        return bytes
    }
}

/// Changes what a text in JSON says, and leaves it JSON.
enum JSONMutator {
    /// nil if it is no JSON.
    static func changed(_ bytes: [UInt8], _ numbers: inout Numbers) -> [UInt8]? {
        guard let root = try? JSONSerialization.jsonObject(with: Data(bytes), options: [.fragmentsAllowed]) else {
            return nil
        }
        var budget = numbers.below(max(1, count(root)))
        let new = mutated(root, &budget, &numbers) ?? [Any]()
        return (try? JSONSerialization.data(withJSONObject: new, options: [.fragmentsAllowed, .sortedKeys])).map {
            [UInt8]($0)
        }
    }

    private static func count(_ value: Any) -> Int {
        if let list = value as? [Any] { return list.reduce(1) { $0 + count($1) } }
        if let object = value as? [String: Any] { return object.values.reduce(1) { $0 + count($1) } }
        return 1
    }

    /// The value with its `budget`-th part changed; nil if the whole is to go.
    private static func mutated(_ value: Any, _ budget: inout Int, _ numbers: inout Numbers) -> Any? {
        if budget == 0 {
            budget = -1
            return replacement(of: value, &numbers)
        }
        budget -= 1
        if let list = value as? [Any] {
            var result: [Any] = []
            for element in list {
                let isNext = budget == 0
                guard budget >= 0 else {
                    result.append(element)
                    continue
                }
                if let new = mutated(element, &budget, &numbers) { result.append(new) }
                // Some elements twice.
                if isNext, numbers.below(4) == 0 { result.append(element) }
            }
            return result
        }
        if let object = value as? [String: Any] {
            var result = object
            for key in object.keys.sorted() where budget >= 0 {
                guard let old = object[key] else { continue }
                result[key] = mutated(old, &budget, &numbers)
            }
            return result
        }
        return value
    }

    private static func replacement(of value: Any, _ numbers: inout Numbers) -> Any? {
        let others: [Any] = [
            NSNull(), [Any](), [String: Any](), "", "\u{1B}[2J\u{202E}\n::error::x", "0", 0, -1, 1, Int.max, Int.min,
            UInt64.max,
            0.5, 1e300, -1e300, true, String(repeating: "x", count: 5000), "../../x", "/dev/zero", 65536, 4_294_967_296,
            [[[NSNull()]]], "198.51.100.1", "ff:ff:ff:ff:ff:ff", "::",
        ]
        if numbers.below(4) == 0 { return nil }
        if let number = value as? NSNumber, numbers.below(2) == 0 {
            return [
                Int64.max, Int64.min, 0, -1, number.int64Value &+ 1, number.int64Value &* -1,
                number.int64Value &* 1_000_003,
            ][numbers.below(7)]
        }
        return numbers.pick(others)
    }
}

/// Changes a capture's blocks (draft-ietf-opsawg-pcapng).
enum CaptureMutator {
    static func changed(_ original: [UInt8], _ numbers: inout Numbers) -> [UInt8] {
        var bytes = original
        var starts: [Int] = []
        var place = 0
        while place + 12 <= bytes.count {
            let length = (0..<4).reduce(0) { $0 | Int(bytes[place + 4 + $1]) << (8 * $1) }
            guard length >= 12, length % 4 == 0, place + length <= bytes.count else { break }
            starts.append(place)
            place += length
        }
        guard let start = numbers.pick(starts) else { return bytes }
        let next = starts.first { $0 > start } ?? bytes.count
        let words = (next - start) / 4
        func put(_ value: UInt32, at offset: Int) {
            guard offset + 4 <= bytes.count else { return }
            for index in 0..<4 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(index))) }
        }
        let values: [UInt32] = [0, 1, 4, 8, 11, 12, 13, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0xFFFF_FFFC, 65536]
        let value = numbers.pick(values) ?? 0
        switch numbers.below(8) {
        case 0: put(value, at: start + 4)
        case 1: put(value, at: next - 4)
        case 2: put(UInt32(numbers.below(12)), at: start)
        case 3: bytes.removeSubrange(start..<next)
        case 4: bytes.insert(contentsOf: Array(bytes[start..<next]), at: start)
        case 5: bytes.removeSubrange(start...)
        default: put(value, at: start + 4 * numbers.below(words))
        }
        return bytes
    }
}
