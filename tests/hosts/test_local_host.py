"""This machine as a host."""

from __future__ import annotations

import os

import pytest

from pagefault_doctor.hosts.host import Host
from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.model.command import Command


def test_it_runs_commands_here() -> None:
    host: Host = LocalHost()
    seen: list[str] = []
    result = host.run(Command(argv=("uname", "-n"), tool="test"), seen.append)
    assert host.live
    assert result.output == f"{host.name}\n"
    assert seen == [result.output]


def test_its_name_is_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    named = os.uname_result(("Linux", "db7\x1b[31m", "6.1", "#1", "x86_64"))
    monkeypatch.setattr(os, "uname", lambda: named)
    assert LocalHost().name == "db7\\x1b[31m"
