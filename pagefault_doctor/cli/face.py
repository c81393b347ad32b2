"""Show a walk in the wizard, with the options of the command line."""

from __future__ import annotations

import argparse

from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.hosts.vitals import Vitals, major_fault_rate, vitals
from pagefault_doctor.model.scenario import Scenario
from pagefault_doctor.playbook.shelf import causes
from pagefault_doctor.session.store import path_of, sessions_folder
from pagefault_doctor.session.walk import Walk


def show(walk: Walk, args: argparse.Namespace, scenario: Scenario | None = None) -> int:
    """Show the wizard until the person leaves it, and return the exit code."""
    from pagefault_doctor.tui.launch import run_wizard

    path = path_of(sessions_folder(), walk.view.started.id)
    return run_wizard(
        walk,
        ascii=args.ascii,
        theme=args.theme,
        slow_link=args.slow_link,
        mouse=not args.no_mouse,
        scenario=scenario,
        causes=causes(),
        session_path=path if path.exists() else None,
        vitals=VitalsLine(walk) if isinstance(walk.host, LocalHost) else None,
    )


class VitalsLine:
    """The vital signs of this machine in a few words, measured anew at each call.

    Major faults are told as a rate since the call before, so the first call tells none.
    """

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._before: Vitals | None = None

    def __call__(self) -> str:
        """Return for example `mem 41%  swap 3%  majflt 0/s  load 0.2`."""
        now = vitals(self._walk.view.case.get("report.pid", 0) or None)
        rate = major_fault_rate(self._before, now) if self._before else None
        self._before = now
        words = [
            f"mem {now.memory:.0f}%" if now.memory is not None else "",
            f"swap {now.swap:.0f}%" if now.swap else "",
            f"majflt {rate:.0f}/s" if rate is not None else "",
            f"load {now.load[0]:.1f}" if now.load else "",
            f"{now.process.name} {now.process.state}" if now.process else "",
        ]
        return "  ".join(filter(None, words))
