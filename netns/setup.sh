#!/usr/bin/env bash
# Installs what drbench needs to be built and to run, if it is missing, and says what it does. Debian 12 and 13.
set -euo pipefail

build=(libpcap-dev libnl-3-dev libnl-genl-3-dev libnl-route-3-dev libnetfilter-conntrack-dev pkg-config)
kernel=(flex bison bc libelf-dev libssl-dev xz-utils make gcc patch)
tools=(iproute2 iptables arptables ebtables ipset ipvsadm conntrack tcpdump tshark iputils-ping)

command -v swift >/dev/null || {
    echo "setup: no Swift on this machine; drbench is built with Swift 6.2 or newer: https://www.swift.org/install/linux/" >&2
    exit 3
}
missing=()
installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' 2>/dev/null | awk '$1 == "ii" { print $2 }')
for package in "${build[@]}" "${kernel[@]}" "${tools[@]}"; do
    grep -qxF "$package" <<<"$installed" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "setup: these Debian packages are missing and this is neither root nor sudo to install them:" >&2
        echo "       apt-get install ${missing[*]}" >&2
        exit 3
    }
    as_root=(sudo)
fi
echo "setup: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get -qq update
"${as_root[@]}" apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
