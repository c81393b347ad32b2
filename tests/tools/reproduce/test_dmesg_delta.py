"""What is new in the log."""

from __future__ import annotations

import msgspec
import pytest

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Command, ResultStatus, Risk
from pagefault_doctor.model.fact import Mark, Value
from pagefault_doctor.tools.reproduce.dmesg_delta import AFTER, BEFORE, DELTA
from pagefault_doctor.tools.reproduce.trigger import TIMES
from pagefault_doctor.tools.tool import next_command
from tools.example_reports import (
    BOOT,
    OOM,
    OOPS,
    SAME_AGAIN,
    SEGFAULT,
    WARNING,
    follow,
    known,
    learn,
    texts,
    told,
)

BEFORE_LOG = ("dmesg", BOOT + OOPS)


def proven(case: Case, *tools: str) -> Case:
    """The case after these tools ran in this step."""
    for tool in tools:
        case = learn(case, tool, told("done", tool=tool), ToolReading())
    return case


def validated(facts: dict[str, Value], log: str, tainted: str, *tools: str) -> Case:
    start = proven(known({"taint.mask": 4096 + 8192, **facts}, BEFORE_LOG), *tools)
    case, _, _ = follow(AFTER, start, told(tainted), told(log))
    return case


def test_the_same_fault_with_a_later_time_is_a_reproduction() -> None:
    case, _, _ = follow(DELTA, known({}, BEFORE_LOG), told(BOOT + OOPS + SAME_AGAIN))
    assert case.get("reproduce.new_reports", 0) == 1
    assert case.get("reproduce.reproduced", False) is True
    assert [r.timestamp for r in case.logs[-1].reports] == [95.5]


def test_a_log_that_did_not_grow_reproduces_nothing() -> None:
    case, _, _ = follow(DELTA, known({}, BEFORE_LOG), told(BOOT + OOPS))
    assert case.get("reproduce.new_reports", -1) == 0
    assert case.get("reproduce.reproduced", True) is False


@pytest.mark.parametrize(
    ("risk", "tried", "words"),
    [(Risk.CRASH, True, "reported nothing new"), (Risk.READ, False, "Nothing was triggered")],
)
def test_it_did_not_come_back_only_where_something_was_tried(
    risk: Risk, tried: bool, words: str
) -> None:
    result = told("live", tool="insmod")
    command = msgspec.structs.replace(result.command, risk=risk)
    result = msgspec.structs.replace(result, command=command)
    start = learn(known({}, BEFORE_LOG), "insmod", result, ToolReading())
    case, _, _ = follow(DELTA, start, told(BOOT + OOPS))
    assert case.facts["reproduce.tried"].value is tried
    assert words in texts(case.findings)


def test_another_fault_counts_as_new_but_not_as_a_reproduction() -> None:
    case, _, _ = follow(DELTA, known({}, BEFORE_LOG), told(BOOT + OOPS + WARNING))
    assert case.get("reproduce.new_reports", 0) == 1
    assert case.get("reproduce.reproduced", True) is False
    assert "not the same fault" in texts(case.findings)


def test_what_the_guest_said_as_it_died_is_a_reproduction() -> None:
    start = known({}, BEFORE_LOG)
    dead = told("", status=ResultStatus.FAILED, errors=SAME_AGAIN, exit_code=None, tool="trigger")
    start = learn(start, "trigger", dead, ToolReading())
    case, _, _ = follow(DELTA, start, told(BOOT))
    assert case.get("reproduce.new_reports", 0) == 1
    assert case.get("reproduce.reproduced", False) is True


def test_what_a_trigger_that_came_back_printed_is_no_reproduction() -> None:
    failed = told("", status=ResultStatus.FAILED, errors=SAME_AGAIN, exit_code=1, tool="trigger")
    start = learn(known({}, BEFORE_LOG), "trigger", failed, ToolReading())
    case, _, _ = follow(DELTA, start, told(BOOT))
    assert case.get("reproduce.reproduced", True) is False


def test_without_times_reports_are_counted() -> None:
    bare = "\n".join(line[15:] for line in (BOOT + OOPS).splitlines())
    again = "\n".join(line[15:] for line in OOPS.splitlines())
    case, _, _ = follow(DELTA, known({}, ("dmesg", bare)), told(f"{bare}\n{again}\n"))
    assert case.get("reproduce.new_reports", 0) == 1


def test_a_log_of_another_machine_is_no_baseline() -> None:
    case, _, _ = follow(DELTA, known({}, ("kern.log", BOOT + OOPS)), told(BOOT + SAME_AGAIN))
    assert not case.has("reproduce.new_reports")
    assert "was not read before" in texts(case.findings)


def test_a_given_file_that_is_called_dmesg_is_no_baseline_either() -> None:
    given = known({"given.log": "dmesg"}, ("dmesg", BOOT + OOPS))
    case, _, _ = follow(DELTA, given, told(BOOT + SAME_AGAIN))
    assert not case.has("reproduce.new_reports")


def test_what_was_noted_before_is_a_baseline() -> None:
    given = known({"given.log": "kern.log"}, ("kern.log", BOOT + OOPS))
    case, _, _ = follow(BEFORE, given, told(BOOT + WARNING))
    case, _, _ = follow(DELTA, case, told(BOOT + WARNING + SAME_AGAIN))
    assert case.get("reproduce.new_reports", 0) == 1
    assert case.get("reproduce.reproduced", False) is True


def test_the_log_is_noted_anew_at_each_step_since_a_delta_knows_only_what_was_new() -> None:
    assert isinstance(next_command(BEFORE, known({}, BEFORE_LOG)), Command)


def test_a_crashing_program_is_reproduced_by_crashing_again() -> None:
    later = SEGFAULT.replace("[   30.", "[   60.")
    case, _, _ = follow(DELTA, known({}, ("dmesg", BOOT + SEGFAULT)), told(BOOT + SEGFAULT + later))
    assert case.get("reproduce.reproduced", False) is True


@pytest.mark.parametrize("tool", [BEFORE, DELTA])
def test_a_refused_log_is_blocked_and_says_that_nothing_is_known(tool: object) -> None:
    assert isinstance(tool, type(DELTA))
    refused = told(errors="dmesg: read kernel buffer failed: Operation not permitted", exit_code=1)
    case, _, blocked = follow(tool, known({"host.uid": 1000}), refused)
    assert blocked is not None
    assert "dmesg_restrict" in blocked.remedy
    assert "could not be" in texts(case.findings)
    assert not case.has("reproduce.reproduced")


ALL_DONE: dict[str, Value] = {"validate.inserted": True, "stress.passed": True}


def test_fixed_takes_the_module_in_a_stress_run_and_a_silent_log() -> None:
    case = validated(ALL_DONE, BOOT + OOPS, "12288\n", "insmod-fixed", "stress-ng")
    assert case.get("validate.verdict", "") == "fixed"
    assert case.get("validate.new_reports", -1) == 0
    assert case.facts["validate.taint_added"].value == ()
    assert case.findings[-1].mark is Mark.GOOD


def test_the_same_fault_again_is_not_fixed_even_without_a_stress_run() -> None:
    facts: dict[str, Value] = {"validate.inserted": True}
    case = validated(facts, BOOT + OOPS + SAME_AGAIN, "12416\n", "insmod-fixed")
    assert case.get("validate.verdict", "") == "not-fixed"
    assert case.get("validate.new_reports", 0) == 1
    assert case.facts["validate.taint_added"].value == ("D",)


def test_a_fixed_build_that_faults_in_its_init_is_not_fixed() -> None:
    case = validated(
        {"validate.inserted": False}, BOOT + OOPS + SAME_AGAIN, "12416\n", "insmod-fixed"
    )
    assert case.get("validate.verdict", "") == "not-fixed"


def cut_short(tool: str) -> Case:
    """A case whose machine crashed in a command of this step, and was booted again."""
    words = f"cut short: the kernel panicked\n{BOOT}{SAME_AGAIN}"
    dead = told("", "insmod", "wobble.ko", errors=words, status=ResultStatus.SIGNALED, tool=tool)
    dead = msgspec.structs.replace(dead, exit_code=None)
    return learn(known({"taint.mask": 0}, BEFORE_LOG), tool, dead, ToolReading())


def test_the_last_words_of_a_guest_that_died_reproduce_the_fault() -> None:
    case, _, _ = follow(DELTA, cut_short("trigger"), told(BOOT))
    assert case.get("reproduce.reproduced", False) is True
    assert case.get("reproduce.new_reports", 0) == 1


def test_a_guest_that_died_of_the_fixed_build_is_not_fixed() -> None:
    case, _, _ = follow(AFTER, cut_short("insmod-fixed"), told("0\n"), told(BOOT))
    assert case.get("validate.verdict", "") == "not-fixed"


def test_faulty_memory_leaves_the_verdict_inconclusive() -> None:
    ran = ("insmod-fixed", "stress-ng", "memtester")
    case = validated({**ALL_DONE, "memtest.failures": 2}, BOOT + OOPS, "12288\n", *ran)
    assert case.get("validate.verdict", "") == "inconclusive"


def test_damage_that_only_the_taint_tells_of_is_not_fixed() -> None:
    case = validated(ALL_DONE, BOOT + OOPS, str(12288 + 512), "insmod-fixed", "stress-ng")
    assert case.get("validate.verdict", "") == "not-fixed"


def test_taint_of_loading_a_module_is_no_damage() -> None:
    start = proven(known({"taint.mask": 0, **ALL_DONE}, BEFORE_LOG), "insmod-fixed", "stress-ng")
    case, _, _ = follow(AFTER, start, told("12288"), told(BOOT + OOPS))
    assert case.facts["validate.taint_added"].value == ("O", "E")
    assert case.get("validate.verdict", "") == "fixed"


@pytest.mark.parametrize(
    ("facts", "tools"),
    [
        ({"stress.passed": True}, ("stress-ng",)),
        ({"validate.inserted": True}, ("insmod-fixed",)),
        ({"validate.inserted": True, "stress.passed": False}, ("insmod-fixed", "stress-ng")),
        ({"validate.inserted": True, "stress.passed": True}, ("insmod-fixed",)),
        ({"validate.inserted": True, "stress.passed": True}, ("stress-ng",)),
    ],
    ids=["not inserted", "no stress", "stress failed", "stress of before", "inserted before"],
)
def test_silence_proves_nothing_unless_the_fault_had_its_chance(
    facts: dict[str, Value], tools: tuple[str, ...]
) -> None:
    case = validated(facts, BOOT + OOPS, "12288", *tools)
    assert case.get("validate.verdict", "") == "inconclusive"


@pytest.mark.parametrize(
    ("ran", "verdict"), [(1, "inconclusive"), (TIMES - 1, "inconclusive"), (TIMES, "fixed")]
)
def test_a_trigger_that_is_known_must_have_run_to_its_end(ran: int, verdict: str) -> None:
    facts: dict[str, Value] = {**ALL_DONE, "given.trigger": "cat /proc/wobble"}
    poked = ("trigger",) * ran
    case = validated(facts, BOOT + OOPS, "12288", "insmod-fixed", *poked, "stress-ng")
    assert case.get("validate.verdict", "") == verdict


def test_without_a_baseline_the_verdict_is_inconclusive() -> None:
    start = proven(known(ALL_DONE), "insmod-fixed", "stress-ng")
    case, _, _ = follow(AFTER, start, told("0"), told(BOOT))
    assert case.get("validate.verdict", "") == "inconclusive"


def test_a_refused_log_leaves_the_verdict_inconclusive() -> None:
    refused = told(errors="dmesg: klogctl: Operation not permitted", exit_code=1)
    case, _, blocked = follow(AFTER, known(ALL_DONE, BEFORE_LOG), told("0"), refused)
    assert blocked is not None
    assert case.get("validate.verdict", "") == "inconclusive"


def test_memory_pressure_is_validated_without_a_module() -> None:
    start = proven(known({"stress.passed": True}, ("dmesg", BOOT + SEGFAULT)), "stress-ng")
    case, _, _ = follow(AFTER, start, told("0"), told(BOOT + SEGFAULT))
    assert case.get("validate.verdict", "") == "fixed"


def test_a_module_that_was_rebuilt_must_be_tried_also_where_memory_ran_out() -> None:
    facts: dict[str, Value] = {"stress.passed": True, "fix.module_path": "/usr/src/v/v.ko"}
    start = proven(known(facts, ("dmesg", BOOT + OOM)), "stress-ng")
    case, _, _ = follow(AFTER, start, told("0"), told(BOOT + OOM))
    assert case.get("validate.verdict", "") == "inconclusive"


def test_memory_runs_out_again_whoever_is_killed() -> None:
    again = OOM.replace("   30.", "   90.").replace("batch", "other")
    case, _, _ = follow(DELTA, known({}, ("dmesg", BOOT + OOM)), told(BOOT + OOM + again))
    assert case.get("reproduce.reproduced", False) is True


def test_unknown_taint_before_is_said() -> None:
    case, _, _ = follow(AFTER, known({}, BEFORE_LOG), told("0"), told(BOOT + OOPS))
    assert not case.has("validate.taint_added")
    assert "not read before" in texts(case.findings)


def out_of_memory(second: int, task: str) -> str:
    """Return what the kernel logs when it runs out of memory in a task, and kills it."""
    stamp = f"[{second:5}.000000]"
    return (
        f"{stamp} {task} invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
        f"{stamp} CPU: 0 PID: 400 Comm: {task} Not tainted 6.1.0-1-amd64 #1\n"
        f"{stamp} Out of memory: Killed process 400 ({task}) total-vm:104660kB, anon-rss:54284kB\n"
    )


def test_memory_that_ran_out_in_another_task_is_the_same_fault() -> None:
    before = BOOT + out_of_memory(30, "batch")
    case, _, _ = follow(
        DELTA, known({}, ("dmesg", before)), told(before + out_of_memory(90, "other"))
    )
    assert case.logs[0].reports[0].comm != case.logs[-1].reports[0].comm
    assert case.get("reproduce.reproduced", False) is True
