# Reads what a command on another machine gets, coded for printf(1): its folder, its standard input,
# how many variables, the variables, its words. The words are left as the arguments.
d() { v=$(printf %b. "$1"); v=${v%.}; };
d "$1"; dir=$v; d "$2";
# shellcheck disable=SC2034  # It is for what comes after.
in=$v;
n=$3; shift 3;
# shellcheck disable=SC2163  # It is NAME=VALUE.
while [ "$n" -gt 0 ]; do d "$1"; export "$v"; shift; n=$((n-1)); done;
n=$#; while [ "$n" -gt 0 ]; do d "$1"; shift; set -- "$@" "$v"; n=$((n-1)); done;
PATH=${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin; export PATH;
cd -- "$dir" || exit 126;
