/// HTML or SVG that is safe to stand in a document: what a literal interpolates is escaped, unless it is markup itself.
///
/// So no name that a scenario, a rule or a command's output brings along can become an element.
struct Markup: Sendable, Equatable, ExpressibleByStringInterpolation {
    private(set) var text: String

    init(stringLiteral value: String) { text = value }
    init(stringInterpolation interpolation: Interpolation) { text = interpolation.text }
    /// Markup as it is: for the style sheet, the script and the data, which have rules of their own.
    init(verbatim text: String) { self.text = text }

    static func += (markup: inout Markup, other: Markup) { markup.text += other.text }

    /// The markup if the condition holds, nothing otherwise.
    static func when(_ condition: Bool, _ markup: @autoclosure () -> Markup) -> Markup { condition ? markup() : "" }

    struct Interpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + interpolationCount * 16)
        }

        mutating func appendLiteral(_ literal: String) { text += literal }
        mutating func appendInterpolation(_ value: String) { text += value.escapedForHTML }
        mutating func appendInterpolation(_ value: some BinaryInteger) { text += String(value) }
        mutating func appendInterpolation(_ markup: Markup) { text += markup.text }
        /// One behind the other.
        mutating func appendInterpolation(_ parts: [Markup]) { for part in parts { text += part.text } }
    }
}

extension Optional {
    /// Markup of the value; nothing if there is none.
    func markup(_ write: (Wrapped) -> Markup) -> Markup { map(write) ?? "" }
}

extension String {
    /// Safe in text and in quoted attributes. Control characters, and those that turn the direction of writing, become
    /// U+FFFD: they could make a line look like another.
    var escapedForHTML: String {
        guard mayNeedEscapes else { return self }
        var result = ""
        for scalar in unicodeScalars {
            if let replacement = Self.replacement(of: scalar) {
                result += replacement
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Whether any of its octets can be part of what is replaced; nearly always none is.
    var mayNeedEscapes: Bool {
        var text = self
        return text.withUTF8 { octets in
            for (index, octet) in octets.enumerated() {
                switch octet {
                case 0x20, 0x21, 0x23...0x25, 0x28...0x3B, 0x3D, 0x3F...0x7E, 0x09, 0x0A: continue
                // The first octets of U+0080 to U+009F, and of U+2000 to U+207F.
                case 0xC2: return true
                case 0xE2: if index + 1 < octets.count, octets[index + 1] < 0x82 { return true }
                case 0x80...: continue
                default: return true
                }
            }
            return false
        }
    }

    private static func replacement(of scalar: Unicode.Scalar) -> String? {
        switch scalar.value {
        case 0x26: "&amp;"
        case 0x3C: "&lt;"
        case 0x3E: "&gt;"
        case 0x22: "&quot;"
        case 0x27: "&#39;"
        default: scalar.isUnruly ? "\u{FFFD}" : nil
        }
    }

    /// As a relative link: what is not unreserved (RFC 3986, 2.3) or a slash is percent-encoded.
    var percentEncodedPath: String {
        var result = ""
        for octet in utf8 {
            switch octet {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x2F, 0x5F, 0x7E:
                result.unicodeScalars.append(Unicode.Scalar(octet))
            default:
                let digits = String(octet, radix: 16, uppercase: true)
                result += "%" + (digits.count < 2 ? "0" : "") + digits
            }
        }
        return result
    }
}

extension Unicode.Scalar {
    /// Whether it controls something, or turns the direction of writing, instead of being text.
    var isUnruly: Bool {
        switch value {
        case 0x09, 0x0A: false
        case 0..<0x20, 0x7F..<0xA0, 0x200E...0x200F, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
