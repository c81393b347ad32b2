# Takes a piece of a compressed file, and unpacks it after the last.
# Arguments: the path, and "last" or an empty text. Standard input: the piece in base64.
mkdir -p "${1%/*}" && busybox base64 -d >>"$1.part" || exit
[ -z "$2" ] || { gzip -dc <"$1.part" >"$1" && rm "$1.part"; }
