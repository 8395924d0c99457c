import Dispatch
import Glibc
import Net
import Testing

@testable import Capture

private let rightHere = Comment(rawValue: noPrivateNetwork ?? "")

@Suite(.enabled(if: noPrivateNetwork == nil, rightHere)) struct CaptureSessionTests {
    private func session(_ names: String..., ring: Int = PortCapture.defaultRingSize, filter: String? = nil) throws
        -> CaptureSession
    {
        try CaptureSession(
            ports: names.map { .init(name: "test:\($0)", interface: $0) }, ringSize: ring, filter: filter)
    }

    @Test("both ends of a veth pair see every frame, also to foreign MACs, without promiscuous mode")
    func bothEnds() async throws {
        let session = try session("left", "right")
        let flags = try await inPrivateNetwork {
            try makeVeth("left", peer: "right")
            try session.open(0)
            try session.open(1)
            try send(udpFrame(length: 1514), outOf: "left", count: 100)
            try send(udpFrame(), outOf: "right", count: 3)
            let stopped = session.drain()
            #expect(stopped.isEmpty)
            return try run("ip", "-d", "link", "show", "right")
        }
        #expect(flags.contains("promiscuity 0"))
        #expect(session.frameCount(of: 0) == 103)
        #expect(session.finish() == Array(repeating: PortStatistics(delivered: 103, dropped: 0), count: 2))
        let file = PcapNGReader.read(session.pcapng())
        #expect(file.damage == nil)
        #expect(file.ports.map(\.name) == ["test:left", "test:right"])
        #expect(file.frames.count == 206)
        #expect(file.frames.allSatisfy { $0.wireLength == $0.octets.count })
        #expect(file.frames.count { Array($0.octets) == udpFrame(length: 1514) } == 200)
        #expect(file.frames.count { Array($0.octets) == udpFrame() } == 6)
    }

    @Test("captures that are closed at the same time, in any order, have counted the same")
    func closedAtOnce() async throws {
        let session = try session("left", "right", "never")
        try await inPrivateNetwork {
            try makeVeth("left", peer: "right")
            for index in 0...1 { try session.open(index) }
            try send(udpFrame(), outOf: "left", count: 7)
        }
        let counts = session.finish { ports, close in
            #expect(ports == [0, 1])
            DispatchQueue.concurrentPerform(iterations: ports.count) { close(ports[ports.count - 1 - $0]) }
        }
        #expect(
            counts == [
                PortStatistics(delivered: 7, dropped: 0), PortStatistics(delivered: 7, dropped: 0), PortStatistics(),
            ])
        #expect(session.finish() == counts)
        #expect(PcapNGReader.read(session.pcapng()).frames.count == 14)
    }

    @Test("few ports have rings of the usual size, many have smaller ones")
    func ringSizes() {
        #expect(CaptureSession.ringSize(ports: 0) == PortCapture.defaultRingSize)
        #expect(CaptureSession.ringSize(ports: 64) == PortCapture.defaultRingSize)
        #expect(CaptureSession.ringSize(ports: 128) == PortCapture.defaultRingSize / 2)
        #expect(CaptureSession.ringSize(ports: 100_000) == PortCapture.leastRingSize)
    }

    @Test("frames are merged in the order of time, and time is the clock's")
    func order() async throws {
        let session = try session("left", "right")
        let started = Int64(time(nil))
        try await inPrivateNetwork {
            try makeVeth("left", peer: "right")
            try session.open(1)
            try session.open(0)
            for _ in 0..<50 { try send(udpFrame(), outOf: "left") }
        }
        session.finish()
        let frames = PcapNGReader.read(session.pcapng()).frames
        #expect(frames.count == 100)
        #expect(zip(frames, frames.dropFirst()).allSatisfy { ($0.time, $0.port) <= ($1.time, $1.port) })
        #expect(Set(frames.map(\.port)) == [0, 1])
        let seconds = try #require(frames.first).time / 1_000_000_000
        #expect((started - 1...started + 60).contains(seconds))
        // Nanoseconds, not microseconds times a thousand.
        #expect(frames.contains { $0.time % 1000 != 0 })
    }

    @Test("a session is drained from another thread than the one it was opened on, when that one has ended")
    func otherThread() async throws {
        let session = try session("left")
        try await inPrivateNetwork {
            try makeVeth("left", peer: "right")
            try session.open(0)
            try send(udpFrame(), outOf: "right", count: 7)
        }
        session.drain()
        #expect(session.frameCount(of: 0) == 7)
    }

    @Test("what was in the ring is not lost by many drains, nor seen twice")
    func manyDrains() async throws {
        let session = try session("left")
        try await inPrivateNetwork {
            try makeVeth("left", peer: "right")
            try session.open(0)
            // Several times around the ring.
            for _ in 0..<30 {
                try send(udpFrame(length: 1000), outOf: "right", count: 100)
                session.drain()
            }
        }
        #expect(session.finish() == [PortStatistics(delivered: 3000, dropped: 0)])
    }

    @Test("with a filter only what it accepts is captured, from the first frame on")
    func filter() async throws {
        let session = try session("left", filter: "udp dst port 80")
        try await inPrivateNetwork {
            try makeVeth("left", peer: "right")
            try session.open(0)
            try send(udpFrame(port: 81), outOf: "right", count: 20)
            try send(udpFrame(port: 80), outOf: "right", count: 5)
        }
        #expect(session.finish() == [PortStatistics(delivered: 5, dropped: 0)])
        #expect(PcapNGReader.read(session.pcapng()).ports.first?.filter == "udp dst port 80")
    }

    @Test("an 802.1Q tag is in the captured frame, though the kernel takes it out")
    func vlanTag() async throws {
        let session = try session("left")
        let plain = udpFrame()
        let tagged = plain.prefix(12) + [0x81, 0, 0, 100] + plain.dropFirst(12)
        try await inPrivateNetwork {
            try makeVeth("left", peer: "right")
            try session.open(0)
            try send(Array(tagged), outOf: "right")
        }
        session.finish()
        let frame = try #require(PcapNGReader.read(session.pcapng()).frames.first)
        #expect(Array(frame.octets) == Array(tagged))
        #expect(frame.wireLength == tagged.count)
        #expect(Frame(frame.octets)?.vlan == 100)
    }

    @Test("a snapshot length cuts frames, their length on the wire stays")
    func snapshotLength() async throws {
        let session = try CaptureSession(ports: [.init(name: "p", interface: "left")], snapshotLength: 96)
        try await inPrivateNetwork {
            try makeVeth("left", peer: "right")
            try session.open(0)
            try send(udpFrame(length: 1000), outOf: "right")
        }
        session.finish()
        let frame = try #require(PcapNGReader.read(session.pcapng()).frames.first)
        #expect(frame.octets.count == 96)
        #expect(frame.wireLength == 1000)
        #expect(Frame(frame.octets)?.ip?.udp?.payloadLength == 958)
    }

    @Test("a ring that overflows is reported, and nothing that it held is lost")
    func overflow() async throws {
        let session = try session("left", "right", ring: 16384)
        try await inPrivateNetwork {
            try makeVeth("left", peer: "right")
            try session.open(0)
            try session.open(1)
            try send(udpFrame(length: 1514), outOf: "right", count: 500)
        }
        for statistics in session.finish() {
            #expect(statistics.dropped > 400)
            #expect(statistics.delivered > 0)
            #expect(statistics.delivered + statistics.dropped == 500)
        }
        let file = PcapNGReader.read(session.pcapng())
        #expect(file.statistics.compactMap { $0?.dropped }.reduce(0, +) > 800)
    }

    @Test("rings that are being emptied take any number of frames, also when an interface goes away meanwhile")
    func emptying() async throws {
        let session = try session("left", "right", ring: 16384)
        try await inPrivateNetwork {
            try makeVeth("left", peer: "right")
            try session.open(0)
            try session.open(1)
            try session.emptyingRings {
                for burst in 1...100 {
                    try send(udpFrame(length: 1514), outOf: "right", count: 5)
                    for _ in 0..<5000
                    where session.frameCount(of: 0) < 5 * burst || session.frameCount(of: 1) < 5 * burst {
                        usleep(1000)
                    }
                }
                _ = try run("ip", "link", "delete", "left")
            }
        }
        #expect(session.finish() == Array(repeating: PortStatistics(delivered: 500, dropped: 0), count: 2))
    }

    @Test("an interface that goes down and up again is captured on")
    func downAndUp() async throws {
        let session = try session("left")
        try await inPrivateNetwork {
            try makeVeth("left", peer: "right")
            try session.open(0)
            try send(udpFrame(), outOf: "right", count: 2)
            try run("ip", "link", "set", "left", "down")
            for _ in 0..<3 { #expect(session.drain().isEmpty) }
            try run("ip", "link", "set", "left", "up")
            try waitForCarrier("left")
            try waitForCarrier("right")
            try send(udpFrame(), outOf: "right", count: 3)
            #expect(session.drain().isEmpty)
        }
        #expect(session.finish() == [PortStatistics(delivered: 5, dropped: 0)])
    }

    @Test("an interface that is down cannot be captured, and the error says so")
    func openedDown() async throws {
        let session = try session("left")
        try await inPrivateNetwork {
            try run("ip", "link", "add", "left", "type", "veth", "peer", "name", "right")
            #expect(throws: CaptureError.cannotCapture(port: "test:left", reason: "That device is not up")) {
                try session.open(0)
            }
        }
    }

    @Test("a deleted interface is reported, with what was captured before")
    func deleted() async throws {
        let session = try session("left", "other")
        try await inPrivateNetwork {
            try makeVeth("left", peer: "right")
            try makeVeth("other", peer: "another")
            try session.open(0)
            try session.open(1)
            try send(udpFrame(), outOf: "right", count: 6)
            try run("ip", "link", "del", "left")
            session.drain()
            for _ in 0..<2 {
                let stopped = session.drain()
                #expect(stopped.map(\.port) == [0])
                #expect(stopped.map(\.condition) == [.interfaceGone])
            }
            #expect(session.losses().map(\.port) == [0])
        }
        #expect(
            session.finish() == [
                PortStatistics(delivered: 6, dropped: 0), PortStatistics(delivered: 0, dropped: 0),
            ])
    }

    @Test("an interface that moves to another namespace is captured on when it is opened there")
    func moved() async throws {
        let session = try session("left")
        try await inPrivateNetwork {
            try makeVeth("left", peer: "right")
            try session.open(0)
            try send(udpFrame(), outOf: "right", count: 6)
            let here = try currentNamespace()
            try newNamespace()
            let there = try currentNamespace()
            defer {
                close(here)
                close(there)
            }
            try enterNamespace(here)
            session.expectsToLeave(0)
            try run("ip", "link", "set", "left", "netns", "/proc/\(getpid())/fd/\(there)")
            session.drain()
            let stopped = session.drain()
            #expect(stopped.map(\.condition) == [.interfaceGone])
            // Whoever moved it had said so.
            #expect(session.losses().isEmpty)
            try enterNamespace(there)
            try quietUp("left")
            try session.open(0)
            #expect(session.losses().isEmpty)
            #expect(session.drain().isEmpty)
            try waitForCarrier("left")
            try enterNamespace(here)
            try waitForCarrier("right")
            try send(udpFrame(), outOf: "right", count: 4)
            #expect(session.drain().isEmpty)
        }
        #expect(session.frameCount(of: 0) == 10)
        #expect(session.finish() == [PortStatistics(delivered: 10, dropped: 0)])
    }

    @Test(
        "an interface that leaves and comes back, with nobody having said so, is a loss for good",
        arguments: [true, false])
    func lost(andBack comesBack: Bool) async throws {
        let session = try session("left", "other")
        try await inPrivateNetwork {
            try makeVeth("left", peer: "right")
            try makeVeth("other", peer: "another")
            for index in 0...1 { try session.open(index) }
            #expect(session.losses().isEmpty)
            let here = try currentNamespace()
            try newNamespace()
            let there = try currentNamespace()
            defer {
                close(here)
                close(there)
            }
            try enterNamespace(here)
            // Frames in the ring: a drain that empties it does not ask how the interface is.
            try send(udpFrame(), outOf: "right", count: 6)
            try run("ip", "link", "set", "left", "netns", "/proc/\(getpid())/fd/\(there)")
            if comesBack {
                try enterNamespace(there)
                try run("ip", "link", "set", "left", "netns", "/proc/\(getpid())/fd/\(here)")
                try enterNamespace(here)
                try quietUp("left")
            }
            #expect(session.losses().map(\.port) == [0])
            #expect(session.losses().map(\.condition) == [.interfaceGone])
            if comesBack {
                // Opened anew it is captured again; what is missing stays missing.
                try session.open(0)
                #expect(session.losses().map(\.port) == [0])
            }
        }
        _ = session.finish()
        #expect(session.losses().map(\.port) == [0])
    }

    @Test("an interface that is down for a while is no loss")
    func down() async throws {
        let session = try session("left")
        try await inPrivateNetwork {
            try makeVeth("left", peer: "right")
            try session.open(0)
            try run("ip", "link", "set", "left", "down")
            session.drain()
            session.drain()
            try quietUp("left")
            try waitForCarrier("left")
            try send(udpFrame(), outOf: "right", count: 2)
            session.drain()
            #expect(session.losses().isEmpty)
        }
        #expect(session.finish() == [PortStatistics(delivered: 2, dropped: 0)])
        #expect(session.losses().isEmpty)
    }

    @Test("an interface that does not exist is an error that names the port")
    func noInterface() async throws {
        let session = try session("absent")
        let error = try await inPrivateNetwork {
            #expect(throws: CaptureError.self) { try session.open(0) }
        }
        #expect(
            error?.description.hasPrefix("capture test:absent: No such device exists") == true,
            "\(String(describing: error))")
        #expect(session.drain().isEmpty)
        #expect(session.finish() == [PortStatistics()])
    }

    @Test("a bad filter is refused before anything is opened")
    func badFilter() {
        #expect(throws: CaptureError.badFilter("ip and", reason: "syntax error")) {
            try CaptureSession(ports: [], filter: "ip and")
        }
        #expect(throws: CaptureError.badFilter("ip and", reason: "syntax error")) {
            try PortCapture("p", interface: "absent", filter: "ip and")
        }
    }

    @Test("a closed capture says so and keeps its counts")
    func closed() async throws {
        let (capture, condition) = try await inPrivateNetwork {
            try makeVeth("left", peer: "right")
            let capture = try PortCapture("p", interface: "left")
            try send(udpFrame(), outOf: "right", count: 2)
            var buffer = FrameBuffer()
            #expect(capture.drain(into: &buffer) == .capturing)
            capture.close()
            return (capture, capture.drain(into: &buffer))
        }
        #expect(condition == .closed)
        #expect(capture.statistics() == PortStatistics(delivered: 2, dropped: 0))
        capture.close()
    }

    @Test("tshark and capinfos read the file as it was meant", .enabled(if: hasTshark, "needs tshark"))
    func tshark() async throws {
        let session = try session("left", "right", filter: "ip")
        try await inPrivateNetwork {
            try makeVeth("left", peer: "right")
            try session.open(0)
            try send(udpFrame(length: 61), outOf: "left", count: 3)
            try session.open(1)
            try send(udpFrame(length: 1001), outOf: "left", count: 20)
        }
        session.finish()
        let file = PcapNGReader.read(session.pcapng())
        try withTemporaryFile("capture.pcapng") { path in
            let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
            try #require(descriptor >= 0)
            defer { close(descriptor) }
            try session.write(to: descriptor)
            #expect(try CaptureFile(path: path) == file)
            let output = try run(
                "tshark", "-r", path, "-T", "fields", "-e", "frame.interface_name", "-e", "frame.time_epoch", "-e",
                "frame.len", "-e", "frame.cap_len", "-e", "ip.dst", "-e", "udp.dstport")
            let lines = output.split(separator: "\n").filter { $0.contains("test:") }.map(String.init)
            let expected = file.frames.map { frame in
                let fraction = String(frame.time % 1_000_000_000)
                let time =
                    "\(frame.time / 1_000_000_000)." + String(repeating: "0", count: 9 - fraction.count) + fraction
                return "\(file.ports[frame.port].name)\t\(time)\t\(frame.wireLength)\t\(frame.octets.count)"
                    + "\t203.0.113.2\t80"
            }
            #expect(lines == expected)
            #expect(file.frames.count == 43)
            let information = try run("capinfos", path)
            #expect(information.contains("Number of interfaces in file: 2"))
            #expect(information.contains("Capture application: drbench"))
            #expect(information.contains("Number of packets = 23"))
            #expect(information.contains("Number of packets = 20"))
            #expect(!information.contains("cut short") && !information.contains("damaged"))
        }
    }
}
