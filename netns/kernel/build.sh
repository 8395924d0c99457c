#!/usr/bin/env bash
# Builds the lab kernel: Linux as an ordinary program (User-Mode Linux) from Debian's kernel source.
#
#   build.sh [VERSION]        build linux-source-VERSION (default 6.12) unless it is built already; prints its folder
#   build.sh --key [VERSION]  print the cache key only
#
# The result is a folder CACHE/VERSION-KEY holding `linux`, the configuration and patches it was built from, and
# `kernel.env` (version, source package, build date). KEY is a hash of everything that decides the result but the source
# package's own revision, which apt verifies. CACHE is $DRBENCH_KERNEL_CACHE, or /var/cache/drbench/kernels for root, or
# ~/.cache/drbench/kernels. Nothing of the system changes: sources come through a private apt directory.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
say() { printf 'lab kernel: %s\n' "$*" >&2; }
die() { say "$*"; exit 3; }

key_only=no
if [ "${1:-}" = --key ]; then key_only=yes; shift; fi
version=${1:-6.12}
[[ $version =~ ^[0-9]+\.[0-9]+$ ]] || die "'$version' is not a kernel version such as 6.12"

patches=("$here"/patches/*.patch)
key=$({ echo "$version"; cat "$here/lab-kernel.config" "${patches[@]}"; } | sha256sum | cut -c1-12)
if [ $key_only = yes ]; then echo "$version-$key"; exit 0; fi

if [ -n "${DRBENCH_KERNEL_CACHE:-}" ]; then cache=$DRBENCH_KERNEL_CACHE
elif [ "$(id -u)" = 0 ]; then cache=/var/cache/drbench/kernels
else cache=${XDG_CACHE_HOME:-$HOME/.cache}/drbench/kernels
fi
result=$cache/$version-$key
if [ -x "$result/linux" ]; then echo "$result"; exit 0; fi

missing=()
for tool in flex bison bc make gcc xz dpkg apt-get patch; do command -v $tool >/dev/null || missing+=("$tool"); done
[ ${#missing[@]} = 0 ] || die "missing: ${missing[*]}; 'make setup' installs them"

mkdir -p "$cache"
exec 9>"$cache/.lock"
flock 9 # one build at a time on this machine
if [ -x "$result/linux" ]; then echo "$result"; exit 0; fi

work=$(mktemp -d "${TMPDIR:-/tmp}/drbench-kernel.XXXXXX")
trap 'rm -rf "$work"' EXIT
log=$cache/build-$version-$key.log
: >"$log"
run() { "$@" >>"$log" 2>&1 9>&- || { tail -n 30 "$log" >&2; die "'$1' failed; the whole log is $log"; }; }

# The mirrors and the keyring that this system trusts, with another suite: one line per mirror.
private_sources() { # SUITE
    local file keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    {
        for file in /etc/apt/sources.list.d/*.sources; do
            [ -e "$file" ] || continue
            awk 'tolower($1) == "uris:" { for (i = 2; i <= NF; i++) print $i }' "$file"
        done
        for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
            [ -e "$file" ] || continue
            awk '$1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /^[a-z+]+:\/\//) { print $i; break } }' "$file"
        done
    } | awk '/debian\/?$/ && !seen[$0]++' | head -n 1 | while read -r mirror; do
        echo "deb [signed-by=$keyring] $mirror $1 main"
    done
}

declare -A suite_of=([5.10]=bullseye [6.1]=bookworm [6.12]=trixie)
fetch_source() { # VERSION: leaves linux-source-VERSION.tar.xz in $work
    local suite=${suite_of[$1]:-sid} apt=$work/apt options
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
    private_sources "$suite" >"$apt/sources.list"
    [ -s "$apt/sources.list" ] || return 1
    options=(-o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=-
        -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root)
    apt-get "${options[@]}" update >>"$log" 2>&1 || return 1
    (cd "$work" && apt-get "${options[@]}" download "linux-source-$1" >>"$log" 2>&1) || return 1
    unpack
}
fetch_installed_suite() { # any linux-source that the system's own suites have
    local package
    package=$(apt-cache search --names-only '^linux-source-[0-9]+\.[0-9]+$' | awk '{ print $1 }' | sort -V | tail -n 1)
    [ -n "$package" ] || return 1
    (cd "$work" && apt-get -o APT::Sandbox::User=root download "$package" >>"$log" 2>&1) || return 1
    unpack
}
unpack() {
    local deb=("$work"/linux-source-*.deb)
    revision=$(dpkg-deb -f "${deb[0]}" Version)
    run dpkg -x "${deb[0]}" "$work/x"
    mkdir "$work/tree"
    run tar -C "$work/tree" --strip-components=1 -xf "$work"/x/usr/src/linux-source-*.tar.xz
    rm -rf "$work/x" "${deb[0]}"
}

revision=
say "fetching linux-source-$version"
if ! fetch_source "$version"; then
    say "linux-source-$version cannot be had (see $log); falling back to this system's own kernel source."
    say "what is lost: kernels before 6.12 are not deterministic in virtual time, those before 5.9 lack newer IPVS behaviour"
    fetch_installed_suite || die "this system's package sources have no linux-source package either; see $log"
fi

cd "$work/tree"
for patch in "${patches[@]}"; do
    run patch -p1 --forward --fuzz=3 -i "$patch"
done
say "configuring Linux $(make -s kernelversion) (Debian $revision)"
run make ARCH=um allnoconfig
run env ARCH=um scripts/kconfig/merge_config.sh -m .config "$here/lab-kernel.config"
run make ARCH=um olddefconfig
say "building on $(nproc) processors: about 5 minutes on two"
start=$(date +%s)
run make ARCH=um -j"$(nproc)" linux
strip linux

staged=$cache/.$version-$key.$$
rm -rf "$staged"
mkdir -p "$staged/patches"
cp linux "$staged/linux"
cp "$here/lab-kernel.config" "$staged/"
cp "${patches[@]}" "$staged/patches/"
cat >"$staged/kernel.env" <<EOF
VERSION=$version
RELEASE=$(make -s ARCH=um kernelrelease)
SOURCE=linux-source $revision
BUILT=$(date -u +%Y-%m-%dT%H:%M:%SZ)
SECONDS=$(($(date +%s) - start))
EOF
chmod -R a+rX "$staged"
mv -T "$staged" "$result"
rm -f "$log"
say "built $result in $(($(date +%s) - start)) s"
echo "$result"
