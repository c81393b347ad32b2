# Ends the processes of a command when the standard input ends. Argument: the mark that they have in
# their environment. It reads the group, then a word that means that all is well.
# shellcheck disable=SC2034  # end_marked.sh, which comes before, reads both.
mark=$1 group=
if read -r group && read -r _; then exit; fi
group=${group:+-$group}
signal_all TERM
sleep 2
# A process may fork while the others are being found.
for _ in 1 2 3 4 5; do signal_all KILL; done
