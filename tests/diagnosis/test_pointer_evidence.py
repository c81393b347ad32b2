"""What a named pointer adds to the evidence and to the account."""

from __future__ import annotations

import msgspec
import pytest

from diagnosis.logs import page_fault
from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.diagnosis.explanation import with_explanations
from pagefault_doctor.model.diagnosis import Diagnosis, RootCause
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.pointer import Pointer
from pagefault_doctor.playbook import shelf


def opinion(scenario_id: str, pointer: Pointer | None) -> Diagnosis:
    """Return the diagnosis of a scenario's first report, with a pointer or without."""
    log = klog.read_file(shelf.scenario_folder(scenario_id) / "serial.log")
    report = msgspec.structs.replace(log.reports[0], pointer=pointer)
    logs = (msgspec.structs.replace(log, reports=(report,)),)
    return with_explanations(diagnose(logs, {}), logs, {}).verdict


def pointer(value: str, **more: str) -> Pointer:
    said = {"name": "dev", "type": "struct dev *", "access": "dev->lock", **more}
    return msgspec.convert(
        {"register": "rax", "held": value, "value": value, "offset": 8, "how": "location", **said},
        Pointer,
    )


def said(verdict: Diagnosis, cause: RootCause) -> str:
    found = next(c for c in verdict.candidates if c.root_cause is cause)
    return "\n".join(evidence.text for evidence in found.evidence)


def test_a_member_at_the_offset_speaks_for_null() -> None:
    verdict = opinion("null-deref-module", pointer("0x0", member="struct dev.lock"))
    text = "dev was NULL, and offset 0x8 is struct dev.lock"
    assert text in said(verdict, RootCause.NULL_DEREF)


def test_a_structure_at_null_turns_an_unusual_error_code_into_container_of_null() -> None:
    log = page_fault(
        "ffffffffffffffa8", code="90 <48> 8b 06 c3", registers={"rsi": "ffffffffffffffa8"}
    )
    (made,) = klog.read(log.encode(), "made").reports
    known = pointer("0xffffffffffffffa8", around="struct dev.link")
    causes = []
    for told in (None, known):
        report = msgspec.structs.replace(made, pointer=told)
        logs = (KernelLog(source="made", reports=(report,)),)
        causes.append(diagnose(logs, {}).verdict.root_cause)
    assert causes == [RootCause.ERR_PTR, RootCause.NULL_DEREF]


@pytest.mark.parametrize("known", [{"member": ""}, {"value": "0x7000"}])
def test_without_a_member_or_without_null_it_does_not(known: dict[str, str]) -> None:
    value = known.pop("value", "0x0")
    verdict = opinion("null-deref-module", pointer(value, **known))
    assert "dev was NULL" not in said(verdict, RootCause.NULL_DEREF)


def test_an_error_that_a_call_gave_speaks_for_an_error_pointer() -> None:
    verdict = opinion("err-ptr", pointer("0xfffffffffffffffe", returned_by="dev_get"))
    assert "dev is what dev_get() had returned" in said(verdict, RootCause.ERR_PTR)
    assert verdict.account
    assert verdict.account.unknown == ()


def test_a_sound_pointer_that_a_call_gave_does_not() -> None:
    verdict = opinion("err-ptr", pointer("0xffff888000000000", returned_by="dev_get"))
    assert "dev_get" not in said(verdict, RootCause.ERR_PTR)
