internal import NIOCore
internal import Net

/// What a server says of a request: who it is, whom it saw, and under which of its addresses. Written as the first line
/// of every answer: `rs1 saw 198.51.100.10:40000 at 203.0.113.2:80`.
struct Greeting: Equatable, Sendable {
    var server: String
    var client: Endpoint
    var local: Endpoint

    /// The line, with its line feed.
    var line: String { "\(server) saw \(client) at \(local)\n" }

    init(server: String, client: Endpoint, local: Endpoint) {
        self.server = server
        self.client = client
        self.local = local
    }

    /// Reads a line, with or without its line feed; nil if it is no greeting.
    init?(_ line: some StringProtocol) {
        let words = line.split(whereSeparator: { $0 == " " || $0 == "\n" })
        guard words.count == 5, words[1] == "saw", words[3] == "at", let client = Endpoint(words[2]),
            let local = Endpoint(words[4])
        else { return nil }
        self.init(server: String(words[0]), client: client, local: local)
    }
}

/// The octets behind a greeting, handed out in chunks that share one buffer: an answer of gigabytes costs 64 KiB.
struct Filler {
    private static let chunk = ByteBuffer(repeating: UInt8(ascii: "x"), count: 65_536)

    private(set) var remaining: Int

    init(octets: Int) { remaining = max(octets, 0) }

    /// The next chunk; nil at the end.
    mutating func next() -> ByteBuffer? {
        guard remaining > 0 else { return nil }
        let length = min(remaining, Self.chunk.readableBytes)
        remaining -= length
        return Self.chunk.getSlice(at: Self.chunk.readerIndex, length: length)
    }
}

/// A line of the tcp and udp protocols: `GET 1000`.
struct LineRequest: Equatable {
    var octets: Int

    /// The line, with its line feed.
    var line: String { "GET \(octets)\n" }

    init(octets: Int) { self.octets = octets }

    /// Reads a line without its line feed; nil if it is no request.
    init?(_ line: some StringProtocol) {
        let words = line.split(separator: " ")
        guard words.count == 2, words[0] == "GET", let octets = Int(words[1]), octets >= 0 else { return nil }
        self.init(octets: octets)
    }
}
