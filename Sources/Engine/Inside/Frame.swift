/// A piece of what passes between people and a laboratory that stands open: whose, what, and its octets.
///
/// On the wire: session, 4 octets; kind, 1; length, 4; then so many octets; numbers in network order. Many sessions share
/// one line to a laboratory. A client has a connection of its own to its front, and there its session is 0.
struct Frame: Equatable, Sendable {
    enum Kind: UInt8, Sendable, CaseIterable {
        // Into the laboratory.
        /// An `Errand`, as JSON.
        case begin = 1
        /// Octets for the program's standard input.
        case input
        /// The end of its standard input.
        case inputEnd
        /// Its terminal has another size: rows and columns, 2 octets each.
        case window
        /// Its client is gone.
        case hangUp
        /// The laboratory is to end. Of no session.
        case end

        // Out of it.
        /// Octets that it wrote to its standard output, or to its terminal.
        case output
        case errors
        /// It has ended with this status, 1 octet; a signal's number and 128 as in a shell. The session's last frame.
        case exited
        /// It could not be started: why, as text; the session's last frame.
        case refused

        // Both ways.
        /// So many octets (4) more may be sent; see `Window`.
        case credit
    }

    var session: UInt32 = 0
    var kind: Kind
    var payload: [UInt8] = []

    /// Octets of payload that a frame may have.
    static let limit = 16 * 1024
    static let headerLength = 9

    var octets: [UInt8] {
        Self.octets(session) + [kind.rawValue] + Self.octets(UInt32(payload.count)) + payload
    }

    static func credit(_ count: Int, session: UInt32 = 0) -> Frame {
        Frame(session: session, kind: .credit, payload: octets(UInt32(count)))
    }

    static func window(rows: UInt16, columns: UInt16) -> Frame {
        Frame(kind: .window, payload: Array(octets(UInt32(rows) << 16 | UInt32(columns))))
    }

    /// The payload as a number, if it is 4 octets long.
    var number: UInt32? { payload.count == 4 ? Self.number(payload[...]) : nil }

    static func number(_ octets: ArraySlice<UInt8>) -> UInt32 { octets.reduce(0) { $0 << 8 | UInt32($1) } }

    private static func octets(_ number: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }
}

/// Cuts a stream into frames.
struct FrameReader: Sendable {
    /// What is no frame: somebody speaks something else, and what follows cannot be understood.
    struct Garbled: Error, Equatable, CustomStringConvertible {
        var description: String
    }

    private var octets: [UInt8] = []

    mutating func append(_ more: some Sequence<UInt8>) { octets += more }

    /// The next whole frame; nil until more comes.
    mutating func next() throws(Garbled) -> Frame? {
        guard octets.count >= Frame.headerLength else { return nil }
        let length = Int(Frame.number(octets[5..<9]))
        guard let kind = Frame.Kind(rawValue: octets[4]), length <= Frame.limit else {
            throw Garbled(description: "no frame: kind \(octets[4]), \(length) octets")
        }
        let end = Frame.headerLength + length
        guard octets.count >= end else { return nil }
        let frame = Frame(
            session: Frame.number(octets[..<4]), kind: kind, payload: Array(octets[Frame.headerLength..<end]))
        octets.removeSubrange(..<end)
        return frame
    }
}

/// How much may still be sent in one direction of a session.
///
/// The receiver grants again what it has passed on. So one who does not read (a terminal that was stopped, `less`) holds
/// up its own program and nobody else, and nothing piles up on the way.
struct Window: Equatable, Sendable {
    /// What may be sent before anything was granted, octets.
    static let initial = 64 * 1024

    private(set) var room = Self.initial

    /// How much to read for the next frame; 0 if nothing may be sent.
    var nextCount: Int { min(room, Frame.limit) }

    mutating func sent(_ count: Int) { room -= count }

    /// Takes a `credit` frame's number. Never more than there was in the beginning, whatever the other side says.
    mutating func granted(_ count: UInt32) { room = min(Self.initial, room + Int(count)) }
}
