# Prints where the kernel puts cores, and the newest one there.
# Argument: the program that died, or /.
pattern=$(cat /proc/sys/kernel/core_pattern)
echo "pattern=$pattern"
# shellcheck disable=SC3045  # dash, busybox and bash have it.
echo "limit=$(ulimit -c)"
case $pattern in "|"*) exit 0 ;; esac
shape=$(printf %s "$pattern" | sed 's/%%/%/g; s/%[a-zA-Z]/*/g')
case $pattern in /*) ;; *) cd "${1%/*}" 2>/dev/null || exit 0 ;; esac
IFS=
# shellcheck disable=SC2012,SC2086  # The pattern is to be expanded, the newest first.
for core in $(ls -1t $shape "$shape".* 2>/dev/null | head -n 1); do
    case $core in /*) echo "core=$core" ;; *) echo "core=$PWD/$core" ;; esac
done
