extension Mistakes {
    static let loads: [Mistake] = [
        Mistake(
            "timeline: [{load: {from: []}}]",
            "3:19: error: a load needs 'to', expected an address and port such as 203.0.113.2:80 or [2001:db8::2]:80",
            "3:26: error: found an empty list, expected a list, each a host's name"),
        Mistake(
            #"timeline: [{load: {from: client, to: "203.0.113.2:80", protocol: tcp, rate: 1kbit, connections: 0, warmup: 1s}}]"#,
            "3:66: error: unknown word 'tcp', expected one of http, udp",
            "3:77: error: found '1kbit', expected a whole number from 1 to 10000000",
            "3:97: error: found the number 0, expected a whole number from 1 to 1000000",
            "3:100: error: unknown key 'warmup' in a load; did you mean 'warm_up'?"),
        Mistake(
            #"timeline: [{load: {from: client, to: "203.0.113.2:80", duration: 0s, timeout: 0ms}}]"#,
            "3:66: error: no time at all, expected a duration such as 2s",
            "3:79: error: no time at all, expected a duration such as 2s"),
        Mistake(
            #"timeline: [{load: {from: client, to: "203.0.113.2:80", protocol: udp, keep_alive: true, response: 1MB}}]"#,
            "3:71: error: 'keep_alive' in UDP, which has no connections",
            "3:99: error: 1000000 octets in a datagram, expected at most 65507"),
        Mistake(
            "timeline: [{wait: 1s, expect: [{load: {failed: 0}}]}]\nexpect: [{load: {failed: 0}}]",
            "3:32: error: a load expectation in a step that makes none",
            "4:10: error: a load expectation at the end of a scenario without one"),
        Mistake(
            #"timeline: [{load: {from: client, to: "203.0.113.2:80"}, expect: [{load: {}}, {load: {p95: 1ms}}]}]"#,
            "3:73: error: a load expectation asks for nothing, expected at least one of answered, failed, requests_per_second, throughput, p50, p99, p99.9, director_share",
            "3:85: error: a load expectation asks for nothing, expected at least one of answered, failed, requests_per_second, throughput, p50, p99, p99.9, director_share",
            "3:86: error: unknown key 'p95' in a load expectation; did you mean 'p99'?"),
        Mistake(
            #"timeline: [{load: {from: client, to: "203.0.113.2:80"}, meanwhile: [{after: 4s, power_off: lb}]}]"#,
            "3:77: error: this happens after the step, which lasts 3s at most"),
        Mistake(
            "timeline: [{load: &l {from: client, to: '203.0.113.2:80'}}, {load: *l}]\nexpect: [{load: {failed: 0}}]",
            "4:10: error: 2 loads, and an expectation about one, expected it in a step with one load"),
        Mistake(
            "capture: none\nexpect: [{packets: {at: lb, filter: tcp, count: 1}}, {conntrack: {on: hv1}}, {ipvs: {on: lb, connections: 1}}, {ipvs: {on: lb, state: SYN_RECV, entries: 1}}]",
            "4:10: error: nothing is captured, and no connections are listed, with 'capture: none', expected expectations about loads, counters, rules or IPVS statistics",
            "4:54: error: nothing is captured, and no connections are listed, with 'capture: none', expected expectations about loads, counters, rules or IPVS statistics",
            "4:112: error: nothing is captured, and no connections are listed, with 'capture: none', expected expectations about loads, counters, rules or IPVS statistics"
        ),
        Mistake(
            "capture: off",
            "3:10: error: unknown word 'off', expected 'none'"),
        Mistake(
            "hosts: {rs1: {servers: [{http: 80}, {load: 80}, {load: 53}, {udp: 53}]}}",
            "3:24: error: two servers on port 53", "3:24: error: two servers on port 80"),
    ]
}
