extension Mistakes {
    static let steps: [Mistake] = [
        Mistake(
            "timeline: [{name: nothing}]",
            "3:12: error: a step has no action, expected one of http, tcp, udp, load, open, use, close, move, run, start, stop, link, power_off, send, sysctl, flush_neighbours, wait"
        ),
        Mistake(
            "timeline: [{wait: 1s, close: c}]",
            "3:23: error: a step has both 'wait' and 'close', expected only one action",
            "3:30: error: connection 'c' is not open, expected an 'open' step before this one"),
        Mistake(
            "timeline: [{wait: 1s, name: a}, {wait: 2s, name: a}]",
            "3:50: error: a step named 'a' stands at s.yaml:3:12 already"),
        Mistake(
            #"timeline: [{http: {from: cleint, to: "203.0.113.2:80"}}]"#,
            "3:26: error: unknown host 'cleint', expected one of gw, client, lb, rs1, rs2; did you mean 'client'?"),
        Mistake(
            "timeline: [{http: {from: client}}]",
            "3:19: error: a request needs 'to', expected an address and port such as 203.0.113.2:80 or [2001:db8::2]:80"
        ),
        Mistake(
            #"timeline: [{http: {from: client, to: "203.0.113.2:80", count: 0, timeout: 2, source_port: 70000, bytes: 1Mb}}]"#,
            "3:63: error: found the number 0, expected a whole number from 1 to 100000",
            "3:75: error: found the number 2, expected a duration such as 2s, 500ms or 15min",
            "3:91: error: found the number 70000, expected a whole number from 1 to 65535",
            "3:105: error: found '1Mb', expected a size such as 0, 1500, 64KiB or 1MB"),
        Mistake(
            "timeline: [{move: {host: rs2, to: fab}}]",
            "3:35: error: unknown hypervisor 'fab', expected one of hv1, hv2"),
        Mistake(
            "timeline: [{move: {host: gw, to: hv1}}]",
            "3:26: error: gw is on no hypervisor to be moved from"),
        Mistake(
            #"timeline: [{run: {on: rs1, command: "ip a | grep eth0"}}]"#,
            #"3:37: error: '|' means nothing here, where no shell is, expected quotes around it, or [sh, -c, "…"]"#),
        Mistake(
            #"timeline: [{run: {on: rs1, command: "echo 'a"}}]"#,
            "3:37: error: a quote (') is not closed"),
        Mistake(
            "timeline: [{run: {on: rs1, command: []}}]",
            "3:37: error: found an empty list, expected a list, each a word"),
        Mistake(
            "timeline: [{sysctl: {on: hv3, set: {net.ipv4.ip_forward: [1]}}}]",
            "3:26: error: unknown host, hypervisor or switch 'hv3', expected one of gw, client, lb, rs1, rs2, hv1, hv2, fab; did you mean 'hv1'?",
            "3:58: error: found a list, expected a value"),
        Mistake(
            "timeline: [{flush_neighbours: [gw, rs9]}]",
            "3:36: error: unknown host, hypervisor or switch 'rs9', expected one of gw, client, lb, rs1, rs2, hv1, hv2, fab; did you mean 'rs1'?"
        ),
        Mistake(
            "timeline: [{use: {connection: flow1}}]",
            "3:31: error: connection 'flow1' is not open, expected an 'open' step before this one"),
        Mistake(
            #"timeline: [{open: {connection: flow1, http: {from: client, to: "203.0.113.2:80"}}}, {close: flow1}, {use: {connection: flow1}}, {use: {connection: flow2}}]"#,
            "3:120: error: connection 'flow1' is closed by now",
            "3:148: error: connection 'flow2' is not open, expected an 'open' step before this one"),
        Mistake(
            #"timeline: [{open: {connection: flow1, http: {from: client, to: "203.0.113.2:80", count: 2}}}, {open: {connection: flow1, tcp: {from: client, to: "203.0.113.2:80"}}}, {use: {connection: flw1}}]"#,
            "3:82: error: unknown key 'count' in a request, expected one of from, to, source_port, bytes, timeout",
            "3:115: error: connection 'flow1' is open already, since s.yaml:3:32",
            "3:186: error: connection 'flw1' is not open, expected 'flow1'; did you mean 'flow1'?"),
    ]

    static let expectations: [Mistake] = [
        Mistake(
            "expect: [{trafic: {all: rs1}}]",
            "3:11: error: unknown key 'trafic' in an expectation; did you mean 'traffic'?"),
        Mistake(
            "expect: [{traffic: {}}]",
            "3:20: error: a traffic expectation asks for nothing, expected at least one of outcomes, all, answered_by, seen_from, error, outage"
        ),
        Mistake(
            "expect: [{traffic: {all: connected then slient, answered_by: {rs1: 2, toatl: 4}, error: no route}}]",
            "3:26: error: unknown outcome 'connected then slient'; did you mean 'connected then silent'?",
            "3:71: error: unknown host 'toatl', expected one of gw, client, lb, rs1, rs2, total; did you mean 'total'?",
            "3:89: error: found 'no route', expected an errno's name such as EHOSTUNREACH"),
        Mistake(
            #"timeline: [{http: {from: client, to: "203.0.113.2:80", count: 2}, expect: [{traffic: {outcomes: [rs1]}}]}]"#,
            "3:76: error: 1 outcomes for 2 requests, expected one for each request"),
        Mistake(
            "timeline: [{wait: 1s, expect: [{traffic: {all: rs1}}, {command: {status: 0}}]}]",
            "3:32: error: a traffic expectation in a step that makes no request, expected it in the step that does, or at the end",
            "3:55: error: a command expectation in a step that runs none, expected a 'run' step"),
        Mistake(
            "expect: [{command: {status: 0}}]",
            "3:10: error: a command expectation without a command, expected it in the 'expect' of a 'run' step"),
        Mistake(
            #"expect: [{packets: {at: "lb:eth0", filter: tcp}}]"#,
            "3:20: error: a packets expectation asks for nothing, expected at least one of count, bytes, share, tcp_timestamps, source_mac, destination_mac, ttl"
        ),
        Mistake(
            #"expect: [{packets: {at: "lb:eth0", filter: tcp, count: 0}}]"#,
            "3:49: warning: an absence without 'control' also holds where nothing is seen, expected a control that must be seen in the same run"
        ),
        Mistake(
            #"expect: [{packets: {at: "lb:eth0", filter: tpc, count: 1, source_mac: lbb, destination_mac: "02:00"}}]"#,
            "3:44: error: 'tpc' is no pcap filter: syntax error",
            "3:71: error: unknown host 'lbb', expected one of gw, client, lb, rs1, rs2; did you mean 'lb'?",
            "3:93: error: found '02:00', expected a MAC address or the name of the host that has it"),
        Mistake(
            #"expect: [{packets: {at: "gw", filter: tcp, count: many}}]"#,
            "3:25: error: gw has 2 ports, expected one of gw:eth0, gw:eth1",
            #"3:51: error: found 'many', expected a count such as 3, ">= 1", "<= 5" or "2..4""#),
        Mistake(
            #"expect: [{packets: {at: "lb:eth1", filter: tcp, count: 1}}]"#,
            "3:25: error: unknown port of lb 'eth1'; did you mean 'eth0'?"),
        Mistake(
            #"expect: [{packets: {at: "lbb:eth0", filter: tcp, count: 1}}]"#,
            "3:25: error: unknown host, hypervisor or switch 'lbb', expected one of gw, client, lb, rs1, rs2, hv1, hv2, fab; did you mean 'lb'?"
        ),
        Mistake(
            #"expect: [{packets: {at: "hv1:tap(rs2)", filter: tcp, count: 1}}]"#,
            "3:25: error: rs2 is never on hv1"),
        Mistake(
            #"expect: [{packets: {at: "hv1:tap(rs3)", filter: tcp, count: 1}}]"#,
            "3:25: error: unknown host 'rs3', expected one of gw, client, lb, rs1, rs2; did you mean 'rs1'?"),
        Mistake(
            #"expect: [{packets: {at: "hv1:qvb(lb)", filter: tcp, count: 1}}]"#,
            "3:25: error: hv1 has no such port, expected hv1:uplink, or hv1:tap(host) for the tap device of a host's port"
        ),
        Mistake(
            #"expect: [{packets: {at: "hv1:uplink(publik)", filter: tcp, count: 1}}]"#,
            "3:25: error: unknown network 'publik'; did you mean 'public'?"),
        Mistake(
            #"expect: [{packets: {at: "hv1:eth0", filter: tcp, count: 1}}]"#,
            "3:25: error: hv1 has no such port, expected hv1:uplink, or hv1:tap(host) for the tap device of a host's port"
        ),
        Mistake(
            #"expect: [{packets: {at: "fab", filter: tcp, count: 1}}]"#,
            "3:25: error: fab is a switch, expected fab:host or fab:hypervisor"),
        Mistake(
            #"expect: [{packets: {at: "fab:lb", filter: tcp, count: 1}}]"#,
            "3:25: error: lb is not on fab"),
        Mistake(
            #"expect: [{packets: {at: "fab:hv3", filter: tcp, count: 1}}]"#,
            "3:25: error: unknown host or hypervisor 'hv3', expected one of hv1, hv2, gw, client, lb, rs1, rs2; did you mean 'hv1'?"
        ),
        Mistake(
            #"expect: [{reply_path: {vip: 203.0.113.2, from: [rs1], at: "gw:eth0", across: lb, not_across: lb}}]"#,
            "3:70: error: replies cannot cross lb and not cross it"),
        Mistake(
            "expect: [{arp: {at: gw:eth0, who_has: VIP, answered_by: [lb, lb2]}}]",
            "3:39: error: found 'VIP', expected an IP address such as 203.0.113.2 or 2001:db8::2",
            "3:62: error: unknown host 'lb2', expected one of gw, client, lb, rs1, rs2; did you mean 'lb'?"),
        Mistake(
            #"expect: [{conntrack: {on: hv1, state: SYN_SEND, flags: [UNREPLYED], count: "3..2"}}]"#,
            "3:39: error: unknown word 'SYN_SEND'; did you mean 'SYN_SENT'?",
            "3:57: error: unknown word 'UNREPLYED', expected one of UNREPLIED, ASSURED, OFFLOAD, HW_OFFLOAD, !UNREPLIED, !ASSURED, !OFFLOAD, !HW_OFFLOAD; did you mean 'UNREPLIED'?",
            #"3:76: error: found '3..2', expected a count such as 3, ">= 1", "<= 5" or "2..4""#),
        Mistake(
            "expect: [{rule: {on: hv1, chain: i(lbb), rule: INVALID, packets: 1}}]",
            "3:34: error: unknown host 'lbb', expected one of gw, client, lb, rs1, rs2; did you mean 'lb'?"),
        Mistake(
            "expect: [{rule: {on: hv1, family: bridge, chain: neutronARP-tap(rs9), rule: DROP, packets: 1}}]",
            "3:50: error: unknown host 'rs9', expected one of gw, client, lb, rs1, rs2; did you mean 'rs1'?"),
        Mistake(
            "expect: [{rule: {on: hv1, chain: in(lb), rule: INVALID}}]",
            #"3:17: error: a rule expectation needs 'packets', expected a count such as 3, ">= 1", "<= 5" or "2..4""#,
            "3:34: error: found 'in(lb)', expected a chain's name, or i(host), o(host) or s(host) for those of the host's port"
        ),
        Mistake(
            "expect: [{ipvs: {on: lb, state: SYN_RECV}}]",
            "3:17: error: an IPVS expectation asks for nothing, expected at least one of connections, in_packets, out_packets, entries",
            "3:26: error: 'state' without 'entries'"),
        Mistake(
            "expect: [{ipvs: {on: lb, connections: 1, to: rs1}}]",
            "3:42: error: 'to' without 'entries'"),
        Mistake(
            "expect: [{neighbour: {on: gw, address: 203.0.113.2, is: lb, absent: true}}]",
            "3:53: error: 'is' of an entry that must be absent"),
        Mistake(
            "expect: [{neighbour: {on: gw, address: 203.0.113.2, state: [REACHABEL]}}]",
            "3:61: error: unknown word 'REACHABEL', expected one of INCOMPLETE, REACHABLE, STALE, DELAY, PROBE, FAILED, PERMANENT; did you mean 'REACHABLE'?"
        ),
        Mistake(
            #"expect: [{counter: {on: rs1, name: InAddrErrors, grows: "> -1"}}]"#,
            "3:36: error: found 'InAddrErrors', expected a counter such as Ip.InAddrErrors, TcpExt.ListenDrops or rt_cache.in_martian_src",
            #"3:57: error: found '> -1', expected a count such as 3, ">= 1", "<= 5" or "2..4""#),
        Mistake(
            #"expect: [{drop: {on: hv1, packet: tcp, from: "hv1:uplink", to: "hv1:tap(lb)", chain: i(lb), conntrack: SYN}}]"#,
            "3:17: error: a drop needs 'rule', expected a part of the rule's text",
            "3:104: error: unknown word 'SYN', expected one of NONE, SYN_SENT, SYN_RECV, ESTABLISHED, FIN_WAIT, CLOSE_WAIT, LAST_ACK, TIME_WAIT, CLOSE, SYN_SENT2, CLOSED, COOKIE_WAIT, COOKIE_ECHOED, SHUTDOWN_SENT, SHUTDOWN_RECD, SHUTDOWN_ACK_SENT, HEARTBEAT_SENT, none"
        ),
    ]

    static let variants: [Mistake] = [
        Mistake(
            "variants: {newton: {neutron: {release: 9.4.1}}}",
            "3:12: error: variant 'newton' needs 'title', expected one line for drbench list"),
        Mistake(
            "variants: {newton: {title: t, neutrn: {release: 9.4.1}}}",
            "3:31: error: unknown key 'neutrn' in a scenario; did you mean 'neutron'?"),
        Mistake(
            "variants: {newton: {title: t, variants: {a: {title: b}}}}",
            "3:31: error: a variant has no variants of its own"),
        Mistake(
            "variants: [newton]",
            "3:11: error: found a list, expected a mapping from each variant's name to what it changes"),
        Mistake(
            "variants: {New ton: ~}",
            "3:12: error: 'New ton' cannot be a variant's name, expected at most 120 lower-case letters, digits, '.', '-' and '_', no '.', '-' or '_' first",
            "3:21: error: found nothing, expected a variant (a mapping with title and what it changes)"),
    ]

    static let yaml: [Mistake] = [
        Mistake(
            "settle: 1s\nsettle: 2s\nsettle: 3s",
            "4:1: error: key 'settle' stands twice in one mapping, first at s.yaml:3:1",
            "5:1: error: key 'settle' stands twice in one mapping, first at s.yaml:4:1"),
        Mistake(
            "hosts: {lb: {on: hv1, on: hv2}}",
            "3:23: error: key 'on' stands twice in one mapping, first at s.yaml:3:14"),
        Mistake(
            #"settle: "1s"#,
            "3:12: error: not YAML: while scanning a quoted scalar: found unexpected end of stream"),
        Mistake(
            "settle: [1s",
            "4:1: error: not YAML: while parsing a flow sequence: did not find expected ',' or ']'"),
        Mistake(
            "\tsettle: 1s",
            "3:1: error: not YAML: while scanning a plain scalar: found a tab character that violates indentation"),
        Mistake(
            "settle: *none",
            "3:9: error: not YAML: found undefined alias"),
        Mistake(
            "? [a, b]\n: c",
            "3:3: error: found a list or a mapping as a key, expected a word"),
    ]
}
