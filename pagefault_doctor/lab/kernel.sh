#!/bin/sh
# Fetches another kernel of this machine's own distribution into a folder, laid out like a root file
# system, as the lab's guests want it. It is only unpacked: nothing is installed, and this machine
# does not boot it. All else there is this machine's own, by links.
#
#   kernel.sh FOLDER PACKAGE     PACKAGE is one that depends on the newest, such as linux-image-amd64
#
# What is there already is left as it is.

set -eu
umask 022 # What is here is executed, so nobody else may write to it.
root=$1 package=$2

if [ -e "$root/complete" ]; then
    echo "$(cat "$root/complete") is already in $root"
    exit
fi
image=$(apt-cache depends "$package" | sed -n 's/^ *Depends: \(linux-image-.*\)$/\1/p' | head -n 1)
[ -n "$image" ] || { echo "there is no $package in the lists of packages" >&2; exit 1; }

mkdir -p "$(dirname "$root")"
work=$(mktemp -d "$root.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
new=$(realpath "$work")/root

echo "fetching $image"
(cd "$work" && apt-get -qq -o APT::Sandbox::User=root download "$image")
dpkg-deb --extract "$work/$image"_*.deb "$new"
rm -rf "${new:?}/usr"
for place in usr bin sbin lib64; do
    [ ! -e "/$place" ] || ln -s "/$place" "$new/$place"
done
release=${image#linux-image-}
"$(PATH=$PATH:/usr/sbin:/sbin command -v depmod)" -b "$new" "$release"

echo "$release" >"$new/complete"
chmod a+rX "$new"
chmod -R a+rX "$new/boot" "$new/lib"
rm -rf "$root"
mv "$new" "$root"
echo "$release is in $root: $(du -sh "$root" | sed 's/\t.*//')"
