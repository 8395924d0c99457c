public import Capture
public import Evidence
internal import Measurement

/// A captured frame as the judge needs it: at a port of the evidence, on the run's clock.
public struct RunFrame: Sendable, Equatable {
    /// The port that captured it: an index into `Evidence.ports`.
    public var port: Int
    /// When, since the run's start.
    public var time: Nanoseconds
    /// The frame's length on the wire, in octets; at least `octets.count`.
    public var wireLength: Int
    /// What was kept of it, beginning with the Ethernet header. Shares the capture file's memory: indices are the file's.
    public var octets: ArraySlice<UInt8>

    public init(port: Int, time: Nanoseconds, wireLength: Int? = nil, octets: ArraySlice<UInt8>) {
        self.port = port
        self.time = time
        self.wireLength = wireLength ?? octets.count
        self.octets = octets
    }

    /// The frames of a capture file, on the clock of the run that left it.
    /// - Parameter started: the run's start, nanoseconds since 1970.
    public static func all(of capture: CaptureFile, since started: Int64) -> [RunFrame] {
        // A time that is none of the run, which evidence that is not complete may have, stays one to calculate with.
        let limit = Evidence.greatestTime
        return capture.frames.map {
            RunFrame(
                port: $0.port, time: min(max($0.time.subtractingSaturated(started), -limit), limit),
                wireLength: $0.wireLength, octets: $0.octets)
        }
    }
}

/// Turns a filter in tcpdump's language into a predicate on Ethernet frames.
///
/// Throws if the text is no filter; the error's description says why.
public typealias FrameFilter = (String) throws -> (RunFrame) -> Bool

/// Compiles a filter with libpcap. Needs no privileges; throws `CaptureError.badFilter`.
public func compileFilter(_ text: String) throws -> (RunFrame) -> Bool {
    let filter = try PacketFilter(text)
    return { filter.matches($0.octets, wireLength: $0.wireLength) }
}
