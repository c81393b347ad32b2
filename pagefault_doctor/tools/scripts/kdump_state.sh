# Prints whether a crash of this box would leave a dump.
say() { [ -r "$2" ] && echo "$1=$(head -n 1 "$2")"; }
say reserved /sys/kernel/kexec_crash_size
say loaded /sys/kernel/kexec_crash_loaded
say panic_on_oops /proc/sys/kernel/panic_on_oops
# shellcheck disable=SC2013  # It is one line of words.
for word in $(cat /proc/cmdline); do
  case $word in crashkernel=*) echo "$word";; esac
done
for folder in /var/crash /var; do
  [ -d $folder ] || continue
  echo "free_kib=$(df -Pk $folder | tail -n 1 | tr -s ' ' | cut -d ' ' -f 4)"
  break
done
echo "memory_kib=$(sed -n 's/^MemTotal: *\([0-9]*\).*/\1/p' /proc/meminfo)"
for unit in kdump kdump-tools; do
  systemctl is-active --quiet $unit 2>/dev/null && echo "service=$unit"
done
true
