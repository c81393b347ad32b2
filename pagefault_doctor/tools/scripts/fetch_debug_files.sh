# Fetches debug files and unpacks them into the cache folder of the user and nowhere else.
# Arguments: apt, dnf or debuginfod-find; the package or build id; the cache folder; the name of a
# folder in it; the KiB that must be free; release and pattern as in find_debug_files.sh.
#
# Links that lead out of the tree are taken out of it, and so is all that is no file, folder or link.
how=$1 what=$2 cache=$3 name=$4 need=$5 release=$6 pattern=$7 part=''
# It becomes a part of paths.
case $release in */*) die "no release of a kernel: $release" ;; esac
open_part "$cache" "$name" "$what" "$need"
tree=$part/tree
mkdir "$tree" || exit 1
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
keep "$tree"
find_in "$cache/$name" "$release" "$pattern"
say tree "$cache/$name"
say_found
