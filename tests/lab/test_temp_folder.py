"""The folder to work in: gone afterwards, whatever happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pagefault_doctor.lab.temp_folder import temp_folder
from pagefault_doctor.model.errors import PfDoctorError
from processes import running
from terminal import eventually


def test_it_is_private_and_gone_afterwards() -> None:
    with temp_folder() as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "sub").mkdir()
    assert not folder.exists()


def test_it_is_gone_after_an_error() -> None:
    with pytest.raises(KeyboardInterrupt), temp_folder() as folder:
        raise KeyboardInterrupt
    assert not folder.exists()


def test_it_is_gone_after_kill_9() -> None:
    program = (
        "import time\n"
        "from pagefault_doctor.lab.temp_folder import temp_folder\n"
        "with temp_folder() as folder:\n"
        "    (folder / 'object.o').write_text('half')\n"
        "    print(folder, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen(
        (sys.executable, "-c", program), stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout
        folder = Path(child.stdout.readline().strip())
        assert folder.is_dir()
        os.kill(child.pid, signal.SIGKILL)
    assert eventually(lambda: not folder.exists(), 10)


def test_no_moment_of_being_made_is_one_in_which_kill_9_leaves_it(tmp_path: Path) -> None:
    for moment in ("before", "after"):
        program = (
            "import os, signal, subprocess, sys\n"
            "from pagefault_doctor.lab import temp_folder\n"
            "class Deadly(subprocess.Popen):\n"
            "    def __init__(self, *words, **options):\n"
            "        if sys.argv[1] == 'after':\n"
            "            super().__init__(*words, **options)\n"
            "        os.kill(os.getpid(), signal.SIGKILL)\n"
            "subprocess.Popen = Deadly\n"
            "temp_folder.temp_folder().__enter__()\n"
        )
        command = (sys.executable, "-c", program, moment)
        done = subprocess.run(command, env=os.environ | {"TMPDIR": str(tmp_path)}, check=False)
        assert done.returncode == -signal.SIGKILL
        assert gone_for_good(tmp_path)


def gone_for_good(folder: Path) -> bool:
    """Whether the folder becomes empty, and stays so while no guard runs."""
    return eventually(lambda: not running(str(folder)), 10) and not list(folder.iterdir())


def test_where_none_can_be_made_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "pagefault_doctor.lab.temp_folder.unused_path", lambda: Path("/proc/nowhere")
    )
    with pytest.raises(PfDoctorError, match="no folder to work in"), temp_folder():
        pass
