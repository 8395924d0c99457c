#!/usr/bin/env bash
# drbench's own speed, beside what one would take instead, on this machine: `make bench` calls it.
#
#   compare.sh FOLDER [SECTION …]   hosts, selftest, journeys, capture, load; all of them without a word
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
for tool in hyperfine mn tcpdump tshark iperf3 jq socat wrk h2load nginx; do command -v $tool >/dev/null || missing+=("$tool"); done
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

head_of_loads() {
    local head="| load | by | $2 |"
    say "" "### $1" "" "$head" "${head//[^|]/-}"
}

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
        # shellcheck disable=SC2016 # the inner shell's variables
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

load() {
    local turns=5 connections=64 seconds=2
    local evidence=$out/runs/generators/evidence.json found=$out/generators.json
    bash "$here/load.sh" $turns $connections $seconds >"$out/generators.yaml"
    "$drbench" run "$out/generators.yaml" --engine native --timeout 600 --quiet --no-html --out "$out/runs" >"$out/generators.log" || {
        cat "$out/generators.log" >&2
        exit 1
    }
    # For each load and generator, of each turn: how much a second and for each of its processor seconds (requests; bits where
    # it is bulk), and how much of that time nginx was busy. A line that a tool prints only when something failed ends it.
    jq --argjson tick "$(getconf CLK_TCK)" '
        def number(pattern): capture(pattern).n | tonumber;
        def served: .command.output | capture("\\) [A-Z] (?<fields>.*)").fields | split(" ") | (.[10] | tonumber) + (.[11] | tonumber);
        .steps as $steps | [range(1; $steps | length; 2) as $i | $steps[$i] |
            (.name | split(" ")) as [$load, $tool] | .command as $command |
            (if $tool == "drbench" then .loads[0] | ((.to - .from) / 1e9) as $time |
                if .outcomes | keys != ["answered"] and $load != "bulk" then error("drbench: \(.outcomes)") else . end |
                (if $load == "bulk" then 8 * .receivedBytes else .answers end) as $amount |
                {rate: ($amount / $time), efficiency: ($amount / (.clientTime / 1e9))}
            else $command | (.errors | capture("cpu (?<user>[0-9.]+) (?<system>[0-9.]+)") |
                    (.user | tonumber) + (.system | tonumber)) as $cpu |
                .output | if test("Socket errors|Non-2xx") then error("\($tool): \(.)") else . end |
                (if $tool == "wrk" then
                    [number("Requests/sec: +(?<n>[0-9.]+)"), number("(?<n>[0-9]+) requests in")]
                elif $tool == "h2load" then
                    if test(" 0 failed, 0 errored, 0 timeout") then . else error("h2load: \(.)") end |
                    [number("(?<n>[0-9.]+) req/s"), number(" (?<n>[0-9]+) succeeded")]
                else fromjson.end.sum_received | [.bits_per_second, 8 * .bytes] end) as [$rate, $amount] |
                {rate: $rate, efficiency: ($amount / $cpu)}
            end) +
            {load: $load, tool: $tool,
                busy: ((($steps[$i + 1] | served) - ($steps[$i - 1] | served)) / $tick / ((.ended - .started) / 1e9))}
        ]' "$evidence" >"$found"
    # shellcheck disable=SC2016 # jq's variables
    local rows='def median: sort | (.[(length - 1) / 2 | floor] + .[length / 2 | floor]) / 2;
        def all: . as $all | reduce $loads[] as $l ([]; . + ([$all[] | select(.load == $l)] | group_by(.tool)));'
    head_of_loads "HTTP, $connections connections, 1 kB: $(version wrk -v | sed 's/ \[.*//; s/^wrk debian/wrk/'), $(version h2load --version), $(version nginx -v | sed 's/.*: //')" \
        "requests/s | range | requests per CPU second | nginx was busy"
    jq -r --argjson loads '["keep", "new", "slow"]' "$rows"'
        all[] | .[0].load as $load | ([.[].rate] | [median, min, max] | map(round)) as [$median, $min, $max] |
        "| \({keep: "connections that are kept", new: "a new connection for each request", slow: "connections that are kept, a slower server"}[$load]) | \(.[0].tool) | \($median) | \($min)–\($max) | \([.[].efficiency] | median | round) | \([.[].busy] | median * 100 | round) % |"' \
        "$found" | tee -a "$report"
    say "" "$(jq -r --argjson loads '["slow"]' "$rows"'
        ([all[] | [.[].rate] | median] | max / min * 100 | round / 100) as $factor |
        ([.[] | select(.load == "slow") | .busy] | min * 100 | round) as $busy |
        "With the slower server requests/s differ by a factor of \($factor) at most. " +
        if $busy < 80 then "They need not agree: it was busy for only \($busy) % of a turn, so something else decided."
        elif $factor <= 2 then "It decided (busy for at least \($busy) % of each turn), and the generators agree."
        else "It decided (busy for at least \($busy) % of each turn), and the generators do **not** agree." end' "$found")" "" \
        "CPU seconds are the generator's own: of wrk and h2load all that the process used, of drbench what the thread of its clients used" \
        "(\`clientTime\` in its evidence; drbench-lab, whose thread it is, has no other work then). What the kernel does for a packet" \
        "on its way through a veth pair counts as the sender's. h2load keeps its connections: with 'Connection: close' it does not end."
    head_of_loads "Bulk, downloads by four connections: $(version iperf3 --version | sed 's/ (.*//')" "Gbit/s | range | Gbit per CPU second"
    jq -r --argjson loads '["bulk"]' "$rows"'
        def giga: . / 1e7 | round / 100;
        all[] | ([.[].rate] | [median, min, max] | map(giga)) as [$median, $min, $max] |
        "| bulk | \(.[0].tool) | \($median) | \($min)–\($max) | \([.[].efficiency] | median | giga) |"' "$found" | tee -a "$report"
    say "" "Each against its own server. iperf3 reads what it receives, drbench's clients have the kernel throw it away." \
        "CPU seconds are the receiver's."
}

: >"$report"
machine="Linux $(uname -r) on $(nproc) × $(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo)"
machine+=", $(awk '/MemTotal/ { print int($2 / 1048576) }' /proc/meminfo) GiB"
say "$machine; drbench $("$drbench" --version), $(version ip -V | sed 's/ip utility, //; s/,.*//'), mininet $(version mn --version)," \
    "$(tshark --version 2>/dev/null | sed -n '1s/^\(TShark (Wireshark) [0-9.]*[0-9]\).*/\1/p'), $(version tcpdump --version)," \
    "$(version iperf3 --version | sed 's/ (.*//')."
[ $# -gt 0 ] || set -- hosts selftest journeys capture load
for section in "$@"; do $section; done
