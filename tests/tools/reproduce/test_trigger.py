"""The trigger: run after the module is in, once to see the fault, often to see it gone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor.model import untrusted
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, ResultStatus, Risk
from pagefault_doctor.model.fact import Mark, Value
from pagefault_doctor.tools.reproduce import module_load
from pagefault_doctor.tools.reproduce.trigger import TIMES, TOOL, parse_trigger
from pagefault_doctor.tools.tool import next_command
from tools.example_reports import follow, learn, texts, told
from tools.recorded import faulty

POKE = "sh -c 'echo + > /proc/wobble'"


def loaded(trigger: str, tool: str = "insmod", facts: dict[str, Value] | None = None) -> Case:
    case = faulty({"given.trigger": trigger, **(facts or {})})
    return learn(case, tool, told("", "insmod", "wobble.ko", tool=tool), ToolReading())


def test_its_lines_are_argument_lists() -> None:
    case, ran, blocked = follow(TOOL, loaded(f"{POKE}\nsleep 2\n"), told(), told())
    assert [command.argv for command in ran] == [
        ("sh", "-c", "echo + > /proc/wobble"),
        ("sleep", "2"),
    ]
    assert {command.risk for command in ran} == {Risk.CRASH}
    assert blocked is None
    assert len(case.findings) == 2


def test_a_line_with_signs_of_a_shell_runs_in_one() -> None:
    _, ran, _ = follow(TOOL, loaded("echo + > /proc/wobble"), told())
    assert [command.argv for command in ran] == [("sh", "-c", "echo + > /proc/wobble")]


def test_after_the_fixed_build_it_runs_several_times() -> None:
    answers = [told()] * (2 * TIMES)
    _, ran, _ = follow(TOOL, loaded(f"{POKE}\nsleep 2", "insmod-fixed"), *answers)
    assert [command.argv[0] for command in ran] == ["sh", "sleep"] * TIMES


def test_a_trigger_that_unloads_is_repeated_with_the_fixed_build_and_spares_rmmod() -> None:
    built: dict[str, Value] = {
        "validate.inserted": True,
        "fix.module_path": "/home/user/wobble.ko",
    }
    case = loaded("rmmod wobble\nsleep 2", "insmod-fixed", built)
    rmmod = module_load.TOOLS[2]
    assert isinstance(next_command(rmmod, case), Command)
    case, ran, _ = follow(TOOL, case, *[told()] * (3 * TIMES - 1))
    assert [command.text for command in ran] == [
        *("rmmod wobble", "sleep 2"),
        *("insmod /home/user/wobble.ko", "rmmod wobble", "sleep 2") * (TIMES - 1),
    ]
    assert next_command(rmmod, case) is None


def test_without_a_trigger_the_fixed_build_is_loaded_again_at_one_consent() -> None:
    built: dict[str, Value] = {"fix.module_path": "/home/user/wobble.ko"}
    _, ran, _ = follow(TOOL, loaded("", "insmod-fixed", built), told())
    (command,) = ran
    assert command.argv[-2:] == ("wobble", "/home/user/wobble.ko")
    assert command.risk is Risk.CRASH


def test_without_a_trigger_there_is_nothing_to_run_after_the_suspect_was_loaded() -> None:
    assert next_command(TOOL, loaded("")) is None


def test_without_the_module_there_is_nothing_to_trigger() -> None:
    case = faulty({"given.trigger": POKE})
    assert next_command(TOOL, case) is None
    died = told("", "insmod", "wobble.ko", errors="Killed", exit_code=137, tool="insmod")
    assert next_command(TOOL, learn(case, "insmod", died, ToolReading())) is None


def test_a_module_that_was_live_already_can_be_triggered() -> None:
    live = told("live\n", "cat", "/sys/module/wobble/initstate", tool="insmod")
    case = learn(faulty({"given.trigger": POKE}), "insmod", live, ToolReading())
    assert isinstance(next_command(TOOL, case), Command)


@pytest.mark.parametrize("text", ["echo 'never closed", "echo \x1b[2J", 'echo "'])
def test_what_cannot_be_read_is_not_run(text: str) -> None:
    assert parse_trigger(text) is None
    assert isinstance(next_command(TOOL, loaded(text)), Blocked)


def test_the_trigger_of_another_kernel_is_not_run_here() -> None:
    elsewhere: dict[str, Value] = {
        "host.kernel": "6.6.0-other",
        "given.log": "/home/user/kern.log",
    }
    case = loaded(POKE, facts=elsewhere)
    assert isinstance(next_command(TOOL, case), Blocked)


@pytest.mark.parametrize(
    ("status", "mark", "word"),
    [
        (ResultStatus.OK, Mark.NEUTRAL, "without an error"),
        (ResultStatus.FAILED, Mark.NEUTRAL, "with an error"),
        (ResultStatus.SIGNALED, Mark.BAD, "killed"),
        (ResultStatus.TIMEOUT, Mark.BAD, "hangs"),
    ],
)
def test_how_it_ended_is_told(status: ResultStatus, mark: Mark, word: str) -> None:
    case, _, _ = follow(TOOL, loaded(POKE), told(status=status))
    assert case.findings[-1].mark is mark
    assert word in texts(case.findings)


@given(trigger=st.text(), errors=st.text(), status=st.sampled_from(ResultStatus))
def test_any_trigger_and_any_output_are_taken(
    trigger: str, errors: str, status: ResultStatus
) -> None:
    wanted = next_command(TOOL, loaded(trigger))
    if isinstance(wanted, Command):
        result = told("", *wanted.argv, errors=errors, status=status, tool="trigger")
        reading = TOOL.read(result, loaded(trigger))
        assert all(untrusted.is_clean(finding.text) for finding in reading.findings)
