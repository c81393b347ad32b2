"""The folder to work in: gone afterwards, whatever happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pagefault_doctor.lab.scratch import scratch


def test_it_is_private_and_gone_afterwards() -> None:
    with scratch() as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "sub").mkdir()
    assert not folder.exists()


def test_it_is_gone_after_an_error() -> None:
    with pytest.raises(KeyboardInterrupt), scratch() as folder:
        raise KeyboardInterrupt
    assert not folder.exists()


def test_it_is_gone_after_kill_9() -> None:
    program = (
        "import time\n"
        "from pagefault_doctor.lab.scratch import scratch\n"
        "with scratch() as folder:\n"
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
    until = time.monotonic() + 10
    while folder.exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert not folder.exists()
