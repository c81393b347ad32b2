# Runs a command on another machine, and ends it with all its children when its input ends.
# Descriptor 3 is the link to us: its end means that we are gone, or that the command is cancelled.
exec 3<&0 </dev/null;
command -v -- "$1" >/dev/null 2>&1 || {
case "$1" in */*) [ -e "$1" ] && { echo "$1: it is not executable" >&2; exit 126; };; esac;
echo "$1: not found" >&2; exit 127; };
# A session of its own is a group that can be ended as a whole.
s=; group=; command -v setsid >/dev/null 2>&1 && { s=setsid; group=-; };
# Who leaves the group still has the mark in its environment.
# shellcheck disable=SC2034  # end_marked.sh reads it.
mark=$PFDOCTOR_COMMAND;
# shellcheck disable=SC2154  # remote_words.sh sets it.
printf %s "$in" | $s "$@" 3<&- & c=$!; group=$group$c; exec 2>/dev/null;
left() { kill -0 "$group" || [ -n "$(marked)" ]; };
{ read -r _ <&3; signal_all TERM; sleep 2; signal_all KILL; } >/dev/null 2>&1 & g=$!;
wait $c; r=$?; kill $g;
# What is left of it: those that SIGTERM ends soon, then the others; they may fork meanwhile.
for n in TERM 0 0 0 KILL KILL KILL KILL; do
left || break; signal_all $n; sleep 0.5 || sleep 1;
done;
exit $r
