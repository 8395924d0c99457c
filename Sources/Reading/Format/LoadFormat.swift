internal import Net
internal import Scenario

/// Loads in a file, and what is expected of their measurement.
enum LoadFormat {
    private struct Draft: Sendable {
        var kind: Load.Kind?
        var load = Load(kind: .http, from: [], to: Endpoint(IPAddress(v4: 0), port: 0))
    }

    /// Times that some users give without what they are for: nothing could be measured in them.
    private static let span = Shape<Int64>.duration(upTo: Limits.loadDuration).checked { time, tree, reader in
        if time == 0 { reader.error(at: tree.location, "no time at all", expected: "a duration such as 2s") }
    }

    private static let draft = Shape<Draft>.object(
        "load", "a load", "Many requests from several clients, at a rate or as fast as they are answered.",
        blank: Draft(),
        fields: [
            Field("from", \.load.from, .oneOrMore(of: .name(of: .host)), required: true, "The clients' hosts."),
            Field("to", \.load.to, .endpoint, required: true, "The server's address and port."),
            Field("protocol", \.kind, .word(), "http, or udp: datagrams; http."),
            Field(
                "rate", \.load.rate, .integer(1...Limits.loadRate),
                "Requests a second of all clients together, whether or not the answers keep up (open loop). Left out, "
                    + "each connection makes its next request when it has the answer (closed loop)."),
            Field(
                "connections", \.load.connections, .integer(1...Limits.connections),
                "Connections (UDP: sockets) of all clients together, opened by the first requests; without keep_alive, at most "
                    + "so many at a time; 10."
            ),
            Field("keep_alive", \.load.keepAlive, .boolean, "Whether a connection takes more than one request; true."),
            Field("request", \.load.request, .size(upTo: Limits.requestBytes), "Bytes of body in each request; 0."),
            Field("response", \.load.response, .size(upTo: Limits.requestBytes), "Bytes of body in each answer; 0."),
            Field(
                "warm_up", \.load.warmUp, .duration(upTo: Limits.loadDuration), "What passes before anything counts; 0."
            ),
            Field("duration", \.load.duration, span, "How long it is measured; 1s."),
            Field(
                "timeout", \.load.timeout, span,
                "From a request's sending, or its connection's opening, to the end of the answer; 2s."),
        ],
        check: { draft, tree, reader in
            if let entry = tree.entry("keep_alive"), draft.kind == .udp {
                reader.error(at: entry.keyLocation, "'keep_alive' in UDP, which has no connections")
            }
            if let rate = draft.load.rate {
                // Within an hour at ten million a second: no overflow.
                let requests = (draft.load.warmUp + draft.load.duration) / 1_000_000 * Int64(rate) / 1_000
                if requests > Limits.loadRequests {
                    reader.error(
                        at: tree.location(of: ["rate"]), "a load of \(requests) requests",
                        expected: "at most \(Limits.loadRequests)")
                }
            }
            for key in ["request", "response"] where draft.kind == .udp {
                // What one IPv4 datagram takes: 65535 less 20 of IP and 8 of UDP.
                let octets = key == "request" ? draft.load.request : draft.load.response
                guard octets > 65_507 else { continue }
                reader.error(
                    at: tree.valueLocation(of: [key]), "\(octets) octets in a datagram", expected: "at most 65507")
            }
        })

    static let load = draft.map { draft in
        var load = draft.load
        load.kind = draft.kind ?? .http
        return load
    }

    static let expectation = Shape<Expectation.LoadResult>.object(
        "loadResult", "a load expectation", "What the measurement of the step's load gave.",
        blank: Expectation.LoadResult(),
        fields: [
            Field("answered", \.answered, .count, "Requests of the measured time that were answered."),
            Field("failed", \.failed, .count, "Requests of the measured time that were not."),
            Field("requests_per_second", \.requestsPerSecond, .count, "Answers within the measured time, by it."),
            Field(
                "throughput", \.throughput, .rates,
                "Octets of answers and requests that clients got and sent, as a rate."),
            Field("p50", \.quantiles[0.5], .durations, "The latency that half of the answers do not exceed."),
            Field("p99", \.quantiles[0.99], .durations, "The latency that 99% of the answers do not exceed."),
            Field("p99.9", \.quantiles[0.999], .durations, "The latency that 99.9% of the answers do not exceed."),
            Field(
                "director_share", \.directorShare, .percents,
                "What the director's ports carry, in and out, of what the clients' ports do."),
        ],
        rules: [
            .atLeastOne([
                "answered", "failed", "requests_per_second", "throughput", "p50", "p99", "p99.9", "director_share",
            ])
        ])
}
