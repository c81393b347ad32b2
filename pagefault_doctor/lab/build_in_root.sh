#!/bin/sh
# Builds modules with the programs of a fetched root, in namespaces of its own (unshare(1)): what is
# mounted here is seen by nobody else and gone with the last process. The sources are at /tmp/source.
#
#   build_in_root.sh ROOT FOLDER COMMAND...     FOLDER has the sources

set -eu
root=$1 folder=$2
shift 2
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs source "$root/tmp"
mkdir "$root/tmp/source"
mount --bind "$folder" "$root/tmp/source"
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
exec chroot "$root" "$@"
