# Prints the kernels that are installed, and the newest ones that apt knows.
# Arguments: the release that runs, and its flavour.
release=$1 flavour=$2
dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\n' "linux-image-[0-9]*-$flavour"
apt-cache depends --important "linux-image-$flavour" 2>/dev/null | {
  while read -r kind name; do
    case $kind in Depends:) printf '%s\n' "$name" ;; esac
  done
  printf 'linux-image-%s\n' "$release"
} | while IFS= read -r name; do
  apt-cache show --no-all-versions "$name" 2>/dev/null | while read -r key value; do
    case $key in Version:) printf 'candidate %s %s\n' "$name" "$value"; break ;; esac
  done
done
:
