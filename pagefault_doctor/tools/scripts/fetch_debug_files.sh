# Fetches debug files and unpacks them into the cache folder of the user and nowhere else.
# Arguments: apt, dnf or debuginfod-find; the package or build id; the cache folder; the name of a
# folder in it; the KiB that must be free; release and pattern as in find_debug_files.sh.
#
# What is half done lies in a folder .part-PID, which ends with its script, or is swept up by the next
# one after a kill -9. Links that lead out of the tree are taken out of it, and so is all that is no
# file, folder or link. Neither a file nor all files together become larger than what was announced.
how=$1 what=$2 cache=$3 name=$4 need=$5 release=$6 pattern=$7
die() { printf '%s\n' "$*" >&2; exit 1; }
# They become parts of paths, one of which is removed, and arguments.
case $name in ''|.*|*/*) die "no name of a folder: $name" ;; esac
case $what in ''|-*|*/*) die "no name of a package: $what" ;; esac
case $release in */*) die "no release of a kernel: $release" ;; esac
umask 077
mkdir -p "$cache" && cache=$(cd "$cache" && pwd -P) || exit 1
if [ ! -O "$cache" ] || [ ! -O "${cache%/*}" ]; then
  die "$cache belongs to another user: name a folder of your own with XDG_CACHE_HOME"
fi
chmod go-w "$cache" "${cache%/*}" || exit 1
for old in "$cache"/.part-*; do
  [ ! -d "$old" ] || [ -d "/proc/${old##*-}" ] || rm -rf -- "$old"
done
free=$(free_kib "$cache")
[ "$free" -gt "$need" ] || die "$cache has $free KiB free, $need are needed"
part=$cache/.part-$$
trap 'cd /; rm -rf -- "$part"' EXIT
trap 'exit 1' HUP INT TERM
tree=$part/tree
mkdir "$part" "$part/got" "$tree" && cd "$part/got" || exit 1
ulimit -f $((need * 2))
most=$((need * 1024))
# usage: unpacked PROGRAM ARGUMENT..., which unpacks its input; that ends where it would be too much
unpacked() { head -c "$most" | "$@" || die "$what is damaged, or larger than announced"; }
case $how in
  apt)
    apt-get -q download "$what" || exit 1
    for file in ./*.deb; do 
      dpkg-deb --fsys-tarfile "$file" | unpacked tar -x --no-same-owner -C "$tree" || exit 1
    done
    ;;
  dnf)
    dnf -q download '--enablerepo=*debug*' --destdir . "$what" || exit 1
    for file in ./*.rpm; do
      case $(rpmkeys -K "$file") in
        *" signatures OK"*) ;;
        *) die "$what has no good signature by a key that rpm knows" ;;
      esac
      if [ -n "$(command -v bsdtar)" ]; then
        bsdtar -cf - "@$file" | unpacked bsdtar -xf - -C "$tree" || exit 1
      else
        rpm2cpio "$file" | (cd "$tree" && unpacked cpio -idm --quiet --no-absolute-filenames) ||
          exit 1
      fi
    done
    ;;
  debuginfod-find)
    DEBUGINFOD_CACHE_PATH=$part/got DEBUGINFOD_MAXSIZE=$((need * 1024))
    export DEBUGINFOD_CACHE_PATH DEBUGINFOD_MAXSIZE
    file=$(debuginfod-find debuginfo "$what") || die "no debuginfod server has $what"
    mkdir -p "$tree/usr/lib/debug/boot" && mv "$file" "$tree/usr/lib/debug/boot/vmlinux-$release" \
      || exit 1
    ;;
esac
find "$tree" ! -type f ! -type d ! -type l -exec rm -f -- {} +
find "$tree" -type l -exec sh -c '
  for link; do
    case $(readlink -f -- "$link") in "$0"/*) ;; *) rm -f -- "$link" ;; esac
  done' "$tree" {} +
chmod -R u-s,g-s,go=,u+rwX "$tree"
rm -rf -- "${cache:?}/${name:?}"
mv "$tree" "$cache/$name" || exit 1
find_in "$cache/$name" "$release" "$pattern"
say tree "$cache/$name"
say_found
