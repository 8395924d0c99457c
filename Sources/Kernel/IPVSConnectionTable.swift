internal import Evidence
internal import Net

/// The text of /proc/net/ip_vs_conn (ip_vs_conn_seq_show).
enum IPVSConnectionTable {
    /// `TCP 0A090964 C350 0A090901 0050 0A090902 0050 SYN_RECV        59`: addresses as eight hexadecimal digits, or as
    /// `%pI6` for IPv6; the real server's may be of the other family. The table's own order is that of a hash with a
    /// random key.
    static func parse(_ text: String) -> [IPVSConnection] {
        text.split(separator: "\n").dropFirst().compactMap { connection($0) }.sorted { a, b in
            if a.protocol != b.protocol { return a.protocol < b.protocol }
            if a.client != b.client { return a.client < b.client }
            if a.virtual != b.virtual { return a.virtual < b.virtual }
            return a.destination < b.destination
        }
    }

    private static func connection(_ line: Substring) -> IPVSConnection? {
        let fields = line.split(separator: " ")
        guard fields.count >= 9, let expires = UInt32(fields[8]),
            let client = endpoint(fields[1], fields[2]), let virtual = endpoint(fields[3], fields[4]),
            let destination = endpoint(fields[5], fields[6])
        else { return nil }
        return IPVSConnection(
            protocol: fields[0].lowercased(), client: client, virtual: virtual, destination: destination,
            state: String(fields[7]), expires: expires)
    }

    private static func endpoint(_ address: Substring, _ port: Substring) -> Endpoint? {
        guard let port = UInt16(port, radix: 16) else { return nil }
        if address.contains(":") { return IPAddress(address).map { Endpoint($0, port: port) } }
        return UInt32(address, radix: 16).map { Endpoint(IPAddress(v4: $0), port: port) }
    }
}
