# shellcheck shell=sh disable=SC2154
# For fetch_kernel.sh: apt on a folder of its own, so that nothing is installed, and
# this machine's lists of packages and architectures stay as they are. It uses $work, $arch and $sources.

own=$(dpkg --print-architecture)

# usage: own_sources, prints this machine's file of Debian's packages
own_sources() {
    for place in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
        [ ! -s "$place" ] || { echo "$place"; return; }
    done
    echo "no sources of Debian packages: name a file of them" >&2
    exit 1
}

# usage: make_private, the folders that apt needs
make_private() {
    cache=$work/cache
    mkdir -p "$work/debs" "$work/state/lists/partial" "$cache/archives/partial"
    : >"$work/status"
}

# usage: private PROGRAM ARGUMENT..., one of apt's programs on the private folder
private() {
    program=$1
    shift
    "$program" -q -o APT::Architecture="$arch" -o APT::Architectures::="$arch" \
        -o APT::Architectures::="$own" -o APT::Sandbox::User=root -o Debug::NoLocking=1 \
        -o Dir::State="$work/state" -o Dir::State::status="$work/status" \
        -o Dir::Cache="$cache" -o Dir::Etc::sourcelist="$sources" \
        -o Dir::Etc::sourceparts=- -o Acquire::Languages=none -o APT::Get::List-Cleanup=0 "$@"
}

# usage: give_up, prints the line of the log that says why a command has failed
give_up() {
    for why in 'No space left on device' '^E: ' .; do
        found=$(grep -m 1 -e "$why" "$work/log") || continue
        echo "error: $found" >&2
        exit 1
    done
    exit 1
}

# usage: quietly COMMAND..., whose output is not told; where it fails, why
quietly() {
    "$@" >"$work/log" 2>&1 || give_up
}
