"""kdump, crash and drgn: whether there would be a dump, and what it shows."""

from __future__ import annotations

from importlib import util
from pathlib import Path

import pytest

from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.hosts.script import script
from pagefault_doctor.klog.skip_functions import EXCEPTION_ENTRY
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command
from pagefault_doctor.model.fact import Mark, Value
from pagefault_doctor.tools.dump import crash, drgn, kdump
from pagefault_doctor.tools.tool import Tool, next_command
from requirements import require, require_kernel, require_program
from tools.example_reports import KERNEL, OOPS, follow, known, learn, texts, told
from tools.recorded import faulty, output

VMLINUX = f"/usr/lib/debug/boot/vmlinux-{KERNEL}"
LOOKED: dict[str, Value] = {"given.vmcore": "/var/crash/1/vmcore", "dump.format": "elf"}
DUMP: dict[str, Value] = LOOKED | {"given.vmlinux": VMLINUX}
READY = (
    "reserved=268435456\nloaded=1\npanic_on_oops=1\ncrashkernel=256M\n"
    "free_kib=9000000\nmemory_kib=8000000\n"
)


def test_a_ready_kdump_is_good_news() -> None:
    case, _, _ = follow(kdump.TOOL, known(), told(READY))
    assert case.get("kdump.ready", False) is True
    assert case.get("kdump.reserved_bytes", 0) == 256 << 20
    assert [f.mark for f in case.findings] == [Mark.GOOD]


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        (("reserved=268435456", "reserved=0"), "ask for less"),
        (("reserved=268435456\nloaded=1", "reserved=0\nloaded=0"), "ask for less"),
        (("loaded=1", "loaded=0"), "systemctl enable --now kdump"),
        (("panic_on_oops=1", "panic_on_oops=0"), "sysctl kernel.panic_on_oops=1"),
        (("free_kib=9000000", "free_kib=1000"), "makedumpfile -d 31"),
    ],
)
def test_each_thing_that_is_missing_has_its_remedy(change: tuple[str, str], remedy: str) -> None:
    case, _, _ = follow(kdump.TOOL, known(), told(READY.replace(*change)))
    assert remedy in texts(case.findings)


def test_without_reserved_memory_the_option_is_named() -> None:
    case, _, _ = follow(kdump.TOOL, known(), told("reserved=0\nloaded=0\npanic_on_oops=0\n"))
    assert case.get("kdump.ready", True) is False
    assert "crashkernel=256M" in texts(case.findings)


def test_an_oops_that_does_not_panic_never_reaches_kdump() -> None:
    case, _, _ = follow(kdump.TOOL, known(), told(READY.replace("oops=1", "oops=0")))
    assert case.get("kdump.ready", True) is False


def test_real_kdump_state_can_be_read() -> None:
    wanted = next_command(kdump.TOOL, known())
    assert isinstance(wanted, Command)
    reading = kdump.TOOL.read(LocalHost().run(wanted), known())
    assert "kdump.ready" in [f.name for f in reading.facts]


@pytest.mark.parametrize("tool", [crash.TOOL, drgn.TOOL])
def test_without_a_dump_both_say_how_to_get_one(tool: Tool) -> None:
    wanted = next_command(tool, known())
    assert isinstance(wanted, Blocked)
    assert "kdump" in wanted.remedy


def test_crash_names_the_module_the_panic_and_the_log() -> None:
    case, (command,), _ = follow(crash.TOOL, known(DUMP), told(output("crash.txt")))
    assert command.argv == ("crash", "-s", VMLINUX, "/var/crash/1/vmcore")
    assert case.get("dump.module", "") == "faulty"
    assert case.get("dump.release", "") == KERNEL
    assert case.get("dump.panic", "").startswith("Oops: 0002")
    assert case.get("dump.complete", False) is True
    assert [report.module for report in case.reports] == ["faulty"]


def test_crash_takes_the_name_of_an_init_function_from_the_report() -> None:
    case, _, _ = follow(crash.TOOL, faulty(DUMP), told(output("crash.txt")))
    assert case.get("dump.function", "") == "faulty_init"


def test_crash_looks_for_the_vmlinux_first() -> None:
    case = known(LOOKED | {"host.kernel": "6.6.0-other"})
    found = told(f"{VMLINUX}\n", errors="ls: cannot access ...", exit_code=2)
    release = told(f"{KERNEL}\n")
    case, ran, _ = follow(crash.TOOL, case, release, found, told(output("crash.txt")))
    assert ran[0].argv == ("crash", "--osrelease", "/var/crash/1/vmcore")
    assert ran[1].argv[:3] == ("ls", "-1", VMLINUX)
    assert ran[2].argv[2] == VMLINUX


def test_crash_without_a_vmlinux_names_the_debug_package() -> None:
    case = faulty(LOOKED | {"dump.release": KERNEL})
    _, _, blocked = follow(crash.TOOL, case, told(errors="ls: ...", exit_code=2))
    assert blocked
    assert f"linux-image-{KERNEL}-dbg" in blocked.remedy
    assert "GB on the disk" in blocked.remedy


def test_crash_takes_no_vmlinux_that_was_found_to_be_of_no_use() -> None:
    """A fetched kernel of the lab: its remedy is told, and the walk goes on."""
    facts = LOOKED | {"dump.release": KERNEL, "host.debug_remedy": "pfdoctor lab kernels fetch 9.1"}
    case = faulty(facts)
    looked = learn(case, "dump-symbols", told("end=.\n"), ToolReading())
    wanted = next_command(crash.TOOL, looked)
    assert isinstance(wanted, Blocked)
    assert wanted.remedy == "pfdoctor lab kernels fetch 9.1"


def test_crash_climbs_down_the_ladder_on_a_cut_dump() -> None:
    cut = told(output("crash_cut.txt"), exit_code=1)
    case, ran, blocked = follow(crash.TOOL, known(DUMP), cut, cut, cut, cut, told())
    tried = [command.argv[2] for command in ran[1:4]]
    assert tried == ["--zero_excluded", "--no_modules", "--minimal"]
    assert ran[3].stdin == "log\nquit\n"
    assert "search its bytes" in ran[4].why
    assert case.get("dump.complete", True) is False
    assert blocked


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("crash: vmlinux and vmcore do not match!", "not of the kernel"),
        ("crash: vmlinux: no debugging data available", "no debug information"),
        ("crash: vmcore: not a supported file format", "not a dump"),
        ("crash: vmcore: No such file or directory", "cannot be opened"),
    ],
)
def test_crash_does_not_try_again_where_that_is_useless(message: str, reason: str) -> None:
    _, ran, blocked = follow(crash.TOOL, known(DUMP), told(errors=message, exit_code=1))
    assert len(ran) == 1
    assert blocked
    assert reason in blocked.reason


def test_a_crash_that_is_older_than_the_kernel_is_told_apart_from_a_wrong_vmlinux() -> None:
    """What crash 8.0.2 says of a dump of 6.12 and its own vmlinux; drgn reads the two."""
    mismatch = told(errors=f"crash: {VMLINUX} and vmcore do not match!", exit_code=1)
    seen: dict[str, Value] = {"dump.vmlinux_seen_to_fit": VMLINUX}
    case, ran, blocked = follow(crash.TOOL, known(DUMP | seen), mismatch, told(OOPS))
    assert "search its bytes" in ran[-1].why
    assert [report.function for report in case.reports] == ["wobble_init"]
    assert blocked
    assert "newer than this crash" in blocked.reason
    assert "drgn" in blocked.remedy
    silent = told(exit_code=-11)
    _, ran, blocked = follow(crash.TOOL, known(DUMP | seen), *(silent,) * 4, told(OOPS))
    assert len(ran) == 5
    assert blocked
    assert "newer than this crash" in blocked.reason
    other: dict[str, Value] = {"dump.vmlinux_seen_to_fit": "/elsewhere/vmlinux"}
    _, _, blocked = follow(crash.TOOL, known(DUMP | other), mismatch)
    assert blocked
    assert "not of the kernel" in blocked.reason


def test_drgn_without_the_names_of_the_kernel_says_so_once_with_the_remedy() -> None:
    case, _, _ = follow(drgn.TOOL, known(LOOKED), told(output("drgn_no_names.txt")))
    (said,) = [found.text for found in case.findings]
    release = case.get("dump.release", "")
    assert f"no vmlinux with debug information of {release}" in said
    assert "--vmlinux FILE" in said
    case, _, _ = follow(drgn.TOOL, known(DUMP), told(output("drgn_no_names.txt")))
    assert len(case.findings) > 1


def test_crash_shows_the_frame_of_an_ordinary_module_function() -> None:
    seen = crash.parse(
        ' #4 [ffffa] wobble_poke at ffffffffc0342035 [wobble]\nPID: 1  COMMAND: "x"\n'
    )
    assert seen.function == ("wobble_poke", 1)
    assert seen.module == ("wobble", 1)


def test_crash_loads_the_suspects_symbols_and_tells_the_line() -> None:
    module: dict[str, Value] = {"module.path": "/src/wobble.ko", "suspect.module": "wobble"}
    said = (
        " #3 [ffffa] asm_exc_page_fault at ffffffff84a00c02\n    /build/idtentry.h: 608\n"
        "    [exception RIP: wobble_poke+12]\n    RIP: ffffffffc05f6035  RSP: 0\n"
        "    /src/wobble.c: 24\n #4 [ffffb] wobble_write at ffffffffc0342035 [wobble]\n"
        "    /src/wobble.c: 50\n"
    )
    case, (command,), _ = follow(crash.TOOL, known(DUMP | module), told(said))
    assert command.stdin.startswith("mod -s wobble /src/wobble.ko\n")
    assert case.get("dump.function", "") == "wobble_poke"
    assert (case.get("dump.file", ""), case.get("dump.line", 0)) == ("/src/wobble.c", 24)


def test_a_path_that_would_be_a_command_to_crash_is_not_handed_to_it() -> None:
    module: dict[str, Value] = {"module.path": "/a|sh/wobble.ko", "suspect.module": "wobble"}
    wanted = next_command(crash.TOOL, known(DUMP | module))
    assert isinstance(wanted, Command)
    assert "|" not in wanted.stdin


def test_drgn_names_task_function_and_log() -> None:
    case, (command,), _ = follow(drgn.TOOL, faulty(DUMP), told(output("drgn.txt")))
    assert case.get("dump.module", "") == "faulty"
    assert case.get("dump.function", "") == "faulty_init"
    assert case.get("dump.release", "") == KERNEL
    assert "insmod[" in texts(case.findings)
    assert "print(json.dumps" in command.stdin
    assert command.argv[-2] == "-e"


def test_drgn_gives_the_log_of_a_dump_nothing_else_is_known_of() -> None:
    case, _, _ = follow(drgn.TOOL, known(DUMP), told(output("drgn.txt")))
    assert [report.function for report in case.reports] == ["faulty_init"]


def test_drgn_gives_the_line_of_an_ordinary_function() -> None:
    frames = (
        '{"frames": [{"name": "panic"}, {"name": "asm_exc_page_fault"}, '
        '{"name": "wobble_poke", "module": "wobble", "file": "wobble.c", "line": 12}]}'
    )
    case, _, _ = follow(drgn.TOOL, known(DUMP), told(frames))
    assert case.get("dump.file", "") == "wobble.c"
    assert case.get("dump.line", 0) == 12


def test_a_crash_of_another_architecture_says_so() -> None:
    errors = (
        "WARNING: machine type mismatch:\n         crash utility: X86_64\n"
        "         vmcore: ARM64\n\ncrash: vmcore: not a supported file format\n"
    )
    _, _, blocked = follow(crash.TOOL, known(DUMP), told(errors=errors, exit_code=1))
    assert blocked
    assert "another architecture" in blocked.reason
    assert "drgn" in blocked.remedy


def test_drgn_passes_all_frames_of_an_entry_on_arm64() -> None:
    names = ("el1_abort", "el1h_64_sync_handler", "el1h_64_sync")
    entry = ", ".join(f'{{"name": "{name}", "file": "entry.S", "line": 1}}' for name in names)
    frames = (
        f'{{"frames": [{{"name": "panic"}}, {entry}, '
        '{"name": "wobble_poke", "module": "wobble", "file": "wobble.c", "line": 12}]}'
    )
    case, _, _ = follow(drgn.TOOL, known(DUMP), told(frames))
    assert (case.get("dump.file", ""), case.get("dump.line", 0)) == ("wobble.c", 12)


def test_drgn_makes_escaped_control_characters_harmless() -> None:
    case, _, _ = follow(drgn.TOOL, known(DUMP), told('{"panic": "a\\u001b]52;c;x\\u0007"}'))
    assert "\x1b" not in case.get("dump.panic", "\x1b")


@pytest.mark.parametrize(
    "message",
    [
        "error: not an ELF core file",
        "/usr/bin/python3: No module named drgn",
        "error: [Errno 13] Permission denied: 'vmcore'",
    ],
)
def test_drgn_that_cannot_read_says_what_to_do(message: str) -> None:
    _, _, blocked = follow(drgn.TOOL, known(DUMP), told(errors=message, exit_code=1))
    assert blocked
    assert blocked.remedy


def test_where_no_reader_gets_through_the_log_is_searched_for_in_the_bytes() -> None:
    cut, pieces = told(output("crash_cut.txt"), exit_code=1), told(OOPS)
    case, _, blocked = follow(crash.TOOL, known(DUMP), cut, cut, cut, cut, pieces)
    assert blocked is None
    assert [report.function for report in case.reports] == ["wobble_init"]


def _real(tool: Tool, file: Path) -> list[str]:
    case: Case = known({"given.vmcore": str(file), "dump.format": "elf"})
    wanted = next_command(tool, case)
    assert isinstance(wanted, Command)
    result = LocalHost().run(wanted)
    return [f.text for f in tool.read(result, case).findings]


def test_real_drgn_refuses_a_file_that_is_no_dump(tmp_path: Path) -> None:
    require(util.find_spec("drgn"), "drgn is not installed: pip install drgn")
    file = tmp_path / "vmcore"
    file.write_text("no dump")
    assert _real(drgn.TOOL, file) == ["drgn could not read the dump"]


def test_real_crash_refuses_a_file_that_is_no_dump(tmp_path: Path) -> None:
    require_program("crash")
    debug = "/usr/lib/debug/boot/vmlinux-{}"
    vmlinux = debug.format(require_kernel(debug, "linux-image-{}-dbg"))
    file = tmp_path / "vmcore"
    file.write_text("no dump")
    facts: dict[str, Value] = {"dump.format": "elf", "given.vmlinux": vmlinux}
    case = known(facts | {"given.vmcore": str(file)})
    wanted = next_command(crash.TOOL, case)
    assert isinstance(wanted, Command)
    _, _, blocked = follow(crash.TOOL, case, LocalHost().run(wanted))
    assert blocked
    assert "not a dump" in blocked.reason


def test_crash_is_not_needed_where_drgn_told_all() -> None:
    case, _, _ = follow(drgn.TOOL, known(DUMP), told(output("drgn.txt")))
    assert case.get("dump.function", "") == "faulty_init"
    assert next_command(crash.TOOL, case) is None


def test_crash_is_asked_where_drgn_could_not_read_the_log() -> None:
    lines = output("drgn.txt").splitlines()[:-1]
    case, _, _ = follow(drgn.TOOL, faulty(DUMP), told("\n".join(lines)))
    assert isinstance(next_command(crash.TOOL, case), Command)


def test_a_stack_that_shows_no_panic_though_there_was_one_names_nothing() -> None:
    """As where the dump was taken within the delay loop that a panic ends in (arm64)."""
    lost: list[dict[str, object]] = [{"name": "__arch_counter_get_cntvct_stable", "line": 201}]
    whole = lost + [{"name": name} for name in ("panic", "die", "demo_poll")]
    assert drgn.faulting_frame(lost, panicked=True) is None
    assert drgn.faulting_frame(lost) == lost[0]
    assert drgn.faulting_frame(whole, panicked=True) == {"name": "demo_poll"}


def test_an_interrupt_of_the_delay_loop_that_a_panic_ends_in_is_not_the_fault() -> None:
    names = ["el1_interrupt", "el1h_64_irq", "__arch_counter_get_cntvct_stable", "__delay"]
    interrupted = [{"name": name} for name in names]
    assert drgn.faulting_frame(interrupted, panicked=True) is None
    whole = interrupted + [
        {"name": name} for name in ("panic", "die", "el1_abort", "el1h_64_sync", "demo_poll")
    ]
    assert drgn.faulting_frame(whole, panicked=True) == {"name": "demo_poll"}


def test_the_script_in_drgn_knows_the_same_entries_as_the_reader_of_its_frames() -> None:
    """It runs where pfdoctor is not installed, so it cannot import them."""
    assert EXCEPTION_ENTRY.pattern in script("tools/scripts/drgn_pointers.py")
