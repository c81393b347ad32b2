"""How far along a trace blame goes, which trace it follows, and which flags of the kernel count."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from diagnosis.logs import diagnosed, page_fault
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.model.diagnosis import Attribution, Diagnosis, RootCause
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Frame, Kind, LinkedModule, Report

Diagnose = Callable[..., Diagnosis]
MakeReport = Callable[..., Report]
FAULT = {"address": "0xffff888012345678"}


def core(count: int) -> tuple[str, ...]:
    """Return so many functions of the core."""
    return tuple(f"core_part_{number}" for number in range(count))


@pytest.mark.parametrize(("between", "blamed"), [(1, "near"), (3, "near"), (4, None), (5, None)])
def test_a_module_of_the_tree_is_blamed_behind_three_frames_of_the_core(
    diagnosis: Diagnose, between: int, blamed: str | None
) -> None:
    trace = (*core(between), "start [near]", "vfs_read")
    assert diagnosis(**FAULT, function=trace[0], trace=trace).module == blamed


@pytest.mark.parametrize("passing", ["kfree", "__memcpy", "do_syscall_64"])
def test_frames_that_only_pass_on_do_not_count(diagnosis: Diagnose, passing: str) -> None:
    trace = (*core(3), passing, passing, "start [near]")
    assert diagnosis(**FAULT, function=trace[0], trace=trace).module == "near"


def test_a_frame_that_may_be_residue_does_not_count_either(diagnosis: Diagnose) -> None:
    trace = (*core(3), "? left_one", "? left_two", "start [near]")
    assert diagnosis(**FAULT, function=trace[0], trace=trace).module == "near"


@pytest.mark.parametrize(("at", "blamed"), [(1, "driver"), (6, "driver"), (7, "drm")])
def test_the_driver_is_looked_for_within_six_callers(
    diagnosis: Diagnose, at: int, blamed: str
) -> None:
    inner = tuple(f"drm_part_{number} [drm]" for number in range(at))
    trace = (*inner, "release [driver]", "vfs_read")
    modules = (LinkedModule("driver"), LinkedModule("drm"))
    found = diagnosis(**FAULT, function="drm_part_0", module="drm", trace=trace, modules=modules)
    assert found.module == blamed


def test_the_first_stack_is_followed_and_no_other(report: MakeReport) -> None:
    frames = (
        Frame("core_part", context="TASK"),
        Frame("demo_read", module="demo", context="TASK"),
        Frame("other_irq", module="other", context="IRQ"),
    )
    for order, blamed in ((frames, "demo"), (frames[::-1], "other"), (frames[::2], None)):
        oops = msgspec.structs.replace(report(**FAULT, function=order[0].function), frames=order)
        log = KernelLog(source="made", reports=(oops,))
        assert diagnose((log,), {}).verdict.module == blamed


@pytest.mark.parametrize(
    ("tainted", "count", "who"),
    [
        (("O",), 40, Attribution.MODULE),
        (("E",), 40, Attribution.KERNEL),
        (("W", "P"), 40, Attribution.KERNEL),
        ((), 1, Attribution.MODULE),
        ((), 3, Attribution.MODULE),
        ((), 4, Attribution.KERNEL),
        ((), 0, Attribution.KERNEL),
    ],
)
def test_an_unseen_caller_is_a_module_where_one_from_outside_or_few_are_loaded(
    diagnosis: Diagnose, tainted: tuple[str, ...], count: int, who: Attribution
) -> None:
    modules = tuple(LinkedModule(f"m{number}") for number in range(count))
    found = diagnosis(**FAULT, function="kfree", modules=modules, tainted=tainted)
    assert (found.attribution, found.module) == (who, None)


@pytest.mark.parametrize(("tainted", "blamed"), [(("O",), "demo"), (("E",), None), ((), None)])
def test_a_call_through_a_checked_pointer_is_blamed_on_a_module_from_outside(
    diagnosis: Diagnose, tainted: tuple[str, ...], blamed: str | None
) -> None:
    found = diagnosis(
        Kind.TRAP,
        "Missing ENDBR: hidden_call+0x0/0x80",
        function="core_part",
        modules=(LinkedModule("demo", "OE"), LinkedModule("ext4")),
        tainted=tainted,
    )
    assert found.module == blamed


@pytest.mark.parametrize(("name", "blamed"), [("demo", "demo"), ("abc", None)])
def test_a_task_is_named_after_a_module_of_four_letters_or_more(
    diagnosis: Diagnose, name: str, blamed: str | None
) -> None:
    found = diagnosis(
        Kind.HUNG_TASK,
        f"INFO: task {name}_stop:277 blocked for more than 122 seconds.",
        function="kthread",
        modules=(LinkedModule(name),),
    )
    assert found.module == blamed


@pytest.mark.parametrize(
    ("foreign", "blamed"), [(("demo",), "demo"), (("demo", "other"), None), ((), None)]
)
def test_only_the_one_module_from_outside_is_blamed_for_corruption(
    diagnosis: Diagnose, foreign: tuple[str, ...], blamed: str | None
) -> None:
    modules = (*(LinkedModule(name, "OE") for name in foreign), LinkedModule("ext4", "E"))
    found = diagnosis(Kind.BAD_PAGE, "BUG: Bad page state", function="core", modules=modules)
    assert found.module == blamed


@pytest.mark.parametrize(
    ("modules", "blamed"),
    [
        ((LinkedModule("demo", "+"), LinkedModule("ext4")), "demo"),
        ((LinkedModule("demo", "+"), LinkedModule("other", "+")), None),
        # Of the tree, and going, which the trace does not show.
        ((LinkedModule("nfs", "-"),), None),
    ],
)
def test_the_module_that_is_being_loaded_is_blamed_if_it_is_the_only_one(
    diagnosis: Diagnose, modules: tuple[LinkedModule, ...], blamed: str | None
) -> None:
    trace = ("core_part", "do_one_initcall", "do_init_module")
    found = diagnosis(**FAULT, function="core_part", trace=trace, modules=modules)
    assert found.module == blamed


@pytest.mark.parametrize(
    ("die_count", "tainted", "follows"),
    [
        (1, (), False),
        (2, (), True),
        (None, ("D",), True),
        (1, ("W", "O", "E", "M"), False),
        (None, None, False),
    ],
)
def test_a_fault_follows_another_by_its_number_or_by_taint_d(
    report: MakeReport, die_count: int | None, tainted: tuple[str, ...] | None, follows: bool
) -> None:
    assert report(die_count=die_count, tainted=tainted).follows_fault is follows


@pytest.mark.parametrize(
    ("flags", "foreign"),
    [("OE", True), ("O", True), ("P", True), ("E", False), ("C", False), ("", False)],
)
def test_a_module_is_from_outside_by_its_flag_o_or_p(
    report: MakeReport, flags: str, foreign: bool
) -> None:
    assert bool(report(modules=(LinkedModule("demo", flags),)).out_of_tree) is foreign


@pytest.mark.parametrize(
    ("letter", "hardware"), [("M", True), ("S", True), ("W", False), ("L", False), ("O", False)]
)
def test_two_flags_speak_for_the_hardware_and_no_other(letter: str, hardware: bool) -> None:
    (found,) = diagnosed(page_fault("ffffc90000346000", tainted=f"Tainted: G   {letter}  "))
    assert (RootCause.HARDWARE in {c.root_cause for c in found.candidates}) is hardware
