#!/usr/bin/env bash
# Builds the lab kernel: Linux as an ordinary program (User-Mode Linux) from Debian's kernel source.
#
#   build.sh [VERSION]        build linux-source-VERSION (default 6.12) unless it is built already; prints its folder
#   build.sh --key [VERSION]  print the cache key only
#   build.sh --selftests FOLDER [VERSION]  put the kernel's own network selftests into FOLDER instead of building
#
# The result is a folder CACHE/VERSION-KEY holding `linux`, the configuration and patches it was built from, and
# `kernel.env` (version, source package, patches, build date). KEY is a hash of everything that decides the result but the
# source package's own revision, which apt verifies, and the compiler. From one source and compiler comes one kernel, to the
# byte, wherever and whenever it is built: what it is called goes into its randomness, so that otherwise a seed would mean
# another run on every machine. CACHE is $DRBENCH_KERNEL_CACHE, or /var/cache/drbench/kernels for root, or
# ~/.cache/drbench/kernels. Nothing of the system changes: sources come through a private apt directory, from the mirror
# that the system uses or $DRBENCH_DEBIAN_MIRROR. If 6.12 cannot be had, the system's own linux-source takes its place.
set -euo pipefail
export LC_ALL=C
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL KCFLAGS # what 'make kernel' was called with is not meant for the kernel
umask 022
# The compiler's messages and the kernel's own date and place must not depend on who builds it. The day is the one that virtual
# time begins with.
export KBUILD_BUILD_TIMESTAMP='Fri Mar 24 00:00:00 UTC 2017' KBUILD_BUILD_VERSION=1
export KBUILD_BUILD_USER=drbench KBUILD_BUILD_HOST=drbench
unset SOURCE_DATE_EPOCH LOCALVERSION KCPPFLAGS KAFLAGS CFLAGS CPPFLAGS LDFLAGS

here=$(cd "$(dirname "$0")" && pwd)
preferred=6.12
machine=/var/cache/drbench/kernels
patches=("$here"/patches/*.patch)
say() { printf 'lab kernel: %s\n' "$*" >&2; }
die() { say "$@"; exit 3; }
key_of() { { echo "$1" "$KBUILD_BUILD_TIMESTAMP"; cat "$here/lab-kernel.config" "${patches[@]}"; } | sha256sum | cut -c1-12; }

key_only=no selftests=
case ${1:-} in
--key) key_only=yes; shift ;;
--selftests)
    [ $# -gt 1 ] || die "--selftests needs a folder"
    mkdir -p "$2"
    selftests=$(cd "$2" && pwd -P)
    shift 2
    ;;
esac
version=${1:-$preferred}
[[ $version =~ ^[0-9]+\.[0-9]+$ ]] || die "'$version' is not a kernel version such as $preferred"
name=$version-$(key_of "$version")
if [ $key_only = yes ]; then echo "$name"; exit 0; fi

if [ -n "${DRBENCH_KERNEL_CACHE:-}" ]; then cache=$DRBENCH_KERNEL_CACHE
elif [ "$(id -u)" = 0 ]; then cache=$machine
else
    [ -n "${XDG_CACHE_HOME:-${HOME:-}}" ] || die "no place for it: set HOME, XDG_CACHE_HOME or DRBENCH_KERNEL_CACHE"
    cache=${XDG_CACHE_HOME:-$HOME/.cache}/drbench/kernels
fi

finish_if_built() { # a user may use what root has built
    local folder
    [ -z "$selftests" ] || return 0
    for folder in "$cache" ${DRBENCH_KERNEL_CACHE:-"$machine"}; do
        if [ -x "$folder/$name/linux" ]; then echo "$folder/$name"; exit 0; fi
    done
}
finish_if_built

missing=()
for tool in flex bison bc make gcc xz dpkg apt-get patch setpriv flock; do
    command -v $tool >/dev/null || missing+=("$tool")
done
[ ${#missing[@]} = 0 ] || die "missing: ${missing[*]}; 'make setup' installs them"
another="DRBENCH_KERNEL_CACHE=FOLDER takes another"
mkdir -p "$cache" 2>/dev/null || true
[ -w "$cache" ] || die "cannot write to the folder $cache; $another"
cache=$(cd "$cache" && pwd -P)
[[ $cache != *[[:space:]:]* ]] || die "Linux cannot be built in a folder with spaces or colons ($cache); $another"

exec 9>"$cache/.lock"
flock -n 9 || { say "another build is under way in $cache; waiting for it"; flock 9; } # one build at a time
finish_if_built
rm -rf "$cache"/.work.* # of builds that a power cut ended
free=$(df --output=avail -BM "$cache" | tail -n 1 | tr -dc 0-9)
[ "$free" -ge 2500 ] || die "the build needs 2500 MB in $cache for the while, and $free MB are free; $another"

# The work folder is not in /tmp, which is memory on Debian 13. The cleaner removes it when the last process that holds
# descriptor 8 is gone, so also after kill -9; each command of the build ends with this script.
work=$(mktemp -d "$cache/.work.XXXXXX")
log=$cache/build-$name.log
: >"$log"
mkfifo "$work/alive"
(trap '' INT TERM HUP; exec >/dev/null 2>&1 9>&-; cat "$work/alive"; rm -rf "$work") &
cleaner=$!
exec 8>"$work/alive"
command=
clear_up() {
    [ -z "$command" ] || kill "$command" 2>/dev/null || true
    exec 8>&-
    wait "$cleaner" || true
}
trap clear_up EXIT
try() {
    setpriv --pdeathsig TERM "$@" >>"$log" 2>&1 9>&- &
    command=$!
    local status=0
    wait "$command" || status=$?
    command=
    return $status
}
run() { try "$@" || { tail -n 30 "$log" >&2; die "'$1' failed; the whole log is $log"; }; }

# One line for another suite of the mirror that this system uses, with Debian's own keys.
private_sources() { # SUITE
    local file mirror=${DRBENCH_DEBIAN_MIRROR:-}
    [ -n "$mirror" ] || mirror=$({
        for file in /etc/apt/sources.list.d/*.sources; do
            [ ! -e "$file" ] || awk 'tolower($1) == "uris:" { for (i = 2; i <= NF; i++) print $i }' "$file"
        done
        for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
            [ ! -e "$file" ] ||
                awk '$1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /^[a-z+]+:\/\//) { print $i; break } }' "$file"
        done
        echo http://deb.debian.org/debian
    } | awk '/debian(\.list)?\/?$/ && !n++')
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $1 main"
}

declare -A suite_of=([5.10]=bullseye [6.1]=bookworm [6.12]=trixie)
fetch() { # VERSION: linux-source-VERSION from Debian, whatever this system's own release is
    local suite=${suite_of[$1]:-sid} apt=$work/apt options
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
    private_sources "$suite" >"$apt/sources.list"
    options=(-o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=-
        -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root)
    try apt-get "${options[@]}" update &&
        try env -C "$work" apt-get "${options[@]}" download "linux-source-$1"
}
fetch_own() { # VERSION: linux-source-VERSION from this system's own package sources
    try env -C "$work" apt-get -o APT::Sandbox::User=root download "linux-source-$1"
}
newest_own() {
    apt-cache search --names-only '^linux-source-[0-9]+\.[0-9]+$' | awk '{ sub("linux-source-", "", $1); print $1 }' |
        sort -V | tail -n 1
}

say "fetching linux-source-$version"
if ! fetch "$version"; then
    grep -E '^(E|W|Err)' "$log" | head -n 2 >&2 || true
    if fetch_own "$version"; then
        say "Debian's mirror is out of reach; taking linux-source-$version from this system's own package sources"
    else
        [ "$version" = $preferred ] || die "linux-source-$version cannot be had; see $log"
        own=$(newest_own)
        [ -n "$own" ] || die "linux-source-$version cannot be had, and this system has no other linux-source; see $log"
        say "linux-source-$version cannot be had; this system's own linux-source-$own takes its place"
        say "what is lost: with a kernel before $preferred, a run with one seed is not repeated to the byte"
        version=$own
        name=$version-$(key_of "$version")
        finish_if_built
        fetch_own "$version" || die "linux-source-$version cannot be had either; see $log"
    fi
fi
debs=("$work"/linux-source-*.deb)
revision=$(dpkg-deb -f "${debs[0]}" Version)
run dpkg -x "${debs[0]}" "$work/x"
mkdir "$work/tree"
if [ -n "$selftests" ]; then
    run tar -C "$selftests" --strip-components=5 --wildcards -xf "$work"/x/usr/src/linux-source-*.tar.xz \
        '*/tools/testing/selftests/net'
    echo "$selftests"
    exit 0
fi
run tar -C "$work/tree" --strip-components=1 -xf "$work"/x/usr/src/linux-source-*.tar.xz
rm -rf "$work/x" "${debs[0]}"

cd "$work/tree"
applied=
for patch in "${patches[@]}"; do
    if try patch -p1 --dry-run --forward --fuzz=3 -i "$patch"; then
        run patch -p1 --forward --fuzz=3 -i "$patch"
        applied+=" $(basename "$patch" .patch)"
    elif [ "$version" != $preferred ] && try patch -p1 --dry-run --reverse --force --fuzz=3 -i "$patch"; then
        say "Linux $version has '$(head -n 1 "$patch")' already"
        applied+=" $(basename "$patch" .patch)"
    elif [ "$version" != $preferred ]; then
        say "what is lost: '$(head -n 1 "$patch")' does not apply to Linux $version"
    else
        die "$patch does not apply; see $log"
    fi
done
say "configuring Linux $(make -s kernelversion) (Debian $revision)"
cp "$here/lab-kernel.config" "$work/" # merge_config.sh takes no path with spaces
run make ARCH=um allnoconfig
run env ARCH=um scripts/kconfig/merge_config.sh -m .config "$work/lab-kernel.config"
run make ARCH=um olddefconfig
if [ "$version" != $preferred ]; then
    lost=$(comm -23 <(grep -E '^CONFIG_[A-Z0-9_]+=[^n]' "$work/lab-kernel.config" | sort) <(sort .config))
    [ -z "$lost" ] || say "options that Linux $version lacks or has under another name: ${lost//$'\n'/ }"
fi
say "building on $(nproc) processors: about 5 minutes on two"
start=$(date +%s)
run make ARCH=um -j"$(nproc)" linux
run strip linux

staged=$work/staged
mkdir -p "$staged/patches"
cp linux "$work/lab-kernel.config" "$staged/"
cp "${patches[@]}" "$staged/patches/"
cat >"$staged/kernel.env" <<END
VERSION=$version
RELEASE=$(make -s ARCH=um kernelrelease)
SOURCE=linux-source $revision
PATCHES=${applied# }
BUILT=$(date -u +%Y-%m-%dT%H:%M:%SZ)
SECONDS=$(($(date +%s) - start))
END
chmod -R a+rX "$staged"
mv -T "$staged" "$cache/$name"
rm -f "$log"
say "built $cache/$name in $(($(date +%s) - start)) s"
echo "$cache/$name"
