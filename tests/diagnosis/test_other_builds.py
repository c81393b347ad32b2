"""Whether a module's file is the build that ran, and when its files cannot show it."""

from __future__ import annotations

from typing import Final

import pytest

from diagnosis.conftest import diagnose_one, make_report
from pagefault_doctor.diagnosis import experiments
from pagefault_doctor.model.diagnosis import Candidate, Diagnosis, RootCause
from pagefault_doctor.model.fact import Fact, Source
from pagefault_doctor.model.report import Access, Kind, Report

ODD: Final = (Kind.PAGE_FAULT, "BUG: unable to handle page fault for address: 00000000deadf001")


def odd_fault(module: str | None = "demo") -> Report:
    """A fault at an address that means nothing, as a changed structure brings."""
    return make_report(*ODD, address="0xdeadf001", access=Access.READ, module=module)


def told(**facts: bool) -> dict[str, Fact]:
    names = {name: f"module.{name}" for name in facts}
    return {names[n]: Fact(names[n], value, Source("sh", 7)) for n, value in facts.items()}


def mismatch(found: Diagnosis) -> Candidate | None:
    cause = RootCause.API_MISMATCH
    return next((c for c in found.candidates if c.root_cause is cause), None)


def test_symbols_of_another_version_make_it_the_likeliest_cause() -> None:
    found = diagnose_one(odd_fault(), told(crcs_fit=False))
    assert found.root_cause is RootCause.API_MISMATCH
    (evidence,) = [e for e in found.candidates[0].evidence if "another version" in e.text]
    assert evidence.line == 7


def test_checksums_of_a_file_that_is_not_loaded_say_nothing() -> None:
    found = mismatch(diagnose_one(odd_fault(), told(crcs_fit=False, build_id_fits=False)))
    assert found is not None
    assert "another version" not in " ".join(e.text for e in found.evidence)


@pytest.mark.parametrize(
    "sign", ["build_id_fits", "size_fits", "text_fits", "picked_is_loaded", "initramfs_fits"]
)
def test_another_build_is_a_hint_and_no_more(sign: str) -> None:
    found = diagnose_one(odd_fault(), told(**{sign: False}))
    hint = mismatch(found)
    assert hint is not None
    assert any("disk" in e.text or "another" in e.text for e in hint.evidence)
    assert found.root_cause is not RootCause.API_MISMATCH


def test_two_signs_of_another_build_count_once() -> None:
    one = mismatch(diagnose_one(odd_fault(), told(build_id_fits=False)))
    both = mismatch(diagnose_one(odd_fault(), told(build_id_fits=False, size_fits=False)))
    assert one is not None
    assert both is not None
    assert both.confidence == one.confidence


@pytest.mark.parametrize(
    "facts",
    [
        {"build_id_fits": True, "size_fits": True, "crcs_fit": True},
        {"build_id_fits": True, "initramfs_fits": False},
        {"build_id_fits": True, "picked_is_loaded": False},
    ],
)
def test_where_the_build_in_memory_is_that_of_the_file_no_copy_matters(
    facts: dict[str, bool],
) -> None:
    assert mismatch(diagnose_one(odd_fault(), told(**facts))) is None


def test_a_fault_of_the_kernels_own_code_is_no_matter_of_modules() -> None:
    assert mismatch(diagnose_one(odd_fault(None), told(crcs_fit=False))) is None


def test_a_flipped_bit_of_code_speaks_for_the_hardware() -> None:
    fine = diagnose_one(odd_fault(), told(text_fits=True))
    flipped = diagnose_one(odd_fault(), told(text_flipped=True))
    assert RootCause.HARDWARE not in [c.root_cause for c in fine.candidates]
    assert flipped.root_cause is RootCause.HARDWARE


def test_a_rebuild_would_tell_a_mismatch_from_a_bug() -> None:
    found = diagnose_one(odd_fault(), told(crcs_fit=False))
    trial = experiments.between_causes(found.candidates)
    assert trial is not None
    assert trial.name == "rebuild"
