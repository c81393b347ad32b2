"""Reports of other parts of the kernel, and of programs that share its console."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.klog.formats.format import FAULT, Format
from pagefault_doctor.model.report import Kind

FORMS: Final = (
    Format(
        header="unregister_netdevice: waiting for",
        says=r"unregister_netdevice: waiting for .* to become free",
        title="unregister_netdevice: waiting for DEV to become free",
        kind=Kind.HUNG_TASK,
        plain=True,
        source="net/core/dev.c (netdev_wait_allrefs_any)",
    ),
    Format(
        header="Booting the kernel.",
        says=r"Booting the kernel\.",
        title="unexpected kernel reboot",
        kind=Kind.REBOOT,
        plain=True,
        source="arch/x86/boot/compressed/misc.c",
    ),
    Format(
        header="VFS: Busy inodes after unmount",
        says=r"VFS: Busy inodes after unmount",
        title="VFS: Busy inodes after unmount (use-after-free)",
        kind=Kind.KERNEL_BUG,
        plain=True,
        source="fs/super.c (generic_shutdown_super)",
    ),
    Format(
        header="VFS: Close: file count is 0",
        says=r"VFS: Close: file count is 0",
        title="VFS: Close: file count is zero (use-after-free)",
        kind=Kind.KERNEL_BUG,
        plain=True,
        source="fs/open.c (filp_flush)",
    ),
    Format(
        header="rust_kernel: panicked",
        says=r"rust_kernel: panicked at .*\n(?:\s*\n)*(.+)",
        title="{1} in {f}",
        kind=Kind.KERNEL_BUG,
        ways=FAULT,
        skip="rust_helper_BUG|rust_begin_unwind|core9panicking|core::panicking|__rust",
        source="rust/kernel/lib.rs",
    ),
    Format(
        header="trusty: panic",
        says=r"trusty: panic.* ASSERT FAILED(?: at \([^)]*\))?: *(.+)",
        title="trusty: ASSERT FAILED: {1}",
        kind=Kind.PANIC,
        plain=True,
    ),
    Format(
        header="trusty: panic",
        says=r"trusty: panic(?: \(caller [^)]*\))?: *(.*)",
        title="trusty: panic: {1}",
        kind=Kind.PANIC,
        plain=True,
    ),
    Format(
        header="fatal error:",
        says=r"fatal error:",
        title="go runtime error",
        kind=Kind.INFO,
        plain=True,
    ),
    Format(
        header="SYZFAIL:",
        says=r"SYZFAIL:(.*)",
        title="SYZFAIL:{1}",
        kind=Kind.INFO,
        plain=True,
    ),
    Format(
        header="SYZFATAL:",
        says=r"SYZFATAL:(.*)",
        title="SYZFATAL:{1}",
        kind=Kind.INFO,
        alts=("SYZFATAL",),
        plain=True,
    ),
    Format(
        header="panic:",
        says=r"panic:(.*)",
        title="panic:{1}",
        kind=Kind.INFO,
        plain=True,
    ),
    Format(
        header=("BUG:", "WARNING:", "INFO:"),
        says=r"(BUG|WARNING|INFO):\s*(?:\n|$)",
        title="{1}: corrupted",
        kind=Kind.INFO,
        lost=True,
    ),
    Format(header="BUG:", says=r"BUG: (.+)", title="BUG: {1}", kind=Kind.KERNEL_BUG),
    Format(
        header="WARNING:",
        says=r"WARNING: (.+)",
        title="WARNING: {1}",
        kind=Kind.WARNING,
        plain=True,
    ),
    Format(header="INFO:", says=r"INFO: (.+)", title="INFO: {1}", kind=Kind.INFO),
)
