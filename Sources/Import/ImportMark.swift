internal import Text

/// The mark on a file that import writes: by it the next import sees whether somebody has edited the file since.
public enum ImportMark {
    private static let start = "# Imported by drbench "
    private static let hash = " sha256:"

    /// The scenario's text with the hash of what follows the first line at that line's end.
    public static func marked(_ text: String) -> String {
        guard let end = text.firstIndex(of: "\n") else { return text }
        let rest = text[text.index(after: end)...]
        return text[..<end] + hash + SHA256.text(of: Array(rest.utf8)) + "\n" + rest
    }

    /// Whether a file is exactly what an import wrote.
    public static func isUnchanged(_ bytes: [UInt8]) -> Bool {
        guard let end = bytes.firstIndex(of: 0x0A) else { return false }
        let line = String(decoding: bytes[..<end], as: UTF8.self)
        guard line.hasPrefix(start), let mark = line.ranges(of: hash).last else { return false }
        return line[mark.upperBound...] == SHA256.text(of: bytes[(end + 1)...])
    }
}
