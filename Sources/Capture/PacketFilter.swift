internal import CPcap
internal import Synchronization

/// A tcpdump filter expression (pcap-filter(7)), compiled for Ethernet frames.
///
/// Immutable once compiled: threads may share one. Needs no privileges. A host name in the expression is looked up as
/// getaddrinfo(3) does, which can take seconds: write addresses.
public final class PacketFilter: @unchecked Sendable {
    // libpcap's compiler had global state before release 1.8.
    private static let compiler = Mutex(())

    /// The expression as written.
    public let text: String
    // Never written after init: pcap_offline_filter only reads it.
    private var program: bpf_program

    /// Compiles the expression; an empty one matches every frame. Throws `CaptureError.badFilter`.
    public init(_ text: String) throws(CaptureError) {
        self.text = text
        guard let handle = pcap_open_dead(DLT_EN10MB, Self.longestFrame) else {
            throw .badFilter(text, reason: "no memory")
        }
        defer { pcap_close(handle) }
        program = try Self.compile(text, for: handle)
    }

    deinit { pcap_freecode(&program) }

    /// Whether the filter accepts a frame: the captured octets from the destination MAC on, and the frame's length on the
    /// wire (for `greater`, `less` and `len`).
    public func matches(_ octets: Span<UInt8>, wireLength: Int) -> Bool {
        octets.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return false }
            var header = pcap_pkthdr()
            header.caplen = UInt32(clamping: buffer.count)
            header.len = UInt32(clamping: wireLength)
            return withUnsafePointer(to: program) { pcap_offline_filter($0, &header, start) != 0 }
        }
    }

    public func matches(_ octets: ArraySlice<UInt8>, wireLength: Int) -> Bool {
        matches(octets.span, wireLength: wireLength)
    }

    public func matches(_ frame: CapturedFrame) -> Bool {
        matches(frame.octets.span, wireLength: frame.wireLength)
    }

    /// MAXIMUM_SNAPLEN of libpcap: a frame is never cut shorter by being accepted.
    private static let longestFrame: Int32 = 262144

    /// The caller frees the program with pcap_freecode.
    static func compile(_ text: String, for handle: OpaquePointer) throws(CaptureError) -> bpf_program {
        // A C string would end there, and the rest of the expression be ignored.
        guard !text.utf8.contains(0) else { throw .badFilter(text, reason: "contains a NUL") }
        var program = bpf_program()
        let status = compiler.withLock { _ in pcap_compile(handle, &program, text, 1, PCAP_NETMASK_UNKNOWN) }
        guard status == 0 else {
            var reason = String(cString: pcap_geterr(handle))[...]
            // What libpcap 1.10 says before "syntax error"; our error says it already.
            let preamble = "can't parse filter expression: "
            if reason.hasPrefix(preamble) { reason = reason.dropFirst(preamble.count) }
            throw .badFilter(text, reason: String(reason))
        }
        return program
    }
}
