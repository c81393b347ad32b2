#!/usr/bin/busybox sh
# The first process of the lab's guest. It sets the machine up; then it reads one request a line
# from the second serial port, "run NUMBER LIMIT SCRIPT STDIN" with the last two in base64, and
# answers with "done NUMBER STATUS", the two output streams in base64, each ended by a dot.
# While a command runs, any line ("kill") ends it with all its children.

export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root USER=root LANG=C LC_ALL=C TERM=dumb

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /run
mount -t debugfs debugfs /sys/kernel/debug
mount -t tracefs tracefs /sys/kernel/tracing
mkdir -p /dev/shm /run/agent
mount -t tmpfs tmpfs /dev/shm
ln -s /proc/self/fd /dev/fd
hostname lab
/usr/sbin/depmod -a 2>/dev/null
/usr/sbin/modprobe qemu_fw_cfg 2>/dev/null

stty -F /dev/ttyS1 raw -echo
exec 3<>/dev/ttyS1
cd /run/agent || exit

answer() {
    echo "done $1 $2"
    head -c "$3" out | base64
    echo .
    head -c "$3" err | base64
    echo .
}

run() {
    echo "$3" | base64 -d >script
    echo "$4" | base64 -d >stdin
    rm -f missing
    setsid /usr/bin/sh ./script <stdin >out 2>err &
    command=$!
    (read -r _ <&3 && kill -KILL -- "-$command") &
    listener=$!
    wait "$command"
    status=$?
    kill -KILL -- "$listener" "-$command"
    wait "$listener"
    [ -e missing ] && status=missing
    answer "$1" "$status" "$2" >&3
} 2>/dev/null

echo ready >&3
while :; do
    read -r verb number limit script stdin <&3 || continue
    [ "$verb" = run ] && run "$number" "$limit" "$script" "$stdin"
done
