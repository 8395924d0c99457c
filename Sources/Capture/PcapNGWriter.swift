internal import Glibc

/// Writes a pcapng file into memory, from where it can be flushed to a file descriptor whenever enough has gathered.
///
/// The octets depend on the arguments alone: little endian, time stamps in nanoseconds, nothing from the clock or the
/// host. Add all interfaces before the first frame: ports are numbered as they are added.
public struct PcapNGWriter: Sendable {
    /// What was written and not flushed yet.
    public private(set) var octets: [UInt8] = []
    private var ports = 0
    /// The latest frame's, and so the statistics' time.
    private var latest: Int64 = 0

    /// Starts the file with its section header.
    public init() {
        block(PcapNG.Block.sectionHeader) { body in
            body.append(little: PcapNG.byteOrderMagic)
            body.append(little: UInt16(1))
            body.append(little: UInt16(0))
            // The section's length: not specified.
            body.append(little: UInt64.max)
            body.append(option: PcapNG.Option.sectionHardware, text: "drbench")
            body.append(option: PcapNG.Option.sectionSystem, text: "drbench")
            body.append(option: PcapNG.Option.sectionApplication, text: "drbench")
            body.appendEndOfOptions()
        }
    }

    /// Adds an Ethernet port and returns its number.
    @discardableResult
    public mutating func addInterface(
        name: String, description: String? = nil, snapshotLength: Int, filter: String? = nil
    ) -> Int {
        block(PcapNG.Block.interfaceDescription) { body in
            body.append(little: PcapNG.ethernet)
            body.append(little: UInt16(0))
            body.append(little: UInt32(clamping: snapshotLength))
            body.append(option: PcapNG.Option.interfaceName, text: name)
            if let description { body.append(option: PcapNG.Option.interfaceDescription, text: description) }
            body.append(option: PcapNG.Option.interfaceTimeResolution, [9])
            // Type 0: a filter as text.
            if let filter { body.append(option: PcapNG.Option.interfaceFilter, [0] + filter.utf8) }
            body.appendEndOfOptions()
        }
        ports += 1
        return ports - 1
    }

    /// Adds a frame. `time` is in nanoseconds since 1970-01-01T00:00:00Z; earlier than that is written as 0.
    ///
    /// The port must have been added.
    public mutating func addFrame(
        port: Int, time: Int64, wireLength: Int, octets frame: ArraySlice<UInt8>, comment: String? = nil
    ) {
        precondition((0..<ports).contains(port), "pcapng: port \(port) of \(ports)")
        latest = max(latest, time)
        block(PcapNG.Block.enhancedPacket) { body in
            body.append(little: UInt32(port))
            body.append(time: time)
            body.append(little: UInt32(clamping: frame.count))
            body.append(little: UInt32(clamping: wireLength))
            body.append(contentsOf: frame)
            body.appendPadding(for: frame.count)
            if let comment {
                body.append(option: PcapNG.Option.comment, text: comment)
                body.appendEndOfOptions()
            }
        }
    }

    /// Adds the names of addresses, each an IPv4 or IPv6 address and a name; to be called before the first frame, so that
    /// a reader that goes through the file once knows them.
    public mutating func addNames(_ names: [(address: [UInt8], name: String)]) {
        block(PcapNG.Block.nameResolution) { body in
            for (address, name) in names where address.count == 4 || address.count == 16 {
                // An option's shape: the record's code, its length, its value, padding. The name ends with a NUL.
                body.append(
                    option: address.count == 4 ? PcapNG.Name.ipv4 : PcapNG.Name.ipv6,
                    address + name.utf8.filter { $0 != 0 } + [0])
            }
            body.append(little: PcapNG.Name.end)
            body.append(little: UInt16(0))
        }
    }

    /// Adds what a port counted, at the time of the latest frame; to be called behind the last one.
    public mutating func addStatistics(port: Int, _ statistics: PortStatistics) {
        precondition((0..<ports).contains(port), "pcapng: port \(port) of \(ports)")
        let time = latest
        block(PcapNG.Block.interfaceStatistics) { body in
            body.append(little: UInt32(port))
            body.append(time: time)
            let received = statistics.delivered + statistics.dropped
            for (option, count) in [
                (PcapNG.Option.statisticsReceived, received), (PcapNG.Option.statisticsDropped, statistics.dropped),
                (PcapNG.Option.statisticsDelivered, statistics.delivered),
            ] {
                body.append(little: option)
                body.append(little: UInt16(8))
                body.append(little: UInt64(clamping: count))
            }
            body.appendEndOfOptions()
        }
    }

    /// Writes to a file descriptor what has gathered, all of it. Throws `CaptureError.file` with the errno.
    public mutating func flush(to descriptor: Int32) throws(CaptureError) {
        var written = 0
        var code: Int32 = 0
        octets.withUnsafeBytes { buffer in
            while written < buffer.count {
                let count = write(descriptor, buffer.baseAddress.map { $0 + written }, buffer.count - written)
                if count < 0 {
                    guard errno == EINTR else {
                        code = errno
                        return
                    }
                } else {
                    written += count
                }
            }
        }
        octets.removeFirst(written)
        guard code == 0 else { throw .file(operation: "write the capture file", code: code) }
    }

    /// The block's length stands in front of and behind its body.
    private mutating func block(_ type: UInt32, body: (inout [UInt8]) -> Void) {
        let start = octets.count
        octets.append(little: type)
        octets.append(little: UInt32(0))
        body(&octets)
        let length = UInt32(clamping: octets.count - start + 4)
        octets.append(little: length)
        for index in 0..<4 { octets[start + 4 + index] = UInt8(truncatingIfNeeded: length >> (8 * index)) }
    }
}

extension [UInt8] {
    mutating func append(little number: some FixedWidthInteger & UnsignedInteger) {
        for index in 0..<number.bitWidth / 8 { append(UInt8(truncatingIfNeeded: number >> (8 * index))) }
    }

    /// A time stamp's upper half comes first, whatever the byte order.
    fileprivate mutating func append(time: Int64) {
        let ticks = UInt64(clamping: time)
        append(little: UInt32(truncatingIfNeeded: ticks >> 32))
        append(little: UInt32(truncatingIfNeeded: ticks))
    }

    fileprivate mutating func appendPadding(for count: Int) {
        append(contentsOf: repeatElement(0, count: -count & 3))
    }

    /// An option's length field has 16 bits: what does not fit is cut off.
    fileprivate mutating func append(option code: UInt16, _ value: some Collection<UInt8>) {
        let value = value.prefix(Int(UInt16.max))
        append(little: code)
        append(little: UInt16(value.count))
        append(contentsOf: value)
        appendPadding(for: value.count)
    }

    fileprivate mutating func append(option code: UInt16, text: String) {
        append(option: code, text.utf8)
    }

    fileprivate mutating func appendEndOfOptions() {
        append(little: UInt32(0))
    }
}
