#!/usr/bin/busybox sh
# The first process of the capture kernel: it saves the memory of the one that crashed to the disk,
# flattened, since a disk without a file system cannot be sought in like a file.

export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t devtmpfs devtmpfs /dev
while read -r module; do
    insmod "$module"
done </modules
if [ -b /dev/vda ]; then
    makedumpfile -F -d 31 -l /proc/vmcore 2>/dump.log >/dev/vda
    echo "pfdoctor capture: exit code $?, $(tail -n 3 /dump.log | tr "\n" " ")" >/dev/console
    sync
else
    echo "pfdoctor capture: exit code 1, no disk" >/dev/console
fi
reboot -f
