"""`pfdoctor preflight`: which tools will work here, which will not, why, and the remedy."""

from __future__ import annotations

import argparse
import json
from typing import Any, Final

from pagefault_doctor.cli.open_session import host_of
from pagefault_doctor.cli.options import add_host_arguments
from pagefault_doctor.cli.stdout import print_document, print_line
from pagefault_doctor.hosts.host import Host
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Blocked, Command, Risk
from pagefault_doctor.tools import TOOLS
from pagefault_doctor.tools.tool import blocked, read_output

_UNKNOWN: Final = Blocked("not known", "the box did not tell which programs it has")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options and arguments."""
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_host_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Print a line for each tool. Missing tools are no error: a walk continues without them."""
    case, limits = _probe(host_of(args))
    rows = [_row(tool_id, case) for tool_id in TOOLS]
    if args.json:
        facts = {n: f.value for n, f in sorted(case.facts.items()) if n.startswith("host.")}
        document = {"host": facts, "limits": limits, "tools": rows}
        print_document(json.dumps(document, indent=2) + "\n")
    else:
        _print_tools(case, limits, rows)
    return 0


def _probe(host: Host) -> tuple[Case, list[str]]:
    """Return the case with the machine's facts, and the limits of the machine."""
    box = TOOLS["box"]
    command = box.plan(Case())
    assert isinstance(command, Command)
    reading = read_output(box, host.run(command), Case())
    limits = [finding.text for finding in reading.findings]
    return Case(facts={fact.name: fact for fact in reading.facts}), limits


def _row(tool_id: str, case: Case) -> dict[str, Any]:
    tool = TOOLS[tool_id]
    obstacle = blocked(tool, case) if case.has("host.programs") else _UNKNOWN
    return {
        "tool": tool.id,
        "works": obstacle is None,
        "risk": tool.risk.value,
        "purpose": tool.purpose,
        "reason": obstacle.reason if obstacle else "",
        "remedy": obstacle.remedy if obstacle else "",
    }


def _print_tools(case: Case, limits: list[str], rows: list[dict[str, Any]]) -> None:
    kernel, uid = case.get("host.kernel", "?"), case.get("host.uid", -1)
    print_line(f"{case.get('host.name', '?')}: kernel {kernel}, user id {uid}")
    for limit in limits:
        print_line(f"  ! {limit}")
    width = max(len(row["tool"]) for row in rows)
    for row in rows:
        text = row["purpose"] if row["works"] else f"{row['reason']}; {row['remedy']}"
        risk = "" if row["risk"] == Risk.READ else f" ({row['risk']})"
        print_line(f"  {'v' if row['works'] else 'x'} {row['tool']:{width}}  {text}{risk}")
    working = sum(row["works"] for row in rows)
    print_line(
        f"{working} of {len(rows)} tools will work. A step says how to go on without the others."
    )
