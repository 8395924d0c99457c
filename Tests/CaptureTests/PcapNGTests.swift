import Glibc
import Testing

@testable import Capture

@Suite struct PcapNGTests {
    private var sample: CaptureFile {
        var file = CaptureFile()
        file.ports = [
            .init(name: "lb:eth0", description: "the director's port", snapshotLength: 1600),
            .init(name: "hv1:tap-lb", snapshotLength: 1600, filter: "ip or arp"),
        ]
        file.statistics = [PortStatistics(delivered: 3, dropped: 0), PortStatistics(delivered: 1, dropped: 7)]
        file.statisticsBlocks = [1, 1]
        for length in 60..<64 {
            file.frames.append(
                CapturedFrame(
                    port: length % 2, time: 1_700_000_000_123_456_789 + Int64(length), wireLength: length + 100,
                    octets: udpFrame(length: length)[...],
                    comment: length == 61 ? "dropped by hv1: INVALID → DROP" : nil))
        }
        return file
    }

    @Test("what was written is read back")
    func roundTrip() {
        let octets = sample.pcapng()
        #expect(PcapNGReader.read(octets) == sample)
        #expect(PcapNGReader.read(octets).pcapng() == octets)
        #expect(octets.count % 4 == 0)
        #expect(PcapNGReader.read(octets).port(named: "hv1:tap-lb") == 1)
    }

    @Test("names of addresses stand before the frames and change nothing else")
    func names() {
        var writer = PcapNGWriter()
        let before = writer.octets.count
        writer.addNames([
            ([203, 0, 113, 2], "vip"), ([UInt8](repeating: 0, count: 15) + [1], "lo"), ([1, 2], "neither"),
        ])
        let expected: [[UInt8]] = [
            [4, 0, 0, 0], [52, 0, 0, 0],
            // nrb_record_ipv4: the address, the name and its NUL.
            [1, 0], [8, 0], [203, 0, 113, 2], Array("vip".utf8) + [0],
            // nrb_record_ipv6, padded.
            [2, 0], [19, 0], [UInt8](repeating: 0, count: 15) + [1], Array("lo".utf8) + [0], [0],
            // nrb_record_end.
            [0, 0], [0, 0], [52, 0, 0, 0],
        ]
        #expect(Array(writer.octets[before...]) == expected.flatMap { $0 })
        #expect(PcapNGReader.read(sample.pcapng(names: [([203, 0, 113, 2], "vip")])) == sample)
    }

    @Test("comments are added to frames, and everything else stays as it was, octet by octet")
    func comments() {
        let octets = sample.pcapng(names: [([203, 0, 113, 2], "vip")])
        #expect(PcapNGComments.added([:], to: octets) == octets)
        var commented = sample
        for index in commented.frames.indices {
            let before = sample.frames[index].comment.map { "\n\($0)" } ?? ""
            commented.frames[index].comment = "frame \(index) ✗\(before)"
        }
        let added = PcapNGComments.added(
            Dictionary(uniqueKeysWithValues: commented.frames.indices.map { ($0, "frame \($0) ✗") }), to: octets)
        // A frame that has a comment already keeps it behind the new one.
        #expect(PcapNGReader.read(added) == commented)
        let bare = CaptureFile.withoutComments(sample).pcapng()
        #expect(
            PcapNGComments.added([0: "x", 1: "four"], to: bare)
                == CaptureFile.withoutComments(sample, but: [0: "x", 1: "four"]).pcapng())
        #expect(PcapNGComments.added([99: "no such frame"], to: bare) == bare)
        // What is damaged stays as it is.
        #expect(PcapNGComments.added([0: "x"], to: Array(octets.prefix(50))) == Array(octets.prefix(50)))
    }

    @Test("the octets of a file are these and no others")
    func golden() {
        var writer = PcapNGWriter()
        writer.addInterface(name: "a:b", snapshotLength: 1600)
        writer.addFrame(port: 0, time: 0x1_0000_0002, wireLength: 5, octets: [1, 2, 3], comment: "x")
        writer.addStatistics(port: 0, PortStatistics(delivered: 1, dropped: 2))
        let drbench: [UInt8] = [7, 0] + Array("drbench".utf8) + [0]
        let expected: [[UInt8]] = [
            // Section header: byte-order magic, version 1.0, unknown length; hardware, os, userappl; end.
            [0x0A, 0x0D, 0x0D, 0x0A, 68, 0, 0, 0, 0x4D, 0x3C, 0x2B, 0x1A, 1, 0, 0, 0],
            [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
            [2, 0] + drbench, [3, 0] + drbench, [4, 0] + drbench, [0, 0, 0, 0], [68, 0, 0, 0],
            // Interface: Ethernet, snapshot length; if_name, if_tsresol 9; end.
            [1, 0, 0, 0, 40, 0, 0, 0, 1, 0, 0, 0, 0x40, 6, 0, 0],
            [2, 0, 3, 0, 0x61, 0x3A, 0x62, 0], [9, 0, 1, 0, 9, 0, 0, 0], [0, 0, 0, 0], [40, 0, 0, 0],
            // Enhanced packet: interface, time high and low, captured and wire length, octets; comment; end.
            [6, 0, 0, 0, 48, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 5, 0, 0, 0, 1, 2, 3, 0],
            [1, 0, 1, 0, 0x78, 0, 0, 0, 0, 0, 0, 0, 48, 0, 0, 0],
            // Statistics: interface, the last frame's time; received, dropped, delivered; end.
            [5, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0],
            [4, 0, 8, 0, 3, 0, 0, 0, 0, 0, 0, 0], [5, 0, 8, 0, 2, 0, 0, 0, 0, 0, 0, 0],
            [8, 0, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0], [64, 0, 0, 0],
        ]
        #expect(writer.octets == expected.flatMap { $0 })
    }

    @Test("a file cut anywhere gives the frames before the cut, and says so")
    func truncated() {
        let octets = sample.pcapng()
        // Where each frame's block ends.
        var counts: [Int: Int] = [:]
        for length in 0..<octets.count {
            let file = PcapNGReader.read(Array(octets.prefix(length)))
            #expect(file.frames == Array(sample.frames.prefix(file.frames.count)))
            counts[file.frames.count, default: 0] += 1
            if file.damage == nil {
                // Cut between two blocks: nothing is missing that a reader could know of.
                #expect(PcapNGReader.read(Array(octets.prefix(length + 1))).damage != nil)
            }
        }
        #expect(counts.keys.sorted() == [0, 1, 2, 3, 4])
        let file = PcapNGReader.read(octets.dropLast(1))
        #expect(file.damage?.reason == "the file ends within a block")
        #expect(file.damage?.description == "capture file, at octet \(octets.count - 64): the file ends within a block")
    }

    @Test("no changed octet stops the reader")
    func changed() {
        let octets = sample.pcapng()
        var damaged = 0
        for index in octets.indices {
            for value in [UInt8(0), 1, 0x7F, 0x80, 0xFF] {
                var changed = octets
                changed[index] = value
                let file = PcapNGReader.read(changed)
                if file.damage != nil { damaged += 1 }
                #expect(file.statistics.count == file.ports.count)
                #expect(file.frames.allSatisfy { file.ports.indices.contains($0.port) })
            }
        }
        #expect(damaged > 100)
    }

    @Test("what is no pcapng is said to be none")
    func foreign() {
        #expect(PcapNGReader.read([]).damage?.reason == "not a pcapng file")
        #expect(PcapNGReader.read(Array("GIF89a, and so on, and so on".utf8)).damage?.reason == "not a pcapng file")
        let classic: [UInt8] = [0xD4, 0xC3, 0xB2, 0xA1, 2, 0, 4, 0] + [UInt8](repeating: 0, count: 16)
        #expect(PcapNGReader.read(classic).damage?.reason == "a pcap file, not pcapng")
    }

    /// A block with big-endian numbers.
    private func bigEndianBlock(_ type: UInt32, _ body: [UInt8]) -> [UInt8] {
        big(type) + big(UInt32(body.count + 12)) + body + big(UInt32(body.count + 12))
    }

    private func big(_ number: some FixedWidthInteger & UnsignedInteger) -> [UInt8] {
        (0..<number.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }

    private var bigEndianSection: [UInt8] {
        bigEndianBlock(0x0A0D_0D0A, big(UInt32(0x1A2B_3C4D)) + [0, 1, 0, 0] + big(UInt64.max))
    }

    private func frameBlock(ticks: UInt64, _ octets: [UInt8] = [1, 2, 3, 4]) -> [UInt8] {
        bigEndianBlock(6, big(UInt32(0)) + big(ticks) + big(UInt32(octets.count)) + big(UInt32(60)) + octets)
    }

    @Test(
        "time stamps are read in any resolution",
        arguments: [
            ([], 1_700_000_000_123_456, 1_700_000_000_123_456_000),
            ([0, 9, 0, 1, 3, 0, 0, 0], 1_700_000_000_123, 1_700_000_000_123_000_000),
            ([0, 9, 0, 1, 9, 0, 0, 0], 1_700_000_000_123_456_789, 1_700_000_000_123_456_789),
            ([0, 9, 0, 1, 12, 0, 0, 0], 5_123_456_789_012, 5_123_456_789),
            ([0, 9, 0, 1, 0x81, 0, 0, 0], 3, 1_500_000_000), ([0, 9, 0, 1, 0x7F, 0, 0, 0], 12345, 0),
            ([0, 9, 0, 1, 0xFF, 0, 0, 0], 12345, 0), ([0, 9, 0, 1, 0, 0, 0, 0], 0xFFFF_FFFF_FFFF_FFFF, Int64.max),
            // if_tsoffset: 10 seconds more.
            ([0, 9, 0, 1, 9, 0, 0, 0, 0, 14, 0, 8, 0, 0, 0, 0, 0, 0, 0, 10], 5, 10_000_000_005),
        ] as [([UInt8], UInt64, Int64)])
    func resolution(options: [UInt8], ticks: UInt64, nanoseconds: Int64) {
        let interface = bigEndianBlock(1, big(UInt16(1)) + [0, 0] + big(UInt32(262144)) + options)
        let file = PcapNGReader.read(bigEndianSection + interface + frameBlock(ticks: ticks))
        #expect(file.damage == nil)
        #expect(file.ports.map(\.name) == ["interface 0"])
        #expect(file.frames.map(\.time) == [nanoseconds])
    }

    @Test("unknown blocks are skipped, simple and obsolete packet blocks are read, sections number their ports anew")
    func otherBlocks() {
        let interface = bigEndianBlock(1, big(UInt16(1)) + [0, 0] + big(UInt32(2)))
        let unknown = bigEndianBlock(0x8000_0ABC, [1, 2, 3, 4])
        let simple = bigEndianBlock(3, big(UInt32(3)) + [7, 8, 0, 0])
        let obsolete = bigEndianBlock(
            2, big(UInt16(0)) + big(UInt16(9)) + big(UInt64(1)) + big(UInt32(1)) + big(UInt32(60)) + [5, 0, 0, 0])
        let section = bigEndianSection + interface + unknown + simple + obsolete
        let file = PcapNGReader.read(section + sample.pcapng() + section)
        #expect(file.damage == nil)
        #expect(file.ports.map(\.name) == ["interface 0", "lb:eth0", "hv1:tap-lb", "interface 3"])
        #expect(file.frames.map(\.port) == [0, 0, 1, 2, 1, 2, 3, 3])
        #expect(file.frames.first?.octets == [7, 8])
        #expect(file.frames.first?.wireLength == 3)
        #expect(file.frames.last?.octets == [5])
        #expect(file.frames.last?.time == 1000)
    }

    @Test("a frame of an interface that no block describes is damage, and the frames around it are read")
    func unknownInterface() {
        let interface = bigEndianBlock(1, big(UInt16(1)) + [0, 0] + big(UInt32(0)))
        let stray = bigEndianBlock(6, big(UInt32(5)) + big(UInt64(1)) + big(UInt32(0)) + big(UInt32(0)))
        let file = PcapNGReader.read(
            bigEndianSection + interface + frameBlock(ticks: 1) + stray + frameBlock(ticks: 2))
        #expect(file.frames.map(\.time) == [1000, 2000])
        #expect(file.damage?.reason == "a frame of interface 5, which is not described")
    }

    @Test("files that tshark writes are read", .enabled(if: hasTshark, "needs tshark"))
    func fromTshark() throws {
        try withTemporaryFile("ours.pcapng") { ours in
            try writeFile(sample.pcapng(), to: ours)
            try withTemporaryFile("theirs.pcapng") { theirs in
                try run("tshark", "-r", ours, "-w", theirs, "-F", "pcapng")
                let file = try CaptureFile(path: theirs)
                #expect(file.damage == nil)
                #expect(file.ports.map(\.name) == sample.ports.map(\.name))
                #expect(file.ports.map(\.filter) == sample.ports.map(\.filter))
                #expect(file.frames == sample.frames)
            }
            try withTemporaryFile("classic.pcap") { classic in
                try run("tshark", "-r", ours, "-w", classic, "-F", "pcap", mayFail: true)
                #expect(try CaptureFile(path: classic).damage?.reason == "a pcap file, not pcapng")
            }
        }
    }

    @Test("capinfos and tshark take our statistics and comments", .enabled(if: hasTshark, "needs tshark"))
    func toTshark() throws {
        try withTemporaryFile("ours.pcapng") { path in
            try writeFile(sample.pcapng(), to: path)
            let comments = try run("tshark", "-r", path, "-T", "fields", "-e", "frame.comment")
            #expect(comments.contains("dropped by hv1: INVALID → DROP"))
            let information = try run("capinfos", path)
            #expect(information.contains("Name = lb:eth0"))
            #expect(information.contains("Description = the director's port"))
            #expect(information.contains("Time precision = nanoseconds (9)"))
            #expect(
                information.contains("Capture filter = ip or arp") || information.contains("Filter string = ip or arp"))
            #expect(information.contains("Number of stat entries = 1"))
        }
    }

    @Test("a file that cannot be opened or written is an error with its reason")
    func files() {
        #expect(throws: CaptureError.file(operation: "open /nonexistent/x.pcapng", code: ENOENT)) {
            try CaptureFile(path: "/nonexistent/x.pcapng")
        }
        #expect(throws: CaptureError.file(operation: "read /tmp", code: EISDIR)) { try CaptureFile(path: "/tmp") }
        var writer = PcapNGWriter()
        let error = #expect(throws: CaptureError.self) { try writer.flush(to: -1) }
        #expect(error?.description == "write the capture file: Bad file descriptor")
        #expect(!writer.octets.isEmpty)
    }
}

extension CaptureFile {
    fileprivate static func withoutComments(_ file: CaptureFile, but comments: [Int: String] = [:]) -> CaptureFile {
        var file = file
        for index in file.frames.indices { file.frames[index].comment = comments[index] }
        return file
    }
}
