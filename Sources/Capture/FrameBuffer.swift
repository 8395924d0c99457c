/// Frames of one port in the order in which they were taken out of its ring: one growing block of octets and an index into
/// it, so that a frame costs no allocation of its own.
struct FrameBuffer: Sendable {
    struct Record: Sendable {
        /// Nanoseconds since 1970-01-01T00:00:00Z.
        var time: Int64
        var wireLength: Int
        var range: Range<Int>
    }

    private(set) var records: [Record] = []
    private(set) var octets: [UInt8] = []

    mutating func append(time: Int64, wireLength: Int, octets captured: UnsafeBufferPointer<UInt8>) {
        let start = octets.count
        octets.append(contentsOf: captured)
        records.append(Record(time: time, wireLength: wireLength, range: start..<octets.count))
    }
}

/// What a port's capture counted.
public struct PortStatistics: Sendable, Equatable {
    /// Frames that were delivered into the capture.
    public var delivered: Int
    /// Frames that passed the filter and are missing in the capture: the ring had no room (ps_drop), or the interface lost
    /// them (ps_ifdrop).
    public var dropped: Int

    public init(delivered: Int = 0, dropped: Int = 0) {
        self.delivered = delivered
        self.dropped = dropped
    }

    static func + (a: PortStatistics, b: PortStatistics) -> PortStatistics {
        PortStatistics(delivered: a.delivered + b.delivered, dropped: a.dropped + b.dropped)
    }
}
