"""The log files of syslog under /var/log."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result
from pagefault_doctor.tools.logs.log_search import search, search_reading, searched_path
from pagefault_doctor.tools.permission import answered, is_refused, root_remedy
from pagefault_doctor.tools.tool import Tool, remark

FILES: Final = (
    "/var/log/kern.log",
    "/var/log/kern.log.1",
    "/var/log/messages",
    "/var/log/messages.1",
    "/var/log/syslog",
)
"""The log files of rsyslog and syslog-ng on common distributions."""

_LIST: Final = ("ls", "-1t", *FILES)


def _present(listing: Result) -> list[str]:
    return [line for line in listing.output.splitlines() if line in FILES]


def _plan(case: Case) -> Command | Blocked | None:
    if case.has("given.log") or case.reports:
        return None
    done = case.done("kern-log")
    if not done:
        why = "neither dmesg nor the journal told of a fault; syslog may have kept one"
        return Command(argv=_LIST, tool="kern-log", why=why)
    listing, *read = done
    present = _present(listing)
    if not present:
        return Blocked(
            "there is no kern.log, messages or syslog under /var/log",
            "have logs kept from now on: install rsyslog, or mkdir -p /var/log/journal",
        )
    if len(read) < len(present):
        why = "look for a fault in the newest log file first"
        return search(present[len(read)], "kern-log", why)
    if all(map(is_refused, read)):
        return Blocked(
            "the files under /var/log are not readable for this user",
            root_remedy(case, "check who may read them: ls -l /var/log"),
        )
    return None


def _read(result: Result, case: Case) -> ToolReading:
    if result.command.argv[:2] != _LIST[:2]:
        return search_reading(result, case, boot=f"last boot in {searched_path(result)}")
    present = _present(result)
    text = f"Log files here, newest first: {', '.join(present)}"
    if not present:
        text = "There is no kern.log, messages or syslog under /var/log"
    return remark(text, result)


TOOL: Final = Tool(
    id="kern-log",
    purpose="reads kern.log, messages or syslog if nothing else shows a fault",
    programs=("ls",),
    package={"": "coreutils"},
    facts=("log.lines",),
    plan=_plan,
    read=answered(_read),
    by_hand="Look into /var/log for files that hold kernel messages; rotated ones may be gzipped.",
)
