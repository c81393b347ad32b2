"""The command that a person typed before a fault, as a pasted terminal shows it."""

from __future__ import annotations

import pytest

from pagefault_doctor import klog

OOPS = "[   17.358456] Internal error: Oops: 5 [#1] PREEMPT SMP ARM\n"


def typed(*before: str, comm: str = "insmod") -> str | None:
    """Return the module of the command before an oops of that program."""
    text = "".join(f"{line}\n" for line in before) + OOPS
    text += f"[   17.465033] Process {comm} (pid: 985, stack limit = 0xb9380238)\n"
    (report,) = klog.read(text.encode(), "made").reports
    assert report.comm == comm
    return report.details.get("typed_module")


@pytest.mark.parametrize(
    ("line", "comm"),
    [
        ("root@box:~/src# insmod seven-seg.ko", "insmod"),
        ("$ sudo insmod ./build/seven_seg.ko debug=1", "insmod"),
        ("sudo /sbin/insmod seven_seg.ko", "insmod"),
        ("# insmod -f seven_seg.ko.xz", "insmod"),
        ("#insmod seven_seg.ko", "insmod"),
        ("box ~ % sudo modprobe -v seven-seg", "modprobe"),
        ("[root@box ~]# rmmod seven_seg", "rmmod"),
    ],
)
def test_the_command_names_the_module(line: str, comm: str) -> None:
    assert typed(line, "Segmentation fault", "", comm=comm) == "seven_seg"


@pytest.mark.parametrize(
    ("line", "comm"),
    [
        # Another program died, another command was typed, and lines that are no command.
        ("# insmod seven_seg.ko", "cat"),
        ("# rmmod seven_seg", "insmod"),
        ("after I ran insmod seven_seg.ko it died", "insmod"),
        ("[   12.000000] # insmod seven_seg.ko", "insmod"),
        ("# insmod", "insmod"),
        ("# insmod $MODULE", "insmod"),
        ("# modprobe-helper seven_seg", "modprobe"),
    ],
)
def test_other_lines_do_not(line: str, comm: str) -> None:
    assert typed(line, comm=comm) is None


def test_the_last_command_counts() -> None:
    assert typed("# insmod one.ko", "# insmod two.ko") == "two"


@pytest.mark.parametrize(("between", "found"), [(15, "one"), (16, None)])
def test_the_command_is_near(between: int, found: str | None) -> None:
    assert typed("# insmod one.ko", *[""] * between) == found
