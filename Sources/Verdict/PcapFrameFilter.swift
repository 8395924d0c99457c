internal import CPcap

/// A filter in tcpdump's language, compiled by libpcap and run without a capture (pcap_offline_filter(3)).
public enum PcapFrameFilter {
    /// A filter that libpcap does not accept: `'tcp prot 80': syntax error in filter expression: syntax error`.
    public struct SyntaxError: Error, Equatable, CustomStringConvertible {
        public var filter: String
        public var explanation: String
        public var description: String { "'\(filter)': \(explanation)" }
    }

    /// Compiles `text` for Ethernet frames. Needs no privileges.
    public static func compile(_ text: String) throws -> (RunFrame) -> Bool {
        let program = try Program(text)
        return { program.matches($0) }
    }

    /// A compiled program, freed with its last user.
    private final class Program {
        private var code = bpf_program()

        init(_ text: String) throws(SyntaxError) {
            // 262144 is tcpdump's own snapshot length; the filter returns it for a match.
            guard let handle = pcap_open_dead(DLT_EN10MB, 262_144) else {
                throw SyntaxError(filter: text, explanation: "libpcap has no memory")
            }
            defer { pcap_close(handle) }
            guard pcap_compile(handle, &code, text, 1, PCAP_NETMASK_UNKNOWN) == 0 else {
                let explanation = pcap_geterr(handle).map { String(cString: $0) } ?? "not a filter"
                throw SyntaxError(filter: text, explanation: explanation)
            }
        }

        deinit { pcap_freecode(&code) }

        func matches(_ frame: RunFrame) -> Bool {
            var header = pcap_pkthdr()
            header.caplen = UInt32(clamping: frame.octets.count)
            header.len = UInt32(clamping: frame.wireLength)
            return frame.octets.withUnsafeBufferPointer { pcap_offline_filter(&code, &header, $0.baseAddress) != 0 }
        }
    }
}
