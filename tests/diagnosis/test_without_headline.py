"""What can be said of a report from the instruction pointer on."""

from __future__ import annotations

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.model.diagnosis import Diagnosis, RootCause


def pasted(*, rbx: str, cr2: str, head: str = "") -> Diagnosis:
    text = f"""{head}RIP: 0010:quay_poll+0x24/0x90 [quay]
Code: 48 89 c3 90 <48> 8b 43 18 c3 90
RSP: 0018:ffffc900000e8e98 EFLAGS: 00010246
RAX: 0000000000000001 RBX: {rbx} RCX: 0000000000000000
CR2: {cr2} CR3: 0000000002540000 CR4: 00000000003506f0
Call Trace:
 <TASK>
 vfs_read+0x9f/0x190
 ksys_read+0x6b/0xf0
"""
    return diagnose((klog.read(text.encode(), "paste"),), {}).verdict


def test_the_instruction_and_cr2_together_tell_the_address() -> None:
    verdict = pasted(rbx="0000000000000000", cr2="0000000000000018")
    assert (verdict.root_cause, verdict.module) == (RootCause.NULL_DEREF, "quay")
    garbage = pasted(rbx="6b6b6b6b6b6b6b6b", cr2="00007f0000000000")
    assert garbage.root_cause is RootCause.USE_AFTER_FREE


def test_a_cr2_of_an_earlier_fault_tells_nothing() -> None:
    verdict = pasted(rbx="ffff888004c12000", cr2="0000000000000018")
    assert (verdict.module, verdict.confidence < 0.75) == ("quay", True)
    assert verdict.candidates[0].root_cause not in (RootCause.NULL_DEREF, RootCause.USER_ACCESS)


def test_an_oops_without_its_address_has_that_of_the_instruction() -> None:
    verdict = pasted(rbx="0" * 16, cr2="0" * 16, head="Oops: 0000 [#1] PREEMPT SMP NOPTI\n")
    assert verdict.root_cause is RootCause.NULL_DEREF
