#!/bin/sh
# Builds modules with the programs of a fetched root, in namespaces of its own (unshare(1)): what is
# mounted here is seen by nobody else and gone with the last process. The sources are at /tmp/source.
#
#   build_in_root.sh ROOT RELEASE FOLDER [ARGUMENT...]     ARGUMENTs are for make

set -eu
root=$1 release=$2 folder=$3
shift 3
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs source "$root/tmp"
mkdir "$root/tmp/source"
mount --bind "$folder" "$root/tmp/source"
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
exec chroot "$root" make -C "/lib/modules/$release/build" M=/tmp/source "$@" modules
