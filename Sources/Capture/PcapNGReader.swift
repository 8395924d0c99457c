/// Reads pcapng: what drbench writes, and what dumpcap, tshark and Wireshark do. Both byte orders, any time resolution;
/// blocks that are not about frames are skipped. Never fails: see `CaptureFile.damage`.
public enum PcapNGReader {
    public static func read(_ octets: [UInt8]) -> CaptureFile {
        var reading = Reading(octets: octets)
        reading.run()
        return reading.file
    }

    private struct Reading {
        let octets: [UInt8]
        var file = CaptureFile()
        var bigEndian = false
        /// The index of the current section's first interface in `file.ports`, and each of its interfaces' clock.
        var firstPort = 0
        var clocks: [Clock] = []

        init(octets: [UInt8]) { self.octets = octets }

        mutating func damaged(_ offset: Int, _ reason: String) {
            if file.damage == nil { file.damage = CaptureFile.Damage(offset: offset, reason: reason) }
        }

        func uint16(_ offset: Int) -> UInt16 {
            let (a, b) = (UInt16(octets[offset]), UInt16(octets[offset + 1]))
            return bigEndian ? a << 8 | b : b << 8 | a
        }

        func uint32(_ offset: Int) -> UInt32 {
            let (a, b) = (UInt32(uint16(offset)), UInt32(uint16(offset + 2)))
            return bigEndian ? a << 16 | b : b << 16 | a
        }

        func uint64(_ offset: Int) -> UInt64 {
            let (a, b) = (UInt64(uint32(offset)), UInt64(uint32(offset + 4)))
            return bigEndian ? a << 32 | b : b << 32 | a
        }

        mutating func run() {
            var offset = 0
            guard octets.count >= 12, uint32(0) == PcapNG.Block.sectionHeader else {
                damaged(0, Self.isClassic(octets) ? "a pcap file, not pcapng" : "not a pcapng file")
                return
            }
            while offset < octets.count {
                guard octets.count - offset >= 12 else { return damaged(offset, "the file ends within a block") }
                let type = uint32(offset)
                if type == PcapNG.Block.sectionHeader {
                    bigEndian = false
                    let magic = uint32(offset + 8)
                    guard magic == PcapNG.byteOrderMagic || magic == PcapNG.byteOrderMagic.byteSwapped else {
                        return damaged(offset, "a section header without byte-order magic")
                    }
                    bigEndian = magic != PcapNG.byteOrderMagic
                }
                let length = Int(uint32(offset + 4))
                guard length >= 12, length % 4 == 0 else { return damaged(offset, "a block of \(length) octets") }
                guard length <= octets.count - offset else { return damaged(offset, "the file ends within a block") }
                guard Int(uint32(offset + length - 4)) == length else {
                    return damaged(offset, "a block with two different lengths")
                }
                readBlock(type, at: offset, body: offset + 8..<offset + length - 4)
                offset += length
            }
        }

        /// The magic numbers of pcap with micro- and nanoseconds.
        private static func isClassic(_ octets: [UInt8]) -> Bool {
            [
                [0xA1, 0xB2, 0xC3, 0xD4], [0xD4, 0xC3, 0xB2, 0xA1], [0xA1, 0xB2, 0x3C, 0x4D], [0x4D, 0x3C, 0xB2, 0xA1],
            ]
            .contains { octets.starts(with: $0) }
        }

        mutating func readBlock(_ type: UInt32, at offset: Int, body: Range<Int>) {
            switch type {
            case PcapNG.Block.sectionHeader:
                guard body.count >= 16 else { return damaged(offset, "a section header too short") }
                firstPort = file.ports.count
                clocks = []
            case PcapNG.Block.interfaceDescription:
                guard body.count >= 8 else { return damaged(offset, "an interface block too short") }
                readInterface(body)
            case PcapNG.Block.enhancedPacket, PcapNG.Block.packet:
                guard body.count >= 20 else { return damaged(offset, "a packet block too short") }
                // The obsolete packet block has 16 bits for the interface, and 16 for drops.
                let number =
                    type == PcapNG.Block.packet
                    ? Int(uint16(body.lowerBound)) : Int(uint32(body.lowerBound))
                readFrame(
                    interface: number, ticks: ticks(body.lowerBound + 4), captured: Int(uint32(body.lowerBound + 12)),
                    wireLength: Int(uint32(body.lowerBound + 16)), from: body.lowerBound + 20, to: body.upperBound,
                    at: offset)
            case PcapNG.Block.simplePacket:
                guard body.count >= 4 else { return damaged(offset, "a packet block too short") }
                let wireLength = Int(uint32(body.lowerBound))
                let limit = file.ports.indices.contains(firstPort) ? file.ports[firstPort].snapshotLength : 0
                readFrame(
                    interface: 0, ticks: 0, captured: limit == 0 ? wireLength : min(limit, wireLength),
                    wireLength: wireLength, from: body.lowerBound + 4, to: body.upperBound, at: offset)
            case PcapNG.Block.interfaceStatistics:
                guard body.count >= 12 else { return damaged(offset, "a statistics block too short") }
                readStatistics(body, at: offset)
            default:
                break
            }
        }

        private func ticks(_ offset: Int) -> UInt64 {
            UInt64(uint32(offset)) << 32 | UInt64(uint32(offset + 4))
        }

        private mutating func readInterface(_ body: Range<Int>) {
            var port = CaptureFile.Port(
                name: "interface \(file.ports.count)", linkType: uint16(body.lowerBound),
                snapshotLength: Int(uint32(body.lowerBound + 4)))
            var clock = Clock()
            forEachOption(in: body.dropFirst(8)) { code, value in
                switch code {
                case PcapNG.Option.interfaceName: port.name = text(value)
                case PcapNG.Option.interfaceDescription: port.description = text(value)
                case PcapNG.Option.interfaceFilter where octets[value].first == 0: port.filter = text(value.dropFirst())
                case PcapNG.Option.interfaceTimeResolution where value.count == 1:
                    clock.resolution = octets[value.lowerBound]
                case PcapNG.Option.interfaceTimeOffset where value.count == 8:
                    clock.offset = Int64(bitPattern: uint64(value.lowerBound))
                default: break
                }
            }
            file.ports.append(port)
            file.statistics.append(nil)
            file.statisticsBlocks.append(0)
            clocks.append(clock)
        }

        private mutating func readFrame(
            interface number: Int, ticks: UInt64, captured: Int, wireLength: Int, from start: Int, to end: Int,
            at offset: Int
        ) {
            guard clocks.indices.contains(number) else {
                return damaged(offset, "a frame of interface \(number), which is not described")
            }
            guard captured <= end - start else { return damaged(offset, "a frame longer than its block") }
            var comments: [String] = []
            let options = start + captured + (-captured & 3)
            if options < end {
                forEachOption(in: options..<end) { code, value in
                    if code == PcapNG.Option.comment { comments.append(text(value)) }
                }
            }
            file.frames.append(
                CapturedFrame(
                    port: firstPort + number, time: clocks[number].nanoseconds(ticks), wireLength: wireLength,
                    octets: octets[start..<start + captured],
                    comment: comments.isEmpty ? nil : comments.joined(separator: "\n")))
        }

        private mutating func readStatistics(_ body: Range<Int>, at offset: Int) {
            let number = Int(uint32(body.lowerBound))
            guard clocks.indices.contains(number) else {
                return damaged(offset, "statistics of interface \(number), which is not described")
            }
            var counts: [UInt16: Int] = [:]
            forEachOption(in: body.dropFirst(12)) { code, value in
                if value.count == 8 { counts[code] = Int(clamping: uint64(value.lowerBound)) }
            }
            let dropped = counts[PcapNG.Option.statisticsDropped] ?? 0
            let received = counts[PcapNG.Option.statisticsReceived] ?? 0
            file.statisticsBlocks[firstPort + number] += 1
            // Received includes dropped, on Linux: PACKET_STATISTICS counts both.
            file.statistics[firstPort + number] = PortStatistics(
                delivered: counts[PcapNG.Option.statisticsDelivered] ?? max(0, received - dropped), dropped: dropped)
        }

        /// Stops at the first option that does not fit.
        private func forEachOption(in range: Range<Int>, _ visit: (UInt16, Range<Int>) -> Void) {
            var offset = range.lowerBound
            while range.upperBound - offset >= 4 {
                let code = uint16(offset)
                let length = Int(uint16(offset + 2))
                guard code != 0, length <= range.upperBound - offset - 4 else { return }
                visit(code, offset + 4..<offset + 4 + length)
                offset += 4 + length + (-length & 3)
            }
        }

        /// Some writers end text with a NUL.
        private func text(_ range: Range<Int>) -> String {
            String(decoding: octets[range].prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// An interface's if_tsresol and if_tsoffset.
    private struct Clock {
        /// A negative power of 10; of 2 with the top bit set. Microseconds, if the file says nothing.
        var resolution: UInt8 = 6
        /// Seconds to add.
        var offset: Int64 = 0

        /// Nanoseconds since 1970, as near as Int64 comes: garbage does not overflow.
        func nanoseconds(_ ticks: UInt64) -> Int64 {
            let exponent = Int(resolution & 0x7F)
            var time: UInt128
            if resolution & 0x80 != 0 {
                time = UInt128(ticks) * 1_000_000_000 >> UInt128(exponent)
            } else {
                time = UInt128(ticks)
                // Beyond 20 digits nothing is left of 64 bits.
                for _ in 0..<min(abs(exponent - 9), 20) { time = exponent < 9 ? time * 10 : time / 10 }
            }
            return Int64(clamping: Int128(time) + Int128(offset) * 1_000_000_000)
        }
    }
}
