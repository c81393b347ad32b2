# Removes $folder when the input ends. More than one try: a build that is just being ended may still
# write there.
read -r _
for _ in 1 2 3 4; do rm -rf "${folder:?}"; [ -e "$folder" ] || exit; sleep 1; done
