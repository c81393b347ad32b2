"""From the text of a log to the verdict: the whole way, on logs made for these tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.diagnosis.explanation import with_explanations
from pagefault_doctor.model.diagnosis import Diagnosis, RootCause

UNLOADED = """\
[   90.1] BUG: unable to handle page fault for address: ffffffffc0b70060
[   90.1] #PF: supervisor instruction fetch in kernel mode
[   90.1] #PF: error_code(0x0010) - not-present page
[   90.1] Oops: 0010 [#1] PREEMPT SMP NOPTI
[   90.1] CPU: 1 PID: 52 Comm: kworker/1:1 Tainted: G           OE      6.1.0-1-amd64 #1
[   90.1] Workqueue: events 0xffffffffc0b70060
[   90.1] RIP: 0010:0xffffffffc0b70060
[   90.1] Code: Unable to access opcode bytes at 0xffffffffc0b70036.
[   90.1] RSP: 0018:ffffc900000e8e98 EFLAGS: 00010286
[   90.1] RAX: ffffffffc0b70060 RBX: 0000000000000101 RCX: 0000000000000000
[   90.1] Call Trace:
[   90.1]  process_one_work+0x1f0/0x3e0
[   90.1]  worker_thread+0x4d/0x3f0
[   90.1]  kthread+0xf0/0x120
[   90.1]  ret_from_fork+0x1f/0x30
[   90.1] Modules linked in: ext4 [last unloaded: demo]
"""

ERROR_CODE = """\
[    5.1] demo: loading out-of-tree module taints kernel.
[    5.2] BUG: unable to handle page fault for address: fffffffffffffff4
[    5.2] #PF: supervisor read access in kernel mode
[    5.2] #PF: error_code(0x0000) - not-present page
[    5.2] Oops: 0000 [#1] PREEMPT SMP NOPTI
[    5.2] CPU: 1 PID: 52 Comm: insmod Tainted: G           OE      6.1.0-1-amd64 #1
[    5.2] RIP: 0010:demo_init+0x24/0x1000 [demo]
[    5.2] Code: 48 89 c3 <8b> 03 c3 90 90
[    5.2] RSP: 0018:ffffc900000e8e98 EFLAGS: 00010286
[    5.2] RAX: 0000000000000000 RBX: fffffffffffffff4 RCX: 0000000000000000
[    5.2] Call Trace:
[    5.2]  do_one_initcall+0x59/0x220
[    5.2]  do_init_module+0x4a/0x1f0
[    5.2] Modules linked in: demo(OE+) ext4
"""

DOUBLE_DELETE = """\
[   50.1] list_del corruption, ffff888004c12340->next is LIST_POISON1 (dead000000000100)
[   50.1] ------------[ cut here ]------------
[   50.1] kernel BUG at lib/list_debug.c:47!
[   50.1] invalid opcode: 0000 [#1] PREEMPT SMP NOPTI
[   50.1] CPU: 1 PID: 52 Comm: cat Tainted: G           OE      6.1.0-1-amd64 #1
[   50.1] RIP: 0010:__list_del_entry_valid.cold+0xf/0x6f
[   50.1] RSP: 0018:ffffc900000e8e98 EFLAGS: 00010286
[   50.1] Call Trace:
[   50.1]  <TASK>
[   50.1]  demo_release+0x1c/0x40 [demo]
[   50.1]  __fput+0x89/0x250
[   50.1]  </TASK>
[   50.1] Modules linked in: demo(OE)
"""


def verdict(text: str) -> Diagnosis:
    """Return the verdict on a log."""
    return diagnose((klog.read(text.encode(), "made.log"),), {}).verdict


def test_work_of_an_unloaded_module() -> None:
    found = verdict(UNLOADED)
    assert (found.root_cause, found.module) == (RootCause.USE_AFTER_FREE, "demo")
    assert found.confidence > 0.75


def test_code_of_a_module_whose_init_function_failed() -> None:
    """No module is called the last unloaded then, but the log shows that it was loaded."""
    came = "[    5.1] demo: loading out-of-tree module taints kernel.\n"
    found = verdict(came + UNLOADED.replace(" [last unloaded: demo]", ""))
    assert (found.root_cause, found.module) == (RootCause.USE_AFTER_FREE, "demo")
    assert "demo had been loaded" in found.candidates[0].supporting[0].text
    assert found.candidates[0].supporting[0].line == 1
    other = came.replace("demo", "other")
    assert verdict(other + came + UNLOADED).module == "demo"
    unknown = verdict(other + came + UNLOADED.replace(" [last unloaded: demo]", ""))
    assert unknown.module is None
    still_there = UNLOADED.replace("ext4 [last unloaded: demo]", "demo(OE) ext4")
    kept = verdict(came + still_there)
    assert "demo had been loaded" not in str(kept.candidates)
    assert kept.confidence < found.confidence


LEFT_NO_FRAME = """\
[    4.8] BUG: kernel NULL pointer dereference, address: 0000000000000000
[    4.8] #PF: supervisor instruction fetch in kernel mode
[    4.8] #PF: error_code(0x0010) - not-present page
[    4.8] Oops: 0010 [#1] PREEMPT SMP NOPTI
[    4.8] CPU: 0 PID: 105 Comm: modprobe Tainted: G           OE      6.1.0-1-amd64 #1
[    4.8] RIP: 0010:0x0
[    4.8] Code: Unable to access opcode bytes at 0xffffffffffffffd6.
[    4.8] RSP: 0018:ffffc900000e8e98 EFLAGS: 00010286
[    4.8] RAX: 0000000000000000 RBX: 0000000000000101 RCX: 0000000000000000
[    4.8] Call Trace:
[    4.8]  <TASK>
[    4.8]  do_one_initcall+0x59/0x220
[    4.8]  do_init_module+0x4a/0x1f0
[    4.8]  __do_sys_finit_module+0xac/0x120
[    4.8]  </TASK>
[    4.8] Modules linked in: demo(OE+) ext4
"""


@pytest.mark.parametrize(
    ("old", "new", "module"),
    [
        ("", "", "demo"),
        (" do_one", " ? do_one", "demo"),
        ("demo(OE+)", "demo(OE)", None),
        ("ext4", "ext4(+)", None),
        ("do_one_initcall+0x59/0x220", "vfs_read+0x59/0x220", "demo"),
        ("initcall", "thing", "demo"),
    ],
)
def test_an_init_function_that_ended_in_a_jump(old: str, new: str, module: str | None) -> None:
    assert verdict(LEFT_NO_FRAME.replace(old, new)).module == module


CALL_OF_POISON = """\
[    7.6] general protection fault: 0000 [#1] PREEMPT SMP NOPTI
[    7.6] CPU: 0 PID: 119 Comm: sh Tainted: G           OE      6.1.0-1-amd64 #1
[    7.6] RIP: 0010:0x6b6b6b6b6b6b6b6b
[    7.6] Code: Unable to access opcode bytes at 0x6b6b6b6b6b6b6b41.
[    7.6] RSP: 0018:ffffc900000e8e98 EFLAGS: 00010286
[    7.6] RAX: 6b6b6b6b6b6b6b6b RBX: ffff888004c12340 RCX: 0000000000000000
[    7.6] Call Trace:
[    7.6]  <TASK>
[    7.6]  ? demo_poll+0x56/0x60 [demo]
[    7.6]  ? other_run+0x45/0x60 [other]
[    7.6]  ? vfs_write+0x235/0x3f0
[    7.6]  </TASK>
[    7.6] Modules linked in: other(OE) demo(OE)
"""


def test_a_function_pointer_in_freed_memory_that_was_called() -> None:
    logs = (klog.read(CALL_OF_POISON.encode(), "made.log"),)
    found = with_explanations(diagnose(logs, {}), logs, {}).verdict
    assert (found.root_cause, found.module) == (RootCause.USE_AFTER_FREE, "demo")
    assert found.confidence > 0.9
    assert found.account
    assert "jumped to 0x6b6b6b6b6b6b6b6b" in found.account.crux.text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("? vfs_write", "vfs_write"),  # The trace can be followed: what is doubtful is residue.
        ("? demo_poll+0x56/0x60 [demo]", "? kfree+0x56/0x60"),  # The top is of the kernel.
        ("RIP: 0010:0x6b6b6b6b6b6b6b6b", "RIP: 0010:vfs_read+0x20/0x40"),  # It did not jump.
    ],
)
def test_only_the_top_of_the_stack_of_a_lost_jump_names_a_module(old: str, new: str) -> None:
    assert verdict(CALL_OF_POISON.replace(old, new)).module is None


LEFT_IN_A_TIMER = """\
[    4.2] BUG: unable to handle page fault for address: ffffffffc057c5c8
[    4.2] #PF: supervisor write access in kernel mode
[    4.2] #PF: error_code(0x0002) - not-present page
[    4.2] Oops: 0002 [#1] PREEMPT SMP NOPTI
[    4.2] CPU: 1 PID: 0 Comm: swapper/1 Tainted: G           OE      6.1.0-1-amd64 #1
[    4.2] RIP: 0010:__run_timers+0x1a0/0x2c0
[    4.2] RSP: 0018:ffffc900000e8e98 EFLAGS: 00010286
[    4.2] RAX: 0000000000000000 RBX: ffff888004c12340 RCX: ffffffffc057c5c0
[    4.2] Call Trace:
[    4.2]  <IRQ>
[    4.2]  run_timer_softirq+0x19/0x30
[    4.2]  </IRQ>
[    4.2] Modules linked in: ext4 [last unloaded: demo(OE)]
"""


def test_what_a_module_left_behind() -> None:
    found = verdict(LEFT_IN_A_TIMER)
    assert (found.root_cause, found.module) == (RootCause.USE_AFTER_FREE, "demo")
    nobody = verdict(LEFT_IN_A_TIMER.replace(" [last unloaded: demo(OE)]", ""))
    assert nobody.module is None
    elsewhere = verdict(LEFT_IN_A_TIMER.replace("ffffffffc057c5c", "ffff888012345c0"))
    assert elsewhere.module is None


def test_an_exit_function_that_ended_in_a_jump() -> None:
    text = LEFT_NO_FRAME.replace("demo(OE+)", "demo(OE-)")
    text = text.replace("do_one_initcall", "free_module").replace("do_init_module", "thing")
    assert verdict(text).module is None
    for name in ("delete_module", "delete_module.constprop.0", "SyS_delete_module"):
        assert verdict(text.replace("finit_module", name)).module == "demo"


def test_an_error_code_used_in_init() -> None:
    found = verdict(ERROR_CODE)
    assert (found.root_cause, found.module) == (RootCause.ERR_PTR, "demo")
    evidence = found.candidates[0].supporting[0]
    assert "RBX" in evidence.text
    assert evidence.line == 10


def test_an_entry_deleted_twice() -> None:
    found = verdict(DOUBLE_DELETE)
    assert (found.root_cause, found.module) == (RootCause.LIST_CORRUPTION, "demo")


def test_a_healthy_log() -> None:
    found = verdict("[    1.0] Linux version 6.1.0\n[    2.0] eth0: link up\n")
    assert found.root_cause is RootCause.NONE


TOP_BYTE = """\
[    6.2] demo: loading out-of-tree module taints kernel.
[    6.8] Unable to handle kernel paging request at virtual address 006b6b6b6b6b6b7b
[    6.8] Mem abort info:
[    6.8]   ESR = 0x0000000096000004
[    6.8]   EC = 0x25: DABT (current EL), IL = 32 bits
[    6.8]   FSC = 0x04: level 0 translation fault
[    6.8] [006b6b6b6b6b6b7b] address between user and kernel address ranges
[    6.8] Internal error: Oops: 0000000096000004 [#1] SMP
[    6.8] Modules linked in: demo(OE)
[    6.8] CPU: 0 PID: 127 Comm: ip Tainted: G           OE      6.1.0-1-arm64 #1
[    6.8] pstate: 60400005 (nZCv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)
[    6.8] pc : demo_event+0xd0/0x164 [demo]
[    6.8] sp : ffff8000082bba00
[    6.8] x25: ffff7999c288d610 x4 : a56b6b6b6b6b6b6b x0 : ffffcad697f0e008
[    6.8] Call trace:
[    6.8]  demo_event+0xd0/0x164 [demo]
[    6.8] Code: f9400404 aa1303e1 b0000000 91002000 (a9410c82)
"""


def test_arm64_takes_the_top_byte_off_an_address_and_the_register_has_it() -> None:
    logs = (klog.read(TOP_BYTE.encode(), "log"),)
    opinion = with_explanations(diagnose(logs, {}), logs, {})
    (found,) = opinion.by_report
    assert (found.root_cause, found.module) == (RootCause.USE_AFTER_FREE, "demo")
    assert found.account
    happened = " ".join(each.text for each in found.account.happened)
    assert "ldp x2,x3,[x4,#0x10]: X4 was 0xa56b6b6b6b6b6b6b" in happened
    registers = {each.register: each for each in found.registers}
    assert "pstate" not in registers
    assert registers["x4"].telling
    assert registers["x25"].line == 14


def test_a_real_machine_check_is_the_hardware_also_in_a_virtual_machine() -> None:
    log = Path(__file__).parents[1] / "klog/logs/machine_check.log"
    found = diagnose((klog.read(log.read_bytes(), log.name),), {}).verdict
    assert (found.root_cause, found.attribution) == ("hardware", "hardware")
    assert found.confidence > 0.75
