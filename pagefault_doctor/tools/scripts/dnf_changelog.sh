# Prints a kernel's changelog, from this disk if it is installed.
# Arguments: the package, its version, and installed or candidate.
if [ "$3" = installed ]; then rpm -q --changelog "$1-$2"; else
  dnf -q repoquery --changelogs "$1-$2"
fi | head -c 2000000
