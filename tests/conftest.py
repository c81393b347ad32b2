"""Fixtures for every test: an ssh server, the public corpus, private folders."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from pagefault_doctor.model import fence
from requirements import require, require_program
from sshd import Sshd, serving

ROOT = Path(__file__).parent.parent

# How long one example may take says more about the machine than about the code.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

__all__ = ("require", "require_program")


@pytest.fixture(autouse=True)
def _private_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep sessions of tests out of the developer's own folder, and let no mistake hide."""
    state = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(state))
        patch.setenv("XDG_CONFIG_HOME", str(state / "config"))
        patch.setenv(fence.STRICT, "1")
        yield


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """An ssh server on loopback; `ssh -F server.config box` reaches it."""
    with serving(tmp_path_factory.mktemp("sshd"), require_program("sshd")) as server:
        yield server


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of public logs; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("PFDOCTOR_CORPUS", ROOT.parent / "shared/corpus"))
    if not folder.is_dir():
        pytest.skip("no log corpus: name its folder in PFDOCTOR_CORPUS")
    return folder


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what passed in an earlier run, listed in the file PFDOCTOR_LEAVE_OUT."""
    listed = Path(os.environ.get("PFDOCTOR_LEAVE_OUT") or os.devnull)
    passed = set(listed.read_text("utf-8").splitlines()) if listed.exists() else set()
    known = [item for item in items if item.nodeid in passed]
    if known:
        config.hook.pytest_deselected(items=known)
        items[:] = [item for item in items if item.nodeid not in passed]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """End with a list of what was skipped; write what passed to the file PFDOCTOR_RECORD_PASSED."""
    _list_skips(terminalreporter)
    if record := os.environ.get("PFDOCTOR_RECORD_PASSED"):
        stats = terminalreporter.stats
        bad = {report.nodeid for kind in ("failed", "error") for report in stats.get(kind, [])}
        passed = (r.nodeid for r in stats.get("passed", []) if r.nodeid not in bad)
        Path(record).write_text("".join(f"{name}\n" for name in passed), "utf-8")


def _list_skips(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was skipped and what would enable it."""
    reasons: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = reason.removeprefix("Skipped: ")
        reasons[reason] = reasons.get(reason, 0) + 1
    if reasons:
        terminalreporter.section("skipped, and what would enable it")
        for reason, count in sorted(reasons.items()):
            terminalreporter.line(f"{count:4}  {reason}")
