#!/bin/sh
# Fetches a kernel of one of Debian's suites into a folder, laid out like a root file system: the
# kernel, its modules, and the programs of guests; and what modules and programs for it are built
# with: headers, make, and the compiler of that suite. Packages are only unpacked: nothing is
# installed, and no script of a package runs.
#
#   fetch_kernel.sh WHAT FOLDER ARCH FLAVOURS CROSS SOURCES SPARE VERSION SUITE...
#
# WHAT is plan (says which, and how many bytes), fetch, or debug (adds the debug information).
# ARCH is Debian's name; of its kernel's FLAVOURS the first that there is is taken. CROSS is empty for
# this machine's architecture, which builds in FOLDER itself; for another one it is how its
# compiler's name begins, and FOLDER/builder is the root to build in. SOURCES is a .list or .sources
# file, or empty for this machine's own; its first line names where packages come from. The first
# SUITE that has a kernel of VERSION is taken; an empty VERSION is the newest. The programs of guests
# are of the first suite of that one and SPARE whose packages can all be had. What was downloaded
# stays in FOLDER.partial until the folder is complete: to run it again goes on there. Only one may
# work on a folder at a time. Ends with 3 where no suite has such a kernel; "error: " begins the line
# that says why it failed.

set -eu
umask 022 # What is here is executed, so nobody else may write to it.
what=$1 root=$2 arch=$3 flavours=$4 cross=$5 given=$6 spare=$7 version=$8
shift 8

tools="base-files bash coreutils dash findutils grep gzip mawk make sed xz-utils"
programs="busybox-static coreutils dash findutils grep hostname kmod memtester procps sed stress-ng
util-linux"

# shellcheck source=pagefault_doctor/lab/private_apt.sh
. "$(dirname "$0")/private_apt.sh"
[ -n "$given" ] || given=$(own_sources)
mkdir -p "$(dirname "$root")"
work=$root.partial
mkdir -p "$work"
work=$(realpath "$work")
exec 9>"$work/lock"
flock -n 9 || { echo "error: another pfdoctor fetches it now: wait for that one" >&2; exit 1; }
make_private
[ -e "$work/gone" ] || : >"$work/gone"

# usage: line_of_sources SUITE, prints a line for apt with the options and the place of $given
line_of_sources() {
    case $given in
    *.sources)
        uri=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p' "$given" | head -n 1)
        key=$(sed -n 's/^Signed-By: *\(\/.*\)/[signed-by=\1]/p' "$given" | head -n 1)
        echo "deb $key $uri $1 main"
        ;;
    *) sed -n "s/^deb \\(\\[[^]]*\\] \\)\\{0,1\\}\\([^ ]*\\) .*/deb \\1\\2 $1 main/p" "$given" | head -n 1 ;;
    esac
}

# usage: images VERSION, prints the images of the first flavour that has that version, if empty any
images() {
    one=$(echo "$1" | sed 's/[.+]/\\&/g')
    for flavour in $flavours; do
        found=$(private apt-cache pkgnames linux-image- |
            grep -E "^linux-image-${one:-[0-9]+}([^0-9-][^-]*)?(-[0-9][^-]*)?-$flavour\$" |
            grep -Fxv -f "$work/gone" | sort -rV)
        [ -z "$found" ] || { echo "$found"; return; }
    done
}

# usage: use_suite SUITE, sets $sources, $cache and $own_cache
use_suite() {
    sources=$work/$1.list cache=$work/$1-cache
    own_cache=$cache
    [ -z "$cross" ] || own_cache=$work/$1-own-cache
    mkdir -p "$cache/archives/partial" "$own_cache/archives/partial"
    line_of_sources "$1" >"$sources"
    # A suite of backports has only what differs from its own.
    case $1 in *-backports) line_of_sources "${1%-backports}" >>"$sources" ;; esac
    [ ! -e "$work/$1.read" ] || return 0
    echo "reading the list of packages of $1"
    quietly private apt-get update
    : >"$work/$1.read"
}

# usage: find_image SUITE..., sets $image, $suite and $sources
find_image() {
    seen=
    for suite in "$@"; do
        use_suite "$suite"
        image=$(images "$version" | head -n 1)
        [ -z "$image" ] || return 0
        seen="$seen $suite: $(images '' | sed 's/linux-image-//; q');"
    done
    echo "error: no kernel $version for $arch in${seen%;}" >&2
    exit 3
}

# usage: get PACKAGE..., downloads packages into $work/debs; false where the registry lacks one
get() {
    (cd "$work/debs" && private apt-get download "$@") >"$work/log" 2>&1 && return
    ! grep -Eq ' 404 |\(2: No such file|Unable to locate package' "$work/log" || return 1
    give_up
}

# usage: get_programs SUITE..., downloads the programs of guests, from the first of them that has all
get_programs() {
    for from in "$@"; do
        (use_suite "$from") 2>/dev/null || continue
        use_suite "$from"
        # shellcheck disable=SC2086  # Each word is a package.
        private apt-get install --yes --no-install-recommends --download-only $programs \
            >"$work/log" 2>&1 && return
        echo "$from lacks packages of the programs of guests"
    done
    give_up
}

# usage: own_apt PROGRAM ARGUMENT..., for packages of this machine's architecture
own_apt() {
    guest=$arch guest_cache=$cache status=0
    arch=$own cache=$own_cache
    private "$@" || status=$?
    arch=$guest cache=$guest_cache
    return $status
}

# usage: needs PACKAGE, prints the packages that it depends on
needs() {
    private apt-cache depends "$1" | sed -n 's/^ *Depends: <\{0,1\}\([a-z][^:>]*\).*/\1/p'
}

# usage: choose, sets the packages of $release: $parts, $headers and those of $builder
choose() {
    release=${image#linux-image-}
    headers="linux-headers-$release"
    # From 7.2 on an image is split; these are its parts.
    parts=$(private apt-cache pkgnames linux- |
        grep -Fx -e "linux-binary-$release" -e "linux-modules-$release" || :)
    if [ -z "$cross" ]; then
        builder="$tools $headers libc6-dev"
        headers=
        return
    fi
    also=$(needs "$headers")
    headers="$headers $(echo "$also" | grep -E '^linux-(headers|base)-[0-9]' || :)"
    kbuild=$(echo "$also" | grep '^linux-kbuild-' | head -n 1)
    # The compiler is a package of its own, or what the package linux-compiler-... is named after.
    number=$(echo "$also" | sed -n 's/.*gcc-\([0-9][0-9.]*\).*/\1/p' | head -n 1)
    builder="$tools $kbuild gcc-$number-$cross libc6-dev-$arch-cross"
}

# usage: unpack FOLDER PACKAGE..., files of packages; false where that fails
unpack() {
    into=$1
    shift
    for place in bin lib lib64 sbin; do
        mkdir -p "$into/usr/$place"
        [ -e "$into/$place" ] || ln -s "usr/$place" "$into/$place"
    done
    for package in "$@"; do
        dpkg-deb --fsys-tarfile "$package" |
            tar -x -C "$into" --no-same-owner --keep-directory-symlink || return 1
    done
}

# usage: settle FOLDER, does what scripts of the packages would do
settle() {
    [ -e "$1/usr/bin/awk" ] || ln -s mawk "$1/usr/bin/awk"
    [ -e "$1/bin/sh" ] || ln -s dash "$1/bin/sh"
    for compiler in "$1/usr/bin/${cross:+$cross-}gcc"-[0-9]*; do
        [ ! -e "$compiler" ] || ln -sf "${compiler##*/}" "${compiler%-*}"
    done
    # A link to a path under / would lead into this machine's own.
    find "$1" -type l -lname '/*' | while read -r link; do
        above=$(echo "${link#"$1"/}" | sed 's,[^/]*/,../,g; s,[^/]*$,,')
        target=$(readlink "$link")
        ln -sfn "$above${target#/}" "$link"
    done
}

# usage: take_out FILE of the package with debug information; what comes after it is not read
take_out() {
    { dpkg-deb --fsys-tarfile "$work/debs/$image-dbg"_*.deb || :; } 2>/dev/null |
        tar -x -C "$work" --occurrence=1 "./$1"
}

find_image "$@"
[ "$what" != debug ] || image=linux-image-$(cat "$root/complete")
choose
if [ "$what" != debug ]; then
    # An index can name what is gone: then the next older one is taken.
    # shellcheck disable=SC2086
    until get "linux-headers-$release"; do
        echo "$image is not there any more"
        echo "$image" >>"$work/gone"
        find_image "$@"
        choose
    done
fi

case $what in
plan)
    # shellcheck disable=SC2086  # Each word is a package.
    {
        own_apt apt-get install --yes --no-install-recommends --print-uris $builder
        private apt-get install --yes --no-install-recommends --print-uris $programs
        (cd "$work/debs" && private apt-get download --print-uris "$image" $parts $headers)
    } >"$work/uris" 2>"$work/log" || give_up
    # A line is 'URI' FILE BYTES HASH.
    bytes=$(awk '/^\x27/ && !seen[$1]++ { bytes += $3 } END { print bytes + 0 }' "$work/uris")
    echo "plan $release $suite $bytes"
    ;;
fetch)
    echo "downloading $image, its headers, compiler and the programs of guests"
    # shellcheck disable=SC2086
    if ! get "$image" $parts $headers; then
        echo "$image" >>"$work/gone"
        rm -f "$work/debs"/*
        echo "error: $image is not there any more; an older one is taken where this is run again" >&2
        exit 1
    fi
    # shellcheck disable=SC2086
    {
        quietly own_apt apt-get install --yes --no-install-recommends --download-only $builder
        build_cache=$own_cache
        get_programs "$suite" $spare
    }
    new=$work/root
    rm -rf "$new"
    echo "unpacking $(du -shc "$work/debs" "$cache/archives" "$build_cache/archives" | sed -n '$s/\t.*//p')"
    quietly unpack "$new" "$work"/debs/*.deb "$cache"/archives/*.deb
    build=$new
    if [ -n "$cross" ]; then
        build=$new/builder
        rm -rf "$new"/usr/src "$new/lib/modules/$release/build" "$new/lib/modules/$release/source"
        quietly unpack "$build" "$build_cache"/archives/*.deb "$work"/debs/linux-headers-*.deb
        for package in "$work"/debs/linux-base-*.deb; do
            [ ! -e "$package" ] || quietly unpack "$build" "$package"
        done
        mkdir -p "$build/proc" "$build/dev" "$build/tmp"
    fi
    settle "$build"
    [ "$build" = "$new" ] || settle "$new"
    mkdir -p "$new/boot"
    for image in "$new/usr/lib/modules/$release"/vmlinu[xz]; do
        [ ! -e "$image" ] || ln -sf "../usr/lib/modules/$release/${image##*/}" "$new/boot/${image##*/}-$release"
    done
    "$(PATH=$PATH:/usr/sbin:/sbin command -v depmod)" -b "$new" "$release"
    echo "$release" >"$new/complete"
    chmod -R a+rX "$new"
    rm -rf "$root"
    mv "$new" "$root"
    rm -rf "$work"
    echo "$release is in $root: $(du -sh "$root" | sed 's/\t.*//')"
    ;;
debug)
    echo "downloading the debug information of $release"
    get "$image-dbg" || { echo "error: $image-dbg is not there any more" >&2; exit 1; }
    vmlinux=usr/lib/debug/boot/vmlinux-$release
    take_out "$vmlinux"
    mkdir -p "$root/usr/lib/debug/boot"
    rm -f "$root/$vmlinux"
    # From 7.2 on that is a link.
    file=$vmlinux
    if [ -L "$work/$vmlinux" ]; then
        file=usr/lib/debug/lib/modules/$release/vmlinux
        take_out "$file"
    fi
    mv "$work/$file" "$root/$vmlinux"
    rm -rf "$work"
    echo "the debug information is in $root"
    ;;
esac
