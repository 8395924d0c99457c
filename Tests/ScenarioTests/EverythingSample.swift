/// A scenario with every key of the format.
enum Everything {
    /// A file with nothing in it.
    static let emptyDump = #filePath.replacing(
        "ScenarioTests/EverythingSample.swift", with: "PlanTests/Golden/.keep")

    static let topology = """
        description: the whole format
        networks:
          public:
            id: e7000001-0000-4000-8000-000000000001
            cidr: 203.0.113.0/27
            gateway: 203.0.113.1
            dhcp_server: 203.0.113.6
            router_advertisers: ["fe80::1"]
            segmentation_id: 7
        security_groups:
          web:
            stateful: false
            rules:
              - {direction: ingress, ethertype: IPv4, protocol: tcp, port_range_min: 80, port_range_max: 81}
              - {direction: ingress, remote_ip_prefix: 198.51.100.0/24}
              - {direction: egress, remote_group: web}
        switches:
          core: {}
          fab: {uplink: core, hub: true, mtu: 1600, sending: {loss: 0.5%}, receiving: {loss: 5%}}
        fabric: {network_type: vxlan, underlay: 172.31.0.0/24}
        hypervisors:
          hv1:
            uplink: core
            mtu: 1600
            sending: {delay: 10ms, jitter: 1ms, loss: 0.1%, duplicate: 1%, reorder: 25%, rate: 10Mbit}
            receiving: {rate: 100kbit}
            ip6tables: ["-A FORWARD -j ACCEPT"]
            sysctls: {net.netfilter.nf_conntrack_log_invalid: 6}
            iptables: ["-t raw -A PREROUTING -j CT --notrack"]
          hv2: {uplink: core}
          hv3:
            rules:
              iptables_save: \(emptyDump)
              ip6tables_save: \(emptyDump)
              ebtables_save: \(emptyDump)
              ipset_save: \(emptyDump)
        hosts:
          gw:
            on: fab
            ports:
              eth0: {network: public, mac_address: "02:00:00:00:00:01", fixed_ips: [203.0.113.1]}
              eth1: {addresses: [198.51.100.1/24]}
            sysctls: {net.ipv4.ip_forward: 1}
          client:
            ports:
              eth0: {peer: "gw:eth1", addresses: [198.51.100.10/24], mtu: 1400, sending: {loss: 1%}, receiving: {loss: 2%}}
            routes: [default via 198.51.100.1, 10.0.0.0/24 via 198.51.100.9 dev eth0, 10.1.0.0/24 dev eth0]
          lb:
            on: hv1
            ports:
              eth0:
                id: 1b000010-0010-4000-8000-000000000010
                network: public
                mac_address: fa:16:3e:00:00:03
                fixed_ips: [203.0.113.3]
                addresses: [203.0.113.3/27, 203.0.113.2/32]
                allowed_address_pairs:
                  - {ip_address: 0.0.0.0/0}
                  - {ip_address: 203.0.113.2, mac_address: "00:00:5e:00:01:01"}
                security_groups: [web]
            neighbours: [203.0.113.1 lladdr 02:00:00:00:00:01 dev eth0]
            arptables: ["-A INPUT -d 203.0.113.2 -j DROP"]
            iptables: ["-A INPUT -m conntrack --ctstate INVALID -j DROP"]
            ip6tables: ["-A INPUT -m conntrack --ctstate INVALID -j DROP"]
          rs1:
            ports:
              eth0: {on: hv1, network: public, fixed_ips: [203.0.113.4], port_security_enabled: false}
            interfaces:
              eth-vip: {addresses: [203.0.113.2/32]}
              lo: {addresses: [203.0.113.2/32]}
            servers: [{http: 80}, {tcp: 81}, {udp: 53}]
          rs2:
            on: hv1
            ports:
              eth0: {network: public, fixed_ips: [203.0.113.5]}
        services:
          web:
            on: lb
            tcp: "203.0.113.2:80"
            scheduler: wrr
            persistence: 60
            forwarding: masquerading
            real_servers: [rs1, "203.0.113.5:8080", {host: rs2, port: 81, weight: 3, forwarding: direct-routing}]
          names: {on: lb, udp: "203.0.113.2:53", real_servers: [{address: 203.0.113.4}]}
          signalling: {on: lb, sctp: "203.0.113.2:2905", real_servers: [203.0.113.4]}
        """

    static let scenario = """
        title: every key
        tags: [core, strong]
        source: the format's description
        needs: [ipvs, dummy]
        topology: net
        neutron: {release: 2014.1, driver: ovs_hybrid, ipset: true}
        settle: 1.5s
        capture: {snapshot_length: 96}
        timeline:
          - name: gets
            http: {from: client, to: "203.0.113.2:80", count: 2, source_port: 4000, bytes: 64KiB, timeout: 500ms}
            expect:
              - traffic:
                  outcomes: [connected then silent, rs1]
                  all: rs1
                  answered_by: {rs1: 1, total: ">= 1"}
                  seen_from: 198.51.100.10
                  error: EHOSTUNREACH
          - tcp: {from: client, to: "203.0.113.2:80"}
          - udp: {from: client, to: "203.0.113.2:53"}
          - wait: 15min
          - wait: 15min
          - run: {on: rs1, command: "ip neigh 'flush all'", may_fail: true}
            expect:
              - command: {status: 0, prints: [a, 5]}
          - run: {on: hv1, command: [sh, -c, "ip a | grep eth0", 5]}
          - move: {host: rs2, to: hv2}
          - sysctl: {on: hv1, set: {net.netfilter.nf_conntrack_tcp_loose: 0}}
          - flush_neighbours: [gw, rs1]
          - flush_neighbours: lb
          - open: {connection: flow1, http: {from: client, to: "203.0.113.2:80"}}
          - open: {connection: flow2, tcp: {from: client, to: "203.0.113.2:80"}}
          - use: {connection: flow1, bytes: 1MB, timeout: 3s}
          - close: flow1
        expect:
          - reply_path: {vip: 203.0.113.2, from: [rs1, rs2], at: gw:eth0, not_across: lb:eth0, across: lb}
          - packets:
              at: fab:gw
              filter: src host 203.0.113.2
              count: 0
              bytes: "<= 1"
              source_mac: rs1
              destination_mac: "02:00:00:00:00:01"
              ttl: 64
              control: {at: gw:eth0, filter: tcp}
          - arp: {at: gw:eth0, who_has: 203.0.113.2, tell: 203.0.113.1, asked_by: gw, requests: 1, answered_by: []}
          - conntrack:
              on: hv1
              protocol: tcp
              source: 198.51.100.10
              destination: 203.0.113.2
              destination_port: 80
              state: SYN_SENT
              flags: [UNREPLIED, "!ASSURED"]
              zone: 1
              count: 2..4
          - rule: {on: hv1, family: ipv4, table: filter, chain: i(lb), rule: "--state INVALID -j DROP", packets: ">= 8"}
          - ipvs: {on: lb, service: "203.0.113.2:80", connections: 4, in_packets: "> 5", out_packets: 0}
          - ipvs: {on: lb, state: SYN_RECV, to: rs2, entries: 2}
          - neighbour: {on: gw, address: 203.0.113.2, is: lb, state: REACHABLE}
          - neighbour: {on: gw, address: 203.0.113.2, absent: true}
          - counter: {on: rs1, name: Ip.InAddrErrors, grows: ">= 1"}
          - drop:
              on: hv1
              packet: "tcp[tcpflags] & tcp-syn == 0"
              from: "hv1:uplink"
              to: "hv2:tap(rs2:eth0)"
              table: filter
              chain: s(rs2:eth0)
              rule: DROP
              conntrack: none
              count: "< 3"
        variants:
          without:
            title: a variant takes away, replaces and adds
            description: nothing is there any more
            neutron: ~
            hosts:
              rs1: {interfaces: {lo: ~}, servers: [{http: 8080}]}
            timeline: []
            expect: []
        """

    /// What makes many scenarios of one file.
    static let composed = """
        title: every way to compose
        topology: net
        parameters: {server: rs1, outcomes: [rs1, $(server)], count: 2}
        hosts:
          lb:
            programs:
              proxy:
                command: haproxy -db -f /run/haproxy.cfg
                files: {/run/haproxy.cfg: "global"}
                listens: [80, 443]
                starts: false
        services:
          dns:
            on: lb
            firewall_mark: 5
            scheduler: sh
            scheduler_flags: [fallback, port]
            persistence: 60
            persistence_prefix: 24
            one_packet: true
            forwarding: tunneling
            tunnel: {kind: gue, port: 6080, checksum: full}
            real_servers:
              - {host: rs1, upper_threshold: 2, lower_threshold: 1, tunnel: {kind: gre}}
        timeline:
          - start: {on: lb, program: proxy}
          - stop: {on: lb, program: proxy}
            expect:
              - log: {on: lb, program: proxy, prints: [started], lines: 1}
              - conntrack: {on: hv1, source_port: 4000, states: {4001: SYN_SENT, 4002: none}}
          - send:
              from: client
              source_mac: gw
              destination_mac: "02:00:00:00:00:01"
              ip: {source: 198.51.100.10, destination: 203.0.113.2, ttl: 3}
              tcp: {source_port: 4000..4001, destination_port: 80, flags: [syn, ack], sequence: 1, acknowledgement: 2, window: 3, data: x}
              count: 2
              interval: 1ms
          - send:
              from: "hv1:tap(lb)"
              ip: {source: 198.51.100.10, destination: 203.0.113.2}
              udp: {source_port: 4000, destination_port: 53, data: x}
          - send: {from: client, ip: {source: 198.51.100.10, destination: 203.0.113.2}, icmp: {type: 3, code: 1, rest: "00 00"}}
          - send:
              from: client
              arp: {operation: reply, sender: 203.0.113.2, sender_mac: lb, target: 203.0.113.1, target_mac: gw}
          - send: {from: client, ethertype: 35020, payload: "02:07"}
          - name: gets
            http: {from: client, to: "203.0.113.2:80", count: $(count)}
            expect: [{traffic: {outcomes: $(outcomes)}}]
          - load:
              from: [client, gw]
              to: "203.0.113.2:80"
              protocol: http
              rate: 2000
              connections: 64
              keep_alive: false
              request: 1kB
              response: 64KiB
              warm_up: 500ms
              duration: 2s
              timeout: 1s
            expect:
              - load:
                  answered: 4000
                  failed: 0
                  requests_per_second: ">= 1990"
                  throughput: 90Mbit..100Mbit
                  p50: "<= 1ms"
                  p99: "<= 2ms"
                  p99.9: "<= 3ms"
                  director_share: "<= 5%"
          - load: {from: client, to: "203.0.113.2:53", protocol: udp}
          - power_off: [rs2, hv2]
          - name: gets all the time
            http: {from: client, to: "203.0.113.2:80", count: 9, interval: 100ms}
            meanwhile:
              - {name: the cable is out, after: 20ms, link: {port: "fab:gw", state: down}}
              - {after: 1s, link: {port: "hv1:uplink", state: up}}
            expect:
              - any_of:
                  - traffic: {all: rs2}
                  - [{traffic: {outage: 1s..3s}}, {traffic: {all: rs1}}]
              - packets: {at: lb, filter: tcp, bytes: "<= 2kB", share: "<= 5%", of: {at: gw:eth0, filter: udp}, tcp_timestamps: not ascending}
              - order: [{at: lb, filter: arp}, {at: gw:eth0, filter: tcp}]
        matrix:
          release: [2014.1.5, 9.4.1]
          server:
            rs1: ~
            rs2: {hosts: {rs1: {servers: []}}, parameters: {server: rs2}}
        cells:
          9.4.1-rs2: {title: something special, parameters: {outcomes: [rs2, rs2]}}
        variants:
          other: {title: another, parameters: {count: 1, outcomes: [rs1]}, mutations: {less: {title: less, without: gets}}}
        mutations:
          silent: {title: nobody listens, hosts: {rs1: {servers: []}}, without: [gets]}
        """
}
