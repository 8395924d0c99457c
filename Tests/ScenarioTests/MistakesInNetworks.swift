extension Mistakes {
    static let keys: [Mistake] = [
        Mistake(
            "tmeline: []",
            "3:1: error: unknown key 'tmeline' in a scenario; did you mean 'timeline'?"),
        Mistake(
            "colour: blue",
            "3:1: error: unknown key 'colour' in a scenario, expected one of title, tags, source, needs, topology, neutron, description, networks, security_groups, switches, fabric, hypervisors, hosts, services, timeline, expect, settle, capture, parameters, variants, matrix, cells, mutations"
        ),
        Mistake(
            "neutron: {release: 9-4-1}",
            "3:20: error: found '9-4-1', expected a release of Neutron such as 2014.1.5, 9.4.1 or newton"),
        Mistake(
            "neutron: {release: 9.4.2}",
            "3:20: error: there is no Neutron release '9.4.2', expected a release; did you mean '9.4.1'?"),
        Mistake(
            "neutron: {release: newtown}",
            "3:20: error: there is no Neutron release 'newtown', expected a release; did you mean 'newton'?"),
        Mistake(
            "neutron: {release: 9.4.1, driver: linux_bridge}",
            "3:35: error: unknown word 'linux_bridge', expected one of linuxbridge, ovs_hybrid; did you mean 'linuxbridge'?"
        ),
        Mistake(
            "tags: core",
            "3:7: error: found 'core', expected a list, each a tag such as core"),
        Mistake(
            "tags: [5]",
            "3:8: error: found the number 5, expected a tag such as core"),
        Mistake(
            "settle: 3",
            "3:9: error: found the number 3, expected a duration such as 2s, 500ms or 15min"),
        Mistake(
            "settle: soon",
            "3:9: error: found 'soon', expected a duration such as 2s, 500ms or 15min"),
        Mistake(
            "needs:",
            "3:7: error: found nothing, expected a list, each a feature such as ipvs, dummy or zones"),
        Mistake(
            "capture: {snapshot_length: 10}",
            "3:28: error: found the number 10, expected a whole number from 64 to 262144"),
        Mistake(
            "hosts: [lb]",
            "3:8: error: found a list, expected a mapping from each host's name to a host (a mapping with on, ports, interfaces, routes…)"
        ),
        Mistake(
            "hosts: {Lb: {on: hv1}}",
            "3:9: error: 'Lb' cannot be a host's name, expected at most 15 lower-case letters, digits and '-', a letter first, and not all, default or lo"
        ),
        Mistake(
            "hosts: {hv1: {on: fab}}",
            "3:9: error: 'hv1' is a host and a hypervisor, at net.yaml:7:3"),
        Mistake(
            "hosts: {reset: {on: fab}}",
            "3:9: error: 'reset' cannot be a host's name: expectations use the word"),
        Mistake(
            "needs: [ipvs, dumy]",
            "3:15: error: unknown feature 'dumy', expected one of ipvs, dummy, zones; did you mean 'dummy'?"),
    ]

    static let names: [Mistake] = [
        Mistake(
            "neutron: {driver: linuxbridge}",
            "3:10: error: a Neutron deployment needs 'release', expected a release of Neutron such as 2014.1.5, 9.4.1 or newton, or 'rules' in every hypervisor"
        ),
        Mistake(
            "hosts: {lb: {on: hv11}}",
            "3:18: error: unknown hypervisor or switch 'hv11', expected one of hv1, hv2, fab; did you mean 'hv1'?"),
        Mistake(
            "hosts: {lb: {ports: {eth0: {network: publik}}}}",
            "3:38: error: unknown network 'publik'; did you mean 'public'?"),
        Mistake(
            "hosts: {lb: {ports: {eth0: {security_groups: [wbe]}}}}",
            "3:47: error: unknown security group 'wbe'; did you mean 'web'?"),
        Mistake(
            "hypervisors: {hv1: {sending: {los: 5%}}}",
            "3:31: error: unknown key 'los' in an impairment; did you mean 'loss'?"
        ),
        Mistake(
            "hypervisors: {hv1: {sending: {loss: 0.05}}}",
            "3:37: error: found the number 0.05, expected a percentage such as 5% or 0.1%"),
        Mistake(
            "hypervisors: {hv1: {receiving: {reorder: 25%}}}",
            "3:33: error: 'reorder' without 'delay'"),
        Mistake(
            "hypervisors: {hv1: {receiving: {rate: 10Mbps}}}",
            "3:39: error: found '10Mbps', expected a rate such as 100kbit, 10Mbit or 1Gbit"),
        Mistake(
            "fabric: {network_type: vxlna, underlay: 172.31.0.0/24}",
            "3:24: error: unknown word 'vxlna', expected one of flat, vlan, vxlan; did you mean 'vxlan'?"),
        Mistake(
            "fabric: {network_type: vlan, underlay: 172.31.0.0/24}\nhosts: {gw: {on: hv1}}",
            "3:30: error: only a fabric of VXLANs has an underlay"),
        Mistake(
            "fabric: {network_type: vlan}",
            "net.yaml:11:9: error: gw:eth0 is on fab, which carries only what hypervisors wrap, expected a hypervisor, or a switch with an uplink"
        ),
        Mistake(
            "switches: {fab: {uplink: fab}}",
            "3:26: error: the uplink of fab leads back to fab"),
        Mistake(
            "hypervisors: {hv1: {uplink: fib}}",
            "3:29: error: unknown switch 'fib'; did you mean 'fab'?"),
        Mistake(
            #"hosts: {client: {ports: {eth1: {peer: "gv:eth1"}}}}"#,
            "3:39: error: unknown host 'gv', expected one of gw, client, lb, rs1, rs2; did you mean 'gw'?"),
        Mistake(
            #"hosts: {client: {ports: {eth1: {peer: "gw:eth2"}}}}"#,
            "3:39: error: unknown port of gw 'eth2', expected one of eth0, eth1; did you mean 'eth0'?"),
        Mistake(
            "hosts: {client: {ports: {eth1: {peer: gw}}}}",
            "3:39: error: found 'gw', expected a host's port such as gw:eth1"),
        Mistake(
            #"hosts: {client: {ports: {eth1: {peer: "gw:eth1"}}}}"#,
            "3:39: error: client:eth1 is cabled to gw:eth1, which is cabled to client:eth0"),
        Mistake(
            #"hosts: {client: {ports: {eth1: {peer: "gw:eth0", on: fab}}}}"#,
            "3:50: error: a port has both 'peer' and 'on', expected only one of them"),
        Mistake(
            "hosts: {client: {ports: {eth1: {mtu: 1500}}}}",
            "3:26: error: port client:eth1 is plugged into nothing, expected 'on' or 'peer'"),
        Mistake(
            "hosts: {lb: {ports: {eth1: {mtu: 1500}}}}",
            "3:22: error: port lb:eth1 is on a hypervisor, expected 'network', whose bridge it is on"),
        Mistake(
            "hosts: {lb: {ports: {eth0: {fixed_ips: [10.0.0.3]}}}}",
            "3:41: error: fixed IP 10.0.0.3 is not in network public, expected an address in 203.0.113.0/27"),
        Mistake(
            "hosts: {lb: {ports: {eth0: {fixed_ips: [203.0.113.4]}}}}",
            "3:41: error: lb:eth0 has the fixed IP 203.0.113.4 of rs1:eth0 on network public"),
        Mistake(
            #"hosts: {lb: {ports: {eth0: {mac_address: "02:00:00:00:00:01"}}}}"#,
            "3:42: error: lb:eth0 has the MAC address 02:00:00:00:00:01 of gw:eth0 on network public"),
        Mistake(
            #"hosts: {lb: {ports: {eth0: {mac_address: "02:00:00:00:00"}}}}"#,
            "3:42: error: found '02:00:00:00:00', expected a MAC address such as fa:16:3e:00:00:03"),
        Mistake(
            "hosts: {lb: {ports: {eth0: {id: 67770000-0000-4000-8000-000000000001}}}}",
            "3:29: error: port lb:eth0's id starts like that of gw:eth0: their chains would have one name"),
        Mistake(
            "hosts: {lb: {ports: {eth0: {id: lb}}}}",
            "3:33: error: found 'lb', expected a UUID such as e7000001-0000-4000-8000-000000000001"),
        Mistake(
            "hosts: {lb: {ports: {lo: {network: public}}}}",
            "3:22: error: 'lo' is the loopback, expected its addresses in 'interfaces'"),
        Mistake(
            "hosts: {lb: {ports: {eth0: {port_security_enabled: false}}}}",
            "3:29: error: a port without port security has 'security_groups', expected security_groups: []"),
        Mistake(
            "hosts: {lb: {ports: {eth0: {port_security_enabled: no}}}}",
            "3:52: error: found 'no', expected true or false; did you mean 'false'?"),
        Mistake(
            "hosts: {lb: {ports: {eth0: {allowed_address_pairs: [{ip_address: 203.0.113.300}]}}}}",
            "3:66: error: found '203.0.113.300', expected an address or a prefix such as 203.0.113.2 or 0.0.0.0/0"),
        Mistake(
            "hosts: {lb: {ports: {eth0: {addresses: [203.0.113.3/33]}}}}",
            "3:41: error: found '203.0.113.3/33', expected an address with a prefix length such as 203.0.113.3/27"),
        Mistake(
            "hosts: {lb: {interfaces: {eth0: {addresses: [203.0.113.2/32]}}}}",
            "3:27: error: lb has a port 'eth0' as well"),
        Mistake(
            "hosts: {lb: {routes: [default via gw]}}",
            #"3:23: error: found 'default via gw', expected a route such as "default via 203.0.113.1" or "10.0.0.0/24 via 203.0.113.9 dev eth0""#
        ),
        Mistake(
            "hosts: {lb: {routes: [default via 203.0.113.1 dev eth9]}}",
            "3:23: error: unknown interface of lb 'eth9'; did you mean 'eth0'?"),
        Mistake(
            "hosts: {lb: {neighbours: [203.0.113.1 at 02:00:00:00:00:01]}}",
            #"3:27: error: found '203.0.113.1 at 02:00:00:00:00:01', expected a neighbour such as "203.0.113.1 lladdr 02:00:00:00:00:01 dev eth0""#
        ),
        Mistake(
            "hosts: {lb: {arptables: [INPUT -j DROP]}}",
            #"3:26: error: found 'INPUT -j DROP', expected a rule such as "-A INPUT -d 203.0.113.2 -j DROP""#),
        Mistake(
            "hosts: {lb: {sysctls: {ip_forward: 1}}}",
            "3:24: error: 'ip_forward' cannot be a sysctl's name, expected a sysctl such as net.ipv4.ip_forward"),
        Mistake(
            "hosts: {lb: {servers: [{http: 80}, {tcp: 80}]}}",
            "3:23: error: two servers on port 80"),
        Mistake(
            "hosts: {lb: {servers: [{htp: 80}]}}",
            "3:25: error: unknown key 'htp' in a server; did you mean 'http'?"),
        Mistake(
            "networks: {public: {cidr: 203.0.113.1/27}}",
            "3:27: error: '203.0.113.1/27' has bits beyond its prefix length; did you mean '203.0.113.0/27'?"),
        Mistake(
            "networks: {public: {gateway: 10.0.0.1}}",
            "3:30: error: 10.0.0.1 is not in the network, expected an address in 203.0.113.0/27"),
        Mistake(
            "networks: {inner: {gateway: 10.0.0.1}}",
            "3:19: error: a network needs 'cidr', expected an address with a prefix length such as 203.0.113.3/27"),
        Mistake(
            "security_groups: {web: {rules: [{direction: in}]}}",
            "3:45: error: unknown word 'in', expected one of ingress, egress"),
        Mistake(
            "security_groups: {web: {rules: [{direction: ingress, port_range_min: 80}]}}",
            "3:54: error: 'port_range_min' without 'protocol'"),
        Mistake(
            "security_groups: {web: {rules: [{direction: ingress, protocol: tcp, port_range_min: 80, port_range_max: 79}]}}",
            "3:105: error: port_range_max is below port_range_min, expected at least 80"),
        Mistake(
            "security_groups: {web: {rules: [{direction: ingress, remote_group: web, remote_ip_prefix: 10.0.0.0/8}]}}",
            "3:54: error: a rule has both 'remote_ip_prefix' and 'remote_group', expected only one of them"),
        Mistake(
            "switches: [fab, fab]",
            "3:11: error: switch 'fab' stands twice in the list"),
    ]

    static let services: [Mistake] = [
        Mistake(
            #"services: {web: {on: lb, tcp: "203.0.113.2", real_servers: [rs1]}}"#,
            "3:31: error: found '203.0.113.2', expected an address and port such as 203.0.113.2:80 or [2001:db8::2]:80"),
        Mistake(
            #"services: {web: {on: lb, tcp: "203.0.113.2:80", udp: "203.0.113.2:80", real_servers: [rs1]}}"#,
            "3:49: error: a service has both 'tcp' and 'udp', expected only one address"),
        Mistake(
            "services: {web: {on: lb, real_servers: [rs1]}}",
            "3:17: error: a service has no address, expected one of tcp, udp, sctp, firewall_mark"),
        Mistake(
            #"services: {web: {on: lb, tcp: "203.0.113.2:80", scheduler: rrr, real_servers: [rs1]}}"#,
            "3:60: error: unknown word 'rrr'; did you mean 'rr'?"),
        Mistake(
            #"services: {web: {on: lb, tcp: "203.0.113.2:80", forwarding: direct_routing, real_servers: [rs3]}}"#,
            "3:61: error: unknown word 'direct_routing', expected one of direct-routing, masquerading, tunneling; did you mean 'direct-routing'?",
            "3:92: error: unknown host 'rs3', expected one of gw, client, lb, rs1, rs2; did you mean 'rs1'?"),
        Mistake(
            #"services: {web: {on: lb, tcp: "203.0.113.2:80", real_servers: [client, {host: rs1, address: 203.0.113.4}]}}"#,
            "3:64: error: client has no fixed IP of the service's family, expected an address and port",
            "3:84: error: a real server has both 'host' and 'address', expected only one address"),
        Mistake(
            #"services: {web: {on: lb, tcp: "[2001:db8::2]:80", real_servers: [203.0.113.4]}}"#,
            "3:66: error: 203.0.113.4 is not of the service's family, which only tunneling bridges"),
    ]
}
