#!/usr/bin/env bash
# drbench's own speed, beside what one would take instead, on this machine: `make bench` calls it.
#
#   compare.sh FOLDER [SECTION …]   hosts, selftest, journeys, capture; all of them without a word
#
# Writes FOLDER/speed.md and what hyperfine measured (FOLDER/*.json). Needs root: networks are built in private namespaces
# on this host's kernel. Commands are run in turns several times; what is printed are medians of whole processes.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
drbench=$here/../../.build/release/drbench

[ $# -gt 0 ] || { echo "compare.sh FOLDER [SECTION …]" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift
[ "$(id -u)" = 0 ] || { echo "compare.sh: only root can build networks on this host's kernel" >&2; exit 3; }
missing=()
for tool in hyperfine mn tcpdump tshark iperf3 jq socat; do command -v $tool >/dev/null || missing+=("$tool"); done
[ ${#missing[@]} = 0 ] || { echo "compare.sh: missing ${missing[*]}; 'netns/setup.sh --bench' installs them" >&2; exit 3; }

# Nothing of this touches the host: own mounts (/run/netns), own network, own processes, gone at the end.
private() { unshare --mount --net --pid --fork --kill-child -- sh -c 'mount -t tmpfs none /run && exec "$@"' private "$@"; }
report=$out/speed.md
say() { printf '%s\n' "$@" | tee -a "$report"; } # a line for each argument
version() { "$@" 2>&1 | head -n 1; }

# measure NAME RUNS TITLE COMMAND [TITLE COMMAND …]: a row for each command, with the ratio to the first.
measure() {
    local name=$1 runs=$2 arguments=() titles=()
    shift 2
    while [ $# -gt 0 ]; do
        titles+=("$1")
        arguments+=(--command-name "$1" "$2")
        shift 2
    done
    hyperfine --shell=none --warmup 1 --runs "$runs" --export-json "$out/$name.json" "${arguments[@]}" >"$out/$name.log" 2>&1 || {
        cat "$out/$name.log" >&2
        exit 1
    }
    jq -r '(.results[0].median) as $first | .results[] |
        "| \(.command) | \(.median * 1000 | round / 1000) s | \(.min * 1000 | round / 1000)–\(.max * 1000 | round / 1000) s | \((.user + .system) * 1000 | round / 1000) s | \(.median / $first * 100 | round / 100) |"' \
        "$out/$name.json" | tee -a "$report"
}
head_of() { say "" "### $1" "" "| $2 | median | range | CPU | of the first |" "|---|---|---|---|---|"; }

hosts() {
    export -f private
    head_of "Hosts on a switch: built, one ping across, and taken down" "hosts, by"
    local count
    for count in 100 1000; do
        bash "$here/hosts.sh" scenario $count >"$out/hosts-$count.yaml"
        local commands=(
            "$count, drbench, every port captured" "$drbench run $out/hosts-$count.yaml --engine native --quiet --no-html --out $out/runs"
            "$count, ip -batch, nothing captured" "bash -c 'private bash $here/hosts.sh batch $count'"
        )
        # A thousand take mininet minutes.
        [ $count -gt 100 ] || commands+=(
            "$count, mininet (Linux bridge), nothing captured"
            "bash -c 'private mn --switch lxbr --controller none --topo single,$count --test none'")
        measure hosts-$count 5 "${commands[@]}"
    done
}

selftest() {
    local tests=$out/selftests kernel
    [ -d "$tests/netfilter" ] || "$here/../../netns/kernel/build.sh" --selftests "$tests" >/dev/null
    kernel=$("$drbench" kernel path)
    cat >"$out/ipvs-selftest.sh" <<END
TMPDIR=/dev/shm $kernel mem=256M rootfstype=hostfs root=/dev/root ro init=$here/selftest-init.sh con=null con0=null,fd:1 \
    quiet loglevel=1 panic=-1 time-travel=inf-cpu uml_dir=$out/ umid=selftest PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    SELFTESTS=$tests | grep -q 'status 0'
END
    head_of "The kernel's ipvs.sh: Direct Routing, NAT and tunnelling, in a lab kernel each time" "tested by"
    measure selftest 5 \
        "drbench run kselftest-ipvs, /nat and /tun: captures, verdicts, MACs, TTLs, return path" \
        "$drbench run kselftest-ipvs kselftest-ipvs/nat kselftest-ipvs/tun --engine uml --jobs 1 --quiet --no-html --out $out/runs" \
        "ipvs.sh itself: 32 octets arrive" "bash $out/ipvs-selftest.sh"
}

journeys() {
    cat >"$out/downloads.yaml" <<END
title: Downloads, to have a capture of some size
topology: flat
needs: [ipvs, dummy]
capture: {snapshot_length: 128}
services: {web: {real_servers: [rs1, rs2]}}
timeline:
  - http: {from: client, to: "203.0.113.2:80", bytes: 4MB, count: 8, timeout: 10s}
    expect: [traffic: {outcomes: [rs2, rs1, rs2, rs1, rs2, rs1, rs2, rs1]}]
END
    "$drbench" run "$out/downloads.yaml" --engine uml --seed 1 --quiet --no-html --out "$out/runs" >/dev/null
    local capture=$out/runs/downloads/capture.pcapng
    head_of "$(tshark -r "$capture" -T fields -e frame.number 2>/dev/null | wc -l) captured frames" "read by"
    measure journeys 5 \
        "drbench explain --from: journeys of all packets, their blame, the flows" \
        "$drbench explain $out/downloads.yaml --from $out/runs" \
        "tshark -T fields: addresses, ports, sequence numbers, flags" \
        "tshark -n -r $capture -T fields -e frame.number -e frame.interface_name -e eth.src -e eth.dst -e ip.id -e ip.src -e ip.dst -e ip.ttl -e tcp.srcport -e tcp.dstport -e tcp.seq -e tcp.flags"
}

capture() {
    say "" "### UDP at a fixed rate through a switch, both hosts' ports captured" "" \
        "| packets/s | by | packets sent | captured | lost by the capture |" "|---|---|---|---|---|"
    local rate
    for rate in 20000 80000; do
        cat >"$out/flood-$rate.yaml" <<END
title: UDP at $rate packets a second
topology: empty
networks: {lan: {cidr: 10.0.0.0/24}}
switches: [sw]
capture: {snapshot_length: 128}
hosts:
  a: {on: sw, ports: {eth0: {network: lan, fixed_ips: [10.0.0.1]}}}
  b: {on: sw, ports: {eth0: {network: lan, fixed_ips: [10.0.0.2]}}, programs: {iperf3: {command: iperf3 -s, listens: 5201}}}
settle: 0s
timeline:
  - run: {on: a, command: "iperf3 -c 10.0.0.2 -u -l 1000 -b $((rate * 8000)) -t 3 -J"}
    expect: [{command: {status: 0}}]
END
        local sent captured lost
        "$drbench" run "$out/flood-$rate.yaml" --engine native --quiet --no-html --out "$out/runs" >"$out/flood-$rate.log" || true
        local evidence=$out/runs/flood-$rate/evidence.json
        sent=$(jq -r '.steps[0].command.output | fromjson | .end.sum.packets' "$evidence" 2>/dev/null || echo -)
        captured=$(jq '[.ports[] | select(.name == "b:eth0") | .received] | add' "$evidence")
        lost=$(jq '[.ports[].dropped] | add' "$evidence")
        say "| $rate | drbench | $sent | $captured at b | $lost |"
        private bash -c '
            ip link add sw type bridge && ip link set sw up
            for host in a b; do
                ip netns add $host && ip link add p$host type veth peer name eth0 netns $host && ip link set p$host master sw up
                ip -n $host link set eth0 up
            done
            ip -n a addr add 10.0.0.1/24 dev eth0; ip -n b addr add 10.0.0.2/24 dev eth0
            ip netns exec b iperf3 -s -1 >/dev/null &
            while ! ip netns exec b ss -ltn | grep -q 5201; do :; done
            captures=()
            for host in a b; do
                ip netns exec $host tcpdump -i eth0 -s 128 -w "$0/tcpdump-$host.pcap" 2>"$0/tcpdump-$host.log" & captures+=($!)
            done
            for host in a b; do while ! grep -q listening "$0/tcpdump-$host.log"; do :; done; done
            ip netns exec a iperf3 -c 10.0.0.2 -u -l 1000 -b $1 -t 3 -J >"$0/iperf3.json"
            kill "${captures[@]}"; wait "${captures[@]}" || true
        ' "$out" $((rate * 8000))
        sent=$(jq .end.sum.packets "$out/iperf3.json")
        captured=$(awk '/packets captured/ { print $1 }' "$out/tcpdump-b.log")
        lost=$(awk '/dropped by kernel/ { sum += $1 } END { print sum + 0 }' "$out"/tcpdump-*.log)
        say "| $rate | tcpdump, two of them | $sent | $captured at b | $lost |"
    done
}

: >"$report"
machine="Linux $(uname -r) on $(nproc) × $(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo)"
machine+=", $(awk '/MemTotal/ { print int($2 / 1048576) }' /proc/meminfo) GiB"
say "$machine; drbench $("$drbench" --version), $(version ip -V | sed 's/ip utility, //; s/,.*//'), mininet $(version mn --version)," \
    "$(tshark --version 2>/dev/null | sed -n '1s/^\(TShark (Wireshark) [0-9.]*[0-9]\).*/\1/p'), $(version tcpdump --version)," \
    "$(version iperf3 --version | sed 's/ (.*//')."
[ $# -gt 0 ] || set -- hosts selftest journeys capture
for section in "$@"; do $section; done
