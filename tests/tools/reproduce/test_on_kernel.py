"""What became of a module on several kernels: the sentences about where that changes."""

from __future__ import annotations

import msgspec
import pytest

from pagefault_doctor.tools.reproduce.on_kernel import (
    OnKernel,
    changes,
    first_bad,
    outcome,
    short_error,
)

NULL = "BUG: unable to handle kernel NULL pointer dereference in tick"
FREED = "KASAN: use-after-free in tick"
TIMER = "tick.c:9:2: error: implicit declaration of function 'del_timer_sync' [-Werror=implicit]"


def row(kernel: str, title: str | None = None, **other: bool | str) -> OnKernel:
    """Return what became of a module: a fault with that title, or none."""
    ran = OnKernel(
        kernel=kernel, release=f"{kernel}.1", runs=1, faults=int(title is not None), title=title
    )
    return msgspec.structs.replace(ran, **other)


def unbuilt(kernel: str, error: str = TIMER) -> OnKernel:
    return row(kernel, builds=False, error=error)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [row("5.10", NULL), row("6.1", NULL)],
            ["the same fault on 5.10, 6.1: no change of the kernel brought it"],
        ),
        (
            [row("5.10"), row("6.1")],
            ["no fault on 5.10, 6.1: not shown by this trigger there"],
        ),
        (
            [row("5.10"), row("6.1"), row("6.12", NULL), row("7.2", NULL)],
            ["it faults from 6.12 on, not on 5.10, 6.1; first bad kernel 6.12"],
        ),
        (
            [row("5.10"), unbuilt("6.1"), row("6.12", NULL)],
            [
                "it builds on 5.10, 6.12, not on 6.1: timer API (tick.c:9: implicit declaration of "
                "function 'del_timer_sync')",
                "it faults from 6.12 on, not on 5.10; first bad kernel 6.12 "
                "(6.1 could not be tried)",
            ],
        ),
        (
            [row("5.10", NULL), row("6.1"), row("6.12")],
            ["it faults up to 5.10, not on 6.1, 6.12; first good kernel 6.1"],
        ),
        (
            [row("5.10", NULL), row("6.1"), row("6.12", NULL)],
            ["it faults on 5.10, 6.12, not on 6.1; good turns to bad at 6.12"],
        ),
        (
            [row("6.1", NULL), row("6.12", NULL), unbuilt("7.2")],
            [
                "it builds up to 6.12, not on 7.2: timer API (tick.c:9: implicit declaration of "
                "function 'del_timer_sync')",
                "the same fault on 6.1, 6.12: no change of the kernel brought it",
            ],
        ),
        (
            [unbuilt("5.10", "x"), unbuilt("6.1", "no kstrtox.h"), row("6.12"), row("7.2", NULL)],
            [
                "it builds from 6.12 on, not on 5.10, 6.1: no kstrtox.h",
                "it faults from 7.2 on, not on 6.12; first bad kernel 7.2",
            ],
        ),
        (
            [unbuilt("6.1", "x"), row("6.12", boots=False, error="silent")],
            ["it builds from 6.12 on, not on 6.1: x", "it boots on none of 6.12: silent"],
        ),
        (
            [row("6.1", NULL), row("6.12", loads=False, error="Unknown symbol in module")],
            [
                "it loads up to 6.1, not on 6.12: Unknown symbol in module",
                "it faults on 6.1, the only one that could be tried",
            ],
        ),
        (
            [row("6.1", NULL), row("6.12", FREED)],
            [f"the report differs: 6.1: {NULL}; 6.12: {FREED}"],
        ),
    ],
)
def test_where_it_changes_is_told(rows: list[OnKernel], said: list[str]) -> None:
    assert changes(rows) == said


@pytest.mark.parametrize(
    ("rows", "kernel"),
    [
        ([row("5.10"), row("6.1", NULL)], "6.1"),
        ([row("5.10"), unbuilt("6.1"), row("6.12", NULL)], "6.12"),
        ([row("5.10", NULL), row("6.1")], ""),
        ([unbuilt("5.10"), row("6.1", NULL)], ""),
        ([row("5.10", loads=False), row("6.1", NULL)], ""),
    ],
)
def test_the_first_bad_kernel_is_one_after_a_good_one(rows: list[OnKernel], kernel: str) -> None:
    assert first_bad(rows) == kernel


@pytest.mark.parametrize(
    ("error", "short"),
    [
        (TIMER, "timer API (tick.c:9: implicit declaration of function 'del_timer_sync')"),
        (
            "a.c:3:10: fatal error: linux/nowhere.h: No such file or directory",
            "a.c:3: linux/nowhere.h: No such file or directory",
        ),
        (
            "a.c:5:1: error: too many arguments to function 'class_create'; did you mean 'x'?",
            "device class API (a.c:5: too many arguments to function 'class_create')",
        ),
        ("the lab lacks headers; apt install x", "the lab lacks headers; apt install x"),
        ("modprobe: del_timer: Unknown symbol", "modprobe: del_timer: Unknown symbol"),
    ],
)
def test_an_error_is_put_in_short(error: str, short: str) -> None:
    assert short_error(error) == short


def test_building_booting_loading_and_faulting_are_told_apart() -> None:
    assert outcome(unbuilt("7.2", "x.c:1: no")) == "does not build: x.c:1: no"
    assert outcome(row("7.2", boots=False, error="silent")) == "does not boot: silent"
    assert outcome(row("7.2", loads=False, error="refused")) == "does not load: refused"
    assert outcome(row("7.2")) == "loads, no fault reported in 1 guest"
    assert outcome(row("7.2", NULL)) == f"faults 1 of 1: {NULL}"
