# Prints what the running kernel knows of a module. Argument: its name.
cd "/sys/module/$1" 2>/dev/null || { printf 'absent\n'; exit 0; }
printf 'present\n'
for name in initstate refcnt taint srcversion version coresize sections/.text \
    sections/.init.text sections/.data; do
  [ -r "$name" ] || continue
  value=
  { IFS= read -r value || :; } 2>/dev/null <"$name"
  printf '%s=%s\n' "$name" "$value"
done
while read -r key value; do
  case $key in btime) printf 'btime=%s\n' "$value" ;; esac
done 2>/dev/null </proc/stat
note=notes/.note.gnu.build-id
[ -r "$note" ] && printf 'build-id=%s\n' "$(od -An -v -tx1 "$note" 2>/dev/null | tr -d ' \n')"
:
