#!/usr/bin/busybox sh
# The first process of the lab's guest. It sets the machine up; then it reads one request a line
# from the second serial port, "run NUMBER LIMIT SCRIPT STDIN" with the last two in base64, and
# answers with "done NUMBER STATUS", the two output streams in base64, each ended by a dot.
# While a command runs, "said NUMBER STREAM TEXT" gives what is new of its output, and any line ("kill") ends it with all its children.

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
/usr/sbin/modprobe -a qemu_fw_cfg pvpanic-pci 2>/dev/null

read -r agent </etc/agent
# The port of a virtio device comes with its module, and a little later.
[ -e "/dev/$agent" ] || /usr/sbin/modprobe virtio_console 2>/dev/null
for _ in 1 2 3 4 5 6 7 8 9; do [ -e "/dev/$agent" ] || sleep 1; done
exec 3<>"/dev/$agent"
# While it is open: a port such as hvc1 forgets its settings with its last user.
stty -F "/dev/$agent" raw -echo
cd /run/agent || exit

answer() {
    echo "done $1 $2"
    head -c "$3" out | base64
    echo .
    head -c "$3" err | base64
    echo .
}

# A flood is told in part only: the answer has all of it.
tell() {
    # shellcheck disable=SC2034  # Read by name below.
    out=0 err=0
    while sleep 1; do
        for stream in out err; do
            from=0
            eval "from=\$$stream"
            size=$(stat -c %s $stream)
            [ "$size" -gt "$from" ] || continue
            [ $((size - from)) -gt 16384 ] && size=$((from + 16384))
            text=$(tail -c "+$((from + 1))" $stream | head -c "$((size - from))" | base64 | tr -d '\n')
            echo "said $1 $stream $text"
            eval "$stream=$size"
        done
    done
}

run() {
    echo "$3" | base64 -d >script
    echo "$4" | base64 -d >stdin
    rm -f missing
    setsid /usr/bin/sh ./script <stdin >out 2>err &
    command=$!
    (read -r _ <&3 && kill -KILL "-$command") &
    listener=$!
    tell "$1" >&3 &
    teller=$!
    wait "$command"
    status=$?
    kill -KILL "$listener" "$teller" "-$command"
    wait "$listener" "$teller"
    echo >&3
    [ -e missing ] && status=missing
    answer "$1" "$status" "$2" >&3
} 2>/dev/null

echo ready >&3
# This process is told of the end of every orphan, and ash begins a `read` anew when a signal comes
# in the middle, without what it has: a process without children reads.
while :; do
    request=$(read -r line <&3 && echo "$line")
    # shellcheck disable=SC2086  # Its words are split here.
    set -- $request
    [ "$1" = run ] && run "$2" "$3" "$4" "$5"
done
