# Finds debug files. Standard input: the paths that a vmlinux may have, one a line.
vmlinux='' module='' places=$(cat)
say() { [ -z "$2" ] || printf '%s=%s\n' "$1" "$2"; }
say_found() { say vmlinux "$vmlinux"; say module "$module"; }
# Debian's headers have a vmlinux for BTF alone. The names of sections are at the end of the file.
has_debug_information() {
  case $1 in */build/vmlinux) tail -c 65536 "$1" | grep -q -F .debug_info ;; esac
}
# usage: find_in ROOT RELEASE PATTERN, with the pattern of a module's file or an empty text
find_in() {
  for place in $places; do
    if [ -z "$vmlinux" ] && [ -r "$1$place" ] && has_debug_information "$1$place"; then
      vmlinux=$1$place
    fi
  done
  [ -n "$3" ] && [ -z "$module" ] || return 0
  for folder in "$1/usr/lib/debug/lib/modules/$2" "$1/usr/lib/debug/usr/lib/modules/$2"; do
    [ -d "$folder" ] || continue
    module=$(find "$folder" -type f -name "$3" | head -n 1)
    [ -z "$module" ] || return 0
  done
}
free_kib() {
  df -Pk "$1" | { read -r _; read -r _ _ _ free _; echo "$free"; }
}
