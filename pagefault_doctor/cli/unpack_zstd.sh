# Unpacks a file. Arguments: the file, the file to write, and its bytes at most.
command -v zstd >/dev/null || exit 127
{
  zstd -dcq <"$1" || code=$?
  # Who writes more than is taken ends by SIGPIPE, 13.
  [ "${code:-0}" -lt 129 ] || [ "$code" -eq 141 ] || echo "ended by signal $((code - 128))" >&2
} | head -c "$3" >"$2"
