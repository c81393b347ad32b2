"""lab-run: the module of another machine's log in the lab, and the changed one on the same way."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Blocked, Command, ResultStatus, Risk
from pagefault_doctor.model.fact import Fact, Mark, Source, Value
from pagefault_doctor.tools import TOOLS
from pagefault_doctor.tools.tool import next_command
from tools.example_reports import KERNEL, OOPS, follow, known, texts, told

FAULTY, FIXED = TOOLS["lab-run"], TOOLS["lab-run-fixed"]
TITLE = "BUG: unable to handle kernel NULL pointer dereference in wobble_init"

ELSEWHERE: dict[str, Value] = {
    "host.programs": ("pfdoctor",),
    "log.of": "another",
    "given.source_dir": "/src/wobble",
    "verdict.attribution": "module",
    "suspect.module": "wobble",
    "verdict.root_cause": "null-deref",
}
LISTING = json.dumps({"kernels": [{"name": "9.1", "release": KERNEL}], "fetchable": ["2.6"]})
NO_NAMES = told("", exit_code=1)
STOP = {
    "function": "wobble_init",
    "file": "/src/wobble/wobble.c",
    "line": 12,
    "source": "w->x = 1;",
    "instruction": "movb $0x1,(%rax)",
    "pointer": "rax",
    "holders": ["w"],
    "reachable": False,
}


def case_of(facts: dict[str, Value] = ELSEWHERE, log: str = OOPS) -> Case:
    return known(facts, ("crash.log", log))


def answer(faults: int, runs: int = 3, **other: Any) -> str:
    """Return what `pfdoctor lab run --json` prints."""
    reports = [{"title": other.pop("title", TITLE), "function": other.pop("function", None)}]
    lab = {"runs": runs, "reproduced": faults, "kernel": "9.1.0-1-amd64", **other}
    verdict = {"report": 0 if faults else None}
    return json.dumps({"lab": lab, "verdict": verdict, "reports": reports if faults else []})


RAN = ("pfdoctor", "lab", "run", "--source", "/src/wobble", "--kernel", "9.1", "--slub-debug")
BEFORE: dict[str, Value] = ELSEWHERE | {
    "lab.command": (*RAN, "--trigger", "cat '/proc/a b'", "--gdb", "--repeat", "3", "--json"),
    "lab.faults": 3,
    "lab.runs": 3,
    "fix.changed": True,
}


def test_the_module_is_built_and_tried_on_the_kernel_of_the_log_with_the_trigger() -> None:
    facts = ELSEWHERE | {"given.trigger": "cat '/proc/a b'\n", "given.kernel_args": "a.b=1\n$x"}
    case, ran, _ = follow(FAULTY, case_of(facts), told(LISTING), told(answer(3)))
    assert [command.risk for command in ran] == [Risk.READ, Risk.LOAD]
    assert ran[1].argv == (
        *("pfdoctor", "lab", "run", "--source", "/src/wobble", "--kernel", "9.1"),
        *("--trigger", "cat '/proc/a b'", "--kernel-arg=a.b=1"),
        *("--gdb", "--repeat", "3", "--json"),
    )
    assert "4 virtual machines one after the other, 1 to 3 min" in ran[1].why
    assert f"The lab has the kernel of the log, {KERNEL}" in texts(case.findings)


def test_memory_that_was_freed_is_looked_for_with_the_checks_of_slub() -> None:
    facts = ELSEWHERE | {"verdict.root_cause": "use-after-free"}
    _, ran, _ = follow(FAULTY, case_of(facts), told(LISTING), NO_NAMES, told(answer(3)))
    assert "--slub-debug" in ran[2].argv


def test_a_kernel_that_is_not_here_is_fetched_with_consent_and_then_booted() -> None:
    only_old = json.dumps({"kernels": [], "fetchable": ["2.6", "4.4"]})
    case = case_of()
    _, ran, _ = follow(FAULTY, case, told(only_old), NO_NAMES, told(""), told(answer(3)))
    assert ran[2].argv == ("pfdoctor", "lab", "kernels", "fetch", "4.4", "--yes")
    assert (ran[2].risk, ran[2].undo) == (Risk.CHANGE, "pfdoctor lab kernels remove 4.4")
    assert ran[3].argv[5:7] == ("--kernel", "4.4")


def test_a_kernel_that_cannot_be_fetched_blocks_with_the_reason() -> None:
    only_old = json.dumps({"kernels": [], "fetchable": ["4.4"]})
    failed = told("", errors="pfdoctor: no room in the cache\n", exit_code=1)
    _, _, end = follow(FAULTY, case_of(), told(only_old), NO_NAMES, failed)
    assert isinstance(end, Blocked)
    assert end.reason == "4.4 was not fetched: no room in the cache"


def test_the_same_fault_is_told_with_the_line_at_which_gdb_stopped() -> None:
    case, _, _ = follow(FAULTY, case_of(), told(LISTING), NO_NAMES, told(answer(2, gdb=STOP)))
    said = texts(case.findings)
    assert f"It faults in the lab, on 9.1.0-1-amd64, in 2 of 3 guests: {TITLE}" in said
    assert "gdb stopped at wobble.c:12: w->x = 1;" in said
    assert case.get("reproduce.reproduced", False)
    assert (case.get("debug.line", 0), case.get("debug.pointer", "")) == (12, "w")
    assert (case.get("lab.faults", 0), case.get("lab.runs", 0)) == (2, 3)


def test_another_fault_than_that_of_the_log_does_not_count_as_reproduced() -> None:
    other = answer(3, title="KASAN: something else in wobble_exit", function="wobble_exit")
    case, _, _ = follow(FAULTY, case_of(), told(LISTING), NO_NAMES, told(other))
    assert case.facts["reproduce.reproduced"].value is False
    assert f"That is another fault than the log's, which is: {TITLE}" in texts(case.findings)


def test_a_module_that_does_not_fault_there_may_need_another_trigger() -> None:
    case, _, end = follow(
        FAULTY, case_of(), told(LISTING), NO_NAMES, told(answer(0, notes=["mount: no"]))
    )
    said = texts(case.findings)
    assert "It did not fault in the lab, on 9.1.0-1-amd64, in 3 guests" in said
    assert "mount: no" in said
    assert case.facts["reproduce.reproduced"].value is False
    assert isinstance(end, Blocked)
    assert "--trigger" in end.remedy


def test_a_new_trigger_is_tried_at_once_and_the_same_one_is_not_tried_again() -> None:
    case, _, _ = follow(FAULTY, case_of(), told(LISTING), NO_NAMES, told(answer(0)))
    again = with_trigger(case, "ls /sys/wobble")
    command = next_command(FAULTY, again)
    assert isinstance(command, Command)
    assert "ls /sys/wobble" in command.argv
    case, _, _ = follow(FAULTY, again, told(answer(0)))
    assert isinstance(next_command(FAULTY, case), Blocked)


def with_trigger(case: Case, text: str) -> Case:
    return with_fact(case, "given.trigger", text)


def with_fact(case: Case, name: str, value: str) -> Case:
    given = Fact(name, value, Source("test"))
    return msgspec.structs.replace(case, facts=case.facts | {given.name: given})


def test_without_the_source_it_is_asked_for() -> None:
    facts = {name: value for name, value in ELSEWHERE.items() if name != "given.source_dir"}
    end = next_command(FAULTY, case_of(facts))
    assert isinstance(end, Blocked)
    assert "--source-dir" in end.remedy


@pytest.mark.parametrize("tool", [FAULTY, FIXED])
@pytest.mark.parametrize("other", [{"log.of": "this-box"}, {"verdict.attribution": "hardware"}])
def test_it_is_for_modules_of_other_machines(tool: Any, other: dict[str, Value]) -> None:
    assert next_command(tool, case_of(ELSEWHERE | other)) is None


@pytest.mark.parametrize("output", ["", "[]", "{", '{"lab": 3}'])
def test_an_answer_that_is_none_is_told_with_what_the_lab_said(output: str) -> None:
    said = told(output, errors="pfdoctor: no qemu here\n", exit_code=3)
    case, _, _ = follow(FAULTY, case_of(), told(LISTING), NO_NAMES, said)
    assert "The lab gave no answer: no qemu here" in texts(case.findings)


def test_the_fix_is_tried_as_the_fault_was() -> None:
    command = next_command(FIXED, case_of(BEFORE))
    assert isinstance(command, Command)
    assert command.argv == (*RAN, "--trigger", "cat '/proc/a b'", "--repeat", "3", "--json")
    assert "before the change it faulted in 3 of 3 guests" in command.why


def test_what_came_seldom_is_tried_so_often_that_luck_is_unlikely() -> None:
    command = next_command(FIXED, case_of(BEFORE | {"lab.faults": 1, "lab.runs": 4}))
    assert isinstance(command, Command)
    times = int(command.argv[command.argv.index("--repeat") + 1])
    assert 0.75**times < 0.05 < 0.75 ** (times - 1)


def test_a_command_that_is_no_run_of_the_lab_is_not_repeated() -> None:
    odd = ("rm", "-r", "/", "--repeat", "3")
    assert next_command(FIXED, case_of(BEFORE | {"lab.command": odd})) is None


@pytest.mark.parametrize(
    ("output", "facts", "verdict", "mark"),
    [
        (answer(0), {}, "fixed", Mark.GOOD),
        (answer(1), {}, "not-fixed", Mark.BAD),
        (answer(0), {"fix.changed": False}, "inconclusive", Mark.NEUTRAL),
        (answer(0), {"verdict.root_cause": "use-after-free"}, "inconclusive", Mark.NEUTRAL),
        (answer(0, notes=["insmod: failed"]), {}, "inconclusive", Mark.NEUTRAL),
    ],
)
def test_the_fix_is_judged_by_what_was_seen(
    output: str, facts: dict[str, Value], verdict: str, mark: Mark
) -> None:
    case, _, _ = follow(FIXED, case_of(BEFORE | facts), told(output))
    assert case.facts["validate.verdict"].value == verdict
    assert case.findings[-1].mark is mark


def test_a_run_that_was_cancelled_says_so() -> None:
    cancelled = told("", exit_code=None, status=ResultStatus.CANCELLED)
    case, _, _ = follow(FIXED, case_of(BEFORE), cancelled)
    assert "The lab gave no answer: pfdoctor was cancelled" in texts(case.findings)
    assert not case.has("validate.verdict")


READ = (
    OOPS.replace("do_one_initcall+0x56/0x230", "proc_reg_read+0x56/0x230")
    .replace("do_init_module+0x4a/0x200", "vfs_read+0x4a/0x200")
    .replace("Comm: insmod", "Comm: cat")
    .replace("wobble_init", "wobble_show")
    .replace("OE+", "OE")
)


def test_the_trigger_is_proposed_from_the_trace_and_the_names_in_the_source() -> None:
    grep = '/src/wobble/wobble.c:80:\tproc_create("wobbles", 0444, NULL, &wobble_ops);\n'
    case, ran, _ = follow(FAULTY, case_of(log=READ), told(LISTING), told(grep), told(answer(3)))
    assert ran[1].argv[0] == "grep"
    assert "cat /proc/wobbles" in ran[2].argv
    proposal = next(f for f in case.findings if f.text.startswith("To make it fault again"))
    assert "cat /proc/wobbles" in proposal.text
    assert proposal.source.origin == "crash.log"


def test_a_trigger_that_has_to_be_filled_in_is_asked_for() -> None:
    case, _, end = follow(FAULTY, case_of(log=READ), told(LISTING), NO_NAMES)
    assert isinstance(end, Blocked)
    assert "the trigger is not known" in end.reason
    assert "--trigger" in end.remedy
    command = next_command(FAULTY, with_trigger(case, "cat /proc/wobbles"))
    assert isinstance(command, Command)
    assert "cat /proc/wobbles" in command.argv


def test_a_module_of_the_tree_comes_out_of_the_package_of_that_kernel() -> None:
    log = OOPS.replace("wobble", "btrfs").replace("(OE+)", "").replace("(OE)", "")
    facts = {n: v for n, v in ELSEWHERE.items() if n != "given.source_dir"}
    case = case_of(facts | {"suspect.module": "btrfs"}, log)
    _, ran, _ = follow(FAULTY, case, told(LISTING), told(answer(3)))
    assert ran[1].argv[3:5] == ("--in-tree", "btrfs")


def test_a_module_of_that_name_from_outside_the_tree_needs_its_source() -> None:
    log = OOPS.replace("wobble", "btrfs")
    facts = {n: v for n, v in ELSEWHERE.items() if n != "given.source_dir"}
    end = next_command(FAULTY, case_of(facts | {"suspect.module": "btrfs"}, log))
    assert isinstance(end, Blocked)
    assert "--source-dir" in end.remedy


UNBUILT = told(
    "",
    errors="pfdoctor: no module was built from /src/wobble; w.c:3:1: error: what is this [-W]\n",
    exit_code=1,
)
TWO = json.dumps(
    {"kernels": [{"name": "9.1", "release": KERNEL}, {"name": "5.4", "release": "5.4"}]}
)


def test_a_source_that_does_not_build_is_tried_on_the_next_kernel() -> None:
    case, ran, _ = follow(FAULTY, case_of(), told(TWO), NO_NAMES, UNBUILT, told(answer(3)))
    assert [command.argv[6] for command in ran[2:]] == ["9.1", "5.4"]
    assert "The source does not build for 9.1: w.c:3:1: error: what is this" in texts(case.findings)
    assert case.get("lab.faults", 0) == 3


def test_a_source_that_builds_for_no_kernel_is_told_and_another_one_asked_for() -> None:
    case, _, end = follow(FAULTY, case_of(), told(TWO), NO_NAMES, UNBUILT, UNBUILT)
    assert isinstance(end, Blocked)
    assert "does not build for the lab's kernels 9.1, 5.4" in end.reason
    assert "--source-dir" in end.remedy
    newer = with_fact(case, "given.source_dir", "/src/wobble-2")
    command = next_command(FAULTY, newer)
    assert isinstance(command, Command)
    assert command.argv[3:7] == ("--source", "/src/wobble-2", "--kernel", "9.1")


def test_a_run_without_an_answer_is_not_taken_for_one_without_a_fault() -> None:
    failed = told("", errors="pfdoctor: qemu is missing\n", exit_code=3)
    _, _, end = follow(FAULTY, case_of(), told(LISTING), NO_NAMES, failed)
    assert isinstance(end, Blocked)
    assert end.reason == "the lab gave no answer: qemu is missing"


IN_TREE = f"""\
BUG: kernel NULL pointer dereference, address: 0000000000000010
Oops: 0000 [#1] PREEMPT SMP
CPU: 1 PID: 77 Comm: {{}} Not tainted {KERNEL} #1
RIP: 0010:btrfs_worker+0x11/0x40 [btrfs]
Call Trace:
 kthread+0xf0/0x120
Modules linked in: btrfs ext4
"""


@pytest.mark.parametrize("comm", ["btrfs-task", "kworker/1:1"])
def test_a_module_of_the_tree_is_not_only_loaded_where_nothing_tells_what_uses_it(
    comm: str,
) -> None:
    log = IN_TREE.format(comm)
    facts = {n: v for n, v in ELSEWHERE.items() if n != "given.source_dir"}
    case, ran, end = follow(
        FAULTY, case_of(facts | {"suspect.module": "btrfs"}, log), told(LISTING)
    )
    assert len(ran) == 1
    assert isinstance(end, Blocked)
    assert "nothing tells what makes btrfs fault" in end.reason
    assert not any("make it fault again" in text for text in texts(case.findings))
    command = next_command(FAULTY, with_trigger(case, "mount /dev/vda /tmp"))
    assert isinstance(command, Command)
    assert command.argv[3:5] == ("--in-tree", "btrfs")
