#!/usr/bin/env bash
# N hosts with an address each on one switch, in the words of three tools: what `compare.sh` builds and tears down again.
#
#   hosts.sh scenario N   a scenario for drbench
#   hosts.sh batch N      runs the same with iproute2, as few processes as it can, in the namespaces of the caller
set -euo pipefail

kind=$1 count=$2
address() { echo "10.0.$((($1 + 1) / 250)).$((($1 + 1) % 250 + 1))"; }

case $kind in
scenario)
    echo "title: $count hosts on a switch"
    echo "topology: empty"
    echo "networks: {lan: {cidr: 10.0.0.0/16}}"
    echo "switches: [sw]"
    echo "hosts:"
    for ((i = 0; i < count; i++)); do
        echo "  h$i: {on: sw, ports: {eth0: {network: lan, fixed_ips: [$(address $i)]}}}"
    done
    # The last one answers the first: so they are really connected.
    echo "settle: 0s"
    echo "timeline: [{run: {on: h0, command: ping -c 1 -w 5 $(address $((count - 1)))}, expect: [{command: {status: 0}}]}]"
    ;;
batch)
    {
        echo "link add sw type bridge"
        echo "link set sw up"
        for ((i = 0; i < count; i++)); do
            echo "netns add h$i"
            echo "link add p$i type veth peer name eth0 netns h$i"
            echo "link set p$i master sw up"
        done
    } | ip -batch -
    # Only a process can change its namespace: one for each host.
    for ((i = 0; i < count; i++)); do
        printf 'addr add %s/16 dev eth0\nlink set lo up\nlink set eth0 up\n' "$(address $i)" | ip -n "h$i" -batch -
    done
    ip netns exec h0 ping -c 1 -w 5 "$(address $((count - 1)))" >/dev/null
    for ((i = 0; i < count; i++)); do echo "netns delete h$i"; done | ip -batch -
    ;;
*)
    echo "hosts.sh scenario|batch N" >&2
    exit 2
    ;;
esac
