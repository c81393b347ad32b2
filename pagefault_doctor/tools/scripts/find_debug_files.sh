# Looks for debug files, here and in the cache folder of the user, also among the lab's kernels.
# Arguments: the release, and a pattern of the module's file or an empty text.
release=$1 pattern=$2
case ${XDG_CACHE_HOME-} in /*) cache=$XDG_CACHE_HOME ;; *) cache=${HOME:-/root}/.cache ;; esac
cache=$cache/pfdoctor/debug
find_in "" "$release" "$pattern"
# What somebody else may have put into the cache is not used.
if [ -O "$cache" ] && [ -O "${cache%/*}" ]; then
  for tree in "$cache"/* "${cache%/*}"/kernels/*/*; do find_in "$tree" "$release" "$pattern"; done
fi
say_found
say cache "$cache"
there=$cache
while [ ! -d "$there" ]; do there=${there%/*}; there=${there:-/}; done
say free_kib "$(free_kib "$there")"
[ -w "$there" ] || say unwritable "$there"
say urls "${DEBUGINFOD_URLS-}"
if [ "$(uname -r | head -c 999)" = "$release" ] && [ -r /sys/kernel/notes ]; then
  say notes "$(od -An -v -tx1 /sys/kernel/notes | head -c 999999 | tr -d ' \n')"
fi
say end .
