# Ends a process group when the standard input ends. Argument: a file to remove with its folder, if
# any. It reads the group, then a word that means that all is well.
group=
if read -r group && read -r _; then exit; fi
[ -z "$group" ] || {
  kill -s TERM -- "-$group"
  sleep 2
  kill -s KILL -- "-$group"
}
[ -z "$1" ] || {
  rm -f -- "$1"
  rmdir -- "${1%/*}"
}
