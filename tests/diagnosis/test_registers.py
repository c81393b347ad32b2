"""The meaning of each register, the error code in words, and where the page walk ended."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from diagnosis.logs import gpf, of, page_fault, stamped, verdict
from pagefault_doctor import klog
from pagefault_doctor.diagnosis import address, poison
from pagefault_doctor.diagnosis.address import AddressClass
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.registers import error_words, register_notes, walk_words
from pagefault_doctor.model.diagnosis import RegisterNote, RootCause
from pagefault_doctor.model.report import Fault, Kind, Report, Span

LOAD = "90 <48> 8b 06 c3"  # mov (%rsi),%rax
HEADERS = sorted(Path("/usr/src").glob("linux-headers-*/include/linux/poison.h"))


def read(value: str, *, used: bool = True, arch: str = "x86_64", **others: str) -> RegisterNote:
    """Return the note on a register with that value; `used` is whether the access used it."""
    if arch == "arm64":
        registers = {"x1": value, "sp": "0xffff80000a0e8e98", **others}
        code = "(f9400020)" if used else "(d503201f)"  # ldr x0, [x1]
    else:
        registers = {"rsi": value, "rsp": "0xffffc900000e8e98", **others}
        code = LOAD if used else "<90>"
    kind = Kind.PAGE_FAULT if used else Kind.WARNING
    at = Fault(value, None, "kernel") if used else None
    report = Report(kind=kind, title="made", arch=arch, fault=at, registers=registers, code=code,
                    span=Span(1, 1))  # fmt: skip
    name = "x1" if arch == "arm64" else "rsi"
    return next(r for r in register_notes(Context(report)) if r.register == name)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("0x0", "NULL"),
        ("0x18", "NULL, with an offset"),
        ("0xfffffffffffffff4", "the error code -ENOMEM"),
        ("0xdead000000000100", "LIST_POISON1"),
        ("0xdead000000000122", "LIST_POISON2"),
        ("0x6b6b6b6b6b6b6b6b", "POISON_FREE"),
        ("0x5a5a5a5a5a5a5a5a", "POISON_INUSE"),
        ("0xbbbbbbbbbbbbbbbb", "SLUB_RED_INACTIVE"),
        ("0xcccccccccccccccc", "POISON_FREE_INITMEM"),
        ("0xaaaaaaaaaaaaaaaa", "PAGE_POISON"),
        ("0x00007ffe12345678", "user space"),
        ("0x1f3e5d7c9b8a6543", "no valid address"),
        ("0x6f6c2f7273752f00", "the text"),
        ("0xdffffc0000000003", "KASAN's shadow of 0x18"),
        ("0xffffc900000e7010", "the guard page below the stack"),
        ("0xffffc900000e9f00", "the task's own stack"),
        ("0xffffc90000346000", "vmalloc"),
        ("0xffa0000000346000", "vmalloc"),
        ("0xffff888004c12340", "the direct map"),
        ("0xff11000004c12340", "the direct map"),
        ("0xffffea0000123440", "struct page"),
        ("0xffd4000000123440", "struct page"),
        ("0xfffffbfff0123440", "shadow memory of KASAN"),
        ("0xffffffffc0b70060", "the modules' area"),
        ("0xffffffff81234567", "the kernel image"),
    ],
)
def test_what_a_register_of_x86_says(value: str, words: str) -> None:
    assert words in read(value).means


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("0xffff000004c12340", "the direct map"),
        ("0xffff800001234000", "the modules' area"),
        ("0xffff8000080d1000", "kernel memory"),
        ("0xffff800123456000", "vmalloc"),
        ("0xfffffc0000123440", "struct page"),
        ("0x0000ffff9b8a6540", "user space"),
        ("0xfffffffffffffffe", "the error code -ENOENT"),
        ("0xdead000000000122", "LIST_POISON2"),
        ("0x6b6b6b6b6b6b6b6b", "POISON_FREE"),
        ("0x1f3e5d7c9b8a6543", "no valid address"),
    ],
)
def test_what_a_register_of_arm64_says(value: str, words: str) -> None:
    assert words in read(value, arch="arm64").means


def test_a_pointer_cut_to_its_lower_half_is_told_by_the_whole_one() -> None:
    whole = "0xffff88809b8a6540"
    assert "lower half of RBX: a pointer cut" in read("0x9b8a6540", rbx=whole).means
    assert "extended by its sign" in read("0xffffffff9b8a6540", rbx=whole).means
    assert "lower half" not in read("0x9b8a6540", rbx="0xffff88809b8a6548").means


def test_one_bit_away_from_a_pointer_like_the_others() -> None:
    bad, other = "0xdfff888004c12340", "0xffff888004c99000"
    assert "one flipped bit (61) away from 0xffff888004c12340" in read(bad, rbx=other).means
    assert "flipped" not in read(bad).means


def test_a_pointer_with_something_packed_into_its_upper_bits_is_told() -> None:
    packed, other = "0x0003888004c12340", "0xffff888004c00000"
    said = read(packed, rbx=other).means
    assert "the pointer 0xffff888004c12340 with something else in its upper 16 bits" in said
    assert "upper 16 bits" not in read(packed).means


@pytest.mark.parametrize("value", ["0x6f6c2f7273752f00", "0x1f3e5d7c9b8a6543", "0x18"])
def test_what_is_only_data_in_flight_is_not_worth_a_look(value: str) -> None:
    assert read(value).telling
    assert not read(value, used=False).telling


def test_poison_and_errors_are_worth_a_look_in_any_register() -> None:
    assert read("0x6b6b6b6b6b6b6b6b", used=False).telling
    assert read("0xfffffffffffffff4", used=False).telling


def test_every_register_of_a_report_is_read_with_its_line() -> None:
    found = verdict(page_fault("0", 2, code=LOAD, registers={"rsi": "0"}))
    assert {r.register for r in found.registers} >= {"rax", "rsi", "r8", "r12"}
    assert all(r.line for r in found.registers)


def context(text: str) -> Context:
    """Return the scene of a log's first report."""
    return Context(klog.read(text.encode(), "made").reports[0])


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (0x0, "read by the kernel; no page is mapped"),
        (0x3, "write by the kernel; the page is mapped, and does not allow it"),
        (0x9, "a reserved bit"),
        (0x10, "instruction fetch by the kernel"),
    ],
)
def test_the_error_code_of_x86_in_words(error: int, words: str) -> None:
    assert words in (error_words(context(page_fault("ffffc90000346000", error))) or "")


@pytest.mark.parametrize(
    ("esr", "words"),
    [
        (0x96000005, ("data access by the kernel, a read", "level 1")),
        (0x96000046, ("a write", "level 2")),
        (0x9600004F, ("a write", "permissions at level 3")),
        (0x86000004, ("instruction of the kernel", "level 0")),
        (0x96000010, ("external abort",)),
        (0x96000404, ("not valid (FnV)",)),
    ],
)
def test_the_esr_of_arm64_in_words(esr: int, words: tuple[str, ...]) -> None:
    report = Report(kind=Kind.PAGE_FAULT, title="made", arch="arm64", span=Span(1, 1),
                    fault=Fault("0x10", None, "kernel", None, hex(esr)))  # fmt: skip
    said = error_words(Context(report)) or ""
    assert all(word in said for word in words)


def test_the_level_at_which_the_page_walk_ended_is_told() -> None:
    head = page_fault("ffffc90000346000").replace(
        "Oops: 0000", "PGD 100000067 P4D 100000067 PUD 1001d4067 PMD 0 \n[   50.100000] Oops: 0000"
    )
    said = walk_words(context(head)) or ""
    assert "PMD" in said
    assert "2 MiB" in said
    assert walk_words(context(page_fault("ffffc90000346000"))) is None


def test_the_bytes_before_the_mark_do_not_mislead_the_decoder() -> None:
    """The bytes begin in the middle of an instruction; the marked one is where it faulted."""
    cut = "00 00 0f 1f 80 <48> 8b 46 18 c3"
    found = verdict(page_fault("0000000000000018", code=cut, registers={"rsi": "0"}))
    assert any("0x18(%rsi)" in e.text for e in found.candidates[0].evidence)


class TestTheInitSection:
    """Of `demo_init+0x24/0x1000 [demo]`: whether it ran after it had been freed."""

    @staticmethod
    def is_told(flags: str, size: str = "0x1000", error: int = 0x11) -> bool:
        place = f"demo_init+0x24/{size} [demo]"
        log = page_fault("ffffffffc0b71024", error, place=place, modules=f"demo({flags}) ext4")
        found = of(verdict(log), RootCause.USE_AFTER_FREE)
        return found is not None and any("init section" in e.text for e in found.evidence)

    def test_run_after_loading_it_is_freed_memory(self) -> None:
        assert self.is_told("OE")

    def test_run_while_loading_it_is_not(self) -> None:
        assert not self.is_told("OE+")

    def test_a_function_with_a_size_of_its_own_is_ordinary_code(self) -> None:
        assert not self.is_told("OE", size="0x90")

    def test_an_access_to_data_says_nothing_of_the_code(self) -> None:
        assert not self.is_told("OE", error=0)


def defines(path: Path) -> dict[str, int]:
    """Return the constants of a header that are numbers, perhaps with a delta added."""
    row = re.compile(r"#\s*define\s+(\w+)\s+\(?(?:\(void ?\*\)\s*)?\(?(0x[0-9a-fA-F]+)")
    found = (row.match(line) for line in path.read_text().splitlines())
    return {m[1]: int(m[2], 16) for m in found if m}


@pytest.mark.skipif(not HEADERS, reason="no kernel headers: install linux-headers-$(uname -r)")
def test_the_poison_values_are_those_of_the_kernels_headers() -> None:
    theirs = defines(HEADERS[-1])
    ours = poison.values()
    shared = ours.keys() & theirs.keys()
    assert len(shared) >= 18
    assert {name: theirs[name] in ours[name] for name in shared} == dict.fromkeys(shared, True)


@pytest.mark.skipif(not HEADERS, reason="no kernel headers: install linux-headers-$(uname -r)")
@pytest.mark.parametrize(
    ("file", "name", "part"),
    [
        ("page_64_types.h", "__PAGE_OFFSET_BASE_L4", AddressClass.DIRECT_MAP),
        ("page_64_types.h", "__PAGE_OFFSET_BASE_L5", AddressClass.DIRECT_MAP),
        ("pgtable_64_types.h", "__VMALLOC_BASE_L4", AddressClass.VMALLOC),
        ("pgtable_64_types.h", "__VMALLOC_BASE_L5", AddressClass.VMALLOC),
        ("pgtable_64_types.h", "__VMEMMAP_BASE_L4", AddressClass.VMEMMAP),
        ("pgtable_64_types.h", "__VMEMMAP_BASE_L5", AddressClass.VMEMMAP),
        ("page_64_types.h", "__START_KERNEL_map", AddressClass.TEXT),
    ],
)
def test_the_parts_of_memory_begin_where_the_headers_say(
    file: str, name: str, part: AddressClass
) -> None:
    text = (HEADERS[-1].parents[2] / "arch/x86/include/asm" / file).read_text()
    match = re.search(rf"{name}\s+(?:_AC\()?(0x[0-9a-f]+)", text)
    assert match is not None
    begin = int(match[1], 16)
    assert address.classify(begin, "x86_64") is part
    assert address.classify(begin - 1, "x86_64") is not part


@pytest.mark.skipif(not HEADERS, reason="no kernel headers: install linux-headers-$(uname -r)")
def test_the_largest_error_is_that_of_the_headers() -> None:
    text = (HEADERS[-1].parent / "err.h").read_text()
    assert f"MAX_ERRNO\t{address.MAX_ERRNO}" in text


def test_the_cr2_of_a_general_protection_fault_is_not_read() -> None:
    """CR2 is of an earlier fault there; the reading goes by the address in the headline."""
    log = gpf("6b6b6b6b6b6b6b6b", code=LOAD, registers={"rsi": "6b" * 8}) + stamped("CR2: 0018")
    found = verdict(log)
    assert of(found, RootCause.NULL_DEREF) is None


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("5", "a read; nothing is mapped there"),
        ("805", "a write; nothing is mapped there"),
        ("17", "a read; no page is mapped there"),
        ("80f", "a write; the permissions of the page refuse it"),
        ("406", "a read; external abort, which came late"),
        ("206", None),  # Three-level page tables have other numbers.
    ],
)
def test_the_status_of_arm_in_words(code: str, words: str | None) -> None:
    log = f"Internal error: Oops: {code} [#1] SMP ARM\nProcess cat (pid: 8, stack limit = 0x2179)\n"
    (report,) = klog.read(log.encode(), "log").reports
    said = error_words(Context(report))
    assert (said is None) == (words is None)
    assert (said or "").startswith(words or "")
    quote = verdict(log).facts[0]
    assert quote.means == (f"the error code 0x{code} says: {said}" if said else "")
