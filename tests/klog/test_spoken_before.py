"""Which modules printed a line in the seconds before a report."""

from __future__ import annotations

import pytest

from pagefault_doctor import klog

GPF = (
    "general protection fault, probably for non-canonical address 0xdead4ead00000000: 0000 [#1] SMP"
)
LIST = "Modules linked in: 8188eu(OE) ext4 usb_driver(O)"


def spoken(
    *before: str, modules: str = LIST, at: float = 100.0, tainted: str = "G OE"
) -> list[str]:
    """Return the modules that spoke before a fault at 100 s; lines are after the same clock."""
    report = (
        GPF,
        f"CPU: 1 PID: 2 Comm: cat Tainted: {tainted} 6.1.0 #1",
        "RIP: 0010:d_lookup+0x1/0x2",
    )
    stamp = f"[{at:12.6f}] "
    text = "\n".join((*before, *(stamp + line for line in (*report, *filter(None, [modules])))))
    (one,) = klog.read(f"{text}\n".encode(), "made").reports
    return [spoken.module for spoken in one.spoken_before]


@pytest.mark.parametrize(
    "line",
    [
        "8188eu: rx error",
        "8188eu 1-1:1.0 wlan0: rx error",
        "8188EU: rx error",
        "[8188eu] rx error",
        "8188eu",
        "8188eu_dev: rx error",
    ],
)
def test_a_line_that_begins_with_the_name_is_of_the_module(line: str) -> None:
    own = line != "8188eu_dev: rx error"
    assert spoken(f"[   99.500000] {line}") == ["8188eu"] * own


@pytest.mark.parametrize(
    "line",
    [
        "ext4: said by a module of the tree",
        "usb 1-1: 8188eu is loaded",
        "8188eu2: another",
        "Modules linked in: 8188eu(OE)",
        " rtw_recv+0x10/0x20 [8188eu]",
    ],
)
def test_other_lines_are_not(line: str) -> None:
    assert spoken(f"[   99.500000] {line}") == []


def test_the_nearest_line_is_first_and_each_module_once() -> None:
    lines = ("[   95.000000] usb-driver 1-1: hello", "[   96.000000] 8188eu: one")
    text = (*lines, "[   97.000000] 8188eu: two")
    assert spoken(*text) == ["8188eu", "usb_driver"]


@pytest.mark.parametrize(("second", "near"), [(90.1, True), (89.9, False), (100.5, False)])
def test_ten_seconds_count(second: float, near: bool) -> None:
    """A later time before the report is that of another boot."""
    assert bool(spoken(f"[{second:12.6f}] 8188eu: rx error")) is near


@pytest.mark.parametrize(("between", "near"), [(7, True), (8, False)])
def test_without_a_clock_the_last_lines_count(between: int, near: bool) -> None:
    text = "\n".join(
        ("8188eu: rx error", *["all is well"] * between, GPF, "RIP: 0010:d_lookup+0x1/0x2", LIST)
    )
    (one,) = klog.read(f"{text}\n".encode(), "made").reports
    assert bool(one.spoken_before) is near


def test_nvidia_has_a_name_of_its_own() -> None:
    assert spoken("[   99.000000] NVRM: Xid 79", modules="Modules linked in: nvidia(POE)") == [
        "nvidia"
    ]
    assert spoken("[   99.000000] NVRM: Xid 79", modules="Modules linked in: nvidia_drm(POE)") == []


def test_the_line_of_its_loading_names_a_module_where_the_list_is_lost() -> None:
    loaded = "[   50.000000] ext9: loading out-of-tree module taints kernel."
    assert spoken(loaded, "[   99.000000] ext9: ready", modules="") == ["ext9"]
    assert spoken("[   99.000000] ext9: ready", modules="") == []


def test_where_nothing_is_marked_each_module_of_the_list_may_be_from_outside() -> None:
    lines = ("[   99.000000] ext4: one", "[   99.100000] 8188eu: two")
    fragment = (GPF, "RIP: 0010:d_lookup+0x1/0x2", "Modules linked in: 8188eu ext4")
    text = "\n".join((*lines, *(f"[  100.000000] {line}" for line in fragment)))
    (one,) = klog.read(f"{text}\n".encode(), "made").reports
    assert [said.module for said in one.spoken_before] == ["8188eu", "ext4"]
    assert [said.seconds for said in one.spoken_before] == pytest.approx([0.9, 1.0])
    assert [said.line.number for said in one.spoken_before] == [2, 1]


def test_where_one_is_marked_the_others_are_not_asked() -> None:
    said = "[   99.000000] ext4: one"
    text = f"{said}\n[  100.000000] {GPF}\n[  100.000000] Modules linked in: 8188eu(OE) ext4\n"
    (one,) = klog.read(text.encode(), "made").reports
    assert one.tainted is None
    assert one.spoken_before == ()


def test_a_name_that_begins_another_is_not_it() -> None:
    lines = ("[   99.000000] mod_core: one", "[   99.500000] mod: two")
    both = "Modules linked in: mod(O) mod_core(O)"
    assert spoken(*lines, modules=both) == ["mod", "mod_core"]


def test_a_kernel_that_says_it_has_none_from_outside_is_believed() -> None:
    clean = "Modules linked in: 8188eu ext4"
    assert spoken("[   99.000000] 8188eu: one", modules=clean, tainted="G W") == []


def test_no_more_than_four_are_kept_of_the_last_lines() -> None:
    names = [f"mod{number}" for number in range(9)]
    modules = "Modules linked in: " + " ".join(f"{name}(O)" for name in names)
    lines = [f"[   99.{number}00000] {name}: hello" for number, name in enumerate(names)]
    assert spoken(*lines, modules=modules) == ["mod8", "mod7", "mod6", "mod5"]


def test_programs_and_memory_running_out_are_not_asked() -> None:
    text = "[   99.000000] ext9: loading out-of-tree module taints kernel.\n"
    text += "[   99.100000] ext9: ready\n"
    killed = "segfault at 0 ip 0000000000401136 sp 00007ffc error 4 in cat[401000+1000]"
    text += f"[   99.500000] cat[31]: {killed}\n"
    (one,) = klog.read(text.encode(), "made").reports
    assert one.spoken_before == ()
