# Runs its words, and marks lines of output, of errors, and the exit code.
# Arguments: the mark, the standard input as a text, then the words.
n=$1
in=$2
shift 2
exec 4>&1
{
  {
    printf %s "$in" | "$@" 4>&-
    printf "%s\n" "$n-x$?" >&4
  } 2>&1 >&3 3>&- | sed "s/^/$n-e/" >&4
} 3>&1 | sed "s/^/$n-o/" >&4
