"""Where modules come from, as marks, messages and names tell it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from diagnosis.logs import diagnosed, page_fault, stamped
from pagefault_doctor.diagnosis import provenance
from pagefault_doctor.model.diagnosis import Attribution
from pagefault_doctor.model.log import ModuleEvent
from pagefault_doctor.model.report import Line, LinkedModule, Report

MakeReport = Callable[..., Report]
LOADED = "{}: loading out-of-tree module taints kernel."
DELETED = "list_del corruption. prev->next should be ffff888004a81000, but was ffff888004a82000"


def event(module: str, line: int = 1, what: str = "out-of-tree", boot: int = 0) -> ModuleEvent:
    return ModuleEvent(what, module, Line(line, LOADED.format(module)), 1.0, boot)


def outside(report: Report, *events: ModuleEvent) -> tuple[str, ...]:
    return provenance.with_outside(report, events).out_of_tree


def test_the_line_of_its_loading_tells_where_the_list_is_lost(report: MakeReport) -> None:
    one = report(first_line=9)
    assert outside(one, event("ext9"), event("closed", what="license")) == ("ext9", "closed")


@pytest.mark.parametrize(
    "other",
    [
        event("ext9", line=12),
        event("ext9", boot=1),
        event("ext9", what="unsigned"),
        event("ext9", what="unknown-symbol"),
    ],
)
def test_another_line_tells_nothing(report: MakeReport, other: ModuleEvent) -> None:
    """After the report, of another boot, of a module that is unsigned, or that was not loaded."""
    assert outside(report(first_line=9), other) == ()


def test_a_module_that_is_not_in_the_list_any_more_does_not_count(report: MakeReport) -> None:
    one = report(first_line=9, modules=(LinkedModule("ext4"), LinkedModule("stays")))
    assert outside(one, event("gone", 1), event("stays", 2)) == ("stays",)


@pytest.mark.parametrize(
    ("tainted", "modules", "named"),
    [
        (("O", "E"), (), ("ext9",)),
        # The list is there, and marks none of them.
        (("O",), (LinkedModule("ext9"),), ()),
        (("O",), (LinkedModule("other", "OE"), LinkedModule("ext9")), ("other",)),
        # A vendor's tree may have it.
        ((), (), ()),
        (("E",), (), ()),
        (None, (), ()),
    ],
)
def test_a_name_tells_only_where_the_taint_says_that_there_is_one(
    report: MakeReport,
    tainted: tuple[str, ...] | None,
    modules: tuple[LinkedModule, ...],
    named: tuple[str, ...],
) -> None:
    trace = ("start [ext9]", "ieee80211_rx [mac80211]")
    assert outside(report(tainted=tainted, modules=modules, trace=trace)) == named


@pytest.mark.parametrize(
    ("release", "known"),
    [
        (None, True),
        ("5.10.0-30-amd64", True),
        ("6.8.0", True),
        ("7.2.13", True),
        ("4.19.0", False),
        ("2.6.32-754.el6", False),
        ("9.1.0", False),
    ],
)
def test_names_are_known_of_the_releases_of_the_list_alone(
    report: MakeReport, release: str | None, known: bool
) -> None:
    assert provenance.is_unknown("ext9", report(kernel_release=release)) is known
    assert not provenance.is_unknown("ext4", report(kernel_release=release))


def test_a_fragment_blames_the_driver_from_outside_that_called_another() -> None:
    trace = ("serve+0x24/0x90 [pps_ldisc]", "ask+0x24/0x90 [ext9]", "vfs_read+0x24/0x90")
    text = page_fault("0xffff888012345678", place=trace[0], trace=trace, tainted="Tainted: G O")
    kept = "".join(x for x in text.splitlines(True) if "Modules linked" not in x)
    assert diagnosed(kept)[0].module == "ext9"
    assert diagnosed(kept.replace("ext9", "lm90"))[0].module == "pps_ldisc"


def test_the_only_module_from_outside_is_found_by_the_line_of_its_loading() -> None:
    bug = ("kernel BUG at lib/list_debug.c:56!", "invalid opcode: 0000 [#1] PREEMPT SMP")
    report = stamped(DELETED, *bug, "RIP: 0010:__list_del_entry_valid+0x8e/0xb0")
    loaded = stamped(LOADED.format("ext9"), at=3.0)
    assert diagnosed(loaded + report)[0].module == "ext9"
    assert diagnosed(report)[0].attribution is Attribution.KERNEL


@pytest.mark.parametrize(
    ("module", "flags", "folder", "words"),
    [
        ("ext4", "", "fs/ext4", None),
        ("e1000e", "OE", None, "e1000e is from outside the kernel; the tree has one of that name "
         "in drivers/net/ethernet/intel/e1000e"),
        ("ext9", "", None, "ext9 is not among the modules of Linux 5.10 to 7.2"),
        ("ext9", "OE", None, None),
    ],
)  # fmt: skip
def test_the_folder_of_a_module_and_what_its_name_tells(
    report: MakeReport, module: str, flags: str, folder: str | None, words: str | None
) -> None:
    one = report(modules=(LinkedModule(module, flags),))
    assert provenance.folder_of(module, one) == folder
    assert provenance.name_words(module, one) == words


def test_a_name_is_told_where_nothing_else_shows_the_module(report: MakeReport) -> None:
    one = report(tainted=("O",), trace=("start [ext9]",))
    shown = provenance.with_outside(one, ())
    assert provenance.name_words("ext9", shown) == provenance.unknown_words("ext9")


def test_a_list_with_marks_is_believed(report: MakeReport) -> None:
    modules = (LinkedModule("other", "OE"), LinkedModule("ext9"))
    assert outside(report(first_line=9, modules=modules), event("ext9")) == ("other",)


def test_a_module_that_is_not_named_has_neither(report: MakeReport) -> None:
    assert provenance.folder_of(None, report()) is None
    assert provenance.name_words(None, report()) is None


def test_the_account_tells_folder_and_name() -> None:
    def found(module: str) -> tuple[str | None, str]:
        place = f"start+0x24/0x90 [{module}]"
        text = page_fault("0x8", place=place, modules=module, tainted="Not tainted")
        one = diagnosed(text)[0]
        assert one.account is not None
        said = (*one.account.came, *one.account.fix)
        return one.module_directory, " | ".join(sentence.text for sentence in said)

    folder, said = found("rtw88_core")
    assert folder == "drivers/net/wireless/realtek/rtw88"
    assert f"in module rtw88_core ({folder}): " in said
    assert "not among" not in said
    folder, said = found("ext9")
    assert folder is None
    assert "ext9 is not among the modules of Linux 5.10 to 7.2" in said
    assert "in module ext9: " in said


def test_the_nearest_lines_are_looked_at_and_no_more(report: MakeReport) -> None:
    many = tuple(event(f"m{number}", number) for number in range(1, 601))
    assert outside(report(first_line=600), *many) == tuple(f"m{n}" for n in range(344, 600))


def test_the_first_names_of_a_trace_are_looked_up_and_no_more(report: MakeReport) -> None:
    trace = tuple(f"start [made{number}]" for number in range(40))
    found = outside(report(tainted=("O",), trace=(trace[0], *trace)))
    assert found == tuple(f"made{number}" for number in range(8))
