# Writes what a binary journal holds of the kernel, in its export form.
# Arguments: the journal, the file to write, its bytes at most, and --file or --directory.
command -v journalctl >/dev/null || exit 127
fields=MESSAGE,_BOOT_ID,_SOURCE_MONOTONIC_TIMESTAMP,_TRANSPORT,SYSLOG_IDENTIFIER
{
  journalctl "$4" "$1" _TRANSPORT=kernel --no-pager --quiet --output=export \
    --output-fields="$fields" || code=$?
  # Who writes more than is taken ends by SIGPIPE, 13.
  [ "${code:-0}" -lt 129 ] || [ "$code" -eq 141 ] || echo "ended by signal $((code - 128))" >&2
} | head -c "$3" >"$2"
