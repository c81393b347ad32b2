"""The folder of sessions, as commands make, list and refuse it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pagefault_doctor.session.store import sessions_folder
from requirements import require

PFDOCTOR = (sys.executable, "-m", "pagefault_doctor")


def pfdoctor(*words: str, umask: int = 0o022, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (*PFDOCTOR, *words),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
        env=os.environ | environ,
        umask=umask,
    )


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_with_any_umask_the_folders_of_a_session_are_private(tmp_path: Path, umask: int) -> None:
    log = tmp_path / "log"
    log.write_text("[    1.0] nothing\n")
    home = tmp_path / "home"
    done = pfdoctor(
        "run", "--quiet", "--log", str(log), umask=umask, XDG_STATE_HOME=f"{home}/state"
    )
    assert done.returncode == 0, done.stderr
    made = (home, home / "state", home / "state/pfdoctor", home / "state/pfdoctor/sessions")
    assert [path.stat().st_mode & 0o777 for path in made] == [0o700] * 4
    files = list(made[-1].iterdir())
    assert len(files) == 2
    assert [path.stat().st_mode & 0o777 for path in files] == [0o600] * 2


@pytest.mark.parametrize("words", [("sessions",), ("report",), ("run", "--quiet")])
def test_a_state_folder_of_another_user_is_told(words: tuple[str, ...]) -> None:
    require(os.geteuid() == 0, "only root can give a folder to another user")
    folder = sessions_folder()
    folder.mkdir(parents=True)
    os.chown(folder.parent, 65534, 65534)
    done = pfdoctor(*words)
    assert "belongs to another user; name a folder of your own with XDG_STATE_HOME" in done.stderr
    assert done.returncode == (0 if words[0] == "run" else 1)
    assert not list(folder.iterdir())
