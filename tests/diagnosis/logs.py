"""Logs made for the tests of the diagnosis, as text for klog to read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.diagnosis.explanation import with_explanations
from pagefault_doctor.model.diagnosis import Candidate, Diagnosis, Opinion, RootCause
from pagefault_doctor.model.fact import Fact

BANNER = "Linux version 6.1.0-1-amd64 (gcc 12) #1 SMP PREEMPT_DYNAMIC"
SANE = "RSP: 0018:ffffc900000e8e98 EFLAGS: 00010286"
PAGE_FAULT = "BUG: unable to handle page fault for address: {}"
NULL = "BUG: kernel NULL pointer dereference, address: {}"
GPF = "general protection fault, probably for non-canonical address 0x{}: 0000 [#{}] PREEMPT SMP"
_READ, _WRITE, _FETCH = "read access", "write access", "instruction fetch"
ACCESS = {
    **dict.fromkeys((0, 1, 9), _READ),
    **dict.fromkeys((2, 3, 0xB), _WRITE),
    **dict.fromkeys((0x10, 0x11), _FETCH),
}


def stamped(*lines: str, at: float = 50.1) -> str:
    """Return the lines as the kernel's log has them."""
    return "".join(f"[{at:12.6f}] {line}\n" for line in lines)


def page_fault(address: str, error: int = 0, die: int = 1, **rest: Any) -> str:
    """Return an oops of a page fault, with the error code's own words."""
    reason = "permissions violation" if error & 1 else "not-present page"
    if error & 8:
        reason = "reserved bit violation"
    small = int(address, 16) < 0x1000
    head = (
        (NULL if small else PAGE_FAULT).format(address),
        f"#PF: supervisor {ACCESS[error]} in kernel mode",
        f"#PF: error_code(0x{error:04x}) - {reason}",
        f"Oops: {error:04x} [#{die}] PREEMPT SMP NOPTI",
    )
    return oops(*head, **rest)


def gpf(address: str, die: int = 1, **rest: Any) -> str:
    """Return an oops of a general protection fault."""
    return oops(GPF.format(address, die), **rest)


def oops(
    *head: str,
    place: str = "demo_poll+0x24/0x90 [demo]",
    code: str | None = "48 89 c3 90 <8b> 03 c3 90",
    registers: Mapping[str, str] | None = None,
    trace: tuple[str, ...] = ("vfs_read+0x9f/0x190", "ksys_read+0x6b/0xf0"),
    tainted: str = "Tainted: G           OE     ",
    hardware: str = "ACME Board/B1, BIOS 1.0 01/01/2020",
    modules: str = "demo(OE) ext4 [last unloaded: none_such]",
    comm: str = "cat",
    pid: int = 321,
    cpu: int = 1,
    at: float = 50.1,
) -> str:
    """Return an oops as x86_64 of Linux 6.1 prints it."""
    lines = [
        *head,
        f"CPU: {cpu} PID: {pid} Comm: {comm} {tainted} 6.1.0-1-amd64 #1",
        f"Hardware name: {hardware}",
        f"RIP: 0010:{place}",
    ]
    if code:
        lines.append(f"Code: {code}")
    lines += [SANE, *_rows(registers)]
    lines += ["Call Trace:", " <TASK>", *(f" {frame}" for frame in trace), " </TASK>"]
    lines.append(f"Modules linked in: {modules}".replace(" [last unloaded: none_such]", ""))
    return stamped(*lines, "---[ end trace 0000000000000000 ]---", at=at)


def _rows(registers: Mapping[str, str] | None) -> list[str]:
    if registers is None:
        return []
    names = ("RAX", "RBX", "RCX", "RDX", "RSI", "RDI", "RBP", "R08", "R09", "R10", "R11", "R12")
    known = {name: int(value, 16) for name, value in registers.items()}
    pairs = [f"{name}: {known.get(name.lower(), 0x2A):016x}" for name in names]
    return [" ".join(pairs[i : i + 3]) for i in range(0, len(pairs), 3)]


def opinion_causes(found: Diagnosis) -> dict[RootCause, float]:
    """Return the causes of a diagnosis, the likeliest first, with their confidences."""
    return {c.root_cause: c.confidence for c in found.candidates}


def of(found: Diagnosis, cause: RootCause) -> Candidate | None:
    """Return the candidate for a cause, or None."""
    return next((c for c in found.candidates if c.root_cause is cause), None)


def _opinion(text: str, facts: Mapping[str, Fact] | None) -> Opinion:
    logs = (klog.read(text.encode(), "made.log"),)
    return with_explanations(diagnose(logs, facts or {}), logs, facts or {})


def diagnosed(text: str, facts: Mapping[str, Fact] | None = None) -> tuple[Diagnosis, ...]:
    """Return the diagnosis of each report of a log."""
    return _opinion(text, facts).by_report


def verdict(text: str, facts: Mapping[str, Fact] | None = None) -> Diagnosis:
    """Return the verdict on a log."""
    return _opinion(text, facts).verdict
