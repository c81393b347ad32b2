"""The next step fits the situation: the part that is named, what is missing, who has to act."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.diagnosis.circumstances import Circumstances
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.log_circumstances import LogCircumstances
from pagefault_doctor.model.diagnosis import Attribution, Candidate, NextStep, RootCause
from pagefault_doctor.model.report import Kind, Report
from pagefault_doctor.model.situation import NAMES, SHAPES, SIGNS
from pagefault_doctor.report.analysis import step_text

MakeReport = Callable[..., Report]

CORPUS = Path(os.environ.get("PFDOCTOR_CORPUS", "../shared/corpus"))

OOPS = """\
[   12.100000] BUG: kernel NULL pointer dereference, address: 0000000000000018
[   12.100001] #PF: supervisor read access in kernel mode
[   12.100002] #PF: error_code(0x0000) - not-present page
[   12.100003] Oops: 0000 [#1] PREEMPT SMP
[   12.100004] CPU: 1 PID: 812 Comm: {comm} {taint} {release} #1
[   12.100005] RIP: 0010:{function}+0x11/0x80{module}
[   12.100006] RAX: 0000000000000000 RBX: ffff888001234000 RCX: 0000000000000001
[   12.100007] Call Trace:
[   12.100008]  <TASK>
[   12.100009]  vfs_read+0x44/0x200
[   12.100010]  ksys_read+0x5f/0xe0
[   12.100011]  </TASK>
[   12.100012] Modules linked in: {linked}
"""
DEFAULTS = {
    "comm": "cat", "taint": "Not tainted", "release": "6.1.0-31-amd64", "function": "seq_show",
    "module": "", "linked": "ext4 e1000",
}  # fmt: skip


def oops(**parts: str) -> str:
    return OOPS.format(**DEFAULTS | parts)


def step(text: str) -> NextStep:
    found = diagnose((klog.read(text.encode(), "log"),), {}).verdict.next_step
    assert found is not None
    return found


OUTSIDE = {"taint": "Tainted: G OE", "function": "quay_read", "module": " [quay]"}


@pytest.mark.parametrize(
    ("text", "situation", "words"),
    [
        (
            oops(**OUTSIDE, linked="quay(OE+)"),
            "loaded-and-died",
            "names 6.1.0-31-amd64 as supported",
        ),
        (oops(**OUTSIDE, linked="quay(OE-)"), "died-while-unloading", "while it was unloading"),
        (oops(**OUTSIDE, linked="quay(OE)"), "outside-null-by-program", "without what cat did"),
        (oops(**OUTSIDE, linked="quay(OE)", comm="kworker/1:2"), "outside-null-in-callback", ""),
        (oops(), "null-on-distribution", "backports"),
        (oops(release="6.12.3"), "null", "seq_show"),
        (oops(taint="Tainted: G D"), "not-the-first", "first Oops"),
        (oops(linked="quay(OE) e1000", taint="Tainted: G OE"), "null-with-outside", "quay"),
    ],
)
def test_the_step_fits_who_has_to_act(text: str, situation: str, words: str) -> None:
    found = step(text)
    assert found.situation == situation
    assert words in found.why


@pytest.mark.parametrize(
    ("text", "situation", "words"),
    [
        ("EDAC MC0: 1 UE memory read error on CPU_SrcID#0_Ha#0_Chan#1_DIMM#0 (channel:1 slot:0)\n",
         "dimm", "CPU_SrcID#0_Ha#0_Chan#1_DIMM#0"),
        ("I/O error, dev sdb, sector 1234 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2\n",
         "drive-sectors", "copy the data off first"),
        ("ata3.00: exception Emask 0x10 SAct 0x0 SErr 0x400000 action 0x6 frozen\n",
         "sata-link", "cable of ata3.00"),
        ("CPU0: Package temperature above threshold, cpu clock throttled (total events = 1)\n",
         "heat", "fans"),
    ],
)  # fmt: skip
def test_the_step_names_the_part_that_the_hardware_names(
    text: str, situation: str, words: str
) -> None:
    found = step(f"[  100.000000] {text}")
    assert found.situation == situation
    assert words in found.why


def test_a_drive_that_is_named_is_the_one_whose_health_is_read() -> None:
    line = "[  100.000000] I/O error, dev sdb, sector 1234 op 0x0:(READ) flags 0x0 phys_seg 1\n"
    assert step(line).command == ("smartctl", "-x", "/dev/sdb")


def test_a_name_from_a_log_cannot_pass_for_an_option_or_a_command() -> None:
    for name in ("--help", "a;reboot", "$(reboot)"):
        found = step(oops(**OUTSIDE, linked="quay(OE)").replace("quay", name))
        assert all(name not in part for part in found.command)


@pytest.mark.parametrize(
    ("text", "situation"),
    [
        ("[    0.000000] Linux version 6.1.0-31-amd64 (a@b) (gcc) #1 SMP\n" + "x\n" * 90,
         "nothing-since-start"),
        ("usb 1-1: new high-speed USB device number 2 using xhci_hcd\n", "nothing-in-a-piece"),
        ("usb 1-1: new high-speed USB device number 2 using xhci_hcd\n" * 90, "nothing-here"),
    ],
)  # fmt: skip
def test_a_log_without_a_fault_has_a_step_of_its_own(text: str, situation: str) -> None:
    assert step(text).situation == situation


def boot(release: str, rest: str = "") -> str:
    return f"[    0.000000] Linux version {release} (a@b) (gcc) #1 SMP\n{rest}"


def test_a_fault_that_only_a_newer_kernel_has_names_the_good_one_and_how_many_boots() -> None:
    old, new = "6.9.10", "6.10.7"
    found = step(boot(old) + boot(old) + boot(new, oops(release=new)))
    assert found.situation == "regressed"
    assert "None of 2 boots of 6.9.10 had this" in found.why


def test_a_fault_that_the_older_kernel_had_too_is_no_regression() -> None:
    old, new = "6.9.10", "6.10.7"
    both = boot(old, oops(release=old)) + boot(new, oops(release=new))
    assert step(both).situation != "regressed"


def test_each_condition_is_an_attribute_of_what_is_seen() -> None:
    known = set(dir(Circumstances)) | {"whole", "short", "empty", "unread", "failed"}
    assert known >= SHAPES | NAMES | SIGNS
    seen = LogCircumstances((), {})
    assert {"whole", "short", "empty", "unread", "place", "cause", "who"} <= set(dir(seen))


def corpus_steps() -> Iterator[NextStep | None]:
    for path in sorted(CORPUS.glob("*/**/*.log")):
        yield diagnose((klog.read_file(path),), {}).verdict.next_step


@pytest.mark.skipif(not CORPUS.is_dir(), reason="PFDOCTOR_CORPUS: no folder of logs")
def test_no_sentence_answers_more_than_one_log_in_ten() -> None:
    steps = list(corpus_steps())
    assert all(steps)
    counts = Counter(found.situation for found in steps if found)
    (most, often), *_ = counts.most_common(1)
    assert often * 10 <= len(steps), most
    assert len(counts) >= 40


@pytest.mark.parametrize(
    ("module", "vital"),
    [("ext4", True), ("nvme", True), ("e1000e", True), ("zfs", True), ("snd_hda_intel", False),
     ("quay", False)],
)  # fmt: skip
def test_modules_of_the_root_file_system_storage_and_network_are_known(
    report: MakeReport, module: str, vital: bool
) -> None:
    first = Candidate(RootCause.WILD_POINTER, Attribution.MODULE, module, 0.9)
    assert Circumstances(first, Context(report())).vital is vital


def test_the_function_to_look_at_is_the_suspects_own_where_a_check_found_the_damage(
    report: MakeReport,
) -> None:
    made = report(
        Kind.LIST_CORRUPTION,
        function="__list_del_entry_valid.cold",
        trace=("__list_del_entry_valid.cold", "quay_free.isra.0 [quay]", "do_exit"),
    )
    by_module = Candidate(RootCause.LIST_CORRUPTION, Attribution.MODULE, "quay", 0.9)
    assert Circumstances(by_module, Context(made)).function == "quay_free"
    by_nobody = Candidate(RootCause.LIST_CORRUPTION, Attribution.KERNEL, None, 0.9)
    assert Circumstances(by_nobody, Context(made)).function == "quay_free"


def test_a_command_is_quoted_so_that_it_can_be_pasted() -> None:
    found = NextStep("check-logs", "Look.", ("journalctl", "-g", "Out of memory|oom"))
    assert step_text(found) == "Look. Run: journalctl -g 'Out of memory|oom'"
