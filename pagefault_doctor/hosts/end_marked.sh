# Defines signal_all(NAME): send a signal to $group, and to every process with $mark in its
# environment, wherever it went. grep itself runs without the mark. busybox knows no `kill --`, dash
# no `kill -s NAME -GROUP`.
marked() { PFDOCTOR_COMMAND="" grep -lsF -e "PFDOCTOR_COMMAND=${mark:?}" /proc/[0-9]*/environ; };
signal_all() {
[ -z "$group" ] || kill "-$1" "$group";
for environ in $(marked); do
environ=${environ%/environ}; kill "-$1" "${environ##*/}";
done;
};
