"""What a machine shows of its modules, and whether that is about the module in the report."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pagefault_doctor.model.command import Blocked, Command
from pagefault_doctor.model.fact import Mark, Value
from pagefault_doctor.tools.module import dkms, lsmod, modinfo, module_state, taint
from pagefault_doctor.tools.module.module_name import is_module_name, same_module
from pagefault_doctor.tools.tool import Tool, next_command
from tools.example_reports import BOOT, KERNEL, OOPS, follow, known, texts, told

SUSPECT: dict[str, Value] = {"suspect.module": "wobble", "host.kernel": KERNEL}
ELSEWHERE: dict[str, Value] = {"suspect.module": "wobble", "host.kernel": "6.12.9-arch1-1"}
LOG = ("dmesg", BOOT + OOPS)
OTHER_MACHINE = "what this box says may be about another machine"

TABLE = """\
Module                  Size  Used by
wobble                 16384  2 helper,other_one
helper                 20480  0
virtio_net             73728  0
"""

FILE = f"""\
filename:       /lib/modules/{KERNEL}/extra/wobble.ko
license:        GPL
description:    wobbles
srcversion:     ABCDEF0123456789ABCDEF0
depends:        helper
retpoline:      Y
name:           wobble
vermagic:       {KERNEL} SMP preempt mod_unload modversions
parm:           size:how much (int)
"""

STATE = """\
present
initstate=live
refcnt=2
taint=OE
srcversion=ABCDEF0123456789ABCDEF0
coresize=16384
build-id=040000001400000003000000474e5500aabbccddeeff00112233445566778899aabbccdd
"""


@pytest.mark.parametrize("name", ["ext4", "snd-hda-intel", "nf_conntrack", "8250", "a" * 64])
def test_names_of_modules_are_taken(name: str) -> None:
    assert is_module_name(name)


@pytest.mark.parametrize(
    "name", ["", "-r", "--help", "a b", "../x", "a/b", "x;y", "x\n", "a" * 65, "$(x)", "é"]
)
def test_nothing_else_is_taken_for_a_name(name: str) -> None:
    assert not is_module_name(name)


def test_dash_and_underscore_are_one_in_names() -> None:
    assert same_module("snd-hda-intel", "snd_hda_intel")
    assert not same_module("snd-hda", "snd_hda_intel")


@pytest.mark.parametrize("tool", [modinfo.TOOL, module_state.TOOL], ids=lambda t: t.id)
@pytest.mark.parametrize("name", ["-r", "../../etc", "x y"])
def test_a_name_that_is_none_never_gets_into_a_command(tool: Tool, name: str) -> None:
    wanted = next_command(tool, known({"suspect.module": name}))
    assert isinstance(wanted, Blocked)
    assert wanted.remedy


@pytest.mark.parametrize("tool", [modinfo.TOOL, module_state.TOOL, dkms.TOOL], ids=lambda t: t.id)
def test_without_a_suspect_there_is_nothing_to_look_up(tool: Tool) -> None:
    assert next_command(tool, known()) is None


@pytest.mark.parametrize(
    ("tool", "output"),
    [
        (lsmod.TOOL, TABLE),
        (modinfo.TOOL, FILE),
        (module_state.TOOL, STATE),
        (dkms.TOOL, f"wobble/1.0, {KERNEL}, x86_64: installed\n"),
        (taint.TOOL, "0\n"),
    ],
    ids=lambda value: value.id if isinstance(value, Tool) else "",
)
def test_a_box_that_runs_another_kernel_than_the_report_is_warned_of(
    tool: Tool, output: str
) -> None:
    given = ("kern.log", BOOT + OOPS)
    case, _, _ = follow(tool, known(ELSEWHERE, given), told(output))
    assert OTHER_MACHINE in texts(case.findings)
    same, _, _ = follow(tool, known(SUSPECT, LOG), told(output))
    assert OTHER_MACHINE not in texts(same.findings)


def test_lsmod_finds_the_suspect_and_who_uses_it() -> None:
    case, _, blocked = follow(lsmod.TOOL, known(SUSPECT, LOG), told(TABLE))
    assert blocked is None
    assert case.get("module.loaded", False) is True
    assert case.get("module.refcount", 0) == 2
    assert case.facts["module.loaded"].source.line == 2
    assert "used by helper, other_one" in texts(case.findings)


def test_lsmod_takes_provenance_from_the_reports_own_list() -> None:
    case, _, _ = follow(lsmod.TOOL, known(SUSPECT, LOG), told(TABLE))
    fact = case.facts["module.out_of_tree"]
    assert fact.value is True
    assert (fact.source.origin, fact.source.line) == ("dmesg", 21)
    assert case.get("module.unsigned", False) is True
    assert case.get("module.forced", True) is False
    assert "Other out-of-tree modules in the report: helper" in texts(case.findings)


def test_no_other_out_of_tree_module_speaks_for_the_suspect() -> None:
    log = ("dmesg", BOOT + OOPS.replace("helper(OE) ", ""))
    case, _, _ = follow(lsmod.TOOL, known(SUSPECT, log), told(TABLE))
    assert "No other out-of-tree module" in texts(case.findings)


def test_lsmod_says_when_the_suspect_is_not_loaded() -> None:
    case, _, _ = follow(lsmod.TOOL, known({"suspect.module": "gone"}), told(TABLE))
    assert case.get("module.loaded", True) is False


def test_lsmod_without_a_suspect_counts() -> None:
    case, _, _ = follow(lsmod.TOOL, known(), told(TABLE))
    assert "3 modules are loaded" in texts(case.findings)
    assert not case.has("module.loaded")


def test_a_kernel_that_lists_no_modules_is_blocked_with_a_remedy() -> None:
    refused = told(errors="Error: could not get list of modules\n", exit_code=1)
    case, _, blocked = follow(lsmod.TOOL, known(SUSPECT), refused)
    assert blocked is not None
    assert "mount /proc" in blocked.remedy
    assert not case.has("module.loaded")


def test_modinfo_tells_what_the_file_is() -> None:
    case, ran, blocked = follow(modinfo.TOOL, known(SUSPECT, LOG), told(FILE))
    assert ran[0].argv == ("modinfo", "wobble")
    assert blocked is None
    assert case.get("module.path", "").endswith("/extra/wobble.ko")
    assert case.get("module.license", "") == "GPL"
    assert case.get("module.depends", "") == "helper"
    assert case.facts["module.vermagic"].source.line == 8
    assert case.get("module.vermagic_fits", False) is True
    assert "not signed" in texts(case.findings)


@pytest.mark.parametrize(
    ("here", "built_for", "fits", "mark"),
    [
        (KERNEL, KERNEL, True, Mark.GOOD),
        (KERNEL, "5.10.0-1", False, Mark.BAD),
        ("6.12.9", KERNEL, True, Mark.GOOD),
        ("6.12.9", "6.12.9", True, Mark.NEUTRAL),
    ],
    ids=["all one", "for neither", "for that in the report", "for the one here"],
)
def test_the_file_must_be_built_for_the_kernel(
    here: str, built_for: str, fits: bool, mark: Mark
) -> None:
    start = known({**SUSPECT, "host.kernel": here}, LOG)
    case, _, _ = follow(modinfo.TOOL, start, told(FILE.replace(KERNEL, built_for)))
    assert case.get("module.vermagic_fits", not fits) is fits
    assert case.findings[-1].mark is mark


def test_modinfo_looks_into_the_folder_that_was_named_first() -> None:
    start = known({**SUSPECT, "given.module_dir": "/src/wobble/"})
    absent = told(errors="modinfo: ERROR: Module not found", exit_code=1)
    _, ran, _ = follow(modinfo.TOOL, start, absent, told(FILE))
    assert [command.argv[1] for command in ran] == ["/src/wobble/wobble.ko", "wobble"]


def test_a_module_without_a_file_asks_for_its_folder() -> None:
    absent = told(errors="modinfo: ERROR: Module wobble not found.", exit_code=1)
    case, _, blocked = follow(modinfo.TOOL, known(SUSPECT), absent)
    assert blocked is not None
    assert "--module-dir" in blocked.remedy
    assert [f.mark for f in case.findings] == [Mark.NEUTRAL]


def test_module_state_tells_what_the_kernel_holds() -> None:
    case, ran, _ = follow(module_state.TOOL, known(SUSPECT, LOG), told(STATE))
    assert ran[0].argv[-1] == "wobble"
    assert case.get("module.initstate", "") == "live"
    assert case.get("module.refcount", 0) == 2
    assert case.get("module.taint", "") == "OE"
    assert case.get("module.out_of_tree", False) is True
    assert case.get("module.proprietary", True) is False
    assert case.get("module.build_id", "") == "aabbccddeeff00112233445566778899aabbccdd"


@pytest.mark.parametrize("state", ["coming", "going"])
def test_a_module_stuck_on_its_way_is_bad(state: str) -> None:
    case, _, _ = follow(module_state.TOOL, known(SUSPECT), told(STATE.replace("live", state)))
    assert any(f.mark is Mark.BAD and "did not come back" in f.text for f in case.findings)


def test_a_module_that_is_gone_is_said_to_be() -> None:
    case, _, _ = follow(module_state.TOOL, known(SUSPECT), told("absent\n"))
    assert case.get("module.loaded", True) is False


@pytest.mark.parametrize("order", [(modinfo.TOOL, module_state.TOOL)[::step] for step in (1, -1)])
@pytest.mark.parametrize(("loaded", "fits"), [("ABCDEF0123456789ABCDEF0", True), ("0" * 23, False)])
def test_the_file_and_the_loaded_module_are_compared_whichever_is_read_first(
    order: tuple[Tool, ...], loaded: str, fits: bool
) -> None:
    case = known(SUSPECT, LOG)
    outputs = {
        "modinfo": FILE,
        "module-state": STATE.replace("ABCDEF0123456789ABCDEF0", loaded),
    }
    for tool in order:
        case, _, _ = follow(tool, case, told(outputs[tool.id]))
    assert case.get("module.srcversion_fits", not fits) is fits


def test_the_script_prints_what_the_reader_reads(tmp_path: Path) -> None:
    """Run it for real, on a folder of ours in place of the kernel's."""
    command = module_state.TOOL.plan(known({"suspect.module": "wob-ble"}))
    assert isinstance(command, Command)
    assert command.argv[-1] == "wob_ble"
    folder = tmp_path / "wob_ble"
    (folder / "notes").mkdir(parents=True)
    (folder / "initstate").write_text("live\n")
    (folder / "taint").write_text("OE\n")
    note = bytes.fromhex("040000001400000003000000474e5500") + bytes(range(20))
    (folder / "notes/.note.gnu.build-id").write_bytes(note)
    script = command.argv[2].replace("/sys/module", str(tmp_path))
    argv = ["sh", "-c", script, *command.argv[3:]]
    output = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    facts = {f.name: f.value for f in module_state.TOOL.read(told(output), known()).facts}
    assert facts["module.initstate"] == "live"
    assert facts["module.taint"] == "OE"
    assert facts["module.build_id"] == bytes(range(20)).hex()


@pytest.mark.skipif(not os.path.isdir("/sys/module/printk"), reason="/sys is not mounted")
def test_a_part_of_the_kernel_is_told_from_a_loaded_module() -> None:
    from pagefault_doctor.hosts.local import LocalHost

    start = known({"suspect.module": "printk"})
    command = module_state.TOOL.plan(start)
    assert isinstance(command, Command)
    reading = module_state.TOOL.read(LocalHost().run(command), start)
    assert "built into this kernel" in texts(reading.findings)


@pytest.mark.parametrize(
    "row",
    [f"wobble/1.0, {KERNEL}, x86_64: installed", f"wobble, 1.0, {KERNEL}, x86_64: installed"],
    ids=["dkms 3", "dkms 2"],
)
def test_dkms_installed_is_reported_but_proves_nothing(row: str) -> None:
    case, _, _ = follow(dkms.TOOL, known(SUSPECT, LOG), told(f"{row}\n"))
    assert case.get("module.dkms", "") == "installed"
    assert case.get("module.dkms_package", "") == "wobble/1.0"
    assert "does not prove" in texts(case.findings)


def test_dkms_built_for_another_kernel_only_is_bad() -> None:
    case, _, _ = follow(
        dkms.TOOL, known(SUSPECT, LOG), told("wobble/1.0, 5.10.0-1, x86_64: installed\n")
    )
    assert case.get("module.dkms", "") == "not built"
    assert case.findings[-1].mark is Mark.BAD
    assert f"for 5.10.0-1, not for {KERNEL}" in case.findings[-1].text


def test_dkms_warnings_are_passed_on() -> None:
    row = f"wobble/1.0, {KERNEL}, x86_64: installed (WARNING! Diff between built and installed!)\n"
    case, _, _ = follow(dkms.TOOL, known(SUSPECT, LOG), told(row))
    assert "dkms warns: WARNING! Diff" in texts(case.findings)


def test_dkms_that_only_added_the_source_built_it_for_no_kernel() -> None:
    case, _, _ = follow(dkms.TOOL, known(SUSPECT, LOG), told("wobble/1.0: added\n"))
    assert "for no kernel at all" in texts(case.findings)


def test_dkms_without_the_module_says_so() -> None:
    case, _, _ = follow(dkms.TOOL, known(SUSPECT), told("other/1.0: added\n"))
    assert "dkms keeps no module wobble" in texts(case.findings)
    assert not case.has("module.dkms")


def test_a_box_without_dkms_has_nothing_to_ask() -> None:
    assert next_command(dkms.TOOL, known({**SUSPECT, "host.programs": ("ls",)})) is None


def test_taint_is_spelled_out() -> None:
    case, _, _ = follow(taint.TOOL, known(SUSPECT, LOG), told("12416\n"))
    assert case.get("taint.mask", 0) == 12416
    assert case.facts["taint.letters"].value == ("D", "O", "E")
    assert "O (an out-of-tree module was loaded)" in texts(case.findings)


def test_taint_of_this_boot_agrees_with_the_report() -> None:
    case, _, _ = follow(taint.TOOL, known(SUSPECT, LOG), told("12416\n"))
    assert "agrees" in case.findings[-1].text


def test_taint_that_is_gone_shows_a_report_of_another_boot() -> None:
    case, _, _ = follow(taint.TOOL, known(SUSPECT, LOG), told("0\n"))
    assert "the report is of another boot" in texts(case.findings)


@pytest.mark.parametrize("source", ["journalctl -k -b -1", "pstore", "kern.log"])
def test_taint_is_not_held_against_a_report_of_another_boot(source: str) -> None:
    case, _, _ = follow(taint.TOOL, known(SUSPECT, (source, BOOT + OOPS)), told("0\n"))
    assert "of the box now, not of the report" in texts(case.findings)


def test_unreadable_taint_is_said() -> None:
    case, _, _ = follow(taint.TOOL, known(), told(errors="cat: no such file", exit_code=1))
    assert "could not be read" in texts(case.findings)
    assert not case.has("taint.mask")
