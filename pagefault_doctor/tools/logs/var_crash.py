"""Dumps and logs that kdump saved under /var/crash.

File names are those of kdump-tools (Debian: `DATE/dump.DATE`, `dmesg.DATE`) and of kexec-tools or
kdump-utils (Fedora, SUSE: `HOST-DATE/vmcore`, `vmcore-dmesg.txt`, `vmcore-incomplete`).
"""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result
from pagefault_doctor.model.fact import Finding, Mark
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.logs.log_search import search, search_reading
from pagefault_doctor.tools.permission import answered, is_refused, root_remedy
from pagefault_doctor.tools.tool import Tool, fact, finding, remark

_LIST: Final = (
    *("find", "/var/crash", "-maxdepth", "3", "-type", "f"),
    *("-exec", "ls", "-1ts", "{}", "+"),
)
_ENTRY = regex(r"\s*(\d+)\s+(/var/crash/.+)")
_DUMP = regex(r"vmcore(?:[.-](?:incomplete|flat))?|dump(?:-incomplete)?\.\d{8,14}")
_DMESG = regex(r"(?:vmcore-)?dmesg(?:-incomplete)?(?:\.txt|\.\d{8,14})")
_MAX_LOGS: Final = 3

_DUMP_REMEDY: Final = (
    "give a dump with --vmcore FILE, or set kdump up for the next crash: "
    "install kdump-tools or kexec-tools, and boot with crashkernel=256M"
)


class CrashFile(msgspec.Struct, frozen=True):
    """A file under /var/crash. `line` is its line number in the listing."""

    path: str
    empty: bool
    line: int

    @property
    def name(self) -> str:
        """The file name without folders."""
        return self.path.rpartition("/")[2]

    @property
    def is_complete(self) -> bool:
        """Whether kdump finished writing it, judging by name and size."""
        return "incomplete" not in self.name and not self.empty


def crash_files(listing: str) -> list[CrashFile]:
    """Return the files in the listing, newest first."""
    matches = ((n, _ENTRY.fullmatch(line)) for n, line in enumerate(listing.splitlines(), 1))
    return [CrashFile(m.group(2), int(m.group(1)) == 0, n) for n, m in matches if m]


def _dumps(listing: str) -> list[CrashFile]:
    return [entry for entry in crash_files(listing) if _DUMP.fullmatch(entry.name)]


def _logs(listing: str) -> list[CrashFile]:
    logs = [entry for entry in crash_files(listing) if _DMESG.fullmatch(entry.name)]
    return [entry for entry in logs if not entry.empty][:_MAX_LOGS]


def _plan(case: Case) -> Command | Blocked | None:
    if case.has("given.log") or case.has("given.vmcore"):
        return None
    done = case.done("var-crash")
    if not done:
        return Command(argv=_LIST, tool="var-crash", why="see whether kdump saved a dump")
    listing, *read = done
    remedy = root_remedy(case, "check by hand: ls -lR /var/crash")
    if is_refused(listing):
        return Blocked("/var/crash is readable for root only", remedy)
    logs = _logs(listing.output)
    if len(read) < len(logs):
        why = "read the log that kdump saved with the dump"
        return search(logs[len(read)].path, "var-crash", why)
    if not logs and not _dumps(listing.output):
        return Blocked("there is no dump under /var/crash", _DUMP_REMEDY)
    if read and all(map(is_refused, read)):
        return Blocked("the files under /var/crash are readable for root only", remedy)
    return None


def _read(result: Result, case: Case) -> ToolReading:
    if result.command.argv[:1] != _LIST[:1]:
        return search_reading(result, case, boot="an earlier boot")
    if is_refused(result):
        return remark("/var/crash is readable for root only", result)
    dumps = _dumps(result.output)
    if not dumps:
        return remark("There is no dump under /var/crash", result)
    best = next((dump for dump in dumps if dump.is_complete), dumps[0])
    return ToolReading(
        facts=(
            fact("dump.path", best.path, result, best.line),
            fact("dump.complete", best.is_complete, result, best.line),
        ),
        findings=tuple(_dump_finding(dump, result) for dump in dumps[:5]),
    )


def _dump_finding(dump: CrashFile, result: Result) -> Finding:
    if dump.empty:
        text = f"{dump.path} is empty: the disk was full, or the capture kernel died"
    elif not dump.is_complete:
        text = f"{dump.path} was not written to its end; crash may still read part of it"
    elif dump.name.endswith(".flat"):
        text = f"Dump {dump.path} is flattened: crash reads it, drgn only after makedumpfile -R"
    else:
        return finding(f"Dump saved: {dump.path}", Mark.GOOD, result, dump.line)
    return finding(text, Mark.NEUTRAL, result, dump.line)


TOOL: Final = Tool(
    id="var-crash",
    purpose="finds the dumps and logs that kdump saved",
    programs=("find", "ls"),
    package={"": "findutils coreutils"},
    facts=("dump.path", "dump.complete", "log.lines"),
    plan=_plan,
    read=answered(_read),
    by_hand="As root: ls -lR /var/crash. Each crash has a folder with a vmcore and a dmesg text.",
)
