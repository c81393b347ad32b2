"""The command line as a whole: help that teaches, errors in one line, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from pagefault_doctor import __version__
from pagefault_doctor.cli.main import SUBCOMMANDS, main

Capture = pytest.CaptureFixture[str]


def test_version(capsys: Capture) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"pfdoctor {__version__}\n"


def test_help_lists_every_subcommand_and_the_exit_codes(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert all(name in told for name in SUBCOMMANDS)
    assert "130" in told


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_subcommand_explains_itself(name: str, capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert f"pfdoctor {name}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("word", "hint"), [("diagnos", "did you mean diagnose"), ("/etc/passwd", "pfdoctor diagnose")]
)
def test_a_wrong_word_gets_a_hint(word: str, hint: str, capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        main([word])
    assert ended.value.code == 2
    assert hint in capsys.readouterr().err


def test_a_reader_that_leaves_early_is_no_error() -> None:
    shell = f"{sys.executable} -m pagefault_doctor playbook schema | head -c 5"
    done = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""


def test_explain_names_cause_remedy_and_proof(capsys: Capture) -> None:
    assert main(["explain", "null-deref"]) == 0
    told = capsys.readouterr().out
    assert "How it shows" in told
    assert "How the fix is proven" in told
    assert main(["explain", "gremlins"]) == 2
    assert main(["explain"]) == 0


def test_playbooks_are_listed_shown_and_checked(capsys: Capture, tmp_path: object) -> None:
    assert main(["playbook", "list"]) == 0
    assert "kernel-page-fault" in capsys.readouterr().out
    assert main(["playbook", "show", "kernel-page-fault"]) == 0
    assert "check-logs" in capsys.readouterr().out
    assert main(["playbook", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)
    assert main(["playbook", "show"]) == 2
    assert main(["playbook", "show", "kernel-page-fal"]) == 2
    assert "kernel-page-fault" in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_the_subcommands(shell: str, capsys: Capture) -> None:
    assert main(["completion", shell]) == 0
    assert "diagnose" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform != "linux", reason="kernel tools")
def test_preflight_gives_every_blocked_tool_a_remedy(capsys: Capture) -> None:
    assert main(["preflight", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["host"]["host.kernel"]
    tools = document["tools"]
    assert {"dmesg", "crash", "stress-ng", "gdb-module"} <= {row["tool"] for row in tools}
    assert all(row["works"] or (row["reason"] and row["remedy"]) for row in tools)
