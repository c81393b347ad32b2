#!/bin/sh
# Fetches a kernel of one of Debian's suites into a folder, laid out like a root file system: the
# kernel, its modules and headers, the compiler that it was built with, and the programs of guests.
# Packages are only unpacked: nothing is installed, and no script of a package runs.
#
#   fetch_kernel.sh plan  FOLDER ARCH SOURCES VERSION SUITE...   says which, and how many bytes
#   fetch_kernel.sh fetch FOLDER ARCH SOURCES VERSION SUITE...   fetches and unpacks it
#   fetch_kernel.sh debug FOLDER ARCH SOURCES VERSION SUITE...   adds the debug information
#
# SOURCES is a .list or .sources file, or empty for this machine's own; its first line names where
# packages come from. The first SUITE that has a kernel of VERSION is taken; an empty VERSION is the
# newest. What was downloaded stays in FOLDER.partial until the folder is complete: to run it again
# goes on there. Only one may work on a folder at a time.

set -eu
umask 022 # What is here is executed, so nobody else may write to it.
what=$1 root=$2 arch=$3 given=$4 version=$5
shift 5

builder="base-files bash mawk make"
programs="busybox-static coreutils dash findutils grep hostname kmod memtester procps sed stress-ng
util-linux"
flavour=cloud-$arch

# shellcheck source=pagefault_doctor/lab/private_apt.sh
. "$(dirname "$0")/private_apt.sh"
[ -n "$given" ] || given=$(own_sources)
mkdir -p "$(dirname "$root")"
work=$root.partial
mkdir -p "$work"
work=$(realpath "$work")
exec 9>"$work/lock"
flock -n 9 || { echo "another pfdoctor fetches it now: wait for that one" >&2; exit 1; }
make_private

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

# usage: image_of_suite VERSION, prints the newest image of that flavour and version, if empty of any
image_of_suite() {
    one=$(echo "$1" | sed 's/[.+]/\\&/g')
    private apt-cache pkgnames linux-image- |
        grep -E "^linux-image-${one:-[0-9]}([^0-9].*)?-$flavour\$" | sort -V | tail -n 1
}

# usage: find_image SUITE..., sets $image and $sources
find_image() {
    seen=
    for suite in "$@"; do
        sources=$work/$suite.list
        line_of_sources "$suite" >"$sources"
        if [ ! -e "$work/$suite.read" ]; then
            echo "reading the list of packages of $suite"
            quietly private apt-get update
            : >"$work/$suite.read"
        fi
        image=$(image_of_suite "$version")
        [ -z "$image" ] || return 0
        seen="$seen $suite: $(image_of_suite '' | sed 's/linux-image-//');"
    done
    echo "no kernel $version in${seen%;}" >&2
    exit 1
}

# usage: take_out FILE of the package with debug information; what comes after it is not read
take_out() {
    { dpkg-deb --fsys-tarfile "$work/debs/$image-dbg"_*.deb || :; } 2>/dev/null |
        tar -x -C "$work" --occurrence=1 "./$1"
}

find_image "$@"
[ "$what" != debug ] || image=linux-image-$(cat "$root/complete")
release=${image#linux-image-}
headers=linux-headers-$release
# From 7.2 on an image is split; these are its parts.
parts=$(private apt-cache pkgnames linux- | grep -Fx -e "linux-binary-$release" -e "linux-modules-$release" || :)
# shellcheck disable=SC2086  # Each word is a package.
set -- $headers $builder $programs

case $what in
plan)
    {
        private apt-get install --yes --no-install-recommends --print-uris "$@"
        # shellcheck disable=SC2086
        (cd "$work/debs" && private apt-get download --print-uris "$image" $parts)
    } >"$work/uris" 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
    # A line is 'URI' FILE BYTES HASH.
    echo "plan $release $suite $(awk '/^\x27/ { bytes += $3 } END { print bytes + 0 }' "$work/uris")"
    ;;
fetch)
    echo "downloading $image, its headers, compiler and the programs of guests"
    quietly private apt-get install --yes --no-install-recommends --download-only "$@"
    # shellcheck disable=SC2086
    (cd "$work/debs" && quietly private apt-get download "$image" $parts)
    new=$work/root
    rm -rf "$new"
    mkdir "$new"
    echo "unpacking $(du -shc "$work"/debs/*.deb "$work"/cache/archives/*.deb | sed -n '$s/\t.*//p')"
    for package in "$work"/debs/*.deb "$work"/cache/archives/*.deb; do
        dpkg-deb --fsys-tarfile "$package" | tar -x -C "$new" --no-same-owner --keep-directory-symlink
    done
    # A link to a path under / would lead into this machine's own.
    find "$new" -type l -lname '/*' | while read -r link; do
        above=$(echo "${link#"$new"/}" | sed 's,[^/]*/,../,g; s,[^/]*$,,')
        target=$(readlink "$link")
        ln -sfn "$above${target#/}" "$link"
    done
    # What scripts of these packages would do.
    [ -e "$new/usr/bin/awk" ] || ln -s mawk "$new/usr/bin/awk"
    mkdir -p "$new/boot"
    [ ! -e "$new/usr/lib/modules/$release/vmlinuz" ] ||
        ln -sf "../usr/lib/modules/$release/vmlinuz" "$new/boot/vmlinuz-$release"
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
    (cd "$work/debs" && quietly private apt-get download "$image-dbg")
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
