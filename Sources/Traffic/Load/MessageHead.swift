/// The head of an HTTP/1.1 message, as far as a load needs to know it.
struct MessageHead: Equatable {
    /// Octets, with the empty line.
    var length: Int
    /// A response's; 0 in a request.
    var status = 0
    /// Octets of body, as Content-Length says.
    var body = 0
    var closes = false
    /// Its body's length is not told beforehand, which a load does not read.
    var isChunked = false
    /// What a request's path asks for: `/bytes/1000`.
    var asked = 0

    /// Reads the head at the beginning; nil if its end is not there yet.
    init?(_ octets: UnsafeBufferPointer<UInt8>) {
        let (lineFeed, colon) = (UInt8(ascii: "\n"), UInt8(ascii: ":"))
        var start = 0
        var isFirst = true
        length = 0
        for index in octets.indices where octets[index] == lineFeed {
            // Without its carriage return.
            let end = index > start && octets[index - 1] == UInt8(ascii: "\r") ? index - 1 : index
            if end == start, !isFirst {
                length = index + 1
                return
            }
            let line = UnsafeBufferPointer(rebasing: octets[start..<end])
            if isFirst, line.starts(with: "PROXY ".utf8) {
                // What a proxy says of its client before all else (haproxy's proxy-protocol.txt, version 1).
                start = index + 1
                continue
            }
            if isFirst {
                readFirst(line)
            } else if let first = line.first, first | 0x20 == UInt8(ascii: "c") || first | 0x20 == UInt8(ascii: "t"),
                let end = line.firstIndex(of: colon)
            {
                readField(
                    UnsafeBufferPointer(rebasing: line[..<end]), UnsafeBufferPointer(rebasing: line[(end + 1)...]))
            }
            isFirst = false
            start = index + 1
        }
        return nil
    }

    /// `HTTP/1.1 200 OK`, or `GET /bytes/1000 HTTP/1.1`.
    private mutating func readFirst(_ line: UnsafeBufferPointer<UInt8>) {
        guard let blank = line.firstIndex(of: UInt8(ascii: " ")) else { return }
        let word = line[(blank + 1)...]
        if line[..<blank].starts(with: "HTTP/".utf8) {
            status = Self.number(word)
            closes = line[..<blank].elementsEqual("HTTP/1.0".utf8)
        } else if word.starts(with: "/bytes/".utf8) {
            asked = Self.number(word.dropFirst("/bytes/".utf8.count))
        }
    }

    private mutating func readField(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
        let value = value.drop { $0 == UInt8(ascii: " ") }
        switch name.count {
        case 14 where Self.matches(name, "content-length"): body = Self.number(value)
        case 10 where Self.matches(name, "connection"): closes = Self.matches(value.prefix(5), "close")
        case 17 where Self.matches(name, "transfer-encoding"): isChunked = true
        default: break
        }
    }

    /// Whatever letters are large.
    private static func matches(_ octets: some Collection<UInt8>, _ word: StaticString) -> Bool {
        guard octets.count == word.utf8CodeUnitCount else { return false }
        var position = 0
        for octet in octets {
            guard octet | 0x20 == word.utf8Start[position] | 0x20 else { return false }
            position += 1
        }
        return true
    }

    /// The digits at the beginning.
    private static func number(_ octets: some Sequence<UInt8>) -> Int {
        var value = 0
        for octet in octets {
            guard octet >= 0x30, octet <= 0x39, value < Int.max / 16 else { break }
            value = value * 10 + Int(octet - 0x30)
        }
        return value
    }
}
