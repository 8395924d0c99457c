internal import Text

/// What somebody printed, who may never stop printing: its beginning and its end are kept.
public struct KeptOutput: Sendable, Equatable {
    /// What is kept of a command's or program's output at either end, bytes.
    public static let ofCommands = 64 * 1024

    private var beginning: [UInt8] = []
    private var end: [UInt8] = []
    private var dropped = 0
    /// Bytes kept at either end; nil for all.
    private let room: Int?

    public init(room: Int?) { self.room = room }

    public mutating func append(_ bytes: some RandomAccessCollection<UInt8>) {
        guard let room else {
            beginning += bytes
            return
        }
        let taken = min(bytes.count, room - beginning.count)
        beginning += bytes.prefix(taken)
        end += bytes.dropFirst(taken).suffix(2 * room)
        dropped += max(0, bytes.count - taken - 2 * room)
        // Seldom, so that each byte is moved about once.
        if end.count > 2 * room {
            dropped += end.count - room
            end.removeFirst(end.count - room)
        }
    }

    /// Bytes that are not kept. What is beyond `room` at the end counts, too: how much that is depends on the size of reads.
    public var leftOut: Int { dropped + max(0, end.count - (room ?? 0)) }

    public var isEmpty: Bool { beginning.isEmpty }

    /// What is kept, with a line about what is left out.
    public var bytes: [UInt8] {
        guard leftOut > 0 else { return beginning + end }
        return beginning + Array("\n[\(leftOut) bytes left out]\n".utf8) + end.suffix(room ?? 0)
    }

    /// As text; a byte that is not UTF-8 is shown as `<9B>`.
    public var text: String { String(escapingInvalid: bytes) }

    /// The end of it, at most so many bytes.
    public func suffix(_ count: Int) -> [UInt8] { Array((end.count < count ? beginning + end : end).suffix(count)) }
}
