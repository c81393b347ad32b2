"""Reports of other parts of the kernel, and of programs that share its console."""

from __future__ import annotations

from functools import partial
from typing import Final

from pagefault_doctor.klog.formats.format import FAULT, Continuation, Format
from pagefault_doctor.model.report import Kind

_SYZKALLER: Final = "syzkaller's executor/common.h, no kernel"
_TRUSTY: Final = "Trusty's lk, lib/debug/debug.c (_panic); drivers/trusty/trusty-log.c repeats it"
_trusty = partial(Format, header="trusty: panic", kind=Kind.PANIC, plain=True, source=_TRUSTY)
_broken = partial(Format, kind=Kind.KERNEL_BUG)
_notice = partial(Format, kind=Kind.INFO, plain=True, vague=True)
_any = partial(Format, vague=True, any_words=True, source="any file of the kernel")

FORMATS: Final = (
    Format(
        header="Booting the kernel.",
        title="unexpected kernel reboot",
        kind=Kind.REBOOT,
        plain=True,
        source="arch/x86/boot/compressed/misc.c (extract_kernel)",
    ),
    _broken(
        header="VFS: Busy inodes after unmount",
        title="VFS: Busy inodes after unmount (use-after-free)",
        plain=True,
        source="fs/super.c (generic_shutdown_super)",
    ),
    _broken(
        header="VFS: Close: file count is 0",
        title="VFS: Close: file count is zero (use-after-free)",
        plain=True,
        source="fs/open.c (filp_flush)",
    ),
    _broken(
        header="rust_kernel: panicked",
        pattern=r"rust_kernel: panicked at .*\n\s*(.+)",
        title="{1} in {f}",
        ways=FAULT,
        skip="rust_helper_BUG|rust_begin_unwind|core9panicking|core::panicking|__rust",
        source="rust/kernel/lib.rs (panic)",
    ),
    Format(
        start=r"LustreError: .*\(\S+\.c:\d+:\w+\(\)\) LBUG",
        pattern=r":(\w+)\(\)\) LBUG",
        title="LBUG in {1}",
        kind=Kind.KERNEL_BUG,
        ways=((r":(?P<f>\w+)\(\)\) LBUG",),),
        source="Lustre's libcfs/libcfs/debug.c (lbug_with_loc)",
    ),
    Continuation(
        lead=r"LustreError: .*\) ASSERTION\(|^(?:VERIFY|ASSERT)\w*\(.*\) failed",
        source="Lustre's libcfs_debug.h (LASSERTF), OpenZFS's sys/debug.h (VERIFY3)",
    ),
    Format(
        start=r"^PANIC at [\w.-]+:\d+:\w+\(\)",
        pattern=r"PANIC at [\w.-]+:\d+:(\w+)\(\)",
        title="PANIC in {1}",
        kind=Kind.KERNEL_BUG,
        ways=((r"PANIC at [\w.-]+:\d+:(?P<f>\w+)\(\)",),),
        source="OpenZFS's module/os/linux/spl/spl-err.c (spl_panic)",
    ),
    _trusty(
        pattern=r"trusty: panic.* ASSERT FAILED(?: at \([^)]*\))?: *(.+)",
        title="trusty: ASSERT FAILED: {1}",
    ),
    _trusty(
        pattern=r"trusty: panic(?: \(caller [^)]*\))?: *(.*)",
        title="trusty: panic: {1}",
    ),
    _notice(
        header="fatal error:",
        title="go runtime error",
        source="Go's runtime/panic.go (throw), no kernel",
    ),
    _notice(header="SYZFAIL:", pattern=r"SYZFAIL:(.*)", title="SYZFAIL:{1}", source=_SYZKALLER),
    _notice(
        header="SYZFATAL:",
        pattern=r"SYZFATAL:(.*)",
        title="SYZFATAL:{1}",
        alts=("SYZFATAL",),
        source=_SYZKALLER,
    ),
    _notice(
        header="panic:",
        pattern=r"panic:(.*)",
        title="panic:{1}",
        source="Go's runtime/panic.go (printpanics), no kernel",
    ),
    # What no row above knows: the headline names it.
    _any(
        header=("BUG:", "WARNING:", "INFO:"),
        pattern=r"(BUG|WARNING|INFO):\s*(?:\n|$)",
        title="{1}: corrupted",
        kind=Kind.INFO,
        lost=True,
    ),
    _any(header="BUG:", pattern=r"BUG: (.+)", title="BUG: {1}", kind=Kind.KERNEL_BUG),
    _any(
        header="WARNING:",
        pattern=r"WARNING: (.+)",
        title="WARNING: {1}",
        kind=Kind.WARNING,
        plain=True,
    ),
    _any(header="INFO:", pattern=r"INFO: (.+)", title="INFO: {1}", kind=Kind.INFO),
)
