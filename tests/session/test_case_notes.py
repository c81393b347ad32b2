"""A case from another machine: each step tells what log, book and tables know, and no more."""

from __future__ import annotations

import json

import pytest
from msgspec import structs

from pagefault_doctor import klog
from pagefault_doctor.cli.unattended import walk_playbook
from pagefault_doctor.model.event import LogRead, SessionStarted
from pagefault_doctor.model.fact import Finding, Mark
from pagefault_doctor.playbook.shelf import playbook
from pagefault_doctor.report import markdown
from pagefault_doctor.report.document import encode
from pagefault_doctor.report.outline import session_outline
from pagefault_doctor.report.session_document import session_document
from pagefault_doctor.session.case_notes import case_notes
from pagefault_doctor.session.case_notes.kernel_packages import packages_of
from pagefault_doctor.session.case_notes.lacking import lacking
from pagefault_doctor.session.case_notes.subject import subject_of
from pagefault_doctor.session.event_log import MemoryLog
from pagefault_doctor.session.given_input import wanted
from pagefault_doctor.session.view import Fold, View
from pagefault_doctor.session.walk import Walk
from pagefault_doctor.tools import TOOLS
from pagefault_doctor.tui.pages.step import StepMoment, rows
from session.small_walk import TableHost

TRACE = """\
Call Trace:
 <TASK>
 sysfs_kf_seq_show+0xa5/0xf0
 vfs_read+0x29b/0x360
 ksys_read+0x6f/0xf0
 do_syscall_64+0x82/0x160
 </TASK>
"""
THIRD_PARTY = f"""\
radish: loading out-of-tree module taints kernel.
radish: version 1.4.2 loaded
BUG: kernel NULL pointer dereference, address: 0000000000000010
#PF: supervisor read access in kernel mode
#PF: error_code(0x0000) - not-present page
Oops: 0000 [#1] PREEMPT SMP
CPU: 1 PID: 77 Comm: cat Tainted: G           O       6.9.5-200.fc40.x86_64 #1
RIP: 0010:radish_show+0x11/0x40 [radish]
Code: 0f 1f 44 00 00 48 89 d0 48 8b 3d 90 90 00 00 31 c9 <8b> 57 10 48 c7 c6 00 00 00 00 48 89
RSP: 0018:ffffc90000a2fd88 EFLAGS: 00010246
RAX: ffff888104a2e000 RBX: ffff888101fd4c00 RCX: 0000000000000000
RDX: ffff888104a2e000 RSI: ffffffffc05b2040 RDI: 0000000000000000
CR2: 0000000000000010 CR3: 0000000105a3e000 CR4: 00000000000006f0
{TRACE}Modules linked in: radish(O) ext4
---[ end trace 0000000000000000 ]---
"""
DRIVER = """\
general protection fault, probably for non-canonical address 0x6b6b6b6b6b6b6b83: 0000 [#1] SMP NOPTI
CPU: 2 PID: 0 Comm: swapper/2 Not tainted 5.15.0-91-generic #101-Ubuntu
RIP: 0010:e1000_clean+0x4c/0x8a0 [e1000]
RSP: 0018:ffffb2a9c0158e50 EFLAGS: 00010202
RAX: 6b6b6b6b6b6b6b6b RBX: ffff9f0a84a2e000 RCX: 0000000000000000
Call Trace:
 <IRQ>
 __napi_poll+0x30/0x160
 net_rx_action+0x12a/0x280
 __do_softirq+0xd9/0x2e7
 </IRQ>
Modules linked in: e1000 ext4
---[ end trace 1a2b3c4d5e6f7081 ]---
"""
HANG = """\
INFO: task rsync:4321 blocked for more than 122 seconds.
      Not tainted 6.11.4-301.fc41.x86_64 #1
task:rsync           state:D stack:0     pid:4321  tgid:4321  ppid:1      flags:0x00004002
Call Trace:
 <TASK>
 __schedule+0x3ec/0x1520
 schedule+0x27/0xf0
 __mutex_lock.constprop.0+0x4fb/0x950
 btrfs_commit_transaction+0x1a0/0xc00 [btrfs]
 btrfs_sync_file+0x3c1/0x540 [btrfs]
 __x64_sys_fsync+0x3b/0x70
 do_syscall_64+0x82/0x160
 </TASK>
"""
OWNED = HANG.replace(
    "task:rsync",
    "INFO: task rsync:4321 is blocked on a mutex likely owned by task tar:4400.\ntask:rsync",
)
ASSERTION = """\
kernel BUG at fs/inode.c:612!
invalid opcode: 0000 [#1] PREEMPT SMP NOPTI
CPU: 0 PID: 1500 Comm: umount Not tainted 6.1.0-26-amd64 #1  Debian 6.1.112-1
RIP: 0010:clear_inode+0x74/0x80
RSP: 0018:ffffb2a9c0158e50 EFLAGS: 00010202
RAX: 0000000000000001 RBX: ffff9f0a84a2e000 RCX: 0000000000000000
Call Trace:
 <TASK>
 evict+0x1a0/0x1b0
 generic_shutdown_super+0x66/0x110
 deactivate_locked_super+0x2f/0x90
 cleanup_mnt+0xbd/0x150
 </TASK>
Modules linked in: ext4
---[ end trace 0000000000000000 ]---
"""
PROGRAM = (
    "gardener[812]: segfault at 18 ip 00007f1a2b3c4d5e sp 00007ffc12345678 error 4"
    " in libplot.so.2[7f1a2b3c0000+9000]\n"
)
HARDWARE = """\
mce: [Hardware Error]: CPU 3: Machine Check Exception: 5 Bank 4: be00000000800400
mce: [Hardware Error]: TSC 0 ADDR 1ffff8000 MISC d012000100000000
"""
QUIET = "usb 1-1: new high-speed USB device number 4 using xhci_hcd\n"
LOGS = {
    "third-party": THIRD_PARTY,
    "driver": DRIVER,
    "hang": HANG,
    "assertion": ASSERTION,
    "program": PROGRAM,
    "hardware": HARDWARE,
    "quiet": QUIET,
}
PLAYBOOK = playbook("kernel-page-fault")
STARTED = SessionStarted(
    id="s", version="1", playbook=PLAYBOOK.id, host="carrot", given={"log_of": "another"}
)
STEPS = tuple(step.id for step in PLAYBOOK.steps)


def stamped(text: str, first: int = 78) -> str:
    lines = enumerate(text.splitlines())
    return "".join(f"[{first:5}.{n:06}] {line}\n" for n, line in lines)


def view_of(text: str, log_of: str = "another", **given: str) -> View:
    started = SessionStarted(
        id="s",
        version="1",
        playbook=PLAYBOOK.id,
        host="carrot",
        given={"log_of": log_of, **given},
    )
    log = klog.read(stamped(text).encode(), "case.log")
    return Fold(TOOLS, bundled_only=True).replay((started, LogRead(log=log)), PLAYBOOK)


def notes(text: str, step: str) -> tuple[Finding, ...]:
    return case_notes(view_of(text), step)


def told(text: str, step: str) -> str:
    return " | ".join(note.text for note in notes(text, step))


def line_of(text: str, words: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if words in line)


@pytest.mark.parametrize("name", LOGS)
@pytest.mark.parametrize("step", STEPS)
def test_a_log_of_this_box_gets_no_notes(name: str, step: str) -> None:
    assert case_notes(view_of(LOGS[name], "this-box"), step) == ()


@pytest.mark.parametrize("name", LOGS)
def test_a_note_names_the_log_and_a_line_that_it_has(name: str) -> None:
    view = view_of(LOGS[name])
    found = [note for step in STEPS for note in case_notes(view, step)]
    assert found
    assert {note.source.origin for note in found} == {"case.log"}
    assert {note.mark for note in found} == {Mark.NEUTRAL}
    lines = LOGS[name].count("\n")
    assert all(1 <= note.source.line <= lines for note in found if note.source.line is not None)
    assert not [note.text for note in found if "this box" in note.text or "None" in note.text]


@pytest.mark.parametrize("name", ["third-party", "driver", "hang", "assertion"])
def test_each_step_tells_something_of_a_fault_of_the_kernel(name: str) -> None:
    view = view_of(LOGS[name])
    assert [step for step in STEPS if not case_notes(view, step)] == []


def test_no_step_of_another_name_tells_anything() -> None:
    assert notes(THIRD_PARTY, "dance") == ()


# What the log lacks


def test_a_whole_report_lacks_nothing() -> None:
    text = told(THIRD_PARTY, "check-logs")
    assert "registers, the call trace and the kernel's version: enough to go on" in text
    assert "sudo" not in text


def test_all_that_is_missing_is_asked_for_in_one_line() -> None:
    cut = "\n".join(THIRD_PARTY.splitlines()[2:8]).replace("6.9.5-200.fc40.x86_64", "")
    found = notes(cut, "check-logs")
    commands = [note.text for note in found if note.text.startswith("sudo sh -c ")]
    assert len(commands) == 1
    for part in ("journalctl -k -b -1 --no-pager", "uname -a", "modinfo radish"):
        assert commands[0].count(part) == 1
    asked = next(note.text for note in found if "Ask the person" in note.text)
    assert "as root" in asked
    assert any("registers" in note.text and "which pointer was bad" in note.text for note in found)


def test_the_version_of_a_module_from_outside_needs_no_root() -> None:
    found = notes(
        THIRD_PARTY.replace("radish: version 1.4.2 loaded", "radish: hello"), "check-logs"
    )
    assert found[-1].text == "modinfo radish"
    assert "no root needed" in found[-2].text


def test_a_log_without_a_report_asks_for_the_log_of_the_boot_before() -> None:
    text = told(QUIET, "check-logs")
    assert "No report of a fault is in the 1 line of this log" in text
    assert "journalctl -k -b -1" in text
    assert [step for step in STEPS[1:] if notes(QUIET, step)] == []


# Whose code it is


def test_a_module_from_outside_is_told_with_its_version() -> None:
    text = told(THIRD_PARTY, "identify-module")
    assert "radish is from outside the kernel's tree" in text
    assert "modinfo radish" in text
    (version,) = [note for note in notes(THIRD_PARTY, "identify-module") if "1.4.2" in note.text]
    assert version.source.line == line_of(THIRD_PARTY, "version 1.4.2")


def test_a_known_project_is_named_with_its_tracker() -> None:
    zfs = THIRD_PARTY.replace("radish_show", "zpl_show").replace("radish", "zfs")
    text = told(zfs, "identify-module")
    assert "zfs is from outside the kernel's tree: OpenZFS." in text
    assert "https://github.com/openzfs/zfs/issues" in text
    assert "Read zpl_show in its source" in told(zfs, "fix-code")


@pytest.mark.parametrize(
    ("flags", "project"),
    [("PO", "NVIDIA driver, proprietary"), ("O", "NVIDIA open GPU kernel modules")],
)
def test_the_project_is_that_of_the_build_that_ran(flags: str, project: str) -> None:
    nvidia = THIRD_PARTY.replace("radish", "nvidia").replace("(O)", f"({flags})")
    assert f"nvidia is from outside the kernel's tree: {project}." in told(
        nvidia, "identify-module"
    )


def test_a_proprietary_module_has_no_source_to_read() -> None:
    nvidia = THIRD_PARTY.replace("radish_show", "nv_show").replace("radish", "nvidia")
    text = told(nvidia.replace("nvidia(O)", "nvidia(PO)"), "fix-code")
    assert "nvidia comes without source" in text
    assert "Read nv_show" not in text


def test_a_module_of_the_tree_is_told_with_its_folder_and_package() -> None:
    text = told(DRIVER, "identify-module")
    assert "e1000 is part of the kernel's own tree (drivers/net/ethernet/intel/e1000)" in text
    assert "linux-modules-5.15.0-91-generic" in text
    assert "intel-wired-lan@lists.osuosl.org" in text


def test_the_kernels_own_code_is_told_by_its_file() -> None:
    text = told(ASSERTION, "identify-module")
    assert "in the kernel itself (fs/inode.c), package linux-image-6.1.0-26-amd64." in text
    assert "linux-fsdevel@vger.kernel.org" in text


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (PROGRAM, "the program gardener died of its own fault, in libplot.so.2"),
        (HARDWARE, "but the hardware"),
    ],
)
def test_a_fault_that_is_not_the_kernels_suspects_no_module(log: str, words: str) -> None:
    text = told(log, "identify-module")
    assert "No module is suspected" in text
    assert words in text


# What was done


@pytest.mark.parametrize(
    ("log", "words", "cites"),
    [
        (THIRD_PARTY, "When it faulted, the task cat[77] ran: reading a file of /sys.", "RIP:"),
        (DRIVER, "an interrupt was handled (swapper/2[0] only happened to run)", ""),
        (DRIVER, "receiving network packets", ""),
        (HANG, "When it hung, the task rsync[4321] ran: system call fsync.", "__schedule"),
        (ASSERTION, "the task umount[1500] ran: unmounting a file system.", ""),
        (PROGRAM, "The program gardener tried to read 0x18", "segfault"),
    ],
)
def test_what_the_machine_did_is_told(log: str, words: str, cites: str) -> None:
    (note,) = [each for each in notes(log, "reproduce") if words in each.text]
    if cites:
        assert note.source.line in (line_of(log, cites), line_of(log, cites) + 1)


def test_a_fault_soon_after_the_start_is_told() -> None:
    for first, expected in ((7, True), (700, False)):
        log = klog.read(stamped(DRIVER, first).encode(), "case.log")
        view = Fold(TOOLS, bundled_only=True).replay((STARTED, LogRead(log=log)), PLAYBOOK)
        text = " ".join(note.text for note in case_notes(view, "reproduce"))
        assert ("after the start of the machine" in text) is expected


# What a dump would add


def test_a_complete_null_dereference_loses_little_without_a_dump() -> None:
    found = notes(THIRD_PARTY, "analyse-crash-dump")
    assert len(found) == 1
    assert "A dump would add little" in found[0].text
    assert "RDI = 0x0" in found[0].text


def test_one_without_registers_needs_a_dump() -> None:
    kept = (line for line in THIRD_PARTY.splitlines() if not line.startswith(("Code", "R", "CR")))
    bare = "\n".join(kept) + "\nRIP: 0010:radish_show+0x11/0x40 [radish]\n"
    text = told(bare, "analyse-crash-dump")
    assert "A dump would add: the object" in text
    assert "kdumpctl reset-crashkernel" in text


@pytest.mark.parametrize(
    ("log", "adds", "package", "setting"),
    [
        (DRIVER, "slub_debug=U", "apt install -y linux-crashdump", "kernel.panic_on_oops=1"),
        (HANG, "who holds what this one", "dnf install -y kdump-utils", "kernel.hung_task_panic=1"),
        (ASSERTION, "the variables", "apt install -y kdump-tools", "kernel.panic_on_oops=1"),
    ],
)
def test_what_it_adds_and_how_that_machine_writes_one(
    log: str, adds: str, package: str, setting: str
) -> None:
    found = [note.text for note in notes(log, "analyse-crash-dump")]
    assert adds in found[0]
    assert found[-1].startswith(f"sudo sh -c '{package}")
    assert setting in found[-1]


def test_a_log_that_names_who_holds_the_lock_needs_no_dump() -> None:
    (note,) = notes(OWNED, "analyse-crash-dump")
    assert "little" in note.text
    assert note.source.line == line_of(OWNED, "owned by task")


@pytest.mark.parametrize("log", [HARDWARE, PROGRAM])
def test_no_dump_is_asked_for_where_it_would_show_nothing(log: str) -> None:
    text = told(log, "analyse-crash-dump")
    assert text
    assert "sudo" not in text


def test_nothing_is_said_of_a_dump_where_one_was_given() -> None:
    view = view_of(DRIVER, vmcore="/tmp/vmcore")
    assert case_notes(view, "analyse-crash-dump") == ()


# Where in the code


def test_the_instruction_and_its_register_are_told() -> None:
    place, information = notes(THIRD_PARTY, "debug-module")
    assert "radish_show+0x11/0x40 [radish]" in place.text
    assert "RDI = 0x0" in place.text
    assert place.source.line == line_of(THIRD_PARTY, "Code:")
    assert "radish.ko of that machine" in information.text


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (DRIVER, "linux-image-unsigned-5.15.0-91-generic-dbgsym (ddebs.ubuntu.com)"),
        (HANG, "kernel-debuginfo-6.11.4-301.fc41.x86_64"),
        (ASSERTION, "The log names the line itself: fs/inode.c:612."),
        (PROGRAM, "libplot.so.2+0x4d5e"),
    ],
)
def test_what_has_the_line_is_named(log: str, words: str) -> None:
    assert words in told(log, "debug-module")


# Where the source is


@pytest.mark.parametrize(
    ("log", "url"),
    [
        (ASSERTION, "https://sources.debian.org/src/linux/6.1.112-1/fs/inode.c/#L612"),
        (DRIVER, "/jammy/tree/drivers/net/ethernet/intel/e1000?h=Ubuntu-5.15.0-91.101"),
        (HANG, "/stable/linux.git/tree/fs/btrfs?h=v6.11.4"),
        (
            ASSERTION.replace("6.1.0-26-amd64 #1  Debian 6.1.112-1", "6.13.0-rc2 #1"),
            "/torvalds/linux.git/tree/fs/inode.c?h=v6.13-rc2#n612",
        ),
        (
            ASSERTION.replace("6.1.0-26-amd64 #1  Debian 6.1.112-1", "6.12.3-arch1-1 #1"),
            "/stable/linux.git/tree/fs/inode.c?h=v6.12.3#n612",
        ),
    ],
)
def test_the_page_with_the_source_is_that_of_the_release(log: str, url: str) -> None:
    assert notes(log, "fix-code")[-1].text.endswith(url)


def moved(release: str, function: str, module: str) -> str:
    log = DRIVER.replace("e1000_clean", function).replace("e1000", module)
    return told(log.replace("5.15.0-91-generic #101-Ubuntu", f"{release} #1"), "fix-code")


@pytest.mark.parametrize(
    ("release", "page"),
    [("6.1.4-arch1-1", "tree/fs/cifs?h=v6.1.4"), ("6.9.4-arch1-1", "tree/fs/smb/client?h=v6.9.4")],
)
def test_a_folder_that_moved_is_that_of_the_release(release: str, page: str) -> None:
    assert page in moved(release, "cifs_reconnect", "cifs")


def test_no_folder_is_named_for_a_kernel_older_than_the_tables() -> None:
    assert moved("3.16.7-arch1-1", "cifs_reconnect", "cifs") == ""


def test_a_line_of_a_patched_kernel_may_be_off() -> None:
    el = ASSERTION.replace("6.1.0-26-amd64 #1  Debian 6.1.112-1", "5.14.0-427.13.1.el9_4.x86_64 #1")
    text = told(el, "fix-code")
    assert "?h=v5.14#n612" in text
    assert "may be off" in text


def test_a_fault_that_is_not_the_kernels_has_no_source_here() -> None:
    assert notes(HARDWARE, "fix-code") == ()
    assert notes(PROGRAM, "fix-code") == ()


# How a fix is proven


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (THIRD_PARTY, "radish_show"),
        (DRIVER, "slub_debug=FZPU"),
        (DRIVER.replace("5.15.0-91-generic #101-Ubuntu", "6.12.3-arch1-1 #1"), "slab_debug=FZPU"),
        (HANG, "sees it after 122 s"),
        (PROGRAM, "gardener"),
        (HARDWARE, "Only time proves"),
    ],
)
def test_what_proves_a_fix_fits_the_fault(log: str, words: str) -> None:
    assert words in told(log, "validate")


# Kernels by their release


@pytest.mark.parametrize(
    ("release", "image", "debug"),
    [
        ("6.1.0-26-amd64", "linux-image-6.1.0-26-amd64", "linux-image-6.1.0-26-amd64-dbg"),
        ("6.8.12-4-pve", "proxmox-kernel-6.8.12-4-pve-signed", ""),
        ("5.15.30-2-pve", "pve-kernel-5.15.30-2-pve", ""),
        (
            "5.14.0-427.el9.x86_64",
            "kernel-core-5.14.0-427.el9.x86_64",
            "kernel-debuginfo-5.14.0-427.el9.x86_64",
        ),
        (
            "3.10.0-1160.el7.x86_64",
            "kernel-3.10.0-1160.el7.x86_64",
            "kernel-debuginfo-3.10.0-1160.el7.x86_64",
        ),
        (
            "5.15.0-200.el8uek.x86_64",
            "kernel-uek-5.15.0-200.el8uek.x86_64",
            "kernel-uek-debuginfo-5.15.0-200.el8uek.x86_64",
        ),
        ("6.4.0-150600.21-default", "kernel-default", "kernel-default-debuginfo"),
        ("6.12.3-arch1-1", "linux", "the debug information of linux"),
        ("6.6.40-1-lts", "linux-lts", "the debug information of linux-lts"),
    ],
)
def test_packages_are_those_of_the_distribution(release: str, image: str, debug: str) -> None:
    found = packages_of(release)
    assert found is not None
    assert (found.image, found.debug) == (image, debug)


@pytest.mark.parametrize("release", ["", "6.12.3", "6.1.21-v8+", "5.15.90.1-microsoft-standard"])
def test_no_package_is_named_for_a_kernel_of_an_unknown_builder(release: str) -> None:
    assert packages_of(release) is None


# What a log can do


@pytest.mark.parametrize(
    ("was", "evil"),
    [
        ("[radish]", "[$(reboot)]"),
        ("radish_show", "x;reboot"),
        ("6.9.5-200.fc40.x86_64", "6.9.5';reboot;'.fc40"),
        ("Comm: cat", "Comm: ;reboot"),
    ],
)
def test_text_of_a_log_never_gets_into_a_command(was: str, evil: str) -> None:
    view = view_of(THIRD_PARTY.replace(was, evil))
    found = [note.text for step in STEPS for note in case_notes(view, step)]
    commands = [text for text in found if text.startswith(("sudo", "modinfo", "uname"))]
    assert not [text for text in commands if "reboot" in text]


def test_a_name_that_is_no_modules_is_in_no_command() -> None:
    subject = subject_of(view_of(THIRD_PARTY.replace("version 1.4.2", "hello")))
    assert subject is not None
    diagnosis = structs.replace(subject.diagnosis, module="$(reboot)")
    evil = structs.replace(subject, diagnosis=diagnosis)
    assert "modinfo" in " ".join(note.text for note in lacking(subject))
    assert "modinfo" not in " ".join(note.text for note in lacking(evil))


def test_a_release_that_is_none_names_no_package() -> None:
    log = klog.read(stamped(HANG).encode(), "case.log")
    report = structs.replace(log.reports[0], kernel_release="6.11.4';reboot;'.fc41")
    log = structs.replace(log, reports=(report,), booted=())
    view = Fold(TOOLS, bundled_only=True).replay((STARTED, LogRead(log=log)), PLAYBOOK)
    assert "reboot" not in " ".join(n.text for s in STEPS for n in case_notes(view, s))


# Where the notes stand


def test_wizard_and_reports_show_the_same_notes() -> None:
    view = view_of(DRIVER)
    document = json.loads(encode(session_document(view)))
    report = markdown.render(session_outline(view)).replace("\\", "")
    for step, entry in zip(PLAYBOOK.steps, document["steps"], strict=True):
        found = case_notes(view, step.id)
        assert [note["text"] for note in entry["case_notes"]] == [note.text for note in found]
        shown = [row.ref for row in rows(view, step, StepMoment())]
        assert [each for each in found if each not in shown] == []
        assert all(note.text in report for note in found)


def test_the_unattended_walk_tells_them_at_each_step() -> None:
    walk = Walk.start(STARTED, PLAYBOOK, host=TableHost(), sink=MemoryLog(), tools=TOOLS)
    walk.give_log(klog.read(stamped(DRIVER).encode(), "case.log"))
    said: list[str] = []
    walk_playbook(walk, said.append)
    told_there = "\n".join(said)
    assert case_notes(walk.view, "identify-module")[0].text in told_there


def test_where_the_source_for_the_lab_is_stands_at_the_step_that_needs_it() -> None:
    known = THIRD_PARTY.replace("radish", "v4l2loopback")
    assert "git clone https://github.com/v4l2loopback/v4l2loopback" in texts_of(known, "reproduce")
    assert "ls -d /usr/src/*" in told(THIRD_PARTY, "reproduce")
    given = case_notes(view_of(known, source_dir="/src/loopback"), "reproduce")
    assert not any("git clone" in note.text for note in given)
    assert "git clone" not in told(DRIVER, "reproduce")


def texts_of(text: str, step: str) -> list[str]:
    return [note.text for note in notes(text, step)]


def test_what_came_of_a_step_stands_above_its_commands() -> None:
    """In a case from elsewhere they mostly look for files; a page has few rows."""
    walk = Walk.start(STARTED, PLAYBOOK, host=TableHost(), sink=MemoryLog(), tools=TOOLS)
    walk.give_log(klog.read(stamped(THIRD_PARTY).encode(), "case.log"))
    walk_playbook(walk, lambda text: None)
    view, step = walk.view, PLAYBOOK.step("check-logs")
    texts = [row.left for row in rows(view, step, StepMoment())]
    command = next(n for n, text in enumerate(texts) if text.startswith("$"))
    log = next(n for n, text in enumerate(texts) if "1 report" in text)
    assert log < command


def test_what_a_note_asks_for_can_be_given_at_its_step() -> None:
    asked = [each.name for each in wanted(view_of(THIRD_PARTY), "debug-module")]
    assert asked == ["module_dir"]
    assert wanted(view_of(THIRD_PARTY, module_dir="/ko"), "debug-module") == ()
    assert wanted(view_of(THIRD_PARTY, log_of="this-box"), "debug-module") == ()
