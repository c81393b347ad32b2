"""How commands run here: real processes, and what is learned of them."""

from __future__ import annotations

import errno
import gc
import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from pagefault_doctor.hosts import runner
from pagefault_doctor.model.command import Command, Result, ResultStatus
from processes import children


def run(*argv: str, **options: Any) -> Result:
    return runner.run(Command(argv=argv, tool="test", **options))


def bash(script: str, **options: Any) -> Result:
    return run("bash", "-c", script, **options)


def python(script: str, **options: Any) -> Result:
    return run(sys.executable, "-c", script, **options)


def executable(folder: Path, content: bytes) -> str:
    file = folder / "tool"
    file.write_bytes(content)
    file.chmod(0o755)
    return str(file)


def test_a_command_that_succeeds_is_ok() -> None:
    result = run("echo", "two words", "")
    assert result.ok
    assert result.exit_code == 0
    assert result.output == "two words \n"
    assert result.errors == ""
    assert result.seconds > 0


def test_arguments_are_never_read_by_a_shell() -> None:
    assert (
        run("echo", "$HOME", "`id`", "; false", "--foo=*").output == "$HOME `id` ; false --foo=*\n"
    )


def test_output_and_errors_are_kept_apart() -> None:
    result = bash("echo out; echo err >&2; echo out2")
    assert result.output == "out\nout2\n"
    assert result.errors == "err\n"


@pytest.mark.parametrize("code", [1, 2, 77, 126, 127, 255])
def test_an_exit_code_is_a_failure_with_that_code(code: int) -> None:
    result = bash(f"echo said; exit {code}")
    assert result.status is ResultStatus.FAILED
    assert result.exit_code == code
    assert result.output == "said\n"


@pytest.mark.parametrize("name", ["KILL", "SEGV", "TERM", "PIPE", "HUP"])
def test_a_signal_is_told_as_the_shell_does(name: str) -> None:
    # Not by bash: a child of ours ignores SIGHUP, and a shell keeps what was ignored.
    result = python(
        f"import os, signal; s = signal.SIG{name}; "
        "s in (9,) or signal.signal(s, signal.SIG_DFL); os.kill(os.getpid(), s)"
    )
    assert result.status is ResultStatus.SIGNALED
    assert result.exit_code == 128 + {"KILL": 9, "SEGV": 11, "TERM": 15, "PIPE": 13, "HUP": 1}[name]


def test_a_missing_program_is_missing() -> None:
    result = run("pfdoctor-no-such-tool")
    assert result.status is ResultStatus.MISSING
    assert result.exit_code is None
    assert result.errors == "pfdoctor-no-such-tool: not found"


def test_no_folder_to_run_in_is_refused() -> None:
    assert run("true", cwd="/nowhere").status is ResultStatus.REFUSED


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"echo no interpreter line\n", "Exec format error"),
        (b"\x7fELF\x02\x01\x01 nonsense", "Exec format error"),
        (b"#!/nowhere/interpreter\n", "its interpreter or its folder is missing"),
    ],
)
def test_what_the_kernel_cannot_execute_is_refused(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    tool = executable(tmp_path, content)
    result = run(tool)
    assert result.status is ResultStatus.REFUSED
    assert result.errors.startswith(f"{tool}: {reason}")


def test_an_argument_that_is_too_long_is_refused() -> None:
    result = run("echo", "x" * (1 << 20))
    assert result.status is ResultStatus.REFUSED
    assert "too long" in result.errors


def test_a_refused_start_leaves_no_child_and_no_open_file(tmp_path: Path) -> None:
    tool = executable(tmp_path, b"no format\n")
    run(tool)
    before, processes = set(os.listdir("/proc/self/fd")), children()
    for _ in range(5):
        run(tool)
    assert set(os.listdir("/proc/self/fd")) == before
    assert children() == processes


def test_no_memory_for_a_child_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_fork() -> int:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    run("true")
    files = set(os.listdir("/proc/self/fd"))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fork", no_fork)
        result = run("true")
    assert result.status is ResultStatus.REFUSED
    assert result.errors.endswith("/true: Cannot allocate memory; free some memory")
    assert gc.isenabled()
    assert set(os.listdir("/proc/self/fd")) == files
    assert run("true").ok


def test_a_run_leaves_no_thread_no_child_and_no_open_file() -> None:
    run("true")
    files, processes = set(os.listdir("/proc/self/fd")), children()
    for script in ("true", "exit 3", "kill -9 $$", "sleep 60 &"):
        bash(script)
    settled = time.monotonic() + 5
    while threading.active_count() > 1 and time.monotonic() < settled:
        time.sleep(0.01)
    assert [t.name for t in threading.enumerate() if "pid" in t.name or "Timer" in t.name] == []
    assert set(os.listdir("/proc/self/fd")) == files
    assert children() == processes


def test_nothing_is_printed_on_our_own_terminal(tmp_path: Path) -> None:
    tool = executable(tmp_path, b"no format\n")
    script = f"""
from pagefault_doctor.hosts import runner
from pagefault_doctor.model.command import Command
for argv in (["bash", "-c", "echo x; echo y >&2; exit 5"], ["bash", "-c", "kill -9 $$"],
             ["no-such-tool"], [{tool!r}], ["yes"]):
    runner.run(Command(argv=tuple(argv), tool="test", output_limit=10, timeout=5))
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert (said.stdout, said.stderr) == (b"", b"")


def test_the_child_is_in_a_session_and_group_of_its_own() -> None:
    ids = python("import os; print(os.getpid(), os.getsid(0), os.getpgrp())").output.split()
    assert len(set(ids)) == 1
    assert int(ids[0]) != os.getsid(0)


def test_the_child_sees_no_terminal() -> None:
    assert python("import os; print(*map(os.isatty, (0, 1, 2)))").output == "False False False\n"


def test_the_child_cannot_open_our_terminal() -> None:
    """Run in a fresh session whose controlling terminal is a pty, as the wizard's is."""
    script = """
import os, pty, sys
child, master = pty.fork()
if child == 0:
    os.close(os.open("/dev/tty", os.O_RDWR))
    from pagefault_doctor.hosts import runner
    from pagefault_doctor.model.command import Command
    ask = "import os\\ntry: os.open('/dev/tty', os.O_RDWR); print('opened')\\n" \\
          "except OSError as e: print(e.errno)"
    result = runner.run(Command(argv=(sys.executable, "-c", ask), tool="test"))
    os.write(1, b"[" + result.output.strip().encode() + b"]")
    os._exit(0)
said = b""
try:
    while chunk := os.read(master, 1000):
        said += chunk
except OSError:
    pass
os.waitpid(child, 0)
print(said.decode())
"""
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "[6]", "ENXIO: there is no terminal"


def test_standard_input_is_empty_unless_given() -> None:
    assert run("cat").output == ""
    assert run("cat", stdin="line\n\u20ac").output == "line\n\u20ac"


def test_a_child_that_never_reads_its_input_does_not_block_us() -> None:
    assert run("sleep", "0.1", stdin="x" * (1 << 21)).ok


def test_the_folder_and_the_environment_are_the_commands(tmp_path: Path) -> None:
    assert run("pwd", cwd=str(tmp_path)).output == f"{tmp_path}\n"
    command = Command(argv=("env",), tool="test", env={"OWN": "1", "BOTH": "command"})
    lines = runner.run(command, env={"GIVEN": "2", "BOTH": "given"}).output.splitlines()
    assert {"OWN=1", "GIVEN=2", "BOTH=command", "LC_ALL=C", "TERM=dumb"} <= set(lines)


def test_a_secret_of_ours_does_not_reach_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "secret")
    assert "secret" not in run("env").output


def test_bytes_that_are_no_text_become_harmless_text() -> None:
    result = bash(r"printf 'a\377b\033]52;c;eA==\007\302\2330m\000\342\202\254\r\n'")
    assert result.ok
    assert result.output == "a\ufffdb\\x1b]52;c;eA==\\x07\\x9b0m\\x00\u20ac\n"


def test_long_errors_are_kept_whole() -> None:
    result = python("import sys; sys.stderr.write('e' * 300_000 + 'end'); sys.exit(9)")
    assert result.exit_code == 9
    assert len(result.errors) == 300_003
    assert result.errors.endswith("end")


def test_both_streams_at_once_do_not_deadlock() -> None:
    result = python(
        "from sys import stderr, stdout\n"
        "for _ in range(50): stdout.write('o' * 10_000), stderr.write('e' * 10_000)"
    )
    assert (len(result.output), len(result.errors)) == (500_000, 500_000)


def test_a_flood_stops_at_the_limit_and_what_came_before_is_kept() -> None:
    result = run("yes", output_limit=100_001)
    assert result.status is ResultStatus.OVERFLOW
    assert result.output == "y\n" * 50_000 + "y"


def test_a_flood_of_errors_stops_too() -> None:
    result = bash("yes >&2", output_limit=1000)
    assert result.status is ResultStatus.OVERFLOW
    assert len(result.errors) == 1000


def test_output_of_exactly_the_limit_is_no_overflow() -> None:
    assert run("printf", "1234", output_limit=4).ok
    assert run("printf", "12345", output_limit=4).status is ResultStatus.OVERFLOW


def test_a_gigabyte_does_not_fill_our_memory() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = bash("yes 'a line of a kernel log' | head -c 1G", output_limit=1 << 20)
    assert result.status is ResultStatus.OVERFLOW
    assert len(result.output) == 1 << 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40 << 10


def test_live_output_comes_in_whole_lines_while_the_command_runs(tmp_path: Path) -> None:
    """It goes on only when its first line was seen."""
    seen: list[str] = []

    def listen(text: str) -> None:
        seen.append(text)
        (tmp_path / "seen").touch()

    script = (
        "printf 'one\\ntw'; until [ -e seen ]; do sleep 0.02; done; "
        "printf 'o\\n'; echo e >&2; printf 'end'"
    )
    argv = ("bash", "-c", script)
    result = runner.run(Command(argv=argv, tool="test", cwd=str(tmp_path)), listen)
    assert seen[0] == "one\n"
    assert "".join(text for text in seen if text != "e\n") in (
        "one\ntwo\nend",
        "one\ntwo\ne\nend",
    )
    assert result.output == "one\ntwo\nend"


def test_a_flood_of_lines_does_not_drown_the_listener() -> None:
    seen: list[str] = []
    script = "for i in $(seq 150); do echo $i; sleep 0.005; done"
    result = runner.run(Command(argv=("bash", "-c", script), tool="test"), seen.append)
    assert len(seen) <= 4 * result.seconds + 3
    assert "".join(seen) == result.output


def test_commands_may_run_side_by_side() -> None:
    results: list[Result] = []
    threads = [
        threading.Thread(
            target=lambda n=n: results.append(run("bash", "-c", f"sleep 0.2; echo {n}"))
        )
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result.output for result in results) == ["0\n", "1\n", "2\n", "3\n"]


def test_importing_the_runner_does_not_import_sh() -> None:
    script = (
        "import sys, pagefault_doctor.hosts.local, pagefault_doctor.hosts.vitals as v; "
        "assert not {'sh', 'psutil', 'asyncio'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
