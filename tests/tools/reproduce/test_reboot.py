"""The reboot: offered where the kernel has died, believed only once the taint is gone."""

from __future__ import annotations

import pytest

from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import ResultStatus, Risk
from pagefault_doctor.model.fact import Value
from pagefault_doctor.tools.reproduce.reboot import TOOL
from tools.example_reports import BOOT, OOPS, follow, known, told
from tools.recorded import faulty

DIED = told("12416\n")  # O, E, D
CLEAN = told("0\n")


def test_a_box_whose_kernel_died_is_rebooted_after_consent() -> None:
    case, (look, again, _), _ = follow(TOOL, faulty(), DIED, told(), told("12416\n"))
    assert look.risk is Risk.READ
    assert again.argv == ("systemctl", "reboot")
    assert again.risk is Risk.CRASH
    assert "pfdoctor resume" in again.why
    assert "D" in case.facts["taint.letters"].value  # type: ignore[operator]


def test_a_box_whose_kernel_found_its_memory_damaged_is_rebooted_too() -> None:
    _, (_, again, _), _ = follow(TOOL, faulty(), told("32\n"), told(), CLEAN)
    assert again.argv == ("systemctl", "reboot")
    assert "taint B" in again.why


def test_a_box_with_locks_held_wrongly_is_rebooted_unless_that_was_another_boot() -> None:
    cause: dict[str, Value] = {"verdict.root_cause": "lockup-hang"}
    here = known(cause, ("dmesg", BOOT + OOPS))
    _, (_, again, _), _ = follow(TOOL, here, CLEAN, told(), CLEAN)
    assert "locks" in again.why
    _, ran, _ = follow(TOOL, known(cause, ("kern.log", BOOT + OOPS)), CLEAN)
    assert len(ran) == 1


def test_a_box_without_systemd_is_rebooted_too() -> None:
    case = faulty({"host.programs": ("reboot", "cat")})
    _, (_, again, _), _ = follow(TOOL, case, DIED, told(), CLEAN)
    assert again.argv == ("reboot",)


@pytest.mark.parametrize("tainted", ["0\n", "12288\n", "", "nonsense"])
def test_a_box_whose_kernel_lives_is_not_rebooted(tainted: str) -> None:
    _, ran, _ = follow(TOOL, faulty(), told(tainted))
    assert len(ran) == 1


def test_the_taint_of_the_new_kernel_is_what_later_taint_is_compared_with() -> None:
    case, ran, blocked = follow(TOOL, Case(), DIED, told(), CLEAN)
    assert [command.risk for command in ran] == [Risk.READ, Risk.CRASH, Risk.READ]
    assert blocked is None
    assert case.get("taint.mask", -1) == 0


def test_a_reboot_that_cut_the_session_short_counts() -> None:
    cut = told(errors="cut short", status=ResultStatus.SIGNALED)
    _, ran, blocked = follow(TOOL, Case(), DIED, cut, CLEAN)
    assert len(ran) == 3
    assert blocked is None


def test_a_kernel_that_is_still_going_down_proves_nothing() -> None:
    _, _, blocked = follow(TOOL, Case(), DIED, told(), DIED)
    assert blocked is not None
    assert "pfdoctor resume" in blocked.remedy


def test_a_refused_reboot_is_told() -> None:
    refused = told(errors="Interactive authentication required.", exit_code=1)
    _, _, blocked = follow(TOOL, Case(), DIED, refused)
    assert blocked is not None
    assert "refused" in blocked.reason
