"""The host: what it is and which programs it has."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.model.command import Command, ResultStatus
from pagefault_doctor.model.fact import Value
from pagefault_doctor.tools.host_info import box_tool
from tools.example_reports import follow, known, texts, told

PROGRAMS = ("dmesg", "gdb", "ls", "no-such-program")
TOOL = box_tool(PROGRAMS)

SERVER = """\
kernel=6.1.0-56-amd64
name=db7
uptime=3725.42
booted=1795868693
lockdown=none [integrity] confidentiality
dmesg_restrict=1
cmdline=root=/dev/vda1 quiet crashkernel=512M-:192M
product=PowerEdge R640
vendor=Dell Inc.
os.PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
os.ID=debian
machine=x86_64
release=6.1.0-56-amd64
uid=1000
module=ext4
module=radish
secure_boot=SecureBoot enabled
program=dmesg
program=ls
end=.
"""


def facts(output: str) -> dict[str, Value]:
    case, _, _ = follow(TOOL, known(), told(output))
    return {name.removeprefix("host."): fact.value for name, fact in case.facts.items()}


def test_it_tells_all_that_the_probe_printed() -> None:
    assert facts(SERVER) == {
        "name": "db7",
        "kernel": "6.1.0-56-amd64",
        "machine": "x86_64",
        "uptime": 3725.42,
        "booted": 1795868693,
        "uid": 1000,
        "os": "Debian GNU/Linux 12 (bookworm)",
        "family": "debian",
        "lockdown": "integrity",
        "dmesg_restrict": True,
        "secure_boot": True,
        "command_line": "root=/dev/vda1 quiet crashkernel=512M-:192M",
        "hardware": "PowerEdge R640",
        "modules": ("ext4", "radish"),
        "crashkernel": "512M-:192M",
        "programs": ("dmesg", "ls"),
    }


def test_each_fact_names_its_line() -> None:
    case, _, _ = follow(TOOL, known(), told(SERVER))
    assert case.facts["host.name"].source.line == 2
    assert case.facts["host.uid"].source.line == 14


def test_what_limits_the_person_is_said() -> None:
    case, _, _ = follow(TOOL, known(), told(SERVER))
    said = texts(case.findings)
    assert "Not root" in said
    assert "lockdown is integrity" in said
    assert "container" not in said


@pytest.mark.parametrize(
    ("release", "family"),
    [
        ("os.ID=ubuntu\nos.ID_LIKE=debian\n", "debian"),
        ('os.ID="rocky"\nos.ID_LIKE="rhel centos fedora"\n', "fedora"),
        ('os.ID="opensuse-leap"\nos.ID_LIKE="suse opensuse"\n', "suse"),
        ('os.ID=other\nos.ID_LIKE="ubuntu debian"\n', "debian"),
        ("os.ID=arch\n", "arch"),
        ("os.ID=alpine\n", "alpine"),
        ("os.ID=gentoo\n", ""),
    ],
)
def test_the_family_follows_from_the_id_or_what_it_is_like(release: str, family: str) -> None:
    assert facts(release)["family"] == family


@pytest.mark.parametrize(
    ("said", "virtual"),
    [
        ("product=Standard PC (Q35 + ICH9, 2009)\nvendor=QEMU\nhypervisor=flag\n", "QEMU"),
        ("product=VMware Virtual Platform\n", "VMware Virtual Platform"),
        ("vendor=Dell Inc.\nhypervisor=xen\n", "xen"),
        ("hypervisor=flag\n", "an unnamed hypervisor"),
    ],
)
def test_a_virtual_machine_is_known_by_firmware_or_processor(said: str, virtual: str) -> None:
    assert facts(said)["virtual"] == virtual


def test_a_real_machine_is_not_called_virtual() -> None:
    assert "virtual" not in facts(SERVER)


def test_a_container_is_said_to_share_its_hosts_kernel() -> None:
    case, _, _ = follow(TOOL, known(), told("container=podman\nend=.\n"))
    assert case.get("host.container", "") == "podman"
    assert "machine that hosts it" in texts(case.findings)


@pytest.mark.parametrize(
    ("text", "value"),
    [("SecureBoot disabled", False), ("efi    1", True), ("efi 0", False), ("EFI vars", None)],
)
def test_secure_boot_is_told_by_mokutil_or_the_efi_variable(text: str, value: bool | None) -> None:
    assert facts(f"secure_boot={text}\n").get("secure_boot") is value


def test_a_probe_that_was_cut_short_leaves_the_programs_unknown() -> None:
    cut = SERVER.removesuffix("end=.\n")
    assert "programs" not in facts(cut)


def test_a_box_without_an_answer_is_said_to_be_silent() -> None:
    case, _, _ = follow(TOOL, known(), told("", exit_code=2))
    assert "did not answer" in texts(case.findings)
    assert not case.facts


def test_names_to_probe_are_data_and_never_script() -> None:
    command = box_tool(("x; reboot",)).plan(known())
    assert isinstance(command, Command)
    assert command.stdin == "x; reboot\n"
    assert not any("reboot" in word for word in command.argv)


def shells() -> list[tuple[str, ...]]:
    return [("sh",), ("dash",), ("bash", "--posix"), ("busybox", "sh")]


@pytest.mark.parametrize("shell", shells(), ids="-".join)
def test_every_shell_gives_the_truth_about_this_machine(shell: tuple[str, ...]) -> None:
    if not shutil.which(shell[0]):
        pytest.skip(f"{shell[0]} is not installed")
    command = TOOL.plan(known())
    assert isinstance(command, Command)
    argv = (*shell, *command.argv[1:])
    result = LocalHost().run(msgspec.structs.replace(command, argv=argv))
    assert result.status is ResultStatus.OK
    told_facts = {fact.name: fact.value for fact in TOOL.read(result, known()).facts}
    assert told_facts["host.kernel"] == os.uname().release
    assert told_facts["host.machine"] == os.uname().machine
    assert told_facts["host.uid"] == os.geteuid()
    programs = told_facts["host.programs"]
    assert isinstance(programs, tuple)
    assert "ls" in programs
    assert "no-such-program" not in programs


def test_it_works_with_nothing_on_the_path_but_the_shell() -> None:
    command = TOOL.plan(known())
    assert isinstance(command, Command)
    script = command.argv[2].replace("/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:", "")
    script = script.replace("PATH=$PATH:/usr/bin:/bin", "PATH=/nonexistent")
    argv = (shutil.which("sh") or "sh", "-c", script, "box")
    result = LocalHost().run(msgspec.structs.replace(command, argv=argv, stdin="ls\nprintf\n"))
    told_facts = {fact.name: fact.value for fact in TOOL.read(result, known()).facts}
    assert told_facts["host.uid"] == os.geteuid()
    assert told_facts["host.kernel"] == os.uname().release
    assert told_facts["host.programs"] == ("printf",)


def test_sudo_disks_and_secure_boot_are_told_with_what_follows() -> None:
    output = SERVER.replace(
        "program=dmesg", "sudo=yes\nreadonly=/\nreadonly=/var\nfull=/tmp\nprogram=dmesg", 1
    )
    known_facts = facts(output)
    assert known_facts["sudo"] is True
    assert known_facts["read_only"] == ("/", "/var")
    assert known_facts["full"] == ("/tmp",)
    case, _, _ = follow(TOOL, known(), told(output))
    said = texts(case.findings)
    assert "sudo asks for no password" in said
    assert "Not root:" not in said
    assert "Mounted read-only: /, /var" in said
    assert "Less than 16 MB free: /tmp" in said
    assert "Secure Boot is on" in said


FLOOD = "#!/bin/sh\nexec tr '\\0' x </dev/zero\n"
"""One line without end."""
MEMORY = 256 << 20
"""Bytes of address space for the shell; without a bound it needs more within the time below."""


def run_among(folder: Path, programs: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the probe in little memory, where these programs come first."""
    for name, text in programs.items():
        program = folder / name
        program.write_text(text)
        program.chmod(0o755)
    command = TOOL.plan(known())
    assert isinstance(command, Command)
    return subprocess.run(
        command.argv,
        input=command.stdin,
        env={"PATH": f"{folder}:{os.environ['PATH']}"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", ["uname", "id", "sudo", "df", "mokutil"])
def test_a_program_that_prints_without_end_does_not_fill_the_memory(
    tmp_path: Path, name: str
) -> None:
    others = {"id": "#!/bin/sh\necho 1000\n"}
    ran = run_among(tmp_path, others | {name: FLOOD})
    assert ran.stdout.endswith("end=.\n"), ran.stderr
    assert len(ran.stdout) < 1 << 20


@pytest.mark.parametrize(
    ("sudo", "known_of_it"),
    [
        ("exit 0", "sudo=yes"),
        ("echo lecture; exit 0", "sudo=yes"),
        ("echo sudo: a password is required >&2; exit 1", "sudo=asks"),
        ("echo sudo: not allowed >&2; exit 1", ""),
    ],
)
def test_what_sudo_permits_is_known(tmp_path: Path, sudo: str, known_of_it: str) -> None:
    programs = {"id": "#!/bin/sh\necho 1000\n", "sudo": f"#!/bin/sh\n{sudo}\n"}
    lines = run_among(tmp_path, programs).stdout.splitlines()
    assert [line for line in lines if line.startswith("sudo=")] == [known_of_it] * bool(known_of_it)


@pytest.mark.parametrize("name", ["given.log", "given.vmcore", "given.core", "given.program"])
def test_limits_of_this_machine_are_not_told_where_the_case_is_in_hand(name: str) -> None:
    said = SERVER.replace("end=.\n", "container=docker\nfull=/tmp\nend=.\n")
    case, _, _ = follow(TOOL, known({name: "/there"}), told(said))
    assert texts(case.findings).startswith("Less than 16 MB free: /tmp")
    assert len(case.findings) == 1
    case, _, _ = follow(TOOL, known(), told(said))
    assert "This is a container (docker)" in texts(case.findings)
