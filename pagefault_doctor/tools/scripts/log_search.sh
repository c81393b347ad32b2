# Prints a small log whole, and of a large one the lines around what matters.
# Arguments: the log, the bytes to print at most, lines before and after a place, places, characters
# of a line. Standard input: the words that mark a place.
#
# POSIX sh, grep and awk, busybox's too. It prints "@N" where a piece begins at line N, the lines of
# the piece with a blank before each, and "@end SIZE PLACES-LEFT-OUT".
file=$1 budget=$2 before=$3 after=$4 places=$5 longest=$6
export LC_ALL=C
needles=$(cat)
case $file in
*.gz) read=gzip ;; *.xz) read=xz ;; *.bz2) read=bzip2 ;; *.zst) read=zstd ;;
*.journal) read=journalctl of=--file ;; *) read= ;;
esac
# shellcheck disable=SC2010  # What ls says of an unreadable folder is told.
[ -d "$file" ] && [ "$(ls "$file" | grep -c '\.journal$')" -gt 0 ] && read=journalctl of=--directory
text() {
    case $read in
    '') cat -- "$file" ;;
    journalctl) journalctl "$of=$file" -k --no-pager -o short-monotonic ;;
    *) "$read" -dc -- "$file" ;;
    esac
}
[ ! "$read" ] || command -v "$read" >/dev/null || { echo "$read: not found" >&2; exit 127; }
[ -r "$file" ] && [ ! -d "$file" ] || [ "$of" ] || { cat -- "$file"; exit 1; }
# A FIFO would wait for a writer, and a device may have no end.
[ -f "$file" ] || [ -d "$file" ] || { echo "$file: not a regular file" >&2; exit 1; }
size=$([ -d "$file" ] && echo 0 || wc -c <"$file") || exit 1
if [ ! "$read" ] && [ "$size" -le "$budget" ]; then
    echo "@1"
    awk '{ print " " $0 }' <"$file"
    echo "@end $((size)) 0"
    exit 0
fi
grep -a x /dev/null 2>/dev/null
[ $? -gt 1 ] && binary= || binary=-a
# shellcheck disable=SC2086  # The option may be none.
found=$(text | grep -n -F $binary -e "$needles" | cut -d: -f1 | awk -v b="$before" \
    -v a="$after" -v p="$places" '
    { from = $1 > b ? $1 - b : 1; to = $1 + a
      if (n && from <= t[n] + 1) t[n] = to; else { n++; f[n] = from; t[n] = to } }
    END { for (i = 1; i <= n; i++) if (i <= p / 2 || i > n - p / 2) printf "%d %d ", f[i], t[i]
          print (n > p ? n - p : 0) }')
text | awk -v found="$found" -v budget="$budget" -v longest="$longest" '
    BEGIN { n = split(found, r, " "); left = r[n]; i = 1 }
    i >= n { exit }
    NR < r[i] { next }
    NR == r[i] { print "@" NR }
    { line = substr($0, 1, longest); print " " line; said += length(line) + 2 }
    NR == r[i + 1] { i += 2; if (said > budget) { left += int((n - i) / 2); exit } }
    END { print "@end '"$((size))"' " left + 0 }'
