"""insmod, modprobe and rmmod: the suspect loaded again, with care."""

from __future__ import annotations

import pytest

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result, ResultStatus, Risk
from pagefault_doctor.model.fact import Mark, Value
from pagefault_doctor.tools.reproduce.module_load import TOOLS
from pagefault_doctor.tools.tool import next_command
from tools.example_reports import OOM, follow, known, learn, texts, told
from tools.recorded import faulty

INSMOD, FIXED, RMMOD = TOOLS
NOT_LOADED = told(
    errors="cat: /sys/module/faulty/initstate: No such file or directory", exit_code=1
)
LIVE = told("live\n")
ELSEWHERE: dict[str, Value] = {"module.path": "/home/user/faulty/faulty.ko"}
BUILT: dict[str, Value] = {"fix.module_path": "/home/user/faulty/faulty.ko"}


def failed(message: str) -> Result:
    return told(errors=f"insmod: ERROR: could not insert module x.ko: {message}\n", exit_code=1)


def test_a_module_in_the_tree_is_loaded_by_modprobe() -> None:
    case = faulty({"module.path": "/lib/modules/6.1.0-56-cloud-amd64/updates/faulty.ko.xz"})
    _, (_, load), _ = follow(INSMOD, case, NOT_LOADED, told())
    assert load.argv == ("modprobe", "faulty")
    assert load.risk is Risk.CRASH
    assert "panic" in load.why


def test_a_module_elsewhere_is_loaded_by_its_path() -> None:
    case, (_, load), _ = follow(INSMOD, faulty(ELSEWHERE), NOT_LOADED, told())
    assert load.argv == ("insmod", "/home/user/faulty/faulty.ko")
    assert case.get("reproduce.inserted", False) is True


def test_a_killed_insmod_means_the_module_faulted() -> None:
    killed = told(errors="Killed\n", exit_code=137)
    case, _, blocked = follow(INSMOD, faulty(ELSEWHERE), NOT_LOADED, killed)
    assert case.get("reproduce.inserted", True) is False
    assert case.findings[-1].mark is Mark.BAD
    assert "the module faulted" in texts(case.findings)
    assert blocked is None


def test_an_insmod_that_hangs_is_alarming() -> None:
    hung = told(status=ResultStatus.TIMEOUT)
    case, _, _ = follow(INSMOD, faulty(ELSEWHERE), NOT_LOADED, hung)
    assert "hangs" in texts(case.findings)


def test_a_cancelled_insmod_says_nothing_of_the_module() -> None:
    case, _, _ = follow(INSMOD, faulty(ELSEWHERE), NOT_LOADED, told(status=ResultStatus.CANCELLED))
    assert not case.has("reproduce.inserted")


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("File exists", "already loaded"),
        ("Invalid module format", "built for another kernel"),
        ("Unknown symbol in module", "symbol"),
        ("Operation not permitted", "does not permit"),
        ("Key was rejected by service", "signed modules only"),
        ("Required key not available", "signed modules only"),
        ("No such file or directory", "not there"),
        ("Cannot allocate memory", "memory"),
    ],
)
def test_each_refusal_has_a_reason_and_a_remedy(message: str, reason: str) -> None:
    case, _, blocked = follow(INSMOD, faulty(ELSEWHERE), NOT_LOADED, failed(message))
    assert blocked
    assert reason in blocked.reason
    assert blocked.remedy
    assert case.get("reproduce.inserted", True) is False


def test_a_half_loaded_module_is_not_loaded_again() -> None:
    case, ran, blocked = follow(INSMOD, faulty(ELSEWHERE), told("coming\n"))
    assert len(ran) == 1
    assert ran[0].risk is Risk.READ
    assert blocked
    assert "reboot" in blocked.remedy
    assert case.get("module.initstate", "") == "coming"


def test_a_module_that_runs_is_left_alone() -> None:
    _, ran, blocked = follow(INSMOD, faulty(ELSEWHERE), LIVE)
    assert blocked is None
    assert len(ran) == 1


def test_a_suspect_from_another_kernel_is_not_loaded_here() -> None:
    case = faulty({**ELSEWHERE, "host.kernel": "6.6.0-other", "given.log": "/home/user/kern.log"})
    wanted = next_command(INSMOD, case)
    assert isinstance(wanted, Blocked)
    assert "start that kernel here" in wanted.remedy


@pytest.mark.parametrize("name", ["-r", "a/b", "x; reboot", "../x"])
def test_a_hostile_name_is_never_an_argument(name: str) -> None:
    assert isinstance(next_command(INSMOD, faulty({"suspect.module": name})), Blocked)


def test_a_builtin_cannot_be_loaded() -> None:
    assert next_command(INSMOD, faulty({"module.path": "(builtin)"})) is None


def test_the_old_build_goes_before_the_fixed_one_comes() -> None:
    case, ran, _ = follow(FIXED, faulty(BUILT), LIVE, told(), told())
    assert [command.argv[0] for command in ran] == ["cat", "rmmod", "insmod"]
    assert [command.risk for command in ran] == [Risk.READ, Risk.CHANGE, Risk.CRASH]
    assert ran[2].undo == "rmmod faulty"
    assert case.get("validate.inserted", False) is True


def test_an_old_build_in_use_blocks_the_fixed_one() -> None:
    busy = told(errors="rmmod: ERROR: Module faulty is in use\n", exit_code=1)
    _, ran, blocked = follow(FIXED, faulty(BUILT), LIVE, busy)
    assert len(ran) == 2
    assert blocked
    assert "in use" in blocked.reason


def test_without_a_rebuilt_module_nothing_is_validated() -> None:
    assert isinstance(next_command(FIXED, faulty()), Blocked)


def test_where_memory_ran_out_there_need_be_no_module_to_try() -> None:
    assert next_command(FIXED, known({}, ("dmesg", OOM))) is None
    wanted = next_command(FIXED, known(BUILT, ("dmesg", OOM)))
    assert isinstance(wanted, Command)


def test_rmmod_comes_after_a_successful_insert_only() -> None:
    assert next_command(RMMOD, faulty(BUILT)) is None
    inserted: Case = faulty({**BUILT, "validate.inserted": True})
    wanted = next_command(RMMOD, inserted)
    assert isinstance(wanted, Command)
    assert wanted.argv == ("rmmod", "faulty")
    assert next_command(RMMOD, learn(inserted, "rmmod", told(tool="rmmod"), ToolReading())) is None
