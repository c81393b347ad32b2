"""stress-ng: load memory and cause page faults, and verify the results.

Lines as of `core-logging.c` and `stress-ng.c`: `stress-ng: LEVEL: [PID] TEXT`. Versions before
0.16 print them on standard error, later ones print `info` and `metrc` on standard output.
"""

from __future__ import annotations

from typing import Final

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Command, Result, ResultStatus, Risk
from pagefault_doctor.model.fact import Finding, Mark
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.arguments import blocked_on_other_kernel
from pagefault_doctor.tools.tool import Tool, fact, finding

ARGV: Final = (
    *("stress-ng", "--vm", "1", "--vm-bytes", "25%", "--fault", "1", "--timeout", "20s"),
    *("--metrics-brief", "--verify", "--temp-path", "/tmp"),
)

_LINE = regex(r"stress-ng:\s+(\w+):\s+\[\d+\]\s(.*)")
_FAILED = regex(r"failed: [1-9]\d*: (.+)")
_STRESSOR = regex(r"([a-z][a-z0-9-]*) \(\d+\)")
_SENDER = regex(r"(?:stress-ng-)?([a-z][a-z0-9-]*)(?: \[\d+\])?:")
_METRIC = regex(r"\s*([a-z][a-z0-9-]*)\s+([\d.]+) (\w.*?)(?: \(.*)?$")
_UNSUCCESSFUL = regex(r"(?m)^unsuccessful run completed")


def _plan(case: Case) -> Command | None:
    if case.done("stress-ng") or blocked_on_other_kernel(case):
        return None
    return Command(
        argv=ARGV,
        tool="stress-ng",
        risk=Risk.LOAD,
        timeout=90.0,
        why="load memory and fault pages for 20 s (a quarter of the memory, two processes); "
        "the box is slow meanwhile, and a fault that needs load may show",
    )


def _read(result: Result, case: Case) -> ToolReading:
    lines = [(m[1], m[2]) for m in _LINE.finditer(result.errors + "\n" + result.output)]
    ended = [text for _, text in lines if "successful run completed" in text]
    if not ended:
        return ToolReading(findings=(_unfinished(result, lines),))
    failed = _failed(lines)
    passed = not failed and not any(map(_UNSUCCESSFUL.match, ended))
    facts = (
        fact("stress.passed", passed, result),
        fact("stress.failed_stressors", failed, result),
    )
    return ToolReading(
        facts=facts, findings=(_judge(passed, failed, result), *_metrics(lines, result))
    )


def _failed(lines: list[tuple[str, str]]) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for level, text in lines:
        if match := _FAILED.match(text):
            names.update(dict.fromkeys(_STRESSOR.findall(match[1])))
        elif level == "fail" and (sender := _SENDER.match(text)):
            names[sender[1]] = None
    return tuple(names)


def _judge(passed: bool, failed: tuple[str, ...], result: Result) -> Finding:
    if passed:
        return finding("Memory and page-fault load passed with checked results", Mark.GOOD, result)
    named = f" in {', '.join(failed)}" if failed else ""
    text = f"stress-ng failed{named}: memory did not hold what it should, or a call failed"
    return finding(text, Mark.BAD, result)


def _unfinished(result: Result, lines: list[tuple[str, str]]) -> Finding:
    if result.status is ResultStatus.TIMEOUT:
        return finding("stress-ng did not come back in time: the box hangs", Mark.BAD, result)
    error = next((text for level, text in lines if level == "error"), "")
    text = f"stress-ng did not run through: {error}" if error else "stress-ng did not run through"
    return finding(text, Mark.NEUTRAL, result)


def _metrics(lines: list[tuple[str, str]], result: Result) -> tuple[Finding, ...]:
    matches = (_METRIC.match(text) for level, text in lines if level in ("metrc", "info"))
    rates = [f"{m[2]} {m[3]}" for m in matches if m and "fault" in m[3]]
    if not rates:
        return ()
    return (finding(f"Under load: {', '.join(rates)}", Mark.NEUTRAL, result),)


TOOL: Final = Tool(
    id="stress-ng",
    of_box=True,
    purpose="loads memory and faults pages, checking the results",
    programs=("stress-ng",),
    package={"": "stress-ng"},
    risk=Risk.LOAD,
    facts=("stress.passed", "stress.failed_stressors"),
    plan=_plan,
    read=_read,
    by_hand="Do what the box did when it faulted, in a loop, with dmesg -w in another terminal.",
)
