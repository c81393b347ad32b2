# Ends a connection of ssh and removes $folder, in which its socket is, when the input ends. Argument:
# the mark that ssh has in its environment, also while it connects. Each line read is the process
# group of a connection, for where the mark is not found.
# shellcheck disable=SC2034  # end_marked.sh, which comes before, reads both.
mark=$1 group=
while read -r line; do group=-$line; done
signal_all TERM
sleep 0.2 || sleep 1
signal_all KILL
rm -rf "${folder:?}"
