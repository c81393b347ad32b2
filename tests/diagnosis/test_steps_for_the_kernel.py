"""The next step for faults in the kernel's own code: by what was going on, and by its age."""

from __future__ import annotations

from typing import Any

import pytest

from diagnosis.logs import diagnosed, oops, page_fault, stamped
from pagefault_doctor import klog
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.named_circumstances import NamedCircumstances
from pagefault_doctor.diagnosis.ranking import diagnose_report
from pagefault_doctor.model.diagnosis import Diagnosis

CORE = {"place": "demo_lookup+0x40/0x80", "modules": "ext4", "tainted": "Not tainted"}


def fault(release: str = "6.1.0-1-amd64", **rest: Any) -> str:
    parts: dict[str, Any] = {**CORE, "trace": ("exit_mmap+0x1/0x9", "do_exit+0x1/0x9"), **rest}
    return page_fault("ffffc90012345678", **parts).replace("6.1.0-1-amd64", release)


def said(text: str) -> str:
    return stamped(text, at=50.0)


def lead(text: str) -> Diagnosis:
    return diagnosed(text)[0]


SWAP = "get_swap_device: Bad swap offset entry 808000000"
GONE = "quay: Unregistered quay transport"
OFF = "quay 0000:12:00.0: Shutdown was called"


@pytest.mark.parametrize(
    ("text", "situation"),
    [
        (said(SWAP) + fault("6.17.0-rc4+"), "swap-entry-in-development"),
        (said(SWAP) + fault("6.12.1"), "swap-entry"),
        (said(GONE) + fault("6.12.1"), "used-after-unloading"),
        (said(OFF) + fault("6.12.1"), "used-while-shut-down"),
        (fault("6.10.7-arch1-1"), "ended-branch"),
        # Kept for long, by kernel.org or by the distribution.
        (fault("6.12.1"), "wild-code"),
        (fault("5.4.0-1-generic"), "wild-on-distribution"),
        # Modules from outside, whose list is not there.
        (fault("6.12.1", tainted="Tainted: P           OE     ", modules=""),
         "chance-of-unnamed-third-party"),
        (fault("6.12.1", tainted="Tainted: G        W         ", modules=""), "wild-code"),
        (fault("6.12.1", place="rb_erase+0x1/0x9", trace=("unlink_anon_vmas+0x1/0x9",)),
         "structure-of-the-caller"),
        (fault("6.12.1", place="rb_erase+0x1/0x9", trace=("demo_gone+0x1/0x9",)), "wild-code"),
        (fault("6.15.0-rc1", trace=("dpm_resume+0x1/0x9",)), "suspend-in-development"),
        (fault("6.12.1", trace=("dpm_resume+0x1/0x9",)), "suspend-resume"),
    ],
)  # fmt: skip
def test_the_step_fits_what_was_going_on(text: str, situation: str) -> None:
    step = lead(text).next_step
    assert step
    assert step.situation == situation


def test_what_was_said_stands_in_the_step() -> None:
    step = lead(said(OFF) + fault("6.12.1")).next_step
    assert step
    assert f'"{OFF}": cat still used the device' in step.why


def test_a_load_after_a_load_that_died_has_its_own_step() -> None:
    parts = {"place": "idempotent_init_module+0x1/0x9", "trace": ("do_exit+0x1/0x9",)}
    died = fault("6.12.1", **parts, tainted="Tainted: G      D          ")
    step = lead(died).next_step
    assert step
    assert step.situation == "load-after-a-load-that-died"
    other = lead(fault("6.12.1", tainted="Tainted: G      D          ")).next_step
    assert other
    assert other.situation == "not-the-first"


def test_of_a_later_fault_the_first_is_the_cause_to_look_for() -> None:
    later = lead(fault("6.12.1", tainted="Tainted: G      D          "))
    assert later.summary.startswith("the kernel had died before in this boot (taint D): the first")
    assert "alone, this one would be: " in later.summary
    assert "alone" not in lead(fault("6.12.1")).summary


def test_the_taint_of_a_death_that_was_printed_behind_its_end_is_its_own() -> None:
    tail = stamped(
        "---[ end trace 0000000000000000 ]---",
        "Kernel panic - not syncing: Fatal exception in interrupt",
        "CPU: 0 PID: 369 Comm: cat Tainted: G      D           5.10.113 #1",
        "epc : demo_alloc+0x246/0x570",
        " ra : demo_alloc+0x44c/0x570",
        "epc: ffffffe00038dada ra : ffffffe00038dce0 sp : ffffffe103863b60",
        " gp : ffffffe001611290 tp : ffffffe103459b00 t0 : ffffffe10cd53500",
    )
    found = lead(tail)
    assert "taint D" not in found.summary
    assert any("it died, of this oops" in fact.words for fact in found.facts)


def test_a_hang_only_shows_where_it_waits() -> None:
    hung = stamped(
        "INFO: task cat:321 blocked for more than 120 seconds.",
        "      Not tainted 6.1.0-1-amd64 #1",
        "task:cat             state:D stack:0     pid:321   ppid:1      flags:0x00000002",
        "Call Trace:",
        " __schedule+0x1/0x9",
        " schedule+0x1/0x9",
        " unix_wait_for_peer+0x1/0x9",
        " unix_stream_connect+0x1/0x9",
        " __sys_connect+0x1/0x9",
    )
    assert "hang that shows in the kernel's" in lead(hung).summary


SERROR = (
    "SError Interrupt on CPU3, code 0xbe000011 -- SError",
    "CPU: 3 PID: 321 Comm: Xorg Not tainted 5.18.0 #1",
    "pc : _regmap_bus_reg_write+0x20/0x30",
    "lr : _regmap_write+0x5c/0xb0",
    "sp : ffff80000aea3900",
)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("quay-pm fdd90000.power: failed to get ack on domain 'gpu'", "driver quay-pm (it spoke"),
        ("Failed to get ack on domain 'gpu'", "the kernel itself"),
    ],
)
def test_a_register_that_does_not_answer_is_of_the_driver_that_spoke_before(
    line: str, words: str
) -> None:
    found = lead(stamped(line, at=50.0) + stamped(*SERROR))
    assert words in found.summary


INTERLEAVED = (
    "list_add corruption. prev->next should be next (ffffffff9da75c60), but was ffff99bbd1d94790.",
    "------------[ cut here ]------------",
    "kernel BUG at lib/list_debug.c:32!",
    " device_resume+0x47/0x200",
    "Oops: invalid opcode: 0000 [#1] SMP",
    " async_resume+0x1d/0x30",
    "CPU: 2 UID: 0 PID: 25 Comm: cat Not tainted 6.15.0 #1 PREEMPT(voluntary)",
    "RIP: 0010:__list_add_valid_or_report+0x90/0xa0",
    " process_one_work+0x22b/0x5b0",
    "RSP: 0018:ffffc09a45dafb20 EFLAGS: 00010246",
    "RAX: 0000000000000075 RBX: ffffffff9da75c60 RCX: 0000000000000027",
    "Call Trace:",
    " <TASK>",
    " ret_from_fork+0x31/0x50",
    " dpm_resume+0x139/0x350",
    " dpm_resume_end+0x11/0x20",
)


def test_frames_that_another_cpu_printed_in_between_are_of_nobody_here() -> None:
    assert lead(stamped(*INTERLEAVED)).summary.endswith("at dpm_resume")


def test_without_a_trace_of_its_own_the_frames_that_are_there_count() -> None:
    cut = stamped(*(line for line in INTERLEAVED[:11]))
    assert "async_resume" in lead(cut).summary or "device_resume" in lead(cut).summary


def test_who_asks_a_damaged_allocator_is_no_module() -> None:
    text = oops(
        "Unable to handle kernel paging request at virtual address 9097852246119ace",
        place="kmem_cache_alloc+0x246/0x570",
        trace=(),
        modules="quay",
        tainted="Not tainted",
    )
    assert "a module that is not named" not in lead(text).summary


WATCHDOG = (
    "------------[ cut here ]------------",
    "{line}",
    "WARNING: CPU: 1 PID: 0 at net/sched/sch_generic.c:525 dev_watchdog+0x20d/0x220",
    "CPU: 1 PID: 0 Comm: swapper/1 Not tainted 6.12.1 #1",
    "RIP: 0010:dev_watchdog+0x20d/0x220",
    "Call Trace:",
    " call_timer_fn+0x1/0x9",
)


@pytest.mark.parametrize(
    ("line", "module"),
    [
        ("NETDEV WATCHDOG: eth0 (r8169): transmit queue 0 timed out", "r8169"),
        (
            "igc 0000:03:00.0 eth0: NETDEV WATCHDOG: CPU: 1: transmit queue 0 timed out 5376 ms",
            "igc",
        ),
        # The driver is not named, or something else warned.
        ("NETDEV WATCHDOG: eth0: transmit queue 0 timed out", None),
        ("eth0 (r8169): link is down", None),
    ],
)
def test_a_card_that_does_not_send_is_of_its_driver(line: str, module: str | None) -> None:
    text = stamped(*(part.format(line=line) for part in WATCHDOG))
    found = lead(text)
    assert found.module == module
    step = found.next_step
    assert step
    assert (step.situation == "card-that-does-not-send") is (module is not None)


@pytest.mark.parametrize(
    ("file", "shown"),
    [
        ("/build/linux-W6HB68/linux-4.4.0/drivers/quay/dock.c", " drivers/quay/dock.c "),
        ("/home/me/quay/dock.c", " /home/me/quay/dock.c "),
    ],
)
def test_a_file_of_the_tree_is_named_from_its_root(file: str, shown: str) -> None:
    text = stamped(
        f"WARNING: CPU: 1 PID: 1187 at {file}:13061 quay_check+0x60c/0x8f0",
        "CPU: 1 PID: 1187 Comm: cat Not tainted 6.12.1 #1",
        "RIP: 0010:quay_check+0x60c/0x8f0",
        "Call Trace:",
        " quay_commit+0x1/0x9",
    )
    step = lead(text).next_step
    assert step
    assert shown in f"{step.why} "


def test_a_leak_of_a_module_from_outside_is_no_check_of_its_own() -> None:
    text = stamped(
        "unreferenced object 0xffffff8003a91c00 (size 512):",
        '  comm "cat", pid 1412, jiffies 4294941000 (age 30.100s)',
        "  backtrace:",
        "    [<00000000c5d0a4f2>] quay_scan+0x58/0x3a8 [quay]",
        "    [<00000000c5d0a4f3>] ksys_read+0x58/0x3a8",
    )
    step = lead(text).next_step
    assert step
    assert step.situation == "outside-leak"


@pytest.mark.parametrize(
    ("inner", "outer", "module"),
    [
        ("usb_start_wait_urb+0x1/0x9 [usbcore]", "quay_read+0x1/0x9 [quay]", "quay"),
        # A driver that calls another one, and one that nobody else called.
        ("dock_wait+0x1/0x9 [dock]", "quay_read+0x1/0x9 [quay]", "dock"),
        ("usb_start_wait_urb+0x1/0x9 [usbcore]", "ksys_read+0x1/0x9", "usbcore"),
    ],
)
def test_a_driver_that_calls_its_subsystem_where_none_may_sleep_is_to_blame(
    inner: str, outer: str, module: str
) -> None:
    text = stamped(
        "BUG: scheduling while atomic: quayd/1412/0x00000200",
        "Modules linked in: quay dock usbcore",
        "CPU: 2 PID: 1412 Comm: quayd Not tainted 6.12.1 #1",
        "Call Trace:",
        " dump_stack+0x6b/0x83",
        " __schedule_bug.cold+0x43/0x51",
        " schedule_timeout+0x11d/0x150",
        f" {inner}",
        f" {outer}",
        " kthread+0x11b/0x140",
    )
    assert lead(text).module == module


@pytest.mark.parametrize(
    ("outer", "situation"), [("quay_update", "locked-twice"), ("quay_other", "soft-lockup")]
)
def test_a_task_that_may_wait_for_itself_has_its_own_step(outer: str, situation: str) -> None:
    text = stamped(
        "watchdog: BUG: soft lockup - CPU#1 stuck for 23s! [quayd:321]",
        "CPU: 1 PID: 321 Comm: quayd Not tainted 6.12.1 #1",
        "RIP: 0010:queued_spin_lock_slowpath+0x47/0x50",
        "Call Trace:",
        " _raw_spin_lock+0x1/0x9",
        " quay_update+0x1/0x9",
        " quay_alarm+0x1/0x9",
        f" {outer}+0x5/0x9",
        " kthread+0x1/0x9",
    )
    step = lead(text).next_step
    assert step
    assert step.situation == situation


def test_a_call_through_a_bad_pointer_is_of_no_part_of_the_kernel() -> None:
    parts: dict[str, Any] = {
        **CORE,
        "place": "0x0",
        "code": None,
        "trace": ("shrink_slab+0x1/0x9",),
    }
    text = page_fault("0000000000000000", 0x10, **parts)
    found = lead(text)
    assert found.owner is None
    assert "memory management" not in found.summary


@pytest.mark.parametrize(("release", "owner"), [("2.6.15", False), ("6.1.0-1-amd64", True)])
def test_pages_are_checked_by_what_the_kernel_has(release: str, *, owner: bool) -> None:
    report = klog.read(fault(release).encode(), "log").reports[0]
    context = Context(report)
    seen = NamedCircumstances(diagnose_report(report, context).candidates[0], context)
    assert "debug_pagealloc=on" in seen.page_checks
    assert ("page_owner=on" in seen.page_checks) is owner


def test_a_hang_without_a_function_blames_no_part_of_the_kernel() -> None:
    text = stamped("watchdog: BUG: soft lockup - CPU#1 stuck for 23s! [quayd:321]")
    assert "in the kernel" not in lead(text).summary


def test_after_a_panic_no_journal_is_asked_for() -> None:
    text = stamped("Kernel panic - not syncing: Fatal exception in interrupt")
    assert all("journalctl" not in part.how for part in lead(text).missing)
    assert any("reaches no journal" in part.how for part in lead(text).missing)
