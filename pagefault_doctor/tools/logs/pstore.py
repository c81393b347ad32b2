"""pstore: what the kernel saved to firmware or reserved memory when it died.

Records are named `dmesg-BACKEND-ID` and begin with a line such as `Panic#2 Part1`
(fs/pstore/platform.c). Part 1 is the end of the log: the kernel writes the newest text first.
systemd-pstore moves them to /var/lib/systemd/pstore.
"""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.hosts.script import shell_argv
from pagefault_doctor.klog.input import pstore
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result
from pagefault_doctor.model.fact import Finding, Mark
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.logs.log_reading import log_reading
from pagefault_doctor.tools.permission import answered, root_remedy
from pagefault_doctor.tools.tool import Tool, fact, finding, remark

_FILE = regex(r"pstore-file (/(?:sys/fs|var/lib/systemd)/pstore/\S+)")
_DENIED = regex(r"pstore-denied (/\S+)")
_RECORD = regex(r".*/dmesg-[a-z0-9_]+?-(\d+)(?:\.enc\.z)?")


class PstoreRecord(pstore.Record, frozen=True, kw_only=True):
    """One record with the path of its file, and its text."""

    path: str
    text: str

    @property
    def order(self) -> tuple[int, int]:
        """Sort key: the record's id, which increases with time, then its part number."""
        match = _RECORD.fullmatch(self.path)
        return (int(match.group(1)) if match else 0, self.number)


def files(output: str) -> dict[str, str]:
    """Return the text of each file that the script printed, by path."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in output.splitlines():
        if match := _FILE.fullmatch(line):
            lines = found.setdefault(match.group(1), [])
        elif not _DENIED.fullmatch(line):
            lines.append(line)
    return {path: "\n".join(text).rstrip("\n") for path, text in found.items()}


def dumps(texts: dict[str, str]) -> list[list[PstoreRecord]]:
    """Return the records of each dump, the oldest dump and the oldest text first."""
    parts = sorted(filter(None, map(_part, texts.items())), key=lambda part: part.order)
    return list(pstore.dumps(parts).values())


def _part(item: tuple[str, str]) -> PstoreRecord | None:
    path, text = item
    first, _, rest = text.partition("\n")
    head = pstore.first_record(f"{first}\n".encode(errors="replace"))
    return PstoreRecord(*msgspec.structs.astuple(head), path=path, text=rest) if head else None


def _log_text(texts: dict[str, str]) -> str:
    """Return the records as one log: the dumps in order, or else complete logs saved with them."""
    parts = [part.text for group in dumps(texts) for part in group]
    if parts:
        return "\n".join(parts)
    whole = (p for p in texts if p.endswith("/dmesg.txt") or "/console-" in p or "/dmesg-" in p)
    return "\n".join(texts[path] for path in whole)


def _denied(result: Result) -> bool:
    return any(map(_DENIED.fullmatch, result.output.splitlines()))


def _plan(case: Case) -> Command | Blocked | None:
    if case.has("given.log"):
        return None
    done = case.done("pstore")
    if not done:
        why = "see whether the kernel saved its last words before it went down"
        argv = shell_argv("tools/scripts/pstore.sh", name="pstore")
        return Command(argv=argv, tool="pstore", why=why)
    if _denied(done[-1]) and not files(done[-1].output):
        remedy = root_remedy(case, "look by hand: ls -l /sys/fs/pstore /var/lib/systemd/pstore")
        return Blocked("pstore is readable for root only", remedy)
    return None


def _read(result: Result, case: Case) -> ToolReading:
    texts = files(result.output)
    if not texts:
        denied = _denied(result)
        text = "pstore is readable for root only" if denied else "pstore holds no records"
        return remark(text, result)
    held = finding(f"pstore holds {len(texts)} records of earlier boots", Mark.NEUTRAL, result)
    found = [held, *_missing_parts(texts, result)]
    facts = (fact("pstore.files", tuple(texts), result),)
    log_text = _log_text(texts)
    if not log_text.strip():
        return ToolReading(facts=facts, findings=tuple(found))
    log = log_reading(result, case, source="pstore", boot="an earlier boot", text=log_text)
    return ToolReading(facts=facts, findings=(*found, *log.findings), log=log.log)


def _missing_parts(texts: dict[str, str], result: Result) -> list[Finding]:
    findings = []
    for group in dumps(texts):
        numbers = {part.number for part in group}
        if missing := sorted(set(range(1, min(max(numbers), 100) + 1)) - numbers):
            text = f"{group[0].dump} is not whole: part {', '.join(map(str, missing))} is missing"
            findings.append(finding(text, Mark.NEUTRAL, result))
    return findings


TOOL: Final = Tool(
    id="pstore",
    purpose="reads what the kernel saved as it died",
    programs=("sh", "cat"),
    package={"": "coreutils"},
    facts=("pstore.files", "log.lines"),
    plan=_plan,
    read=answered(_read),
    by_hand=(
        "As root, look into /sys/fs/pstore and /var/lib/systemd/pstore. Read the parts of a dump "
        "from the highest number down. If both are always empty, set up ramoops or netconsole."
    ),
)
