"""Reports of other parts of the kernel, and of programs that share its console."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.klog.formats.format import FAULT, Form
from pagefault_doctor.model.report import Kind

FORMS: Final = (
    Form(
        header="unregister_netdevice: waiting for",
        says=r"unregister_netdevice: waiting for .* to become free",
        title="unregister_netdevice: waiting for DEV to become free",
        kind=Kind.HUNG_TASK,
        plain=True,
        source="net/core/dev.c (netdev_wait_allrefs_any)",
    ),
    Form(
        header="Booting the kernel.",
        says=r"Booting the kernel\.",
        title="unexpected kernel reboot",
        kind=Kind.REBOOT,
        plain=True,
        source="arch/x86/boot/compressed/misc.c",
    ),
    Form(
        header="VFS: Busy inodes after unmount",
        says=r"VFS: Busy inodes after unmount",
        title="VFS: Busy inodes after unmount (use-after-free)",
        kind=Kind.KERNEL_BUG,
        plain=True,
        source="fs/super.c (generic_shutdown_super)",
    ),
    Form(
        header="VFS: Close: file count is 0",
        says=r"VFS: Close: file count is 0",
        title="VFS: Close: file count is zero (use-after-free)",
        kind=Kind.KERNEL_BUG,
        plain=True,
        source="fs/open.c (filp_flush)",
    ),
    Form(
        header="rust_kernel: panicked",
        says=r"rust_kernel: panicked at .*\n(?:\s*\n)*(.+)",
        title="{1} in {f}",
        kind=Kind.KERNEL_BUG,
        ways=FAULT,
        skip="rust_helper_BUG|rust_begin_unwind|core9panicking|core::panicking|__rust",
        source="rust/kernel/lib.rs",
    ),
    Form(
        header="trusty: panic",
        says=r"trusty: panic.* ASSERT FAILED(?: at \([^)]*\))?: *(.+)",
        title="trusty: ASSERT FAILED: {1}",
        kind=Kind.PANIC,
        plain=True,
    ),
    Form(
        header="trusty: panic",
        says=r"trusty: panic(?: \(caller [^)]*\))?: *(.*)",
        title="trusty: panic: {1}",
        kind=Kind.PANIC,
        plain=True,
    ),
    Form(
        header="fatal error:",
        says=r"fatal error:",
        title="go runtime error",
        kind=Kind.INFO,
        plain=True,
    ),
    Form(
        header="SYZFAIL:",
        says=r"SYZFAIL:(.*)",
        title="SYZFAIL:{1}",
        kind=Kind.INFO,
        plain=True,
    ),
    Form(
        header="SYZFATAL:",
        says=r"SYZFATAL:(.*)",
        title="SYZFATAL:{1}",
        kind=Kind.INFO,
        alts=("SYZFATAL",),
        plain=True,
    ),
    Form(
        header="panic:",
        says=r"panic:(.*)",
        title="panic:{1}",
        kind=Kind.INFO,
        plain=True,
    ),
    Form(
        header=("BUG:", "WARNING:", "INFO:"),
        says=r"(BUG|WARNING|INFO):\s*(?:\n|$)",
        title="{1}: corrupted",
        kind=Kind.INFO,
        lost=True,
    ),
    Form(header="BUG:", says=r"BUG: (.+)", title="BUG: {1}", kind=Kind.KERNEL_BUG),
    Form(
        header="WARNING:",
        says=r"WARNING: (.+)",
        title="WARNING: {1}",
        kind=Kind.WARNING,
        plain=True,
    ),
    Form(header="INFO:", says=r"INFO: (.+)", title="INFO: {1}", kind=Kind.INFO),
)
