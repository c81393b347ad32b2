# Writes what a binary journal holds of the kernel, in its export form.
# Arguments: the journal, the file to write, its bytes at most, and --file or --directory.
command -v journalctl >/dev/null || exit 127
journalctl "$4" "$1" _TRANSPORT=kernel --no-pager --quiet --output=export \
  --output-fields=MESSAGE,_BOOT_ID,_SOURCE_MONOTONIC_TIMESTAMP,_TRANSPORT,SYSLOG_IDENTIFIER |
  head -c "$3" >"$2"
