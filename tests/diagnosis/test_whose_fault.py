"""Whose fault: how suspects rank, who passes the blame on, and who never has it; a near miss each.

The logs are made for these tests, in the words of several kernels and architectures.
"""

from __future__ import annotations

import pytest

from diagnosis.logs import gpf, page_fault, verdict
from diagnosis.test_crashes_of_many_kernels import log_of, verdict_on
from diagnosis.test_every_cause import warning
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.model.diagnosis import Attribution, Diagnosis, RootCause

OURS = "CPU: 1 PID: 912 Comm: cat Tainted: P           OE      5.15.0-88-generic #98"


def why(found: Diagnosis) -> str:
    """Return why the likeliest candidate is to blame."""
    return found.candidates[0].evidence[-1].text


def who(found: Diagnosis) -> tuple[Attribution, str | None]:
    return found.attribution, found.module


# A module named in the headline, or in the line just before it, comes first.


def test_the_module_in_the_line_before_the_headline_is_to_blame() -> None:
    found = verdict_on(
        "traps: Missing ENDBR: quilt_open+0x0/0x40 [quilt]",
        "------------[ cut here ]------------",
        "kernel BUG at arch/x86/kernel/cet.c:102!",
        "invalid opcode: 0000 [#1] PREEMPT SMP NOPTI",
        OURS,
        "RIP: 0010:exc_control_protection+0xc8/0xd0",
        "Call Trace:",
        " asm_exc_control_protection+0x26/0x30",
        " chrdev_open+0xa2/0x250",
        "Modules linked in: quilt(POE) pelmet(OE) ext4",
    )
    assert who(found) == (Attribution.MODULE, "quilt")


LUSTRE = "LustreError: 2781:0:(mdt_handler.c:941:mdt_getattr_name())"
LUSTRE_TRACE = (
    "Call Trace:",
    " libcfs_call_trace+0x8c/0xc0 [libcfs]",
    " lbug_with_loc+0x4c/0xa0 [libcfs]",
    " mdt_getattr_name+0x1c/0x2e0 [mdt]",
    " tgt_request_handle+0x96a/0x1640 [ptlrpc]",
)
ZFS = (
    "VERIFY3(0 == sa_handle_get_from_db(zfsvfs->z_os, db, zp)) failed (0 == 5)",
    "PANIC at zfs_znode.c:335:zfs_znode_sa_init()",
    "Showing stack for process 21441",
    OURS,
    "Call Trace:",
    " dump_stack_lvl+0x4a/0x63",
    " spl_dumpstack+0x29/0x2f [spl]",
    " spl_panic+0xd1/0xe9 [spl]",
    " zfs_znode_sa_init+0xd5/0xe0 [zfs]",
    " zfs_zget+0x190/0x220 [zfs]",
)


@pytest.mark.parametrize(
    ("lines", "module", "function"),
    [
        ((f"{LUSTRE} LBUG", *LUSTRE_TRACE), "mdt", "mdt_getattr_name"),
        (ZFS, "zfs", "zfs_znode_sa_init"),
        (("Kernel panic - not syncing: LBUG", OURS, *LUSTRE_TRACE), "mdt", None),
    ],
)
def test_an_assertion_is_of_who_made_it_and_not_of_libcfs_or_spl(
    lines: tuple[str, ...], module: str, function: str | None
) -> None:
    log = log_of(*lines)
    found = diagnose((log,), {}).verdict
    assert (found.root_cause, found.module) == (RootCause.LOGIC_ERROR, module)
    assert function in (None, log.reports[0].function)


def test_libcfs_is_to_blame_for_its_own_faults() -> None:
    trace = ("cfs_cpt_bind+0x4/0x9 [libcfs]", "kthread+0x4/0x9")
    found = verdict(page_fault("18", place="cfs_cpt_bind+0x4/0x9 [libcfs]", trace=trace))
    assert found.module == "libcfs"


# (+) and (-) in the list of modules, where the task loads or removes modules.

WALK = ("bus_for_each_dev+0x7c/0xc0", "driver_attach+0x8f/0xe0")


def wild(comm: str, modules: str) -> Diagnosis:
    return verdict(
        gpf(
            "1c6b3d5e7f8a9b0c",
            place="klist_next+0x4c/0x120",
            code=None,
            comm=comm,
            modules=modules,
            trace=WALK,
            tainted="Not tainted",
        )
    )


@pytest.mark.parametrize(
    ("comm", "modules"),
    [
        ("insmod", "ledger(+) ext4"),
        ("modprobe", "ledger(+) ext4"),
        ("systemd-udevd", "ledger(+) ext4"),
        ("(udev-worker)", "ledger(+) ext4"),
        ("rmmod", "ledger(-) ext4"),
    ],
)
def test_who_is_being_loaded_or_removed_by_the_task_is_to_blame(comm: str, modules: str) -> None:
    assert who(wild(comm, modules)) == (Attribution.MODULE, "ledger")


@pytest.mark.parametrize(
    ("comm", "modules"),
    [
        ("postgres", "ledger(+) ext4"),
        ("systemd-udevd", "ledger(+) abacus(+) ext4"),
        ("systemd-udevd", "ledger ext4"),
    ],
)
def test_another_task_or_several_modules_tell_nothing(comm: str, modules: str) -> None:
    assert wild(comm, modules).module is None


# A NULL call out of a generic dispatcher is the table's owner, never surely the kernel itself.

DISPATCHERS = {
    "notifier": ("notifier_call_chain+0x47/0x70", "blocking_notifier_call_chain+0x3e/0x60"),
    "sysfs": ("dev_attr_show+0x19/0x40", "sysfs_kf_seq_show+0x9b/0xf0"),
    "proc": ("proc_reg_read+0x19/0x40", "vfs_read+0x9b/0xf0"),
    "timer": ("call_timer_fn+0x29/0xf0", "__run_timers+0x1bc/0x3f0"),
    "work": ("process_one_work+0x29/0xf0", "worker_thread+0x1bc/0x3f0"),
    "file": ("do_dentry_open+0x29/0xf0", "vfs_open+0x1bc/0x3f0"),
}


def called(at: str, trace: tuple[str, ...], modules: str) -> Diagnosis:
    tainted = "Tainted: P OE" if "OE" in modules else "Not tainted"
    error = 0x10 if at == "0" else 0x11
    return verdict(
        page_fault(
            at,
            error,
            place=f"0x{at}",
            code=None,
            trace=trace,
            modules=modules,
            tainted=tainted,
        )
    )


@pytest.mark.parametrize("trace", DISPATCHERS.values(), ids=DISPATCHERS)
@pytest.mark.parametrize("at", ["0", "ffff9b8bc1a6c0a0"])
def test_a_call_out_of_a_table_is_its_owner_who_is_not_known(
    at: str, trace: tuple[str, ...]
) -> None:
    among = called(at, trace, "tally(OE) glue(POE) ext4")
    assert who(among) == (Attribution.MODULE, None)
    assert "tally, glue" in why(among)
    alone = called(at, trace, "i2c_core ext4")
    assert who(alone) == (Attribution.KERNEL, None)
    assert "whose owner is not shown" in why(alone)
    assert max(among.confidence, alone.confidence) < 0.9


def test_a_call_out_of_a_table_that_a_module_made_is_of_that_module() -> None:
    trace = ("tally_show+0x19/0x40 [tally]", *DISPATCHERS["sysfs"])
    assert called("0", trace, "tally(OE) glue(POE) ext4").module == "tally"


# Layers that only check or carry pass the blame to their caller, or to what they wait for.


@pytest.mark.parametrize(
    ("place", "layer"),
    [
        ("usb_submit_urb+0x4c/0x600", "usbcore"),
        ("cfg80211_connect_done+0x11f/0x170", "cfg80211"),
        ("jbd2_journal_start+0x1/0x9", "jbd2"),
        ("snd_pcm_period_elapsed+0x1/0x9", "snd_pcm"),
    ],
)
def test_a_layer_passes_the_blame_to_the_driver_that_called_it(place: str, layer: str) -> None:
    trace = ("gizmo_kick+0x7c/0xc0 [gizmo]", "process_one_work+0x8f/0xe0")
    found = verdict(
        page_fault(
            "38", place=f"{place} [{layer}]", code=None, trace=trace, modules=f"gizmo(O) {layer}"
        )
    )
    assert found.module == "gizmo"


def checked(modules: str) -> Diagnosis:
    return verdict(
        warning("net/wireless/sme.c:786")
        .replace("demo_poll+0x24/0x90 [demo]", "cfg80211_event+0x1/0x9 [cfg80211]")
        .replace("demo(OE) ext4", modules)
    )


def test_a_check_of_cfg80211_is_of_the_only_driver_that_it_can_be() -> None:
    assert checked("rtlx(OE) cfg80211 ext4").module == "rtlx"
    assert checked("rtlx(OE) iwlwifi cfg80211 ext4").module == "cfg80211"
    assert checked("rtlx(OE) vpn(OE) cfg80211 ext4").module == "cfg80211"


def test_a_journal_that_waits_for_its_disk_is_not_to_blame() -> None:
    found = verdict_on(
        "INFO: task jbd2/sda1-8:245 blocked for more than 120 seconds.",
        "      Not tainted 4.19.0-21-amd64 #1",
        "Call Trace:",
        " __schedule+0x29f/0x840",
        " io_schedule+0x12/0x40",
        " jbd2_journal_commit_transaction+0x12ff/0x1800 [jbd2]",
    )
    assert who(found) == (Attribution.KERNEL, None)


# A +0x0 frame is the return address of a call that does not return.


def test_a_frame_at_the_beginning_of_a_function_is_of_what_stands_before_it() -> None:
    found = verdict_on(
        "Kernel panic - not syncing: the tablet broke",
        OURS,
        "Call Trace:",
        " dump_stack+0x6b/0x83",
        " panic+0x101/0x2d7",
        " garland_start+0x0/0x80 [garland]",
        " vfs_read+0x9f/0x190",
    )
    assert found.module == "garland"
    assert "code before garland_start" in why(found)


def test_the_headline_of_the_stack_protector_names_the_function() -> None:
    log = log_of(
        "Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in: "
        "lantern_parse+0x1c4/0x1d0 [lantern]",
        OURS,
        "Call Trace:",
        " panic+0x101/0x2d7",
        " __stack_chk_fail+0x14/0x20",
        " wick_start+0x0/0x80 [wick]",
        " vfs_write+0x9f/0x190",
    )
    assert log.reports[0].function == "lantern_parse"
    assert diagnose((log,), {}).verdict.module == "lantern"


# The detector is never the culprit; where nothing is left below, nobody is surely to blame.

STALL = (
    "rcu: INFO: rcu_sched self-detected stall on CPU",
    "NMI backtrace for cpu 3",
    "CPU: 3 PID: 0 Comm: swapper/3 Not tainted 5.10.0-20-amd64 #1",
    "Call Trace:",
    " <IRQ>",
    " dump_stack+0x6b/0x83",
    " nmi_cpu_backtrace.cold+0x32/0x69",
    " rcu_dump_cpu_stacks+0xc5/0xf3",
    " rcu_sched_clock_irq.cold+0x1f5/0x3a9",
    " update_process_times+0x8c/0xc0",
    " hrtimer_interrupt+0x110/0x2c0",
    " </IRQ>",
)
HARD = (
    "Kernel panic - not syncing: Hard LOCKUP",
    "CPU: 3 PID: 0 Comm: swapper/3 Not tainted 5.10.0-20-amd64 #1",
    "Call Trace:",
    " <NMI>",
    " panic+0x101/0x2d7",
    " watchdog_overflow_callback.cold+0x5c/0x70",
    " __perf_event_overflow+0x52/0xf0",
    " nmi_handle+0x5c/0x110",
    " </NMI>",
)


@pytest.mark.parametrize("lines", [STALL, HARD])
def test_who_finds_a_hang_is_not_to_blame_and_nobody_is_for_certain(lines: tuple[str, ...]) -> None:
    found = verdict_on(*lines)
    assert (found.root_cause, found.module) == (RootCause.LOCKUP_HANG, None)
    assert "not who was at work" in why(found)
    assert found.confidence < 0.9


@pytest.mark.parametrize("lines", [STALL, HARD])
def test_a_module_below_who_finds_a_hang_is_to_blame(lines: tuple[str, ...]) -> None:
    below = (" <TASK>", " quern_grind+0x4/0x9 [quern]", " kthread+0xd1/0xe0")
    log = log_of(*lines, *below)
    assert "not who was at work" not in why(diagnose((log,), {}).verdict)


def test_abort_and_its_caller_are_told_apart() -> None:
    found = verdict_on(
        "kernel BUG at lib/abort.c:10!",
        "Internal error: Oops - BUG: 0 [#1] SMP ARM",
        "CPU: 0 PID: 412 Comm: sh Tainted: G           O      5.4.83-v7 #1",
        "PC is at abort+0x1c/0x20",
        "LR is at pebble_ioctl+0x88/0x90 [pebble]",
        "sp : b9d4be20  ip : 00000000  fp : b9d4be24",
        "[<80121d4c>] (abort) from [<7f0d0088>] (pebble_ioctl+0x88/0x90 [pebble])",
    )
    assert found.module == "pebble"


# A module is unloaded only where the log says so; one in the list is loaded.


def test_a_module_is_unloaded_only_where_the_log_says_so() -> None:
    def jumped(modules: str) -> list[str]:
        found = called("ffffffffc0a51000", DISPATCHERS["timer"], modules)
        return [e.text for c in found.candidates for e in c.evidence]

    assert not any("unloaded" in text for text in jumped("tally(OE) ext4"))
    assert any("unloaded" in text for text in jumped("ext4 [last unloaded: tally(OE)]"))
