# Unpacks a file. Arguments: the file, the file to write, and its bytes at most.
command -v zstd >/dev/null || exit 127
zstd -dcq <"$1" | head -c "$3" >"$2"
