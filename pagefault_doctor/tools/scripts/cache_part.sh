# Fills a folder in a cache folder of the user and touches nothing else.
#
# What is half done lies in a folder .part-PID, which ends with its script, or is swept up by the next
# one after a kill -9. Neither a file nor all files together become larger than what was announced.
die() { printf '%s\n' "$*" >&2; exit 1; }
# usage: open_part CACHE NAME WHAT KIB: the cache folder, the name of a folder in it, the package or
# build id, and the KiB that must be free. Then `part` is an own folder, and $part/got the current one.
open_part() {
  cache=$1 name=$2 what=$3 need=$4
  # They become parts of paths, one of which is removed, and arguments.
  case $name in ''|.*|*/*) die "no name of a folder: $name" ;; esac
  case $what in ''|-*|*/*) die "no name of a package: $what" ;; esac
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
  mkdir "$part" "$part/got" && cd "$part/got" || exit 1
  ulimit -f $((need * 2))
  most=$((need * 1024))
}
# usage: unpacked PROGRAM ARGUMENT..., which unpacks its input; that ends where it would be too much
unpacked() { head -c "$most" | "$@" || die "$what is damaged, or larger than announced"; }
# usage: keep FOLDER, which becomes the folder of that name in the cache
keep() { rm -rf -- "${cache:?}/${name:?}" && mv "$1" "$cache/$name" || exit 1; }
