"""Reports of the slab allocator that end in a warning, as kernels print them since 6.12."""

from __future__ import annotations

import pytest

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.model.diagnosis import RootCause
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Kind

RULE = "=" * 77


def log_of(
    problem: str, before: str = "", body: str = "Slab 0xfffff8a980096a00", place: str = "__slab_err"
) -> KernelLog:
    """Return a log of a slab report, and the warning with the stack that follows it."""
    texts = [
        *((before,) if before else ()),
        RULE,
        f"BUG kmalloc-64 (Tainted: G           OE     ): {problem}",
        "-" * 77,
        "",
        *body.split("\n"),
        "Disabling lock debugging due to kernel taint",
        "------------[ cut here ]------------",
        f"WARNING: CPU: 0 PID: 179 at mm/slub.c:1152 {place}+0x19/0x20",
        "Modules linked in: quay(OE) abacus(OE) qemu_fw_cfg",
        "CPU: 0 UID: 0 PID: 179 Comm: cat Tainted: G    B      OE      6.12.1 #1",
        f"RIP: 0010:{place}+0x19/0x20",
        "Code: 90 90 90 <0f> 0b e9 d0",
        "RAX: 0000000000000000 RBX: fffff8a980096a00 RCX: 0000000000000003",
        "Call Trace:",
        " <TASK>",
        " slab_err+0x6d/0x90",
        " free_to_partial_list.cold+0x15/0x135",
        " kfree+0x2ea/0x350",
        " quay_write+0x55/0xff0 [quay]",
        " vfs_write+0xf8/0x440",
        " </TASK>",
        "---[ end trace 0000000000000000 ]---",
        "FIX kmalloc-64: Object at 0xffff8bee425a92a8 not freed",
    ]
    lines = (f"[   40.{100 + n:06}] {text}" for n, text in enumerate(texts))
    return klog.read("\n".join(lines).encode(), "serial.log")


@pytest.mark.parametrize(
    ("problem", "before", "cause"),
    [
        ("Invalid object pointer 0xffff8bee425a92a8", "", RootCause.DOUBLE_FREE),
        ("Attempt to free object(0xffff8bee425a92a8) outside of slab", "", RootCause.DOUBLE_FREE),
        ("Object already free", "", RootCause.DOUBLE_FREE),
        ("Slab has 0 allocated objects but 1 are to be freed", "", RootCause.DOUBLE_FREE),
        (
            "Object corrupt",
            "[Poison overwritten] 0xffff8c5dc2447b48-0xffff8c5dc2447b4f @offset=2888. "
            "First byte 0x7 instead of 0x6b",
            RootCause.USE_AFTER_FREE,
        ),
        (
            "Object corrupt",
            "[Right Redzone overwritten] 0xffff8c5dc2447b48-0xffff8c5dc2447b4f @offset=2888. "
            "First byte 0x30 instead of 0xcc",
            RootCause.OUT_OF_BOUNDS,
        ),
    ],
)
def test_the_problem_and_what_stands_before_the_headline_name_the_cause(
    problem: str, before: str, cause: RootCause
) -> None:
    log = log_of(problem, before)
    verdict = diagnose((log,), {}).verdict
    assert (verdict.root_cause, verdict.module) == (cause, "quay")
    assert verdict.confidence > 0.7


def test_the_warning_and_its_stack_belong_to_the_report() -> None:
    (report,) = log_of("Object already free").reports
    assert report.kind is Kind.SLAB
    assert report.function == "free_to_partial_list.cold"
    assert report.modules
    assert report.registers


def test_the_bytes_of_a_large_object_may_stand_between_headline_and_warning() -> None:
    row = "Object   ffff8bee4138c340: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkk"
    (report,) = log_of("Object already free", body="\n".join([row] * 256)).reports
    assert "kfree" in [frame.function for frame in report.frames]


def test_a_warning_on_the_way_does_not_end_the_report() -> None:
    """An overwritten object names a stack that was never stored (`lib/stackdepot.c`)."""
    log = log_of("Object corrupt", "[Right Redzone overwritten] 0xffff8c5d-0xffff8c5d", place="x")
    text = "\n".join(line.text for line in log.reports[0].excerpt)
    lost = text.replace("mm/slub.c:1152 x", "lib/stackdepot.c:451 depot_fetch_stack")
    (report,) = klog.read(lost.encode(), "serial.log").reports
    assert report.kind is Kind.SLAB


def test_another_warning_after_a_slab_report_is_a_report_of_its_own() -> None:
    text = "\n".join(line.text for line in log_of("Object already free").reports[0].excerpt)
    other = text.replace("at mm/slub.c:1152 __slab_err", "at net/core/dev.c:99 dev_open")
    kinds = [report.kind for report in klog.read(other.encode(), "serial.log").reports]
    assert kinds == [Kind.SLAB, Kind.WARNING]
