"""memtester, stress-ng and perf: hardware under load, and page faults counted."""

from __future__ import annotations

import re

import msgspec
import pytest

from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.model.case import ToolReading
from pagefault_doctor.model.command import Command, ResultStatus, Risk
from pagefault_doctor.model.fact import Mark, Value
from pagefault_doctor.tools.reproduce import memtester, perf, stress_ng
from pagefault_doctor.tools.tool import next_command
from requirements import require_program
from tools.example_reports import SEGFAULT, follow, known, learn, texts, told
from tools.recorded import faulty, output

FAILED_MEMTEST = """\
Loop 1/1:
  Stuck Address       : ok
  Random Value        : FAILURE: 0x5a5a5a5a5a5a5a5a != 0x5a5a5a5a5a5a5a7a at offset 0x00001a40.
FAILURE: 0x0000000000000000 != 0x0000000000000020 at offset 0x00001a40.
  Compare XOR         : ok

Done.
"""


def test_healthy_memory_passes_every_test() -> None:
    case, _, _ = follow(
        memtester.TOOL, faulty({"verdict.root_cause": "hardware"}), told(output("memtester.txt"))
    )
    assert case.get("memtest.failures", -1) == 0
    assert case.get("memtest.passed", False) is True
    assert "passed 18 tests" in texts(case.findings)


def test_the_same_bit_in_every_mismatch_is_told() -> None:
    case, _, _ = follow(
        memtester.TOOL,
        faulty({"verdict.root_cause": "wild-pointer"}),
        told(FAILED_MEMTEST, exit_code=4),
    )
    assert case.get("memtest.failures", 0) == 2
    assert "the same bits, 0x20" in texts(case.findings)
    assert "Failed tests: Random Value" in texts(case.findings)
    assert case.findings[0].mark is Mark.BAD


def test_mismatches_without_a_common_bit_are_not_called_a_bad_line() -> None:
    assert memtester.stuck_bits([(0, 1), (0, 2)]) is None


def test_memory_is_not_tested_where_a_module_is_to_blame() -> None:
    assert next_command(memtester.TOOL, faulty()) is None


def test_memory_is_tested_where_no_module_is_to_blame() -> None:
    case = faulty()
    facts = {name: fact for name, fact in case.facts.items() if name != "suspect.module"}
    wanted = next_command(memtester.TOOL, msgspec.structs.replace(case, facts=facts))
    assert isinstance(wanted, Command)
    assert wanted.risk is Risk.LOAD


def test_a_memtester_that_ended_early_proves_nothing() -> None:
    answer = told("got  0MB (0 bytes)", errors="failed to allocate", exit_code=1)
    case, _, _ = follow(memtester.TOOL, faulty({"verdict.root_cause": "hardware"}), answer)
    assert not case.has("memtest.passed")
    assert "could not get 64M" in texts(case.findings)


def test_stress_that_passes() -> None:
    case, (command,), _ = follow(stress_ng.TOOL, known(), told(errors=output("stress_ng.txt")))
    assert case.get("stress.passed", False) is True
    assert case.facts["stress.failed_stressors"].value == ()
    assert "minor page faults per sec" in texts(case.findings)
    assert command.risk is Risk.LOAD


@pytest.mark.parametrize(
    "lines",
    [
        "stress-ng: fail:  [7] vm: detected 3 bit errors while stressing memory\n"
        "stress-ng: info:  [6] unsuccessful run completed in 2.00s\n",
        "stress-ng: info:  [6] failed: 1: vm (1)\n"
        "stress-ng: info:  [6] unsuccessful run completed in 2.00s\n",
    ],
)
def test_stress_names_the_stressor_that_failed(lines: str) -> None:
    case, _, _ = follow(stress_ng.TOOL, known(), told(lines, exit_code=2))
    assert case.get("stress.passed", True) is False
    assert case.facts["stress.failed_stressors"].value == ("vm",)


def test_stress_that_never_comes_back_is_alarming() -> None:
    case, _, _ = follow(stress_ng.TOOL, known(), told(status=ResultStatus.TIMEOUT))
    assert not case.has("stress.passed")
    assert case.findings[0].mark is Mark.BAD


def test_perf_counts_page_faults() -> None:
    case, (command,), _ = follow(perf.TOOL, known(), told(errors=output("perf.txt")))
    assert case.get("perf.page_faults", 0) == 82
    assert case.get("perf.minor_faults", 0) == 81
    assert case.get("perf.major_faults", 0) == 1
    assert command.risk is Risk.READ


def test_perf_reads_thousands_and_leaves_out_what_was_not_counted() -> None:
    answer = told(errors="  1,234,567      page-faults\n <not counted>  major-faults\n")
    case, _, _ = follow(perf.TOOL, known(), answer)
    assert case.get("perf.page_faults", 0) == 1234567
    assert not case.has("perf.major_faults")


def test_perf_refused_by_the_kernel_says_what_to_set() -> None:
    refused = told(
        errors="Error:\nAccess to performance monitoring operations is limited.\n",
        exit_code=255,
    )
    _, _, blocked = follow(perf.TOOL, known(), refused)
    assert blocked
    assert "perf_event_paranoid" in blocked.remedy


def test_load_is_not_put_on_a_box_that_the_log_is_not_of() -> None:
    case = faulty({"host.kernel": "6.6.0-other", "given.log": "/home/user/kern.log"})
    for tool in (stress_ng.TOOL, perf.TOOL):
        assert next_command(tool, case) is None


def test_real_memtester_on_a_megabyte() -> None:
    require_program("memtester")
    command = Command(argv=("memtester", "1M", "1"), tool="memtester", timeout=60)
    result = LocalHost().run(command)
    reading = memtester.TOOL.read(result, known())
    assert {f.name: f.value for f in reading.facts} == {
        "memtest.failures": 0,
        "memtest.passed": True,
    }


def test_real_stress_ng_for_a_second() -> None:
    require_program("stress-ng")
    argv = tuple(re.sub("25%", "8M", word).replace("20s", "1s") for word in stress_ng.ARGV)
    result = LocalHost().run(Command(argv=argv, tool="stress-ng", timeout=60))
    case = learn(known(), "stress-ng", result, ToolReading())
    assert ("stress.passed", True) in [
        (f.name, f.value) for f in stress_ng.TOOL.read(result, case).facts
    ]


def test_memory_is_tested_where_a_program_died_but_not_where_memory_ran_out() -> None:
    oom = "[    9.0] Out of memory: Killed process 7 (app) total-vm:1kB, anon-rss:1kB\n"
    assert isinstance(next_command(memtester.TOOL, known({}, ("dmesg", SEGFAULT))), Command)
    assert next_command(memtester.TOOL, known({}, ("dmesg", oom))) is None


@pytest.mark.parametrize(("confidence", "wanted"), [(0.6, True), (0.97, False)])
def test_memory_is_not_tested_where_a_module_is_surely_to_blame(
    confidence: float, wanted: bool
) -> None:
    facts: dict[str, Value] = {
        "verdict.root_cause": "use-after-free",
        "verdict.attribution": "module",
        "verdict.confidence": confidence,
    }
    assert (next_command(memtester.TOOL, faulty(facts)) is not None) is wanted
