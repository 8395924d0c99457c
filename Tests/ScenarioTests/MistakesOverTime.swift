extension Mistakes {
    static let overTime: [Mistake] = [
        Mistake(
            "timeline: [{sysctl: {on: gw, set: {net.ipv4.ip_forward: 1}}, meanwhile: [{after: 1s, move: {host: rs2, to: hv1}}]}]",
            "3:62: error: 'meanwhile' in a step that is over at once, expected it in one with http, tcp, udp, load, open, use, run or wait"
        ),
        Mistake(
            "timeline: [{wait: 2s, meanwhile: [{after: 2s, power_off: lb}, {after: 1s, power_off: rs1}, {after: 2001ms, power_off: rs2}]}]",
            "3:71: error: this happens before what stands above it, expected a list in the order of time",
            "3:100: error: this happens after the step, which lasts 2s at most"),
        Mistake(
            #"timeline: [{http: {from: client, to: "203.0.113.2:80", count: 3, timeout: 1s}, meanwhile: [{after: 6s, power_off: lb}, {after: 7s, power_off: lb}]}]"#,
            "3:128: error: this happens after the step, which lasts 6s at most"),
        Mistake(
            "timeline: [{wait: 2s, meanwhile: [{after: 1s, wait: 1s}, {power_off: lbb}]}]",
            "3:35: error: something meanwhile has no action, expected one of http, tcp, udp, load, open, use, close, move, run, start, stop, link, power_off, send, sysctl, flush_neighbours",
            "3:47: error: unknown key 'wait' in something meanwhile, expected one of name, after, http, tcp, udp, load, open, use, close, move, run, start, stop, link, power_off, send, sysctl, flush_neighbours",
            "3:58: error: something meanwhile needs 'after', expected a duration such as 2s, 500ms or 15min",
            "3:70: error: unknown host or hypervisor 'lbb', expected one of gw, client, lb, rs1, rs2, hv1, hv2; did you mean 'lb'?"
        ),
        Mistake(
            #"timeline: [{open: {connection: a, tcp: {from: client, to: "203.0.113.2:80"}}}, {use: {connection: a}, meanwhile: [{after: 1s, close: a}]}]"#,
            "3:115: error: connection 'a' is busy in this step"),
        Mistake(
            #"timeline: [{wait: 2s, meanwhile: [{after: 1s, http: {from: client, to: "203.0.113.2:80", count: 2}}], expect: [{traffic: {outcomes: [rs1]}}]}]"#,
            "3:112: error: 1 outcomes for 2 requests, expected one for each request"),
        Mistake(
            #"timeline: [{link: {port: "fab:rs1", state: off}}, {link: {port: "hv1:tap(lb)"}}]"#,
            "3:26: error: rs1 is not on fab",
            "3:44: error: unknown word 'off', expected one of up, down",
            "3:58: error: a link step needs 'state', expected one of up, down"),
        Mistake(
            #"timeline: [{send: {from: "fab:hv1", ethertype: 1}}, {send: {from: "hv1:uplink", ethertype: 1}}, {send: {from: "fab:gw", ethertype: 1}}]"#,
            "3:26: error: no machine is behind fab:hv1, whose MAC it could have, expected 'source_mac' beside it",
            "3:67: error: no machine is behind hv1:uplink, whose MAC it could have, expected 'source_mac' beside it"),
        Mistake(
            "networks: {other: {cidr: 10.0.0.0/24}}\nhosts: {x: {on: fab, ports: {eth0: {addresses: [203.0.113.9/27]}}}}",
            "4:30: error: port x:eth0 is on a switch, which has a bridge for each network, expected 'network', whose bridge it is on"
        ),
        Mistake(
            "expect: [{neighbour: {on: gw, address: 203.0.113.2, state: [NOARP]}}]",
            "3:61: error: no entry in NOARP is ever seen: this is the table as 'ip neigh' shows it, expected one of INCOMPLETE, REACHABLE, STALE, DELAY, PROBE, FAILED, PERMANENT"
        ),
        Mistake(
            "expect: [{counter: {on: hv1, name: Ip.InAddrErrors, grows: 0}}]",
            "3:25: error: unknown host 'hv1', expected one of gw, client, lb, rs1, rs2"),
        Mistake(
            "expect: [{any_of: [{traffic: {all: rs1}}]}, {any_of: {traffic: {all: rs1}}}, {any_of: [{traffic: {all: rs9}}, []]}]",
            "3:19: error: found only 1 in the list, expected at least 2",
            "3:54: error: found a mapping, expected a list, each an expectation (a mapping with a check), or a list of them",
            "3:104: error: unknown outcome 'rs9'; did you mean 'rs1'?",
            "3:111: error: found an empty list, expected a list, each an expectation (a mapping with a check)"),
        Mistake(
            #"expect: [{order: [{at: lb, filter: tcp}]}, {order: [{at: lbb, filter: tcp}, {at: lb, filter: tpc}]}]"#,
            "3:18: error: found only 1 in the list, expected at least 2",
            "3:58: error: unknown host, hypervisor or switch 'lbb', expected one of gw, client, lb, rs1, rs2, hv1, hv2, fab; did you mean 'lb'?",
            "3:94: error: 'tpc' is no pcap filter: syntax error"),
        Mistake(
            #"expect: [{packets: {at: lb, filter: tcp, share: 5, of: {filter: tpc}}}, {packets: {at: lb, filter: tcp, share: "<= 5%"}}, {packets: {at: lb, filter: tcp, tcp_timestamps: rising}}]"#,
            #"3:49: error: found the number 5, expected a share such as "<= 5%", "> 99%" or 40%..60%"#,
            "3:65: error: 'tpc' is no pcap filter: syntax error", "3:105: error: 'share' without 'of'",
            "3:171: error: unknown word 'rising', expected one of ascending, not ascending"),
        Mistake(
            "expect: [{traffic: {outage: 3s}}, {traffic: {outage: '> 2s'}}]",
            #"3:29: error: found '3s', expected a bound such as "<= 3s", "> 500ms" or 1s..4s"#),
        Mistake(
            "hosts: {lb: {<<: 5, on: hv1}}",
            "3:18: error: found the number 5 behind '<<', expected a mapping, or a list of mappings, whose keys are taken over"
        ),
    ]
}
