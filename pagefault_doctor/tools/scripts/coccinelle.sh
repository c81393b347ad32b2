# Searches a folder of source. Argument: the folder. Standard input: the semantic patches.
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
cat > "$scratch/rules.cocci"
spatch --very-quiet --sp-file "$scratch/rules.cocci" --dir "$1"
