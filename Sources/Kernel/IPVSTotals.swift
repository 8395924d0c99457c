internal import Evidence

/// Sums of statistics.
enum IPVSTotals {
    static func sum(_ all: some Sequence<IPVSStatistics>) -> IPVSStatistics {
        all.reduce(into: IPVSStatistics()) { total, part in
            total.connections += part.connections
            total.inPackets += part.inPackets
            total.outPackets += part.outPackets
            total.inBytes += part.inBytes
            total.outBytes += part.outBytes
        }
    }

    /// The sum over the processors in /proc/net/ip_vs_stats_percpu (ip_vs_stats_percpu_show): two title lines, a line of
    /// hexadecimal numbers per processor, and then a line that begins with `~` and is not up to date.
    static func parse(_ text: String) -> IPVSStatistics {
        let rows = text.split(separator: "\n").dropFirst(2).map { $0.split(separator: " ") }
        return sum(
            rows.prefix { $0.first != "~" }.compactMap { row in
                let numbers = row.dropFirst().compactMap { UInt64($0, radix: 16) }
                guard numbers.count == 5 else { return nil }
                return IPVSStatistics(
                    connections: numbers[0], inPackets: numbers[1], outPackets: numbers[2], inBytes: numbers[3],
                    outBytes: numbers[4])
            })
    }
}
