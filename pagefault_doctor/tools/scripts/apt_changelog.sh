# Prints a kernel's changelog, from this disk if it is installed.
# Arguments: the package, its version, and installed or candidate.
for file in "/usr/share/doc/$1/"changelog*.gz; do
  [ -r "$file" ] && [ "$3" = installed ] && { gzip -dc "$file" | head -c 2000000; exit; }
done
apt-get -qq changelog "$1=$2" | head -c 2000000
