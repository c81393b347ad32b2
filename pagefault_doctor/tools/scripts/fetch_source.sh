# Fetches a source package of a kernel with apt into the cache folder of the user: its archive, and one
# file out of it. Needs debug_files.sh and cache_part.sh.
# Arguments: the package and its version, as in a=1; the cache folder; the name of a folder in it; the
# KiB that must be free; the file, from the root of the tree on.
package=${1%%=*} cache=$2 name=$3 file=$5 part=''
open_part "$cache" "$name" "$1" "$4"
# It becomes a part of a path.
case /$file/ in *//*|*/../*|*/-*) die "no name of a file: $file" ;; esac
apt-get -q download "$1" || exit 1
mkdir -p "$part/kept/tree/${file%/*}" || exit 1
kept=$part/kept
for deb in ./*.deb; do
  member=$(dpkg-deb --fsys-tarfile "$deb" | tar -t | grep -E "/$package\.tar\.(xz|bz2|gz|zst)$" |
    head -n 1)
  [ -n "$member" ] || die "$1 has no archive $package.tar"
  archive=$kept/${member##*/}
  dpkg-deb --fsys-tarfile "$deb" | unpacked tar -x -O "$member" >"$archive" || exit 1
done
echo "Taking $file out of ${archive##*/}, which takes some seconds" >&2
once=''
! tar --help 2>&1 | grep -q -e --occurrence || once=--occurrence=1
# Where it lacks the file, tar says so; the archive is kept for others.
tar -x -O ${once:+"$once"} -f "$archive" "$package/$file" >"$kept/tree/$file" || rm -f "$kept/tree/$file"
keep "$kept"
[ ! -f "$cache/$name/tree/$file" ] || say file "$cache/$name/tree/$file"
say archive "$cache/$name/${archive##*/}"
say end .
