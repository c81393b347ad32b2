"""What a report suggests to do in a guest so that the fault comes again."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor import klog
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command_line import argv_of
from pagefault_doctor.model.report import Fault, Frame, Kind, Report, Span
from pagefault_doctor.model.untrusted import is_clean
from pagefault_doctor.playbook.shelf import scenario, scenario_folder, scenario_ids
from pagefault_doctor.tools.reproduce.proposed_trigger import ProposedTrigger, proposed_triggers
from pagefault_doctor.tools.reproduce.source_names import (
    NamedFile,
    Place,
    SourceNames,
    grep_command,
    names_in_source,
)

QUAY = NamedFile(
    place=Place.PROC,
    name="quay",
    path="/proc/quay",
    handlers={"read": "seq_read", "write": "quay_write"},
    source="quay",
)
GULL = NamedFile(
    place=Place.DEVICE,
    name="gull",
    path="/dev/gull",
    handlers={"read": "gull_read", "release": "gull_release", "ioctl": "gull_ioctl"},
    source="quay",
)
TIDE = NamedFile(
    place=Place.PARAMETER, name="tide", handlers={"read": "", "write": ""}, source="quay"
)


def report(*functions: str, comm: str | None = "sh", **fields: Any) -> Report:
    """Return a report with these functions in its trace; those named quay_... are the module's."""
    frames = tuple(
        Frame(name, line=number, module="quay" if name.startswith("quay") else None)
        for number, name in enumerate(functions, 10)
    )
    made = Report(
        kind=Kind.NULL_POINTER,
        title="BUG: unable to handle kernel NULL pointer dereference in quay_move",
        comm=comm,
        frames=frames,
        span=Span(1, 40),
        cited={"process": 3, "trace": 9},
    )
    return msgspec.structs.replace(made, **fields)


def first(made: Report, *files: NamedFile, **names: Any) -> ProposedTrigger:
    source = msgspec.structs.replace(SourceNames(files=files), **names)
    return proposed_triggers(made, "quay", source)[0]


@pytest.mark.parametrize(
    ("functions", "comm", "commands"),
    [
        (("quay_start", "do_one_initcall", "do_init_module"), "insmod", ()),
        (("quay_init", "x"), None, ()),
        (("x",), "(udev-worker)", ()),
        (("quay_stop", "__do_sys_delete_module"), "rmmod", ("rmmod quay", "sleep 3")),
        (("quay_exit",), "sh", ("rmmod quay", "sleep 3")),
        (("quay_show", "seq_read", "proc_reg_read", "vfs_read"), "cat", ("cat /proc/FILE",)),
        (("quay_set", "param_attr_store", "kernfs_fop_write_iter"), "sh",
         ("echo 1 > /sys/module/quay/parameters/PARAMETER",)),
        (("depth_show", "dev_attr_show", "sysfs_kf_seq_show"), "cat",
         (r"find /sys/devices /sys/class -name depth -exec cat {} \;",)),
        (("quay_write", "full_proxy_write", "vfs_write"), "sh",
         ("echo 1 > /sys/kernel/debug/FOLDER/FILE",)),
        (("quay_read", "vfs_read", "ksys_read"), "head", ("head -c 16 /dev/FILE",)),
        (("quay_ioctl", "__x64_sys_ioctl"), "tool", ("PROGRAM /dev/FILE",)),
        (("quay_fill", "get_tree_nodev", "vfs_get_tree"), "mount", ("mount -t quay none /tmp",)),
        (("quay_kill", "deactivate_super"), "umount", ("mount -t quay DEVICE /tmp", "umount /tmp")),
        (("quay_xmit", "dev_hard_start_xmit"), "ping",
         ("ip link set DEVICE up", "ip addr add 192.0.2.1/24 dev DEVICE",
          "ping -c 8 -W 1 192.0.2.2")),
        (("quay_event", "call_netdevice_notifiers_info"), "ip",
         ("ip link set lo up", "ip link set lo down")),
        (("quay_make", "rtnl_newlink"), "ip",
         ("ip link add d0 type quay", "ip link set d0 up", "ip link del d0")),
        (("quay_tick", "call_timer_fn"), "swapper/0", ("sleep 20",)),
        (("quay_work", "process_one_work", "kthread"), "kworker/0:1", ("sleep 20",)),
        (("quay_hook", "bprm_execve"), "ls", ("busybox true",)),
        (("dev_attr_show", "sysfs_kf_seq_show"), "cat", ("cat /sys/FOLDER/ATTRIBUTE",)),
        (("quay_move",), "kworker/u4:1", ("sleep 20",)),
        ((), "cat", ("cat /FOLDER/FILE",)),
    ],
)  # fmt: skip
def test_what_was_being_done_is_done_again(
    functions: tuple[str, ...], comm: str | None, commands: tuple[str, ...]
) -> None:
    trigger = first(report(*functions, comm=comm))
    assert trigger.commands == commands
    placeholders = {"FILE", "FOLDER", "ATTRIBUTE", "PARAMETER", "DEVICE", "PROGRAM"}
    words = {word for line in commands for word in line.replace("/", " ").split()}
    assert trigger.is_complete == (not words & placeholders)


def test_it_rests_on_a_function_of_the_trace_or_on_the_program() -> None:
    trigger = first(report("quay_move", "proc_reg_write", comm="sh"), QUAY)
    assert (
        trigger.because
        == "proc_reg_write is in the trace (Comm: sh): a file below /proc was written."
    )
    assert trigger.line == 11
    assert first(report(comm="insmod")).because == "Comm is insmod, which loads modules."
    assert first(report(comm="insmod")).line == 3


def test_the_file_is_the_one_whose_function_is_in_the_trace() -> None:
    other = msgspec.structs.replace(QUAY, name="pier", path="/proc/pier", handlers={"write": "w"})
    made = report("quay_write.isra.0", "proc_reg_write", "vfs_write")
    assert first(made, other, QUAY).commands == ("echo 1 > /proc/quay",)
    assert first(report("quay_look", "proc_reg_read"), QUAY).commands == ("cat /proc/quay",)


@pytest.mark.parametrize(
    ("comm", "line"), [("head", "cat /proc/quay"), ("ferry", "echo 1 > /proc/quay")]
)
def test_a_file_that_was_closed_is_opened_by_the_same_kind_of_program(comm: str, line: str) -> None:
    closes = msgspec.structs.replace(QUAY, handlers={"write": "", "release": "quay_close"})
    assert first(report("quay_close", "__fput", comm=comm), closes).commands == (line,)


def test_a_program_of_ones_own_is_for_the_person_to_name() -> None:
    trigger = first(report("gull_ioctl", "__x64_sys_ioctl"), GULL)
    assert (trigger.commands, trigger.is_complete) == (("PROGRAM /dev/gull",), False)


def test_words_that_the_source_asks_for_are_written_first() -> None:
    made = report("quay_write", "proc_reg_write")
    triggers = proposed_triggers(
        made, "quay", SourceNames(files=(QUAY,), words=(("quay", "moor"), ("other", "x")))
    )
    assert [t.commands[0] for t in triggers] == [
        "echo moor > /proc/quay",
        "echo 1 > /proc/quay",
        "echo 0 > /proc/quay",
    ]


@pytest.mark.parametrize(
    ("fields", "commands"),
    [
        ({"kind": Kind.LIST_CORRUPTION}, ("echo 1 > /proc/quay",) * 2),
        ({"details": {"problem": "Right Redzone overwritten", "cache": "kmalloc-32"}},
         ("printf %032d 0 > /proc/quay",) * 2),
        ({"kind": Kind.STACK_GUARD}, ("printf %0300d 0 | tr 0 '(' > /proc/quay",)),
        ({"title": "divide error in quay_write"}, ("echo 0 > /proc/quay",)),
    ],
)  # fmt: skip
def test_what_is_written_fits_the_kind_of_the_fault(
    fields: dict[str, Any], commands: tuple[str, ...]
) -> None:
    made = report(*["quay_list"] * 9, "quay_write", "proc_reg_write", **fields)
    assert first(made, QUAY).commands == commands


def test_memory_runs_out_by_many_writes() -> None:
    details = {"largest_cache": "kmalloc-2k"}
    (line,) = first(report("out_of_memory", kind=Kind.OOM_KILL, details=details), QUAY).commands
    words = dict(word.split("=") for word in line.split() if "=" in word)
    assert words["of"] == "/proc/quay"
    assert 1024 < int(words["bs"]) <= 2048
    assert int(words["bs"]) * int(words["count"]) > 1 << 29


def test_work_on_freed_memory_needs_what_gives_it_back_first() -> None:
    fault = Fault(address="0x6b6b6b6b6b6b6b6b")
    made = report("quay_poll", "process_one_work", "kthread", fault=fault)
    source = SourceNames(files=(QUAY,), words=(("quay", "attach"), ("quay", "detach")))
    triggers = proposed_triggers(made, "quay", source)
    assert [t.commands for t in triggers[:3]] == [
        ("echo detach > /proc/quay", "sleep 20"),
        ("rmmod quay", "sleep 3"),
        ("sleep 20",),
    ]


def test_a_thread_that_divides_by_a_parameter_gets_a_zero() -> None:
    made = report("quay_beat", "kthread", title="divide error in quay_beat")
    commands = first(made, TIDE).commands
    assert commands == ("echo 0 > /sys/module/quay/parameters/tide", "sleep 20")


def test_code_that_is_gone_ran_after_the_module_was_unloaded() -> None:
    made = report("process_one_work", "kthread", last_unloaded="quay")
    assert first(made).commands == ("rmmod quay", "sleep 3")


def test_an_object_that_the_suspect_freed_is_freed_before_another_meets_it() -> None:
    details = {"freed_by": "quay_close.part.0", "freed_module": "quay"}
    made = report("ledger_write", "proc_reg_write", kind=Kind.SLAB, details=details)
    ledger = NamedFile(
        place=Place.PROC,
        name="ledger",
        path="/proc/ledger",
        handlers={"write": "ledger_write"},
        source="ledger",
    )
    trigger = first(made, ledger, QUAY)
    assert trigger.commands == ("echo 0 > /proc/quay", "sleep 1", "echo 1 > /proc/ledger")
    assert trigger.because.startswith("quay_close of quay had freed the object. ledger_write is in")


def test_what_an_interrupt_interrupted_does_not_count() -> None:
    made = report("quay_tick", "asm_sysvec_apic_timer_interrupt", "quay_write", "vfs_write")
    assert proposed_triggers(made, "quay", SourceNames(files=(QUAY,))) == ()
    made = report(
        "watchdog_timer_fn",
        "__hrtimer_run_queues",
        "asm_sysvec_apic_timer_interrupt",
        "quay_write",
        "proc_reg_write",
        kind=Kind.LOCKUP,
    )
    assert first(made, QUAY).commands == ("echo 1 > /proc/quay",)


def test_a_name_that_is_none_becomes_no_part_of_a_command() -> None:
    for name in ("quay; reboot", "$(reboot)", "-r", "../x"):
        for made in (report("delete_module"), report("param_attr_store"), report("mount_nodev")):
            for trigger in proposed_triggers(made, name):
                assert not any(name in line for line in trigger.commands)
                assert not trigger.is_complete


def test_nothing_is_proposed_where_nothing_tells() -> None:
    assert proposed_triggers(report(comm=None), "quay") == ()
    assert proposed_triggers(report("process_one_work", comm="kworker/0:1"), None) == ()


def test_the_function_nearest_to_the_fault_counts() -> None:
    made = report("quay_close", "__fput", "task_work_run", "do_exit", comm="head")
    assert first(made).commands == ("head -c 16 /dev/FILE",)


_TEXT = st.text(max_size=30) | st.sampled_from(
    ["quay", "vfs_write", "quay_write", "kthread", "process_one_work", "dev_attr_show", "$(x)", "'"]
)
_FRAMES = st.builds(
    Frame, st.none() | _TEXT, module=st.none() | _TEXT, reliable=st.booleans(), line=st.none()
)
_REPORTS = st.builds(
    Report,
    kind=st.sampled_from(Kind),
    title=_TEXT,
    comm=st.none() | _TEXT,
    function=st.none() | _TEXT,
    last_unloaded=st.none() | _TEXT,
    frames=st.lists(_FRAMES, max_size=9).map(tuple),
    details=st.dictionaries(
        st.sampled_from(["cache", "largest_cache", "problem", "freed_by", "freed_module"]),
        _TEXT | st.just("kmalloc-0") | st.just("kmalloc-64"),
    ),
    span=st.just(Span(1, 2)),
)


@given(_REPORTS, st.none() | _TEXT, st.text(max_size=300))
def test_any_report_is_taken_and_gives_command_lines_that_can_be_split(
    made: Report, suspect: str | None, source: str
) -> None:
    text = f'/x/quay.c:1:{source}\n/x/quay.c:2:proc_create("quay", 0, NULL, &o);'
    for names in (SourceNames(files=(QUAY, GULL, TIDE)), names_in_source(text)):
        for trigger in proposed_triggers(made, suspect, names):
            assert is_clean(trigger.because)
            assert "\n" not in trigger.because
            assert all(argv_of(line) and "\n" not in line for line in trigger.commands)


# The bundled scenarios: each has a log, a source, and the trigger that was really used.

SAME = {
    "double-free",
    "freed-notifier",
    "null-deref-module",
    "page-state",
    "readonly-write",
    "soft-lockup",
    "stack-overflow",
    "use-after-unload",
    "user-pointer",
}
"""Cases whose first proposal is what was really done, word for word."""


@pytest.mark.parametrize("name", scenario_ids())
def test_a_bundled_case_is_proposed_its_trigger(name: str) -> None:
    case, folder = scenario(name), scenario_folder(name)
    if case.module is None:
        return
    triggers = proposals(folder, case.module)
    real = tuple(_plain(line) for line in case.trigger)
    assert triggers[0].is_complete
    assert (triggers[0].commands == real) == (name in SAME)


def _plain(line: str) -> str:
    """Return a trigger as it would be typed in a shell."""
    words = shlex.split(line)
    return words[2] if words[:2] == ["sh", "-c"] else line


def proposals(folder: Path, module: str) -> tuple[ProposedTrigger, ...]:
    argv = grep_command(str(folder / "src"))
    ran = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=20)
    main = Case(logs=(klog.read_file(folder / "serial.log"),)).main_report
    assert main
    return proposed_triggers(main, module, names_in_source(ran.stdout))
