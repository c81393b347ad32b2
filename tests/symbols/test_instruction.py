"""The faulting instruction from a Code: line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor.symbols.instruction import Instruction, decode

ARCHITECTURES = ("x86_64", "i386", "arm64", "arm", "riscv64", "mips", "mips64", "ppc64", "s390x")


def told(code: str, arch: str = "x86_64") -> Instruction:
    """Return the decoded instruction; fail where there is none."""
    found = decode(code, arch)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("code", "text", "base", "displacement", "size", "writes"),
    [
        ("90 <c6> 00 41 c3", "movb $0x41,(%rax)", "rax", 0, 1, True),
        ("<0f> b7 42 20 41", "movzwl 0x20(%rdx),%eax", "rdx", 0x20, 2, False),
        ("<f0> ff 48 f0", "lock decl -0x10(%rax)", "rax", -0x10, 4, True),
        ("Code: 55 <48> 8b 40 08 c3", "movq 8(%rax),%rax", "rax", 8, 8, False),
        ("<ff> 50 08", "callq *8(%rax)", "rax", 8, 8, False),
    ],
)
def test_the_memory_operand_of_x86_instructions(
    code: str, text: str, base: str, displacement: int, size: int, writes: bool
) -> None:
    found = told(code)
    assert (found.text, found.base, found.displacement) == (text, base, displacement)
    assert (found.size, found.is_write, found.has_memory) == (size, writes, True)


@pytest.mark.parametrize(
    ("code", "text", "writes"),
    [("d503201f (f9400000)", "ldr x0,[x0]", False), ("(b900041f)", "str wzr,[x0,#4]", True)],
)
def test_the_marked_word_of_arm64(code: str, text: str, writes: bool) -> None:
    found = told(code, "arm64")
    assert (found.text, found.base, found.is_write) == (text, "x0", writes)


@pytest.mark.parametrize(
    ("arch", "code", "text", "base", "displacement", "size", "writes"),
    [
        ("riscv64", "80e7 5a40 (2603) ff05 ", "lw a2,-0x10(a0)", "a0", -0x10, 4, False),
        ("riscv64", "0545 (63b0) 7097", "c.ld a2,0x40(a5)", "a5", 0x40, 8, False),
        ("riscv64", "(b823) 00a7", "sd a0,0x10(a5)", "a5", 0x10, 8, True),
        ("riscv64", "(202f) 00b5", "amoadd.w zero,a1,(a0)", "a0", 0, 4, True),
        ("mips64", "3c05c000 <8c46fff0> 3c0281be", "lw $a2,-0x10($v0)", "r2", -0x10, 4, False),
        ("mips64", "<fe220018>", "sd $v0,0x18($s1)", "r17", 0x18, 8, True),
        ("mips", "<a0400000>", "sb $zero,($v0)", "r2", 0, 1, True),
        ("ppc64", "<e9290010> 60000000", "ld r9,0x10(r9)", "r9", 0x10, 8, False),
        ("ppc64", "<91490000>", "stw r10,0(r9)", "r9", 0, 4, True),
        ("arm", "e3a03000 (e5832000)", "str r2,[r3]", "r3", 0, 4, True),
        ("arm", "(e5d30004)", "ldrb r0,[r3,#4]", "r3", 4, 1, False),
    ],
)
def test_loads_and_stores_of_other_architectures(
    arch: str, code: str, text: str, base: str, displacement: int, size: int, writes: bool
) -> None:
    found = told(code, arch)
    assert (found.text, found.base, found.displacement) == (text, base, displacement)
    assert (found.size, found.is_write, found.has_memory) == (size, writes, True)


def test_an_index_of_arm_is_shifted() -> None:
    found = told("(e7932102)", "arm")  # ldr r2,[r3,r2,lsl #2]
    assert found.address({"r3": 0x100, "r2": 4}, bits=32) == 0x110


@pytest.mark.parametrize(
    ("arch", "code", "text", "base", "displacement", "writes"),
    [
        ("ppc64", "60000000 <a1490090> 3d220000", "lhz r10,0x90(r9)", "r9", 0x90, False),
        ("ppc64", "<f9490020>", "std r10,0x20(r9)", "r9", 0x20, True),
        ("ppc64", "<7c0a48ae>", "lbzx r0,r10,r9", "r10", 0, False),
        ("s390x", "b904002b <e3402ff0ff58> 1843", "ly %r4,-0x10(%r2)", "r2", -0x10, False),
        ("s390x", "<5030b040>", "st %r3,0x40(%r11)", "r11", 0x40, True),
        ("s390x", "<e54810000000>", "mvghi 0(%r1),0", "r1", 0, True),
    ],
)
def test_the_marked_instruction_of_powerpc_and_s390(
    arch: str, code: str, text: str, base: str, displacement: int, writes: bool
) -> None:
    found = told(code, arch)
    assert (found.text, found.base, found.displacement) == (text, base, displacement)
    assert (found.is_write, found.is_read, found.has_memory) == (writes, not writes, True)


def test_an_indexed_load_of_powerpc_adds_two_registers() -> None:
    found = told("<7c0a48ae>", "ppc64")  # lbzx r0,r10,r9
    assert found.address({"r10": 3, "r9": 0xC000000000000000}) == 0xC000000000000003
    alone = told("<7d2048a8>", "ppc64")  # ldarx r9,0,r9
    assert (alone.base, alone.index) == (None, "r9")


@pytest.mark.parametrize(
    ("arch", "code"),
    [
        ("ppc64", "<0b0a0000>"),  # tdnei r10,0
        ("ppc64", "<0fe00000>"),  # twui r0,0
        ("s390x", "<41202040>"),  # la %r2,64(%r2)
        ("s390x", "<b90400b2>"),  # lgr %r11,%r2
        ("riscv64", "(9002)"),
        ("mips", "<00000000>"),
        ("ppc64", "<7c0802a6>"),
        ("arm", "(e1a00001)"),
    ],
)
def test_instructions_of_others_that_touch_no_memory(arch: str, code: str) -> None:
    assert not told(code, arch).has_memory


@pytest.mark.parametrize("code", ["<0f> 0b", "<ff> d0", "<48> 8d 40 08"])
def test_instructions_that_touch_no_memory(code: str) -> None:
    assert not told(code).has_memory


def test_the_address_is_worked_out_from_the_registers() -> None:
    found = told("<80> 3c 02 00")  # cmpb $0,(%rdx,%rax,1)
    assert found.address({"rdx": 3, "rax": 0xDFFFFC0000000000}) == 0xDFFFFC0000000003
    assert found.address({"rdx": 3}) is None


def test_a_string_instruction_has_a_source_too() -> None:
    found = told("<f3> a4")  # rep movsb
    assert (found.base, found.source) == ("rdi", "rsi")


def test_the_address_wraps_like_the_processors() -> None:
    assert told("<f0> ff 48 f0").address({"rax": 0}) == 0xFFFFFFFFFFFFFFF0


def test_a_segment_with_an_unknown_base_gives_no_address() -> None:
    found = told("<65> 48 8b 04 25 28 00 00 00")  # mov %gs:0x28,%rax
    assert found.segment == "gs"
    assert found.address({}) is None


@pytest.mark.parametrize(
    ("code", "arch"),
    [("90 90 90", "x86_64"), ("<06>", "x86_64"), ("", "arm64"), ("<0f> 0b", "sparc")],
)
def test_what_cannot_be_decoded_is_none(code: str, arch: str) -> None:
    assert decode(code, arch) is None


@given(st.text("0123456789abcdefXYZ<>() ", max_size=60), st.sampled_from(ARCHITECTURES))
def test_any_code_line_is_decoded_or_refused(code: str, arch: str) -> None:
    found = decode(code, arch)
    assert found is None or found.text
