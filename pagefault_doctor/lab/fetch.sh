#!/bin/sh
# Fetches what guests of another architecture are made of into a folder, laid out like a root file
# system: a kernel, its headers and debug information, and programs. apt works in a folder of its
# own and packages are only unpacked, so that nothing is installed, and this machine does not learn
# the architecture.
#
#   fetch.sh FOLDER ARCH [SOURCES]     ARCH as Debian names it; SOURCES is a .list or .sources file
#
# What is there already is left as it is.

set -eu
umask 022 # What is here is executed, so nobody else may write to it.
root=$1 arch=$2 sources=${3:-}

programs="busybox-static coreutils dash findutils grep hostname kmod memtester procps sed stress-ng
util-linux usr-is-merged"

if [ -e "$root/complete" ]; then
    echo "$(cat "$root/complete") is already in $root"
    exit
fi
# shellcheck source=pagefault_doctor/lab/private_apt.sh
. "$(dirname "$0")/private_apt.sh"
[ -n "$sources" ] || sources=$(own_sources)
sources=$(realpath "$sources")

mkdir -p "$(dirname "$root")"
work=$(mktemp -d "$root.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
work=$(realpath "$work")
new=$work/root
mkdir -p "$new"
make_private

echo "reading the lists of packages that $sources names"
quietly private apt-get update
image=$(depends "linux-image-cloud-$arch" 'linux-image-.*')
[ -n "$image" ] || { echo "there is no linux-image-cloud-$arch in $sources" >&2; exit 1; }
release=${image#linux-image-}
headers="linux-headers-$release"
common=$(depends "$headers" 'linux-headers-.*-common')
kbuild=$(depends "$headers" 'linux-kbuild-[^:]*')

echo "fetching $image, its headers and debug information"
cd "$work/debs"
quietly private apt-get download "$image" "$image-dbg" "$headers" "$common" "$kbuild:$own"
cd /
echo "fetching programs: $programs"
# shellcheck disable=SC2086  # Each word is a package.
quietly private apt-get install --yes --no-install-recommends --download-only $programs

echo "unpacking $(du -shc "$work"/debs/*.deb "$work"/cache/archives/*.deb | sed -n '$s/\t.*//p')"
# Of the debug information only that of the kernel itself; it comes early, the rest is not read.
vmlinux=usr/lib/debug/boot/vmlinux-$release
{ dpkg-deb --fsys-tarfile "$work/debs/$image-dbg"_*.deb || :; } 2>/dev/null |
    tar -x -C "$new" --occurrence=1 "./$vmlinux"
rm "$work/debs/$image-dbg"_*.deb
for package in "$work"/debs/*.deb "$work"/cache/archives/*.deb; do
    dpkg-deb --extract "$package" "$new"
done

# The headers name their other half by its path under /.
echo "include \$(dir \$(lastword \$(MAKEFILE_LIST)))../$common/Makefile" \
    >"$new/usr/src/$headers/Makefile"
ln -sfn "../../../usr/src/$headers" "$new/lib/modules/$release/build"
ln -sfn "../../../usr/src/$common" "$new/lib/modules/$release/source"
"$(PATH=$PATH:/usr/sbin:/sbin command -v depmod)" -b "$new" "$release"

echo "$release" >"$new/complete"
chmod -R a+rX "$new"
rm -rf "$root"
mv "$new" "$root"
echo "$release is in $root: $(du -sh "$root" | sed 's/\t.*//')"
