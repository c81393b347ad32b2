"""Causes that are no fault of a pointer: memory that ran out, a crash that was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from needs import require, require_program
from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.lab import initramfs, module
from pagefault_doctor.lab.guest import GuestHost
from pagefault_doctor.lab.machine import release_of
from pagefault_doctor.lab.vm import Setup, VirtualMachine
from pagefault_doctor.model.command import Command
from pagefault_doctor.model.diagnosis import Opinion

pytestmark = pytest.mark.lab

HOARD = """\
#include <linux/list.h>
#include <linux/module.h>
#include <linux/slab.h>

struct sample {
\tstruct list_head link;
\tchar data[1000];
};

static LIST_HEAD(samples);
static unsigned int megabytes = 4096;
module_param(megabytes, uint, 0444);

static int __init hoard_init(void)
{
\tunsigned long left = (unsigned long)megabytes << 10;

\twhile (left--) {
\t\tstruct sample *sample = kzalloc(sizeof(*sample), GFP_KERNEL);

\t\tif (!sample)
\t\t\treturn 0;
\t\tlist_add(&sample->link, &samples);
\t}
\treturn 0;
}

module_init(hoard_init);
MODULE_DESCRIPTION("Keeps samples and never gives them back");
MODULE_LICENSE("GPL");
"""


def after(guest: GuestHost, *argv: str) -> Opinion:
    """Return the opinion on the console of a guest in which that ran."""
    guest.run(Command(argv=argv, tool="test", timeout=60))
    guest.machine.wait_for_panic(10, quiet=2)
    log = klog.read(guest.machine.console().encode(), "serial.log")
    return diagnose((log,), {})


def test_a_crash_that_was_asked_for_is_no_fault(fresh_guest: GuestHost) -> None:
    verdict = after(fresh_guest, "sh", "-c", "echo c >/proc/sysrq-trigger; sleep 20").verdict
    assert (verdict.root_cause, verdict.attribution) == ("none", "none")


def test_memory_that_the_kernel_itself_hoards_is_told_as_such(kernel: Path, tmp_path: Path) -> None:
    release = release_of(kernel)
    require(Path("/lib/modules", release, "build").exists(), "no kernel headers")
    for name in ("make", "gcc"):
        require_program(name)
    (tmp_path / "hoard").mkdir()
    (tmp_path / "hoard/hoard.c").write_text(HOARD)
    (tmp_path / "hoard/Kbuild").write_text("obj-m := hoard.o\n")
    (built,) = module.build(tmp_path / "hoard", release, tmp_path / "built")
    image = initramfs.build(release, {initramfs.module_path(release, "hoard"): built.data})
    with GuestHost(VirtualMachine(Setup(kernel=kernel), image)) as guest:
        guest.run(Command(argv=("sh", "-c", "sleep 600 & sleep 600 &"), tool="test"))
        opinion = after(guest, "modprobe", "hoard")
    verdict, first = opinion.verdict, opinion.by_report[0]
    assert (verdict.root_cause, verdict.attribution) == ("oom", "memory-pressure")
    said = [e.text for e in first.candidates[0].evidence]
    assert any("slab_unreclaimable" in text and "not to blame" in text for text in said)
