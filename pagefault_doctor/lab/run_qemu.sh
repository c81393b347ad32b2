# Runs QEMU, which its words are, from a first line to the end of the input, which ends however we
# do; then it leaves nothing of $folder behind. Of what QEMU says the beginning is kept, for it may
# warn without end; the folder `ended` appears when it has ended by itself.
if read -r _ && cd "${folder:?}"; then
    mkfifo said
    { head -c 16384 >qemu.log; cat >/dev/null; mkdir ended; } <said & reader=$!
    "$@" </dev/null >said 2>&1 &
    read -r _
    kill -KILL $! $reader; wait
    cd /
fi
rm -rf "$folder"
# QEMU can be a script whose children go on.
kill -KILL 0
