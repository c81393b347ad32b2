# Runs QEMU, which its words are, from a first line to the end of the input, which ends however we
# do; then it leaves nothing of $folder behind.
if read -r _; then
    "$@" </dev/null 2>"${folder:?}/qemu.log" &
    read -r _
    kill -KILL $!; wait
fi
rm -rf "$folder"
