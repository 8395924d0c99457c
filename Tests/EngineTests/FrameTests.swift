import Testing

@testable import Engine

@Suite("Frames between people and a laboratory")
struct FrameTests {
    private static let some = [
        Frame(session: 1, kind: .begin, payload: Array("{}".utf8)), Frame(session: 0xFFFF_FFFF, kind: .inputEnd),
        .credit(70000, session: 2), Frame(session: 3, kind: .output, payload: Array(repeating: 7, count: Frame.limit)),
    ]

    @Test("a frame's octets are session, kind, length and payload")
    func octets() {
        let frame = Frame(session: 0x0102_0304, kind: .output, payload: [0xAA, 0xBB])
        #expect(frame.octets == [1, 2, 3, 4, 7, 0, 0, 0, 2, 0xAA, 0xBB])
    }

    @Test("however the stream is cut, the same frames come out", arguments: [1, 2, 8, 9, 10, 4096, 1 << 20])
    func cuts(size: Int) throws {
        let stream = Self.some.flatMap(\.octets)
        var reader = FrameReader()
        var frames: [Frame] = []
        for start in stride(from: 0, to: stream.count, by: size) {
            reader.append(stream[start..<min(start + size, stream.count)])
            while let frame = try reader.next() { frames.append(frame) }
        }
        #expect(frames == Self.some)
    }

    @Test("an unknown kind and a length beyond the limit are garbled, not waited for")
    func garbled() {
        for octets: [UInt8] in [[0, 0, 0, 1, 99, 0, 0, 0, 0], [0, 0, 0, 1, 2, 0, 0, 0x40, 1]] {
            var reader = FrameReader()
            reader.append(octets)
            #expect(throws: FrameReader.Garbled.self) { try reader.next() }
        }
    }

    @Test("numbers and window sizes come back")
    func numbers() {
        #expect(Frame.credit(70000).number == 70000)
        #expect(Frame.window(rows: 24, columns: 80).number == UInt32(0x18_0050))
        #expect(Frame(kind: .credit, payload: [1]).number == nil)
    }

    @Test("a window closes with what is sent, opens with what is granted, and never wider than at first")
    func window() {
        var window = Window()
        #expect(window.nextCount == Frame.limit)
        window.sent(Window.initial - 10)
        #expect(window.nextCount == 10)
        window.sent(10)
        #expect(window.nextCount == 0)
        window.granted(5)
        #expect(window.nextCount == 5)
        window.granted(.max)
        #expect(window.room == Window.initial)
    }

    @Test("without a command it is bash, without the user's own files, or what there is instead")
    func program() {
        let terminal = Errand.Terminal(kind: "xterm", rows: 24, columns: 80)
        let shell = Errand(place: "lb", arguments: [], terminal: terminal, lab: "x")
        #expect(shell.program { _ in true } == ["/bin/bash", "--norc", "--noprofile", "-i"])
        #expect(shell.program { _ in false } == ["/bin/sh"])
        #expect(shell.environment.contains("TERM=xterm"))
        #expect(shell.environment.contains { $0.hasPrefix("PS1=") && $0.contains("lb") })
        let command = Errand(place: "lb", arguments: ["ip", "a"], terminal: nil, lab: "x")
        #expect(command.program { _ in true } == ["ip", "a"])
    }
}
