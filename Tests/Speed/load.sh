#!/usr/bin/env bash
# A scenario in which load generators take turns against one server in one network: `compare.sh` measures by it.
#
#   load.sh TURNS CONNECTIONS SECONDS
#
# nginx is one process, and each generator has one thread for its connections (iperf3 from 3.16 on one for each). At port 82
# nginx is its own reverse proxy, which costs it several times what a request costs a generator: there the server decides.
# A generator's step is named by its load and itself, as in 'keep wrk 1'; what processor time nginx has used is read before
# the first of them and after each.
set -euo pipefail

turns=$1 connections=$2 seconds=$3
url=http://10.0.0.2/bytes/1000 slow=http://10.0.0.2:82/bytes/1000
cat <<END
title: Load generators take turns
topology: empty
networks: {lan: {cidr: 10.0.0.0/24}}
capture: none
hosts:
  client:
    ports: {eth0: {peer: "server:eth0", network: lan, fixed_ips: [10.0.0.1]}}
    # Ten thousand new connections a second find a port each.
    sysctls: {net.ipv4.ip_local_port_range: "1024 65535", net.ipv4.tcp_tw_reuse: 1}
  server:
    ports: {eth0: {network: lan, fixed_ips: [10.0.0.2]}}
    servers: [{load: 81}]
    programs:
      iperf3: {command: iperf3 -s, listens: 5201}
      nginx:
        command: nginx -c /run/nginx.conf
        listens: [80, 82]
        files:
          /var/log/nginx/error.log: ""
          /var/lib/nginx/it: is here
          /run/nginx.conf: |
            daemon off;
            master_process off;
            pid /run/nginx.pid;
            error_log stderr;
            events { worker_connections 4096; }
            http {
              access_log off;
              keepalive_requests 1000000000;
              server {
                listen 80 backlog=4096;
                listen unix:/run/behind;
                location = /bytes/1000 { return 200 "$(head -c 1000 /dev/zero | tr '\0' x)"; }
              }
              server {
                listen 82 backlog=4096;
                location = /bytes/1000 { proxy_pass http://unix:/run/behind; }
              }
            }
settle: 0s
timeline:
END

# The laboratory's processes have their own numbers: this is no nginx of the host.
server() { echo "  - run: {on: server, command: [sh, -c, 'cat /proc/\$(pgrep -x nginx)/stat']}"; }
by_drbench() {
    echo "  - {name: $1 drbench $turn, load: {from: client, duration: ${seconds}s, $2}, expect: [{load: {failed: 0}}]}"
}
by_other() {
    echo "  - {name: $1 $turn, run: {on: client, command: [bash, -c, 'TIMEFORMAT=\"cpu %U %S\"; time $2']}, expect: [{command: {status: 0}}]}"
}
step() {
    case $1 in
    keep-drbench) by_drbench keep "to: \"10.0.0.2:80\", response: 1kB, connections: $connections" ;;
    keep-wrk) by_other "keep wrk" "wrk -t 1 -c $connections -d ${seconds}s $url" ;;
    keep-h2load) by_other "keep h2load" "h2load --h1 -t 1 -c $connections -D $seconds $url" ;;
    new-drbench) by_drbench new "to: \"10.0.0.2:80\", response: 1kB, connections: $connections, keep_alive: false" ;;
    new-wrk) by_other "new wrk" "wrk -t 1 -c $connections -d ${seconds}s -H \"Connection: close\" $url" ;;
    slow-drbench) by_drbench slow "to: \"10.0.0.2:82\", response: 1kB, connections: $connections" ;;
    slow-wrk) by_other "slow wrk" "wrk -t 1 -c $connections -d ${seconds}s $slow" ;;
    slow-h2load) by_other "slow h2load" "h2load --h1 -t 1 -c $connections -D $seconds $slow" ;;
    bulk-drbench) by_drbench bulk "to: \"10.0.0.2:81\", response: 10MB, connections: 4, timeout: 10s" ;;
    bulk-iperf3) by_other "bulk iperf3" "iperf3 -c 10.0.0.2 -R -P 4 -t $seconds -J" ;;
    esac
}
all=(keep-drbench keep-wrk keep-h2load new-drbench new-wrk slow-drbench slow-wrk slow-h2load bulk-drbench bulk-iperf3)
server
for ((turn = 1; turn <= turns; turn++)); do
    for ((index = 0; index < ${#all[@]}; index++)); do
        step "${all[(turn + index) % ${#all[@]}]}"
        server
    done
done
