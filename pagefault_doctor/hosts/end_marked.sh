# Defines signal_all(NAME): send a signal to $group, and to every process with $mark in its
# environment, wherever it went. busybox knows no `kill --`, dash no `kill -s NAME -GROUP`. The grep
# of busybox reads a line only up to a NUL; that of GNU runs without the mark itself.
marked() {
case $(grep --version 2>/dev/null) in
*GNU*) PFDOCTOR_COMMAND="" grep -lsF -e "PFDOCTOR_COMMAND=${mark:?}" /proc/[0-9]*/environ;;
*) for environ in /proc/[0-9]*/environ; do
[ -e "${environ%environ}exe" ] && tr -c " -~" "@" <"$environ" |
grep -qF -e "PFDOCTOR_COMMAND=${mark:?}" && echo "$environ"; done;;
esac;
};
signal_all() {
[ -z "$group" ] || kill "-$1" "$group";
for environ in $(marked); do
process=${environ%/environ};
in_group "$process" || kill "-$1" "${process##*/}";
done;
};
# Whether $group has got the signal to this process: a handler must not run twice. In proc(5) the
# group is the third field after the name in brackets.
in_group() {
[ "$group" = "${1##*/}" ] && return;
read -r stat <"$1/stat" || return;
# shellcheck disable=SC2086  # The fields become the arguments.
set -- ${stat##*)};
[ "$group" = "-$3" ];
} 2>/dev/null;
