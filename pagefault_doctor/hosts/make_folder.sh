# Makes a private folder, and says so. Argument: its path. The word is said by a child, for who says
# it to nobody dies of it.
folder=$1; shift
mkdir -m 700 "$folder" || exit
(echo made)
exec >/dev/null 2>&1
