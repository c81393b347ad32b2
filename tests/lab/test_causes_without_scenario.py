"""What no scenario shows: a crash that was asked for."""

from __future__ import annotations

import pytest

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.lab.guest import GuestHost
from pagefault_doctor.model.command import Command
from pagefault_doctor.model.diagnosis import Opinion

pytestmark = pytest.mark.lab


def after(guest: GuestHost, *argv: str) -> Opinion:
    """Return the opinion on the console of a guest in which that ran."""
    guest.run(Command(argv=argv, tool="test", timeout=60))
    guest.machine.wait_for_panic(10, quiet=2)
    log = klog.read(guest.machine.console().encode(), "serial.log")
    return diagnose((log,), {})


def test_a_crash_that_was_asked_for_is_no_fault(fresh_guest: GuestHost) -> None:
    verdict = after(fresh_guest, "sh", "-c", "echo c >/proc/sysrq-trigger; sleep 20").verdict
    assert (verdict.root_cause, verdict.attribution) == ("none", "none")
