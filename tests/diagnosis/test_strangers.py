"""What logs of strangers taught: one rule each, on logs made for these tests."""

from __future__ import annotations

import pytest

from diagnosis.logs import page_fault, verdict
from diagnosis.test_crashes_of_many_kernels import verdict_on
from pagefault_doctor.diagnosis.address import is_errno
from pagefault_doctor.model.diagnosis import Attribution, Diagnosis, RootCause


def hung(*frames: str, modules: str = "") -> Diagnosis:
    return verdict_on(
        "INFO: task logrotate:22250 blocked for more than 120 seconds.",
        "      Not tainted 6.1.0-1-amd64 #1",
        "task:logrotate       state:D stack:0     pid:22250 ppid:22248  flags:0x00000080",
        "Call Trace:",
        " <TASK>",
        " __schedule+0x293/0x8a0",
        " schedule+0x36/0x80",
        *(f" {frame}" for frame in frames),
        " do_fsync+0x3d/0x70",
        " </TASK>",
        *([modules] if modules else []),
    )


@pytest.mark.parametrize(
    "frame",
    ["io_schedule+0x46/0x70", "jbd2_log_wait_commit+0x98/0x120 [jbd2]", "xlog_wait+0x1/0x2 [xfs]"],
)
def test_who_waits_for_a_disk_in_vain_hangs_through_no_fault_of_the_file_system(frame: str) -> None:
    verdict = hung(frame, "ext4_sync_file+0x1ef/0x370 [ext4]")
    assert (verdict.root_cause, verdict.attribution) == (RootCause.LOCKUP_HANG, Attribution.KERNEL)


def test_a_module_from_outside_that_waits_is_still_asked() -> None:
    modules = "Modules linked in: quay(OE) jbd2"
    frames = ("quay_wait+0x1/0x9 [quay]", "jbd2_log_wait_commit+0x98/0x120 [jbd2]")
    assert hung(*frames, modules=modules).module == "quay"
    assert hung("io_schedule+0x46/0x70", frames[0], modules=modules).module == "quay"
    assert hung("quay_wait+0x1/0x9 [quay]", modules=modules).module == "quay"


@pytest.mark.parametrize(("value", "cause"), [
    ("fffffffffffffff4", RootCause.ERR_PTR),
    ("ffffffffffffffed", RootCause.ERR_PTR),
    ("fffffffffffffdfb", RootCause.ERR_PTR),
    ("fffffffffffffe1d", RootCause.WILD_POINTER),
    ("fffffffffffff001", RootCause.WILD_POINTER),
])  # fmt: skip
def test_only_a_number_that_is_an_errno_makes_an_error_pointer(
    value: str, cause: RootCause
) -> None:
    text = page_fault(value, code="90 <48> 8b 06 c3", registers={"rsi": value})
    assert verdict(text).root_cause is cause


def test_architectures_have_errnos_of_their_own() -> None:
    assert is_errno(133, None)
    assert not is_errno(145, "x86_64")
    assert is_errno(145, "mips")
    assert is_errno(517, "arm64")
    assert not is_errno(600, "arm64")


USERCOPY = "usercopy: Kernel memory exposure attempt detected from"
COPIED = " simple_copy_to_iter+0x2a/0x50", " tcp_recvmsg+0x6f0/0xb20"


def refused_copy(what: str, *trace: str, path: str = "") -> Diagnosis:
    return verdict_on(
        f"{USERCOPY} {what}",
        "------------[ cut here ]------------",
        f"kernel BUG at {path}mm/usercopy.c:99!",
        "invalid opcode: 0000 [#1] SMP PTI",
        "Modules linked in: quay(OE) pier(OE) ext4",
        "CPU: 2 PID: 31 Comm: wget Tainted: G           OE     5.4.0-42-generic #46",
        "RIP: 0010:usercopy_abort+0x7b/0x7d",
        "Call Trace:",
        *trace,
    )


def test_a_refused_copy_out_of_a_cache_named_after_a_module_is_that_module() -> None:
    found = refused_copy("SLUB object 'quay_rx' (offset 66, size 144)!", *COPIED)
    assert (found.attribution, found.module) == (Attribution.MODULE, "quay")
    old = refused_copy("ffff8803f2e41a40 (quay_rx) (64 bytes)", *COPIED, path="/build/linux-4.9/")
    assert (old.attribution, old.module) == (Attribution.MODULE, "quay")
    found = refused_copy("SLUB object 'kmalloc-64' (offset 66, size 144)!", *COPIED)
    assert found.attribution is Attribution.KERNEL


def test_pages_that_the_check_does_not_know_are_no_overrun_of_a_module_from_outside() -> None:
    trace = " __check_object_size+0x1/0x9", " quay_read+0x8c/0x140 [quay]"
    found = refused_copy("spans multiple pages (offset 0, size 5120)!", *trace)
    assert found.root_cause is RootCause.API_MISMATCH
    # The end of an object or of a vmalloc area is known (mm/usercopy.c, check_heap_object).
    for what in ("SLUB object 'kmalloc-64' (offset 66, size 144)!", "vmalloc (offset 1, size 16)!"):
        assert refused_copy(what, *trace).root_cause is RootCause.OUT_OF_BOUNDS


def test_of_a_stack_of_which_nothing_is_certain_the_first_module_is_asked() -> None:
    guessed = " ? quay_copy+0x22/0x50 [quay]", " ? do_vfs_ioctl+0x9f/0x600"
    assert refused_copy("ffff8803f2e41a40 (kmalloc-64) (64 bytes)", *guessed).module == "quay"
    certain = (" sock_read_iter+0x8f/0xf0", *guessed)
    assert refused_copy("ffff8803f2e41a40 (kmalloc-64) (64 bytes)", *certain).module is None


ARM = (
    "Internal error: Oops: 80f [#1] ARM",
    "CPU: 0 PID: 52 Comm: cat Tainted: G           O      4.4.0 #1",
    "PC is at quay_ioctl+0x24/0x90 [quay]",
    "pc : [<bf0040a4>]    lr : [<c00c4b5c>]    psr: 60000013",
)


@pytest.mark.parametrize(
    ("at", "entry", "cause"),
    [
        ("b6f2c004", "*pte=5f2d175f, *ppte=5f2d1c7f", RootCause.USER_ACCESS),
        ("00a2c004", "*pte=5f2d175f, *ppte=5f2d1c7f", RootCause.USER_ACCESS),
        ("00a2c004", "*pte=00000000, *ppte=00000000", RootCause.WILD_POINTER),
    ],
)
def test_a_page_of_the_program_that_is_there_was_meant(
    at: str, entry: str, cause: RootCause
) -> None:
    head = f"Unable to handle kernel paging request at virtual address {at}"
    assert verdict_on(head, f"[{at}] *pgd=62a1b831, {entry}", *ARM).root_cause is cause


def test_without_a_headline_cr2_counts_where_the_kernel_holds_that_user_pointer() -> None:
    lines = [
        "RIP: 0010:strncpy+0x12/0x30",
        "RAX: 0000000000000000 RBX: ffff8de0b6b0d000 RCX: 0000000000000000",
        "RDX: 00007f9a2c0008c0 RSI: 00007f9a2c0008c0 RDI: ffff8de0b6b0d000",
        "CR2: 00007f9a2c0008c0 CR3: 00000001f1d1a006 CR4: 00000000003606f0",
        "Call Trace:",
        " quay_set+0x1b/0x60 [quay]",
    ]
    found = verdict_on(*lines)
    assert (found.root_cause, found.module) == (RootCause.USER_ACCESS, "quay")
    lines[2] = "RDX: 00007f9a2c0008c0 RSI: ffff8de0b6b0d000 RDI: ffff8de0b6b0d000"
    stale = [line.replace("RDX: 00007f9a2c0008c0", "RDX: 0000000000000001") for line in lines]
    assert verdict_on(*stale).root_cause is not RootCause.USER_ACCESS


@pytest.mark.parametrize(
    "lines",
    [
        ("The buggy address is located 0 bytes to the right of",
         " allocated 64-byte region [ffff888012345600, ffff888012345640)"),
        ("slab error in verify_redzone_free(): cache `size-32': memory outside object was "
         "overwritten",),
        (" __fortify_panic+0xd/0xf", " quay_show+0x33/0x100 [quay]", " seq_read+0x11/0x22"),
        ("index 8 is out of range for type 'u8 [8]'",),
    ],
)  # fmt: skip
def test_what_is_left_of_a_report_still_tells_an_overrun(lines: tuple[str, ...]) -> None:
    assert verdict("\n".join(lines)).root_cause is RootCause.OUT_OF_BOUNDS


@pytest.mark.parametrize(
    "lines",
    [
        ("The buggy address is located 8 bytes inside of",
         " freed 64-byte region [ffff888012345600, ffff888012345640)"),
        ("Slab corruption (Tainted: G O): size-64 start=ffff88003c1a2b40, len=64",),
        (" quay_fortify_check+0xd/0xf", " quay_show+0x33/0x100 [quay]", " seq_read+0x11/0x22"),
    ],
)  # fmt: skip
def test_the_like_of_it_tells_none(lines: tuple[str, ...]) -> None:
    assert verdict("\n".join(lines)).root_cause is not RootCause.OUT_OF_BOUNDS


def user_copy(*trace: str, tainted: str = "G           OE     ") -> Diagnosis:
    return verdict_on(
        "BUG: unable to handle page fault for address: 00007f2b11c0a010",
        "#PF: supervisor write access in kernel mode",
        "#PF: error_code(0x0003) - permissions violation",
        "Oops: 0003 [#1] PREEMPT SMP NOPTI",
        f"CPU: 7 PID: 51 Comm: quayread Tainted: {tainted} 5.15.0-100-generic #110",
        "RIP: 0010:memcpy_erms+0x6/0x10",
        "Call Trace:",
        *trace,
    )


def test_a_driver_that_left_its_copy_to_the_end_is_not_in_the_trace() -> None:
    read = " vfs_read+0xa0/0x1a0", " ksys_read+0x67/0xf0"
    assert user_copy(*read).attribution is Attribution.MODULE
    assert user_copy(*read, tainted="G        W       ").attribution is Attribution.KERNEL
    assert user_copy(" timerfd_read+0xa0/0x1a0", *read).attribution is Attribution.KERNEL


def test_arm64_says_that_user_memory_was_touched_without_its_address() -> None:
    words = "Internal error: Accessing user space memory outside uaccess.h routines: 96000004 [#1]"
    place = "PC is at quay_ioctl+0x38/0x1a0 [quay]", "pstate: 60400145"
    assert verdict_on(words, *place).root_cause is RootCause.USER_ACCESS
    other = verdict_on("Internal error: Oops: 96000004 [#1] SMP", *place)
    assert other.root_cause is not RootCause.USER_ACCESS
