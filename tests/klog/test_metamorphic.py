"""A log that was changed in what a title must not depend on keeps its title.

Each change is one that the kernel, the console or the machine could have made; what it does to the
title is known beforehand. A few logs of the corpus are tried, all of them with
PFDOCTOR_METAMORPHIC=1.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pagefault_doctor import klog
from pagefault_doctor.klog.demangle import demangled
from pagefault_doctor.klog.guilty_function import is_generic
from pagefault_doctor.klog.line import split
from pagefault_doctor.klog.skip_functions import ANCHORS
from pagefault_doctor.klog.starts import header_of

pytestmark = pytest.mark.corpus
Change = Callable[[str], str]
EVERY = 1 if os.environ.get("PFDOCTOR_METAMORPHIC") else 16

_PLACE = re.compile(r"(?<![\w.$/])([A-Za-z_][A-Za-z0-9_]*)((?:\.[a-z]+(?:\.\d+)*)*\+0x[0-9a-f]+)")
_STAMP = re.compile(r"^((?:<\d+>)?\[ *)(\d+)(\.\d{6}\])", re.MULTILINE)
_QUIET, _NOISE = 16, 200
_PREFIX = re.compile(r"(?:<\d+>)?\[ *\d+\.\d{6}\](?:\[ *[TC]\d+\])? ")
_CLOCK = r"^(?:.{0,80}login: )?(?:<\d+>)?\[ *\d+\.\d{6}\]"
_CALLER = re.compile(r"(\d\.\d{6}\])\[ *[TC]\d+\]")


def _crlf(text: str) -> str:
    return text.replace("\n", "\r\n")


def _later(text: str) -> str:
    return _STAMP.sub(lambda m: f"{m[1]}{int(m[2]) + 100000}{m[3]}", text)


def _levels(text: str) -> str:
    return re.sub(r"^(?=\[ *\d+\.\d{6}\])", "<4>", text, flags=re.MULTILINE)


def _syslog(text: str) -> str:
    return re.sub(
        r"^(?=\[ *\d+\.\d{6}\])", "Mar  3 12:34:56 demo kernel: ", text, flags=re.MULTILINE
    )


def _untagged_tasks(text: str) -> str:
    return _CALLER.sub(lambda m: m[0].replace("T", "T1"), text)


def _pids(text: str) -> str:
    text = re.sub(r"(PID: |pid: |Pid: )(\d+)", lambda m: f"{m[1]}{int(m[2]) % 30000 + 1}", text)
    return re.sub(r"(CPU: )(\d+)(?= (?:UID|PID))", r"\g<1>7", text)


def _machine(text: str) -> str:
    return re.sub(r"(Hardware name: ).*", r"\1Demo Board/Demo Board, BIOS 1.0 01/01/2020", text)


def _modules(text: str) -> str:
    text = re.sub(r"(\+0x[0-9a-f]+/0x[0-9a-f]+) \[[\w-]+\]$", r"\1", text, flags=re.MULTILINE)
    return re.sub(r"(\+0x[0-9a-f]+/0x[0-9a-f]+)$", r"\1 [pfd_other]", text, flags=re.MULTILINE)


def _addresses(text: str) -> str:
    return re.sub(r"\b(ffff8[89a-f][0-9a-f]{7})[0-9a-f]{3}\b", r"\1a5c", text)


def _noisy(text: str) -> str:
    """Insert lines of another driver, but not between the head of a trace and its frames.

    The length of a report is limited, and a trace without frames near its head counts as broken.
    """
    lines: list[str] = []
    quiet = 0
    for index, line in enumerate(text.split("\n")):
        lines.append(line)
        quiet = _QUIET if re.search("[Tt]race:|by task|Hardware name", line) else quiet - 1
        stamp = _PREFIX.match(line)
        if stamp and quiet < 0 and index % 10 == 9 and index < _NOISE:
            lines.append(f"{stamp[0]}usb 1-1: new high-speed USB device number 2 using demo_hcd")
    return "\n".join(lines)


def _starts(line: str) -> bool:
    return header_of(split(line).text) is not None


def _tagged(text: str) -> str:
    """Tag every line with one task. That would mislead where several tasks report at once."""
    if _CALLER.search(text) or sum(_starts(line) for line in text.split("\n")) != 1:
        return text
    return re.sub(_CLOCK, r"\g<0>[ T4242]", text, flags=re.MULTILINE)


def _released(text: str) -> str:
    return re.sub(r"(?<=[ (])(?:[3-6]\.\d+)\.\d+(?:-[\w.+-]+)?(?= #\d| \()", "6.1.99-demo+", text)


def _followed(text: str) -> str:
    clock = max((int(m[2]) for m in _STAMP.finditer(text)), default=None)
    stamp = "" if clock is None else f"[{clock + 20:5}.000001] "
    if clock is not None and _CALLER.search(text):
        stamp = f"[{clock + 20:5}.000001][T99999] "
    lines = (
        "BUG: kernel NULL pointer dereference, address: 0000000000000018",
        "Oops: 0000 [#1] PREEMPT SMP",
        "RIP: 0010:pfd_follower+0x12/0x40 [pfd]",
        "Call Trace:",
        " pfd_a+0x1/0x2",
        " pfd_b+0x1/0x2",
        " pfd_c+0x1/0x2",
    )
    return text.rstrip("\n") + "\n" + "".join(f"{stamp}{line}\n" for line in lines)


SAME: dict[str, Change] = {
    "carriage returns": _crlf,
    "a day later": _later,
    "with levels": _levels,
    "in a syslog": _syslog,
    "other tasks' numbers in the callers": _untagged_tasks,
    "other pids": _pids,
    "another machine": _machine,
    "another module": _modules,
    "other objects": _addresses,
    "another kernel": _released,
    "another report after it": _followed,
    "another driver's messages in between": _noisy,
    "callers that were not printed": _tagged,
}
"""Changes after which the title is the same."""


def _logs(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.log"))[::EVERY]


def _text(path: Path) -> str:
    return path.read_bytes().decode("latin-1")


def _told(text: str) -> tuple[str, tuple[str, ...], bool] | None:
    reports = klog.read(text.encode("latin-1"), "x").reports
    if not reports:
        return None
    # What KCSAN and broken reports of KASAN say is their title as it is, with the module.
    return reports[0].title.replace(" [pfd_other]", ""), reports[0].alt_titles, reports[0].corrupted


@pytest.mark.parametrize("change", SAME)
def test_what_varies_between_runs_changes_no_title(corpus: Path, change: str) -> None:
    wrong = {}
    for path in _logs(corpus / "syzkaller-dev"):
        text = _text(path)
        told = _told(text)
        changed = _told(SAME[change](text))
        if told is not None and changed != told:
            wrong[path.name] = (told, changed)
    assert not wrong


_KNOWN = re.compile(
    r"^(?:_*(?:se_|do_)*sys_|__x64_|__ia32_|__arm64_|SyS_|SYSC_|compat_|ksys_|_+sys_)|sched|lock"
    r"|down|wait|rwsem|completion|kthread|synchronize|rcu|switch_to|timer|el1|irq|svc|skb|debug"
    r"|work_fixup|free_obj|percpu|usb_|proc_|preempt|dump|crypt|netlink|alloc|dup|should_fail"
    r"|kmem|create_object|clear_page|page_owner|prep_new|get_page_from|smp_call|stack|entry"
)
"""Parts of names that a kind of report skips or stops at, besides those no title ever names."""


def _fresh_names(text: str) -> dict[str, str]:
    """Return new names for the functions that no rule may know."""
    anchors = re.compile("|".join(ANCHORS))
    names = {m[1] for line in text.splitlines() for m in _PLACE.finditer(split(line).text)}
    unknown = (n for n in sorted(names) if demangled(n) == n and not _KNOWN.search(n))
    unknown = (n for n in unknown if not (is_generic(n) or anchors.search(n)))
    return {name: f"fresh_{index:03}_fn" for index, name in enumerate(unknown)}


def test_functions_may_have_any_name(corpus: Path) -> None:
    wrong = {}
    for path in _logs(corpus / "syzkaller-dev"):
        text = _text(path)
        told, fresh = _told(text), _fresh_names(text)
        if told is None or not fresh or "::" in told[0]:
            continue
        names = re.compile(rf"(?<![\w$])({'|'.join(map(re.escape, fresh))})(?![\w$])")

        def rename(told: str, names: re.Pattern[str] = names, fresh: dict[str, str] = fresh) -> str:
            return names.sub(lambda m: fresh[m[1]], told)

        renamed = _told(rename(text))
        wanted = rename(told[0])
        if renamed is None or renamed[0][:100] != wanted[:100]:
            wrong[path.name] = (wanted, renamed)
    assert not wrong
