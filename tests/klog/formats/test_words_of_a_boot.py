"""Programs that the boot needs and that cannot run, in their own words and the kernel's."""

from __future__ import annotations

import pytest

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.model.diagnosis import Attribution, RootCause


def verdict(line: str) -> tuple[RootCause, Attribution]:
    found = diagnose((klog.read(f"{line}\n".encode(), "log"),), {}).verdict
    return found.root_cause, found.attribution


@pytest.mark.parametrize(
    "line",
    [
        "Target filesystem doesn't have requested /sbin/init.",
        "No init found. Try passing init= bootarg.",
        "run-init: /sbin/init: No such file or directory",
        "switch_root: failed to execute /sbin/init: No such file or directory",
        "[   12.300000] systemd[1]: Freezing execution.",
        "[   12.300000] systemd[1]: Failed to mount API filesystems, freezing.",
        "[!!!!!!] Failed to mount API filesystems, freezing.",
        "[   12.300000] init: critical process 'zygote' exited 4 times in 4 minutes; rebooting",
        "mount: mounting /dev/root on /root failed: No such device",
        "Illegal instruction",
        "Bus error",
        "python3[123]: Fatal Python error: Segmentation fault",
        "[  1.0] a[12]: segfault at 0 ip           (null) sp 00007ffd012 error 14 in a[4000+1000]",
        "[  1.0] segfault at 0 ip 00007f1e0b44a7d7 sp 00007ffe7 error 4 in a.so[7f1e0b407000+9b]",
        "a[12]: segfault at 0 ip 00007f1e0b44",
        "[  1.0] a[12] segfault at 0 ip 00007f1e0b44a7d7 sp 00007ffe7 error 4",
        "[  1.0] traps: a[12] control protection ip:40 sp:7f ssp:7f error:1(near ret)",
        "gnome-shell[12]: GNOME Shell crashed with signal 11",
        "supervisord: exited: a (terminated by SIGSEGV; not expected)",
        "/system/bin/app_process32: Segmentation fault",
        "init: Untracked pid 123 received signal 11",
        "terminate called after throwing an instance of 'std::bad_alloc'",
        "a: a.c:3: main: Assertion `x > 0' failed.",
        "[  1.0] a[12] bad frame in 32bit sigreturn frame:00000000ffb ip:f7 sp:ff orax:ff",
    ],
)
def test_a_program_that_cannot_run_is_one_of_user_space(line: str) -> None:
    assert verdict(line) == (RootCause.USER_SPACE, Attribution.USER_SPACE)


@pytest.mark.parametrize(
    "line",
    [
        # The kernel goes on to the next one (init/main.c, kernel_init).
        "[    3.100000] Failed to execute /init (error -2)",
        "[    3.100000] /dev/root: Can't open blockdev",
        "[    3.100000] Run /init as init process",
        "./prog: error while loading shared libraries: libfoo.so.1: cannot open shared object file",
        "mount: mounting /dev/sdb1 on /mnt/usb failed: No such device",
        "[   12.300000] systemd[1]: Failed to start demo.service.",
        "[   12.300000] demo: signal 5 (SIGNAL_LOST) is ignored",
        "demo: Illegal instruction set 3 is not used",
        "[   12.300000] demo: Bus error counter cleared",
    ],
)
def test_ordinary_lines_of_a_boot_are_no_fault(line: str) -> None:
    assert verdict(line) == (RootCause.NONE, Attribution.NONE)
