# Looks for a file where the person said, beside it, and where libraries are kept; prints its path
# and program headers. Arguments: the program that died, and the name of the file.
found=
[ "${1##*/}" = "$2" ] && [ -f "$1" ] && found=$1
for folder in "${1%/*}" /lib/*-linux-gnu* /usr/lib/*-linux-gnu* /lib64 /usr/lib64 /lib /usr/lib \
    /usr/local/lib; do
    [ -z "$found" ] && [ -f "$folder/$2" ] && found=$folder/$2
done
[ -n "$found" ] || { echo "no file $2" >&2; exit 1; }
echo "file=$found"
LC_ALL=C exec readelf -lW "$found"
