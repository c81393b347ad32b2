# Prints the records of pstore, each after its path.
for dir in /sys/fs/pstore /var/lib/systemd/pstore; do
  [ -d "$dir" ] || continue
  if [ ! -r "$dir" ] || [ ! -x "$dir" ]; then printf 'pstore-denied %s\n' "$dir"; continue; fi
  for file in "$dir"/* "$dir"/*/* "$dir"/*/*/*; do
    [ -f "$file" ] || continue
    if [ ! -r "$file" ]; then printf 'pstore-denied %s\n' "$file"; continue; fi
    printf '\npstore-file %s\n' "$file"
    cat "$file"
  done
done
:
