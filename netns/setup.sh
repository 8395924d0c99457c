#!/usr/bin/env bash
# Installs what drbench needs to be built and to run, if it is missing, and says what it does. Debian 12 and 13.
# Swift is not among it, nor what Swift itself asks for (see https://www.swift.org/install/linux/).
#
#   setup.sh          what builds and runs drbench
#   setup.sh --tests  and what only its tests need: a browser, and Graphviz
#   setup.sh --bench  and what it is compared with in speed
set -euo pipefail

build=(libpcap-dev libnl-3-dev libnl-genl-3-dev libnl-route-3-dev libnetfilter-conntrack-dev libxml2-dev
    libsqlite3-dev pkg-config)
kernel=(flex bison bc libc6-dev libelf-dev libssl-dev xz-utils make gcc patch)
# What some scenarios run inside their namespaces. Of these only the programs are wanted: see below.
programs=(apache2-bin haproxy keepalived nginx)
tools=(procps iproute2 iptables arptables ebtables ipset ipvsadm conntrack tcpdump tshark iputils-ping
    gnuplot-nox)
more=()
case ${1:-} in
--tests)
    more=(chromium graphviz)
    command -v node >/dev/null || more+=(nodejs) # drives the browser; one from elsewhere does as well
    ;;
--bench) more=(bridge-utils hyperfine iperf3 jq mininet nghttp2-client socat wrk) ;;
esac

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$@"; exit 3; }

command -v swift >/dev/null ||
    die "no Swift in PATH ($PATH); drbench is built with Swift 6.2 or newer: https://www.swift.org/install/linux/"
swift --version >/dev/null 2>&1 || {
    swift --version >&2 || true
    die "Swift does not start: what it needs itself is listed at https://www.swift.org/install/linux/"
}
command -v dpkg-query >/dev/null || die "this is not Debian; drbench is made for Debian 12 and 13"

missing=()
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | awk '$1 == "installed" { print $2 }')
for package in "${build[@]}" "${kernel[@]}" "${tools[@]}" "${programs[@]}" "${more[@]}"; do
    grep -qxF "$package" <<<"$installed" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

by_hand="to install them yourself: apt-get install --no-install-recommends ${missing[*]}"
as_root=()
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || die "Debian packages are missing, and only root or sudo can install them." \
        $'\n'"       $by_hand"
    as_root=(sudo)
fi
say "installing ${missing[*]}"

# On this machine itself no web server, proxy or VRRP daemon is wanted, neither now nor after the next boot. A machine that
# has a policy for services of its own keeps it.
services=()
for service in haproxy keepalived nginx; do
    [[ " ${missing[*]} " != *" $service "* ]] || services+=("$service")
done
policy=/usr/sbin/policy-rc.d
if [ ${#services[@]} -gt 0 ] && [ ! -e $policy ]; then
    say "their services (${services[*]}) are neither started nor enabled"
    trap '"${as_root[@]}" rm -f $policy' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
    "${as_root[@]}" chmod 755 $policy
fi
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
"${apt[@]}" update >/dev/null || say "apt-get update failed; going on with the package lists that are here"
"${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null ||
    die "apt-get install failed; $by_hand"
if [ ${#services[@]} -gt 0 ] && command -v systemctl >/dev/null; then
    "${as_root[@]}" systemctl --quiet disable "${services[@]}" >/dev/null 2>&1 || true
fi
