"""Show a walk in the wizard, with the options of the command line."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Final

from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.hosts.vitals import Vitals, major_fault_rate, vitals
from pagefault_doctor.model.playbook import Cause
from pagefault_doctor.model.scenario import Scenario
from pagefault_doctor.playbook.shelf import causes
from pagefault_doctor.session.store import path_of, sessions_folder
from pagefault_doctor.session.walk import Walk

_PLAIN_TERMINALS: Final = ("vt1", "vt2", "vt3", "vt5", "ansi", "wyse", "sun")
"""Terminals of before Unicode, and what stands in for them on a serial line."""


def show(walk: Walk, args: argparse.Namespace, scenario: Scenario | None = None) -> int:
    """Show the wizard until the person leaves it, and return the exit code."""
    from pagefault_doctor.tui.launch import run_wizard

    path = path_of(sessions_folder(), walk.view.started.id)
    return run_wizard(
        walk,
        ascii=args.ascii or not shows_unicode(os.environ),
        theme=args.theme,
        slow_link=args.slow_link,
        mouse=not args.no_mouse,
        scenario=scenario,
        causes=_Causes(),
        session_path=path if path.exists() else None,
        vitals=VitalsLine(walk) if isinstance(walk.host, LocalHost) else None,
    )


def shows_unicode(environ: Mapping[str, str]) -> bool:
    """Return whether the terminal is said to show more than ASCII (locale(7), terminfo names)."""
    chosen = (environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    locale = next(filter(None, chosen), "").lower().replace("-", "")
    return "utf8" in locale and not environ.get("TERM", "").startswith(_PLAIN_TERMINALS)


class _Causes(Mapping[str, Cause]):
    """The root causes by their id; the file is read when a cause is first named."""

    @cached_property
    def _known(self) -> dict[str, Cause]:
        return causes()

    def __getitem__(self, name: str) -> Cause:
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


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
