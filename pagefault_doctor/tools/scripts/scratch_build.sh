# Builds a module in a copy of its source.
# Arguments: the folder of the source, that of the kernel's headers, options of make.
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
echo "scratch=$scratch"
cp -r "$1/." "$scratch" || exit 1
build=$2
shift 2
make -C "$build" M="$scratch" "$@" modules
