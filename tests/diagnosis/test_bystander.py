"""Memory was damaged, and no trace leads to who did it: which modules from outside are named."""

from __future__ import annotations

import pytest

from diagnosis.logs import gpf, of, page_fault, stamped, verdict
from pagefault_doctor.model.diagnosis import Attribution, Diagnosis, RootCause

WILD = "6b6b6b6b6b6b6b73"
CORE = ("d_lookup+0x24/0x90", "lookup_fast+0x24/0x90", "walk_component+0x24/0x90")
TWO = "vboxdrv(OE) v4l2loopback(OE) ext4"
LIST = (
    "list_del corruption. prev->next should be ffff888004a81000, but was ffff888004a82000",
    "kernel BUG at lib/list_debug.c:56!",
    "invalid opcode: 0000 [#1] PREEMPT SMP",
)


def said(module: str, ago: float = 1.5, text: str = "timer set") -> str:
    return stamped(f"{module}: {text}", at=50.1 - ago)


def wild(
    before: str = "",
    modules: str = TWO,
    tainted: str = "Tainted: G OE",
    trace: tuple[str, ...] = CORE,
) -> str:
    """Return the log of a wild pointer in the core, behind other lines."""
    rest = gpf(
        WILD,
        place=CORE[0],
        trace=trace,
        registers={"rbx": WILD},
        modules=modules,
        tainted=tainted,
    )
    return before + rest


def list_check(before: str = "", modules: str = TWO, tainted: str = "Tainted: G OE") -> str:
    """Return the log of a list that was found corrupted in the core, behind other lines."""
    lines = (*LIST, f"CPU: 0 PID: 9 Comm: kworker/0:1 {tainted} 6.1.0-1-amd64 #1")
    place = "RIP: 0010:__list_del_entry_valid+0x8e/0xb0"
    trace = ("Call Trace:", " <TASK>", " remove_wait_queue+0x24/0x90", " </TASK>")
    return before + stamped(*lines, place, *trace, f"Modules linked in: {modules}")


def told(found: Diagnosis) -> str:
    """Return why the likeliest candidate is to blame."""
    return found.candidates[0].evidence[-1].text


@pytest.mark.parametrize("log", [wild, list_check])
def test_the_module_from_outside_that_printed_just_before_is_the_suspect(log: object) -> None:
    assert callable(log)
    found = verdict(log(said("vboxdrv")))
    assert (found.attribution, found.module) == (Attribution.MODULE, "vboxdrv")
    assert told(found) == "vboxdrv, from outside the kernel, was at work 1.5 s before"
    assert found.candidates[0].evidence[-1].line == 1
    assert found.candidates[0].circumstantial
    assert found.confidence < 0.9
    assert found.experiment is not None


@pytest.mark.parametrize(
    "before",
    [
        "",
        said("vboxdrv", ago=30.0),
        said("ext4"),
        said("usb 1-1", text="vboxdrv"),
        said("vboxdrv", text="loading out-of-tree module taints kernel."),
    ],
    ids=["none", "long before", "of the tree", "about it", "the kernel says that it is loaded"],
)
@pytest.mark.parametrize("log", [wild, list_check])
def test_with_several_that_did_nothing_it_is_the_kernel_with_doubt(
    log: object, before: str
) -> None:
    assert callable(log)
    found = verdict(log(before))
    alone = verdict(log(modules="ext4", tainted="Not tainted"))
    assert (found.attribution, found.module) == (Attribution.KERNEL, None)
    assert "damaged by vboxdrv, v4l2loopback, from outside" in told(found)
    assert alone.attribution is Attribution.KERNEL
    assert "damaged by" not in told(alone)
    assert found.root_cause is alone.root_cause
    assert found.confidence < 0.9 < alone.confidence


@pytest.mark.parametrize(
    ("modules", "module", "words"),
    [
        ("vboxdrv(OE) ext9(OE+) ext4", "ext9", "ext9, from outside the kernel, was just being"),
        ("vboxdrv(OE-) ext9(OE)", "vboxdrv", "was just being unloaded"),
        # A module of the tree, one that the list does not mark among marked ones; two at once.
        ("vboxdrv(OE) ext9(OE) nfs(+)", None, ""),
        ("vboxdrv(OE) other(OE) ext9(+)", None, "damaged by vboxdrv, other, from outside"),
        ("a1(O) b2(O) c3(O) d4(O)", None, "damaged by a1, b2, c3 and others, from outside"),
        ("a1(O) b2(O) c3(O)", None, "damaged by a1, b2, c3, from outside"),
        ("vboxdrv(OE-) ext9(OE+)", None, ""),
    ],
)  # fmt: skip
def test_the_module_from_outside_that_comes_or_goes_is_the_suspect(
    modules: str, module: str | None, words: str
) -> None:
    found = verdict(wild(modules=modules))
    assert found.module == module
    assert words in told(found)


@pytest.mark.parametrize(
    ("modules", "module"),
    [
        ("vboxdrv(OE) ext4 nfs", "vboxdrv"),
        ("nvidia(POE) ext4", None),
        ("nvidia(P) ext4", None),
        ("vboxdrv(OE) nvidia(POE)", None),
        ("ext4 nfs", None),
    ],
)
@pytest.mark.parametrize("log", [wild, list_check])
def test_the_only_one_is_the_suspect_but_for_a_proprietary_one(
    log: object, modules: str, module: str | None
) -> None:
    assert callable(log)
    assert verdict(log(modules=modules)).module == module


def test_a_proprietary_module_that_was_at_work_is_one() -> None:
    found = verdict(wild(stamped("NVRM: Xid 31", at=49.0), modules="nvidia(POE) ext4"))
    assert found.module == "nvidia"


def test_it_is_likelier_where_memory_is_found_damaged_than_where_a_pointer_is_wild() -> None:
    found, other = verdict(list_check(modules="vboxdrv(OE)")), wild(modules="vboxdrv(OE)")
    assert verdict(other).confidence < 0.85 < found.confidence


def test_one_that_was_unloaded_makes_the_only_one_less_sure() -> None:
    gone = "vboxdrv(OE) ext4 [last unloaded: ext9(OE)]"
    found, sure = verdict(list_check(modules=gone)), verdict(list_check(modules="vboxdrv(OE)"))
    assert found.module == "vboxdrv"
    assert found.confidence < sure.confidence - 0.1
    assert verdict(list_check(said("ext9"), modules=gone)).module == "ext9"


def test_a_trace_that_names_a_module_is_followed_whoever_printed() -> None:
    trace = ("d_lookup+0x24/0x90", "ext4_lookup+0x24/0x90 [ext4]")
    assert verdict(wild(said("vboxdrv"), trace=trace)).module == "ext4"


def jump(before: str = "", modules: str = TWO) -> str:
    """Return the log of a call to where no code is, out of the core."""
    return before + page_fault("0x0", 0x10, place="0x0", code=None, trace=CORE, modules=modules)


def test_a_jump_to_where_no_code_is_may_come_of_it() -> None:
    found = verdict(jump())
    assert (found.root_cause, found.module) == (RootCause.NULL_DEREF, None)
    assert "of the modules loaded, vboxdrv, v4l2loopback are from outside" in told(found)
    assert verdict(jump(said("vboxdrv"))).module == "vboxdrv"


def test_what_is_no_damage_is_not_put_on_a_bystander() -> None:
    text = page_fault(
        "0x8", place=CORE[0], trace=CORE, modules="vboxdrv(OE)", registers={"rbx": "0x0"}
    )
    found = verdict(said("vboxdrv") + text)
    assert (found.root_cause, found.attribution) == (RootCause.NULL_DEREF, Attribution.KERNEL)
    assert "damaged by" not in told(found)


def test_faulty_hardware_stays_the_hardware() -> None:
    """The share of a bystander is of who did it, not of the cause."""
    found, alone = verdict(wild(said("vboxdrv"))), verdict(wild(modules="ext4"))
    one, other = of(found, RootCause.HARDWARE), of(alone, RootCause.HARDWARE)
    assert (one and one.confidence) == (other and other.confidence)


@pytest.mark.parametrize(
    ("module", "blamed"), [("ext9", "ext9"), ("rtw88_core", None)], ids=["unknown", "of the tree"]
)
def test_a_name_that_the_tree_has_not_is_enough_where_nothing_is_marked(
    module: str, blamed: str | None
) -> None:
    text = wild(said(module), modules=f"ext4 {module}", tainted="")
    found = verdict(text)
    assert found.module == blamed
    if blamed:
        words = "ext9 is not among the modules of Linux 5.10 to 7.2, and was at work 1.5 s before"
        assert told(found) == words
        marked = verdict(wild(said(module), modules=f"ext4 {module}(O)", tainted=""))
        assert found.confidence < marked.confidence


def test_a_vendors_own_module_is_not_from_outside() -> None:
    """The kernel says that nothing from outside was loaded."""
    text = wild(said("ext9"), modules="ext4 ext9", tainted="Not tainted")
    assert verdict(text).attribution is Attribution.KERNEL


def test_the_line_of_its_loading_is_enough_where_the_list_is_lost() -> None:
    loaded = stamped("ext9: loading out-of-tree module taints kernel.", at=20.0)
    text = list_check(loaded)
    lost = "".join(x for x in text.splitlines(True) if "Modules linked" not in x)
    found = verdict(lost)
    assert found.module == "ext9"
    assert told(found) == "ext9, which is not part of the kernel, had been loaded"
    assert found.confidence < verdict(list_check(modules="ext9(O)")).confidence - 0.1
