# Ends a connection of ssh and removes $folder, in which its socket is, when the input ends. Argument:
# the mark in the environment of an ssh that is still connecting. Each line read is the process group
# of a connection. One that was not told, and has written over its environment, has its socket.
# shellcheck disable=SC2034  # end_marked.sh, which comes before, reads both.
mark=$1 group=
while read -r line; do group=-$line; done
signal_all TERM
if [ -S "${folder:?}/link" ]; then
  ssh -F none -O exit -o ControlPath="$folder/link" -- any &
  sleep 1
  kill -s KILL $!
fi
signal_all KILL
rm -rf "$folder"
