# Runs a command on another machine, and ends it with all its children when its input ends.
# Descriptor 3 is the link to us: its end means that we are gone, or that the command is cancelled.
exec 3<&0 </dev/null;
command -v -- "$1" >/dev/null 2>&1 || { echo "$1: not found" >&2; exit 127; };
# A session of its own is a group that can be ended as a whole.
s=; command -v setsid >/dev/null 2>&1 && s=setsid;
# shellcheck disable=SC2154  # remote_words.sh sets it.
printf %s "$in" | $s "$@" 3<&- & c=$!; exec 2>/dev/null;
e() { kill -s "$1" -- "-$c" || kill -s "$1" "$c"; };
{ read -r _ <&3; e TERM; sleep 2; e KILL; } >/dev/null 2>&1 & g=$!;
wait $c; r=$?; kill $g; e TERM; exit $r
