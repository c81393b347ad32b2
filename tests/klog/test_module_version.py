"""The version that a module told when it was loaded."""

from __future__ import annotations

import pytest

from diagnosis.logs import page_fault, verdict
from diagnosis.test_next_step import step
from pagefault_doctor import klog

OOPS = page_fault("0000000000000008", place="quay_net_poll+0x24/0x90 [quay_net]",
                  modules="quay_net(OE) ext4")  # fmt: skip


def version(line: str, log: str = OOPS) -> tuple[str | None, str | None]:
    (report,) = klog.read(f"[    3.200000] {line}\n{log}".encode(), "log").reports
    return report.details.get("module_version"), report.details.get("version_line")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("quay_net: loaded module v2.1.5-1, pool of 8", "2.1.5-1"),
        ("quay-net Gigabit Ethernet driver 8.049.02-NAPI loaded", "8.049.02-NAPI"),
        ("quay_net: Successfully loaded version 6.1.26_x (interface 0x0030)", "6.1.26_x"),
        ("loading QUAY_NET UNIX x86_64 Kernel Module  550.54.14  Thu", "550.54.14"),
        ("quay_net 0000:01:00.0: firmware version 5.4.1", None),
        ("quay_net: API version 1.2", None),
        ("quay: loaded module v2.1.5", None),
        ("quay_net: registered 3.5 GHz radio", None),
    ],
)
def test_the_line_that_tells_the_version(line: str, told: str | None) -> None:
    assert version(line) == (told, line if told else None)


def test_a_module_of_the_tree_has_the_version_of_its_kernel() -> None:
    in_tree = OOPS.replace("quay_net(OE)", "quay_net").replace("G           OE", "G           W ")
    assert version("quay_net: version 2.1.5", in_tree) == (None, None)


def test_the_last_line_before_the_report_counts() -> None:
    log = f"[    5.000000] quay_net: version 3.0\n{OOPS}[   99.000000] quay_net: version 4.0\n"
    assert version("quay_net: version 2.0", log)[0] == "3.0"


def test_a_module_that_the_stack_only_may_have_is_asked_for_last() -> None:
    doubted = OOPS.replace("quay_net_poll+0x24/0x90 [quay_net]", "0xffffffffc0c7b11d")
    doubted = doubted.replace(" vfs_read", " ? quay_net_go+0x1/0x9 [quay_net]\n[   50.1]  vfs_read")
    assert version("quay_net: version 2.0", doubted)[0] == "2.0"


def test_the_next_step_and_a_fact_tell_the_version() -> None:
    log = f"[    3.200000] quay_net: loaded module v2.1.5\n{OOPS}"
    assert "newer quay_net than 2.1.5" in step(log).why
    quote = next(q for q in verdict(log).facts if q.means == "the version of the module")
    assert (quote.line, quote.text) == (1, "quay_net: loaded module v2.1.5")
    assert "Try a newer quay_net first" in step(OOPS).why
