"""Reports as older kernels, web pages and the decoding scripts print them."""

from __future__ import annotations

from typing import Final

import pytest

from pagefault_doctor import klog
from pagefault_doctor.diagnosis.missing import missing
from pagefault_doctor.model.report import Report

OLD: Final = """\
Unable to handle kernel paging request at virtual address f8a1b670
 printing eip:
c01de48c
Oops: 0002 [#1]
Modules linked in: quay_mc quay_core ext3 jbd
CPU:    0
EIP:    0060:[<c01de48c>]    Not tainted VLI
EFLAGS: 00010286   (2.6.9-34.EL)
EIP is at kobject_add+0x83/0xd7
eax: c038db78   ebx: c038db04   ecx: f8a1b670   edx: f8a4a630
esi: c038db4c   edi: f8a4a614   ebp: c038db80   esp: d7568f2c
Process modprobe (pid: 812, threadinfo=d7568000 task=f4ea99b0)
Call Trace:
 [<c01de4f9>] kobject_register+0x19/0x39
 [<c024a1d4>] bus_add_driver+0x36/0x97
 [<f88aa00a>] init_module+0xa/0x14 [quay_mc]
 [<c0142c1e>] sys_init_module+0x1ec/0x323
Code: 0f 85 06 04 00 00 85 ed 75 0d <89> 11 89 4a 04
"""


def read(text: str) -> Report:
    (report,) = klog.read(text.encode(), "log").reports
    return report


def test_i386_has_its_release_beside_the_flags() -> None:
    assert read(OLD).kernel_release == "2.6.9-34.EL"
    assert read(OLD.replace("   (2.6.9-34.EL)", " (none)")).kernel_release is None


@pytest.mark.parametrize("brackets", ["[]", "[<>]"])
def test_a_page_that_lost_the_addresses_keeps_the_trace(brackets: str) -> None:
    lost = "\n".join(
        brackets + line[13:] if line.startswith(" [<") else line for line in OLD.split("\n")
    )
    functions = [frame.function for frame in read(lost).frames]
    assert functions[1:4] == ["kobject_register", "bus_add_driver", "init_module"]
    assert read(lost).frames[3].module == "quay_mc"


PANIC: Final = (
    "[  50.1] Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in: {}"
)


@pytest.mark.parametrize(
    ("place", "function", "module"),
    [
        ("quay_log+0xc6/0xd0 [quay]", "quay_log", "quay"),
        ("quay_log (./include/linux/x.h:15 ./fs/quay/log.h:138 ./fs/quay/log.c:579) quay",
         "quay_log", "quay"),
        ("quay_log (fs/quay/log.c:579 (discriminator 3)) [quay]", "quay_log", "quay"),
        ("vfs_log (fs/log.c:7)", "vfs_log", None),
        ("c02e62f8", None, None),
    ],
)  # fmt: skip
def test_where_a_stack_is_corrupted(place: str, function: str | None, module: str | None) -> None:
    process = "[  50.1] CPU: 1 PID: 9 Comm: app Not tainted 6.9.0 #1"
    report = read(f"{PANIC.format(place)}\n{process}\n")
    assert (report.function, report.module) == (function, module)


def test_code_whose_beginning_was_cut_by_hand() -> None:
    text = OLD.replace("Code: 0f 85 06 04 00 00", "Code: ...")
    assert read(text).code == "85 ed 75 0d <89> 11 89 4a 04"


def test_taint_that_only_the_line_with_names_tells() -> None:
    names = "Tainted: [P]=PROPRIETARY_MODULE, [O]=OOT_MODULE, [E]=UNSIGNED_MODULE"
    oops = "BUG: kernel NULL pointer dereference, address: 0000000000000008\n"
    assert read(f"{oops}{names}\n").tainted == ("P", "O", "E")
    process = "CPU: 1 UID: 0 PID: 9 Comm: app Tainted: G W 6.12.0 #1\n"
    assert read(f"{oops}{process}{names}\n").tainted == ("W",)
    assert read(f"{oops}Tainted: [P]=words of a person\n").tainted is None


def test_an_array_of_unknown_length_is_a_flexible_one() -> None:
    text = "UBSAN: array-index-out-of-bounds in drivers/quay/a.c:19:4\nindex 8 is out of range for"
    assert "flexible_array" in read(f"{text} type '__u8 [*]'\n").details
    assert "flexible_array" not in read(f"{text} type '__u8 [8]'\n").details


PPC: Final = """\
Oops: kernel access of bad area, sig: 11
NIP: C9471C7C XER: 20000000 LR: C0018C74 SP: C0198E20 REGS: c0198d70 TRAP: 0800    Not tainted
MSR: 00009030 EE: 1 PR: 0 FP: 0 ME: 1 IR/DR: 11
DEAR: C9876FFF, ESR: 00000000
TASK = c0197020[0] 'swapper' Last syscall: 120
GPR00: 00000000 C0198E20 C0197020 00000000 C016E494 000000C2 C01D0000 00000000
GPR08: C98701F0 C9876FFF 00008000 C768AE0F 24004022 1001B120 07FC9500 00000000
Call backtrace:
00000001 C0018C74 C0018A1C C0005E14 C0004780 C0022724 C0005D4C
"""


def test_powerpc_of_32_bits_prints_eight_registers_in_a_row() -> None:
    report = read(PPC)
    assert report.arch == "ppc"
    assert (report.register("gpr07"), report.register("gpr09")) == (0, 0xC9876FFF)
    assert report.register("pc") == 0xC9471C7C
    new = PPC.replace("XER: 20000000 ", "").replace("C9471C7C", "c9471c7c")
    named = read(f"{new}NIP [c9471c7c] quay_go+0x10/0x20 [quay]\n")
    assert (named.arch, named.function, named.module) == ("ppc", "quay_go", "quay")


def test_a_trace_of_addresses_alone_is_not_missing() -> None:
    assert "trace" not in {part.name for part in missing(read(PPC))}
    cut = PPC.partition("Call backtrace")[0]
    assert "trace" in {part.name for part in missing(read(cut))}


def test_registers_of_old_i386_are_read() -> None:
    assert read(OLD).register("ecx") == 0xF8A1B670
