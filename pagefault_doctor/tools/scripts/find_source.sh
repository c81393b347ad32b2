# Looks for the source of a kernel: for a file of it in the cache folder of the user, and for archives
# of it there and installed. Needs debug_files.sh. Prints for each its package, version and path.
# Arguments: the file, from the root of the tree on; then names of packages, such as linux-source-6.1.
file=$1
shift
case ${XDG_CACHE_HOME-} in /*) cache=$XDG_CACHE_HOME ;; *) cache=${HOME:-/root}/.cache ;; esac
cache=$cache/pfdoctor/source
version_of() {
  [ -z "$(command -v dpkg-query)" ] || dpkg-query -W -f '${Version}' "$1" 2>/dev/null || :
}
for package; do
  # What somebody else may have put into the cache is not used.
  if [ -O "$cache" ] && [ -O "${cache%/*}" ]; then
    for folder in "$cache/${package}"_*; do
      [ ! -f "$folder/tree/$file" ] || say file "$package ${folder##*_} $folder/tree/$file"
      for archive in "$folder"/*.tar.*; do
        [ ! -f "$archive" ] || say archive "$package ${folder##*_} $archive"
      done
    done
  fi
  for archive in "/usr/src/$package".tar.* "/usr/src/$package/$package".tar.*; do
    [ ! -r "$archive" ] || say archive "$package $(version_of "$package") $archive"
  done
done
say cache "$cache"
there=$cache
while [ ! -d "$there" ]; do there=${there%/*}; there=${there:-/}; done
say free_kib "$(free_kib "$there")"
[ -w "$there" ] || say unwritable "$there"
say end .
