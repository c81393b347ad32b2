"""Whose code it is."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.model.diagnosis import Attribution, Diagnosis
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Frame, Kind, LinkedModule, Report

Diagnose = Callable[..., Diagnosis]
MakeReport = Callable[..., Report]
FAULT = {"address": "0xffff888012345678"}


def test_the_faulting_frame_in_a_module_is_to_blame(diagnosis: Diagnose) -> None:
    found = diagnosis(**FAULT, function="demo_read", module="demo", trace=("demo_read [demo]",))
    assert (found.attribution, found.module) == (Attribution.MODULE, "demo")


def test_helpers_of_the_core_pass_the_blame_to_their_caller(diagnosis: Diagnose) -> None:
    found = diagnosis(
        **FAULT, function="__memcpy", trace=("__memcpy", "kfree", "demo_read [demo]", "vfs_read")
    )
    assert found.module == "demo"


def test_residue_on_the_stack_is_never_blamed(diagnosis: Diagnose) -> None:
    found = diagnosis(
        **FAULT, function="ext4_readdir", trace=("ext4_readdir", "? demo_read [demo]", "vfs_read")
    )
    assert (found.attribution, found.module) == (Attribution.KERNEL, None)


def test_a_module_of_the_tree_far_up_the_trace_is_not_blamed(diagnosis: Diagnose) -> None:
    far = tuple(f"core_part_{i}" for i in range(8))
    modules = (LinkedModule("near"), LinkedModule("foreign", "OE"))
    tree = diagnosis(**FAULT, function=far[0], trace=(*far, "start [near]"), modules=modules)
    foreign = diagnosis(**FAULT, function=far[0], trace=(*far, "go [foreign]"), modules=modules)
    assert tree.attribution is Attribution.KERNEL
    assert foreign.module == "foreign"


def test_what_an_interrupt_interrupted_is_not_blamed(report: Callable[..., Report]) -> None:
    frames = (
        Frame("tcp_rcv", context="IRQ"),
        Frame("net_rx_action", context="IRQ"),
        Frame("demo_compute", module="demo", context="TASK"),
    )
    oops = msgspec.structs.replace(report(**FAULT, function="tcp_rcv"), frames=frames)
    log = KernelLog(source="made", reports=(oops,))
    assert diagnose((log,), {}).verdict.attribution is Attribution.KERNEL


def test_the_work_that_ran_names_its_module(diagnosis: Diagnose) -> None:
    found = diagnosis(
        **FAULT, function="rb_erase", trace=("rb_erase",), workqueue="events tidy_work [demo]"
    )
    assert found.module == "demo"


def test_a_work_of_the_core_names_none(diagnosis: Diagnose) -> None:
    found = diagnosis(**FAULT, function="tcp_push", workqueue="events vmstat_update")
    assert found.attribution is Attribution.KERNEL


def test_who_freed_the_object_is_blamed_before_who_used_it(diagnosis: Diagnose) -> None:
    found = diagnosis(
        Kind.SANITIZER,
        "BUG: KASAN: slab-use-after-free in dev_get_stats+0x3a/0x50",
        details={"freed_by": "demo_close", "freed_module": "demo"},
        cited={"headline": 1, "freed_by": 8},
        function="dev_get_stats",
        trace=("dev_get_stats", "dev_seq_show"),
    )
    assert found.module == "demo"
    assert found.candidates[0].evidence[-1].line == 8


def test_the_owner_of_an_overrun_object_is_blamed_where_no_module_is_in_the_trace(
    diagnosis: Diagnose,
) -> None:
    line = "BUG kmalloc-16 (Tainted: G    OE): Right Redzone overwritten"
    owner = {"allocated_by": "demo_open", "allocated_module": "demo"}
    assert diagnosis(Kind.SLAB, line, details=owner).module == "demo"
    assert diagnosis(Kind.SLAB, line, details=owner, trace=("f [user]",)).module == "user"


def test_a_hung_kernel_thread_is_named_after_its_module(diagnosis: Diagnose) -> None:
    modules = (LinkedModule("democache", "O"), LinkedModule("ext4"))
    own = diagnosis(
        Kind.HUNG_TASK,
        "INFO: task democache_stop:277 blocked for more than 122 seconds.",
        function="kthread",
        modules=modules,
    )
    victim = diagnosis(
        Kind.HUNG_TASK,
        "INFO: task cp:277 blocked for more than 122 seconds.",
        function="path_openat",
        modules=modules,
    )
    assert (own.module, victim.module) == ("democache", None)


def test_a_helper_without_a_caller_points_to_the_only_foreign_module(diagnosis: Diagnose) -> None:
    foreign = (LinkedModule("ext4"), LinkedModule("demo", "OE"))
    one = diagnosis(**FAULT, function="kfree", modules=foreign, tainted=("O", "E"))
    none = diagnosis(
        **FAULT, function="kfree", modules=tuple(LinkedModule(f"m{i}") for i in range(40))
    )
    assert (one.attribution, one.module) == (Attribution.MODULE, "demo")
    assert none.attribution is Attribution.KERNEL


def in_layers(
    diagnosis: Diagnose, fault: str, caller: str, *modules: str, foreign: str = ""
) -> str | None:
    """Return who is blamed where a module faults, called by another; modules newest first."""
    linked = tuple(LinkedModule(m, "OE" if m == foreign else "") for m in modules)
    trace = (f"put_it [{fault}]", f"release [{caller}]", "vfs_read")
    return diagnosis(**FAULT, function="put_it", module=fault, trace=trace, modules=linked).module


def test_a_driver_is_likelier_at_fault_than_its_subsystem(diagnosis: Diagnose) -> None:
    assert in_layers(diagnosis, "drm", "gpu_x", "gpu_x", "drm") == "gpu_x"
    assert in_layers(diagnosis, "mac80211", "wifi_x", "wifi_x", "mac80211", "cfg80211") == "wifi_x"
    assert in_layers(diagnosis, "scsi_mod", "hba_x", "hba_x", "scsi_mod") == "hba_x"


def test_a_module_from_outside_is_likelier_than_the_one_it_calls(diagnosis: Diagnose) -> None:
    assert in_layers(diagnosis, "anything", "demo", "demo", "anything", foreign="demo") == "demo"


def test_a_subsystem_that_called_the_driver_is_not_blamed_for_it(diagnosis: Diagnose) -> None:
    assert in_layers(diagnosis, "gpu_x", "drm", "gpu_x", "drm") == "gpu_x"
    assert in_layers(diagnosis, "wifi_x", "mac80211", "wifi_x", "mac80211") == "wifi_x"


def test_a_subsystem_does_not_call_into_what_was_loaded_after_it(diagnosis: Diagnose) -> None:
    assert in_layers(diagnosis, "drm", "older", "drm", "older") == "drm"


def test_among_modules_of_one_rank_the_one_that_faulted_is_blamed(diagnosis: Diagnose) -> None:
    assert in_layers(diagnosis, "plain", "other", "other", "plain") == "plain"
    assert in_layers(diagnosis, "snd_pcm", "snd_timer", "snd_timer", "snd_pcm") == "snd_pcm"


CALLED_INTO = """\
BUG: kernel NULL pointer dereference, address: 0000000000000020
#PF: supervisor read access in kernel mode
#PF: error_code(0x0000) - not-present page
Oops: 0000 [#1] PREEMPT SMP NOPTI
CPU: 3 PID: 1021 Comm: show Tainted: G           OE      6.5.0-14-generic #14
RIP: 0010:drm_gem_object_release+0x12/0x60 [drm]
Call Trace:
 <TASK>
 panel_free+0x2d/0x60 [panel_x]
 drm_gem_object_free+0x1d/0x30 [drm]
 drm_ioctl_kernel+0xd3/0x180 [drm]
 </TASK>
"""


def test_the_driver_is_found_on_a_stack_with_a_name() -> None:
    log = klog.read(CALLED_INTO.encode(), "log")
    assert diagnose((log,), {}).verdict.module == "panel_x"


def test_what_an_interrupt_interrupted_called_nothing_of_it() -> None:
    text = CALLED_INTO.replace(" <TASK>\n", " <IRQ>\n handle_it+0x1/0x9\n </IRQ>\n <TASK>\n")
    log = klog.read(text.encode(), "log")
    assert diagnose((log,), {}).verdict.module == "drm"


LOADED = ("core_part", "sysfs_part", "do_syscall_64")


@pytest.mark.parametrize(
    ("comm", "modules", "blamed"),
    [
        ("insmod", (LinkedModule("demo", "OE+"), LinkedModule("ext4")), "demo"),
        ("rmmod", (LinkedModule("demo", "-"), LinkedModule("other", "+")), "demo"),
        # Which of them is not known, nor where the list has none.
        ("modprobe", (LinkedModule("demo", "+"), LinkedModule("other", "+")), None),
        ("insmod", (LinkedModule("demo", "-"), LinkedModule("ext4")), None),
        ("insmod", (), None),
    ],
)
def test_a_program_that_only_loads_or_removes_modules_points_to_its_module(
    diagnosis: Diagnose, comm: str, modules: tuple[LinkedModule, ...], blamed: str | None
) -> None:
    found = diagnosis(**FAULT, function=LOADED[0], trace=LOADED, comm=comm, modules=modules)
    assert (found.attribution, found.module) == (Attribution.MODULE, blamed)
    other = diagnosis(**FAULT, function=LOADED[0], trace=LOADED, comm="udevd")
    assert other.attribution is Attribution.KERNEL


def test_the_module_that_was_typed_is_the_one(diagnosis: Diagnose) -> None:
    typed = {"details": {"typed_module": "demo"}, "cited": {"typed_module": 1}, "first_line": 9}
    found = diagnosis(**FAULT, function=None, comm="insmod", **typed)
    assert found.module == "demo"
    last = found.candidates[0].evidence[-1]
    assert (last.text, last.line) == ("insmod runs only the loader and the code of demo", 1)


@pytest.mark.parametrize("kind", [Kind.HUNG_TASK, Kind.STALL, Kind.WARNING, Kind.LOCKDEP])
def test_what_is_no_crash_is_not_put_on_what_is_loaded(diagnosis: Diagnose, kind: Kind) -> None:
    found = diagnosis(kind, "made up", function="core_part", trace=LOADED, comm="insmod")
    assert found.attribution is Attribution.KERNEL


def test_what_interrupted_a_loader_is_not_put_on_its_module(report: MakeReport) -> None:
    frames = (Frame("tcp_rcv", context="IRQ"), Frame("load_module", context="TASK"))
    one = msgspec.structs.replace(report(**FAULT, function="tcp_rcv", comm="insmod"), frames=frames)
    found = diagnose((KernelLog(source="made", reports=(one,)),), {}).verdict
    assert found.attribution is Attribution.KERNEL


def test_a_loader_that_asks_a_damaged_allocator_is_innocent(diagnosis: Diagnose) -> None:
    found = diagnosis(
        Kind.GENERAL_PROTECTION,
        "general protection fault, probably for non-canonical address 0xadacafaeb5b4b7b6",
        address="0xadacafaeb5b4b7b6",
        function="__kmalloc",
        trace=("__kmalloc", "load_module"),
        comm="modprobe",
    )
    assert found.attribution is Attribution.KERNEL
