# Prints lines of a file in an archive. Arguments: the archive, the file in it, the first line, the last.
# The tar of GNU goes on to the end of the archive unless it is told that there is no second one.
once=''
! tar --help 2>&1 | grep -q -e --occurrence || once=--occurrence=1
tar -x -O ${once:+"$once"} -f "$1" "$2" | sed -n "$3,$4p"
