"""Reports that begin in the middle: what stands above the first line with a name counts too."""

from __future__ import annotations

import pytest

from pagefault_doctor import klog
from pagefault_doctor.model.report import Kind, Report

ARM64 = """\
[   50.100000] x8 : 0000000000000000 x7 : 0000000000000001 x6 : ffffffc0089a1000
[   50.100001] x2 : 0000000000000000 x1 : ffffff80021d9000 x0 : 6b6b6b6b6b6b6b6b
[   50.100002] Call trace:
[   50.100003]  quay_schedule+0x68/0x3a0 [quay]
[   50.100004]  kthread+0xe0/0xf0
[   50.100005] Code: f9400c00 b4000180 f9400001 d503201f (f9400c02)
[   50.100006] ---[ end trace 0000000000000000 ]---
"""
END = "[   50.200000] Kernel panic - not syncing: {}\n"
X86 = """\
R13: ffff8f2a0c5d1c00 R14: 0000000000000000 R15: ffff8f2a0b1d5000
FS:  0000000000000000(0000) GS:ffff8f2d1fc80000(0000) knlGS:0000000000000000
CR2: ffffffffffffffd8 CR3: 000000010a20a005 CR4: 00000000003706e0
Call Trace:
 <TASK>
 quay_finish+0x1c9/0x9a0 [quay]
 worker_thread+0x4d/0x3e0
 </TASK>
CR2: ffffffffffffffd8
---[ end trace 0000000000000000 ]---
RIP: 0010:quay_holes+0x1a/0x90 [quay]
Code: 55 53 48 83 ec 28 48 89 fb <48> 8b 40 d8 48 89 44 24 20
RSP: 0018:ffffa9b0c0d17d58 EFLAGS: 00010246
RAX: 0000000000000000 RBX: ffff8f2a0b1d5000 RCX: 0000000000000000
"""
LINUX_2_4 = """\
Unable to handle kernel paging request at virtual address 64616578
 printing eip:
c01329a4
*pde = 00000000
Oops: 0000
CPU:    0
EIP:    0010:[<c01329a4>]    Not tainted
EFLAGS: 00010206
eax: 64616568   ebx: c7f12a40   ecx: 00000000   edx: c12a0000
esi: c7f12a40   edi: 00000000   ebp: 00000302   esp: c5a11ea8
Process quayd (pid: 112, stackpage=c5a11000)
Call Trace:    [<c0132b1a>] [<c0163c2d>] [<c0107014>]
Code: 8b 40 10 89 42 10 8b 43 14 85 c0 75 07
"""


def only(text: str) -> Report:
    (report,) = klog.read(text.encode(), "log").reports
    return report


@pytest.mark.parametrize(
    "words",
    [
        "Fatal exception",
        "Oops: Fatal exception",
        "Fatal exception in interrupt",
        "Attempted to kill the idle task!",
    ],
)
def test_what_stands_above_the_panic_of_an_oops_is_its_report(words: str) -> None:
    report = only(ARM64 + END.format(words))
    assert report.span.first_line == 1
    assert (report.function, report.module) == ("quay_schedule", "quay")
    assert report.registers["x0"] == "0x6b6b6b6b6b6b6b6b"
    assert report.code


def test_a_panic_of_its_own_words_is_the_report() -> None:
    report = only(ARM64 + END.format("VFS: Unable to mount root fs on unknown-block(0,0)"))
    assert report.kind is Kind.PANIC
    assert report.span.first_line == 8


def test_the_trace_above_the_last_registers_belongs_to_them() -> None:
    report = only(X86)
    assert report.span.first_line == 1
    assert report.function == "quay_holes"
    assert [f.function for f in report.frames] == ["quay_holes", "quay_finish", "worker_thread"]
    assert report.registers["rax"] == "0x0000000000000000"


def test_an_oops_without_names_keeps_its_registers_and_its_code() -> None:
    report = only(LINUX_2_4)
    assert report.function is None
    assert report.registers["eax"] == "0x64616568"
    assert (report.code or "").startswith("<8b> 40 10")
    assert report.details["bare_backtrace"] == "Call Trace:"
