# Prints what the box is. Standard input: names of programs, one a line.
# Uses the shell's own words, and not even /dev/null: a broken box may have nothing else.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin
export PATH
has() { [ -n "$(command -v "$1")" ]; }
say() { [ -z "$2" ] || printf '%s=%s\n' "$1" "$2"; }
# A program that prints without end must not fill the memory of this shell. Some have no head.
brief() { "$@"; }
has head && [ "$(printf xx | head -c 1)" = x ] && brief() { "$@" | head -c 65536; }
first() {
  [ -r "$2" ] || return 0
  line=
  IFS= read -r line <"$2" || :
  say "$1" "$line"
}
first kernel /proc/sys/kernel/osrelease
first name /proc/sys/kernel/hostname
first boot_id /proc/sys/kernel/random/boot_id
# Words of their line: the seconds since the boot, and when it was, in seconds since 1970.
[ -r /proc/uptime ] && read -r seconds _ </proc/uptime && say uptime "$seconds"
[ -r /proc/stat ] && while read -r key value _; do
  [ "$key" = btime ] && say booted "$value" && break
done </proc/stat
first lockdown /sys/kernel/security/lockdown
first dmesg_restrict /proc/sys/kernel/dmesg_restrict
first cmdline /proc/cmdline
first product /sys/class/dmi/id/product_name
first vendor /sys/class/dmi/id/sys_vendor
first hypervisor /sys/hypervisor/type
first container /run/systemd/container
[ -f /.dockerenv ] && say container docker
[ -f /run/.containerenv ] && say container podman
[ -r /proc/1/cgroup ] && while IFS= read -r line; do
  case $line in
    *docker*|*kubepods*|*containerd*|*libpod*|*/lxc/*) say container "cgroup ${line##*/}" ;;
  esac
done </proc/1/cgroup
[ -r /proc/cpuinfo ] && while IFS= read -r line; do
  case $line in
    flags*hypervisor*) say hypervisor flag; break ;;
    flags*) break ;;
  esac
done </proc/cpuinfo
for file in /etc/os-release /usr/lib/os-release; do
  [ -r "$file" ] || continue
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in ID=*|ID_LIKE=*|PRETTY_NAME=*) printf 'os.%s\n' "$line" ;; esac
  done <"$file"
  break
done
has uname && say machine "$(brief uname -m)" && say release "$(brief uname -r)"
uid=
has id && uid=$(brief id -u)
[ -z "$uid" ] && [ -r /proc/self/status ] && while read -r key _ effective _; do
  case $key in Uid:) uid=$effective; break ;; esac
done </proc/self/status
say uid "$uid"
try_sudo() { sudo -n true 2>&1 && printf 'sudo ran it'; }
[ "$uid" != 0 ] && has sudo && case $(brief try_sudo) in
  *"sudo ran it") say sudo yes ;;
  *"password is required"*) say sudo asks ;;
esac
[ -r /proc/mounts ] && while read -r _ folder _ options _; do
  case $folder in /|/home|/root|/tmp|/var|/var/crash|/var/log) ;; *) continue ;; esac
  case ,$options, in *,ro,*) printf 'readonly=%s\n' "$folder" ;; esac
done </proc/mounts
has df && brief df -Pk / /tmp /var /var/crash | while read -r _ _ _ free _ folder; do
  case $free in [0-9]|[0-9][0-9]*) [ "$free" -lt 16384 ] && printf 'full=%s\n' "$folder" ;; esac
done
[ -r /proc/modules ] && while read -r module _; do say module "$module"; done </proc/modules
has mokutil && say secure_boot "$(brief mokutil --sb-state)"
efi=/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c
[ -r "$efi" ] && has od && say secure_boot "efi $(brief od -An -tu1 -j4 -N1 "$efi")"
while IFS= read -r program; do has "$program" && say program "$program"; done
say end .
