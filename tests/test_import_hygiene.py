"""What a command line may not import: it must start fast, also on a broken machine."""

from __future__ import annotations

import os
import subprocess
import sys
from graphlib import TopologicalSorter
from importlib.util import find_spec
from pathlib import Path

import grimp
import pytest

HEAVY = (
    *("textual", "rich", "sh", "psutil", "capstone", "elftools", "qemu"),
    "typing_extensions",
)

OOPS = """\
[    1.000000] BUG: kernel NULL pointer dereference, address: 0000000000000000
[    1.000001] #PF: supervisor write access in kernel mode
[    1.000002] #PF: error_code(0x0002) - not-present page
[    1.000003] Oops: 0002 [#1] PREEMPT SMP
[    1.000004] CPU: 0 PID: 7 Comm: insmod Tainted: G           O       6.1.0 #1
[    1.000005] RIP: 0010:demo_init+0x11/0x1000 [demo]
[    1.000006] Call Trace:
[    1.000007]  <TASK>
[    1.000008]  do_one_initcall+0x44/0x200
[    1.000009]  </TASK>
"""


def imported_by(code: str, log: Path) -> list[str]:
    """Return which heavy packages are loaded after running the code in a new interpreter."""
    script = (
        f"import sys\nlog = {str(log)!r}\n{code}\nprint(sorted(set({HEAVY}) & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stderr
    loaded: list[str] = eval(done.stdout.splitlines()[-1])
    return loaded


CALL = (
    "from pagefault_doctor.cli.main import main\ntry:\n    main({})\nexcept SystemExit:\n    pass"
)


@pytest.mark.parametrize(
    "arguments",
    [
        "['--version']",
        "['--help']",
        "['diagnose', '--help']",
        "['diagnose', '--json', log]",
        "['diagnose', log]",
        "['sessions']",
        "['playbook', 'list']",
        "['explain', 'null-deref']",
    ],
)
def test_the_command_line_starts_without_what_only_others_need(
    arguments: str, tmp_path: Path
) -> None:
    log = tmp_path / "oops.log"
    log.write_text(OOPS)
    assert imported_by(CALL.format(arguments), log) == []


PACKAGES = (
    "cli",
    "diagnosis",
    "hosts",
    "klog",
    "lab",
    "model",
    "playbook",
    "report",
    "session",
    "symbols",
    "tools",
)


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_outside_the_wizard_pulls_in_textual(package: str, tmp_path: Path) -> None:
    code = (
        "import importlib, pkgutil\n"
        f"package = importlib.import_module('pagefault_doctor.{package}')\n"
        "for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "    importlib.import_module(module.name)\n"
    )
    loaded = imported_by(code, tmp_path / "none")
    assert not {"textual", "rich"} & set(loaded)


def test_the_wizard_itself_does_load_textual(tmp_path: Path) -> None:
    assert "textual" in imported_by("import pagefault_doctor.tui.app", tmp_path / "none")


@pytest.mark.parametrize("late", ["diagnosis.ranking", "klog.reader", "klog.formats", "symbols"])
def test_the_wizard_waits_for_nothing_that_only_a_report_needs(late: str, tmp_path: Path) -> None:
    assert find_spec(f"pagefault_doctor.{late}")
    code = f"import pagefault_doctor.tui.app\nassert 'pagefault_doctor.{late}' not in sys.modules"
    imported_by(code, tmp_path / "none")


@pytest.mark.parametrize(
    "late", ["hosts", "session.event_log", "symbols.module_file", "model.command", "yaml", "html"]
)
def test_a_log_is_diagnosed_without_what_only_others_need(late: str, tmp_path: Path) -> None:
    name = late if late in ("yaml", "html") else f"pagefault_doctor.{late}"
    assert find_spec(name)
    log = tmp_path / "oops.log"
    log.write_text(OOPS)
    code = CALL.format("['diagnose', '--json', log]") + f"\nassert {name!r} not in sys.modules"
    imported_by(code, log)


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Imports inside functions and those for types only count as well: they hide a circle."""
    graph = grimp.build_graph("pagefault_doctor", cache_dir=None)
    imported = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    # Raises CycleError, which names the modules of the circle.
    TopologicalSorter(imported).prepare()


def test_the_version_is_printed_without_compiling_an_expression() -> None:
    """Compiling them took a tenth of the time of the smallest command."""
    script = (
        "import argparse, re\ncompiled = []\nbefore = re._compile\n"
        "re._compile = lambda *words: compiled.append(words[0]) or before(*words)\n"
        "from pagefault_doctor.cli.main import main\nmain(['--version'])\nprint(compiled)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[1:] == ["[]"]
