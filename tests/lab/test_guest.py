"""Commands in a real guest that a real kernel runs."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from pagefault_doctor.lab.guest import GuestHost
from pagefault_doctor.model.command import Command, Result, ResultStatus

pytestmark = pytest.mark.lab

HOSTILE = ("a  b", "$(touch /tmp/pwned)", "`id`", "';x", '"', "\n", "*", "", "-n", "\\", "é", "!")


def run(guest: GuestHost, *argv: str, **options: Any) -> Result:
    return guest.run(Command(argv=argv, tool="test", **options))


def test_a_command_gives_both_streams_and_its_status(guest: GuestHost) -> None:
    result = run(guest, "sh", "-c", "echo out; echo err >&2; exit 3")
    assert (result.status, result.exit_code) == (ResultStatus.FAILED, 3)
    assert (result.output, result.errors) == ("out\n", "err\n")


def test_words_arrive_as_they_are(guest: GuestHost) -> None:
    result = run(guest, "printf", "<%s>", *HOSTILE)
    assert result.output == "".join(f"<{word}>" for word in HOSTILE)
    assert run(guest, "test", "-e", "/tmp/pwned").exit_code == 1


def test_input_folder_and_environment_are_the_commands_own(guest: GuestHost) -> None:
    script = "pwd; echo $GREETING; cat"
    result = run(
        guest, "sh", "-c", script, cwd="/usr/bin", env={"GREETING": "it's"}, stdin="last\n"
    )
    assert result.output == "/usr/bin\nit's\nlast\n"


def test_a_program_that_is_not_there_is_missing(guest: GuestHost) -> None:
    result = run(guest, "no-such-program")
    assert (result.status, result.exit_code) == (ResultStatus.MISSING, None)


def test_a_signal_is_told(guest: GuestHost) -> None:
    result = run(guest, "sh", "-c", "kill -SEGV $$")
    assert (result.status, result.exit_code) == (ResultStatus.SIGNALED, 139)


def test_a_command_is_ended_at_its_deadline_with_its_children(guest: GuestHost) -> None:
    result = run(guest, "sh", "-c", "echo begun; sleep 61 & sleep 62", timeout=1)
    assert (result.status, result.output) == (ResultStatus.TIMEOUT, "begun\n")
    assert result.seconds < 6
    processes = run(guest, "ps", "-e", "-o", "args").output
    assert "sleep 6" not in processes


def test_what_a_command_says_is_told_while_it_runs(guest: GuestHost) -> None:
    heard: list[tuple[float, str]] = []
    began = time.monotonic()
    script = "echo first; echo odd >&2; printf half; sleep 5; echo done; printf last"
    result = guest.run(
        Command(argv=("sh", "-c", script), tool="test"),
        lambda text: heard.append((time.monotonic() - began, text)),
    )
    assert result.output == "first\nhalfdone\nlast"
    early = "".join(text for at, text in heard if at < result.seconds - 1)
    assert sorted(early.splitlines()) == ["first", "odd"]
    assert sorted("".join(text for _, text in heard)) == sorted(result.output + result.errors)


def test_a_cancelled_command_is_ended(guest: GuestHost) -> None:
    cancel = threading.Event()
    threading.Timer(0.5, cancel.set).start()
    result = guest.run(Command(argv=("sleep", "60"), tool="test"), cancel=cancel)
    assert result.status is ResultStatus.CANCELLED
    assert run(guest, "true").ok


def test_too_much_output_is_cut(guest: GuestHost) -> None:
    result = run(guest, "head", "-c", "5000", "/dev/zero", output_limit=10)
    # The limit counts what is kept: a NUL is kept as four characters.
    assert (result.status, result.output) == (ResultStatus.OVERFLOW, (r"\x00" * 10)[:10])


def test_requests_arrive_whole_while_orphans_end(guest: GuestHost) -> None:
    script = "setsid sh -c 'for n in $(seq 3000); do (sleep 0.01 &); done' >/dev/null 2>&1 &"
    assert run(guest, "sh", "-c", script).ok
    assert all(run(guest, "true", timeout=10).ok for _ in range(60))


@pytest.mark.parametrize(
    "command",
    [
        Command(argv=(), tool="test"),
        Command(argv=("a\0b",), tool="test"),
        Command(argv=("\udc80",), tool="test"),
        Command(argv=("true",), tool="test", env={"A B": "c"}),
        Command(argv=("true", "x" * 60_000), tool="test"),
    ],
    ids=("no program", "NUL", "no text", "bad name", "too long"),
)
def test_what_cannot_be_handed_over_is_refused(guest: GuestHost, command: Command) -> None:
    assert guest.run(command).status is ResultStatus.REFUSED
    assert run(guest, "true").ok


@pytest.mark.parametrize(
    "name", ["dmesg", "lsmod", "modinfo", "insmod", "modprobe", "rmmod", "find", "df", "uname"]
)
def test_the_programs_of_the_steps_are_there(guest: GuestHost, name: str) -> None:
    assert run(guest, "sh", "-c", f"command -v {name}").ok


def test_it_looks_like_a_box(guest: GuestHost) -> None:
    assert run(guest, "hostname").output == "lab\n"
    assert run(guest, "id", "-un").output == "root\n"
    assert "ID=" in run(guest, "cat", "/etc/os-release").output
    assert "faulty.ko" in run(guest, "modinfo", "faulty").output


def test_an_oops_kills_the_command_and_leaves_the_guest_to_be_examined(
    fresh_guest: GuestHost,
) -> None:
    assert run(fresh_guest, "modprobe", "faulty").status is ResultStatus.SIGNALED
    log = run(fresh_guest, "dmesg").output
    assert "BUG: kernel NULL pointer dereference, address: 0000000000000000" in log
    assert "RIP: 0010:faulty_init+0x" in log
    assert run(fresh_guest, "cat", "/sys/module/faulty/initstate").output == "coming\n"


def test_a_panic_is_told_with_the_end_of_the_console(fresh_guest: GuestHost) -> None:
    run(fresh_guest, "sysctl", "-w", "kernel.panic_on_oops=1")
    result = run(fresh_guest, "modprobe", "faulty", timeout=60)
    assert (result.status, result.exit_code) == (ResultStatus.FAILED, None)
    assert "Kernel panic - not syncing: Fatal exception" in result.errors
    assert result.seconds < 30
    after = run(fresh_guest, "true")
    assert (after.status, after.errors) == (
        ResultStatus.FAILED,
        "The guest's kernel has panicked.",
    )


@pytest.mark.parametrize(
    ("key", "told"), [("b", "it rebooted"), ("o", "it was shut down from inside")]
)
def test_a_reboot_or_a_shutdown_is_told(key: str, told: str, fresh_guest: GuestHost) -> None:
    script = f"echo {key} >/proc/sysrq-trigger; sleep 20"
    result = run(fresh_guest, "sh", "-c", script)
    assert result.status is ResultStatus.FAILED
    assert f"The guest has gone: {told}." in result.errors
    assert result.seconds < 15


def test_a_panic_is_told_by_qemu_where_the_console_is_silent(fresh_guest: GuestHost) -> None:
    run(fresh_guest, "sysctl", "-w", "kernel.printk=0")
    result = run(fresh_guest, "sh", "-c", "echo c >/proc/sysrq-trigger; sleep 20", timeout=60)
    assert result.status is ResultStatus.FAILED
    assert result.errors.startswith("The guest's kernel has panicked.")
    assert result.seconds < 15


def test_a_paused_guest_is_told_apart_from_one_that_hangs(fresh_guest: GuestHost) -> None:
    threading.Timer(0.5, fresh_guest.machine.pause).start()
    result = run(fresh_guest, "sleep", "30", timeout=2)
    assert result.status is ResultStatus.TIMEOUT
    assert result.errors.startswith("The guest is paused")
