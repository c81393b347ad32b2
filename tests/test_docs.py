"""The documentation names only what exists: paths, classes and functions, tests, `make` targets."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from pagefault_doctor import klog
from pagefault_doctor.cli.main import SUBCOMMANDS
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.model.diagnosis import RootCause

ROOT: Final = Path(__file__).parent.parent
PACKAGE: Final = ROOT / "pagefault_doctor"
DOCS: Final = sorted((ROOT / "docs").glob("*.md"))
FILES: Final = ("README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in DOCS))
ROOTS: Final = (ROOT, PACKAGE, ROOT / "tests")
"""Where paths in the documentation begin."""

_INDENTED: Final = re.compile(r"^    .*$", re.MULTILINE)
_CODE: Final = re.compile(r"`([^`\n]+)`")
_PATH: Final = re.compile(r"[\w.-]*(?:/[\w.-]+)*(?:\.(?:py|sh|md|yaml|toml|txt|svg|tcss|patch)|/)")
_FENCED: Final = re.compile(r"^```\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK: Final = re.compile(r"\]\(([^)#:]+)\)")
_MAKE: Final = re.compile(r"\bmake ([a-z][a-z-]*)")
_OPTION: Final = re.compile(r"PFDOCTOR_[A-Z_]+")
_CLASS: Final = re.compile(r"(?:[A-Z][a-z]+){2,}")
_NAME: Final = re.compile(r"[A-Z][A-Za-z]+\.([a-z_]+)|(_?[A-Z][A-Z_]{3,})|([a-z]+(?:_[a-z]+)+)")
_DEFINED: Final = re.compile(r"(?:def|class) (\w+)|\b(\w+)(?:: | = )")
BUILT: Final = {"dist/pfdoctor.pyz", "pfdoctor.pyz", ".venv/", "dist/", "build/", "/"}
"""Paths that a build makes."""
NOT_OURS: Final = {"NO_COLOR", "do_init_module"}
"""Names of the kernel and of terminals."""


def text_of(file: str) -> str:
    """Return a file of the documentation."""
    return (ROOT / file).read_text("utf-8")


def quoted(file: str) -> list[str]:
    """Return what stands between backquotes in a file."""
    return _CODE.findall(text_of(file))


def source() -> str:
    """Return the code and the tests, in which names are looked for."""
    files = (*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py"))
    return "\n".join(p.read_text("utf-8") for p in files if p.name != Path(__file__).name)


@cache
def defined() -> set[str]:
    """Return the names of the functions, classes and variables in the code and the tests."""
    return {name for names in _DEFINED.findall(source()) for name in names}


@pytest.mark.parametrize("file", FILES)
def test_every_path_exists(file: str) -> None:
    words = [word for code in quoted(file) for word in code.split()]
    paths = {word for word in words if _PATH.fullmatch(word) and "NAME" not in word} - BUILT
    assert not {path for path in paths if not any((root / path).exists() for root in ROOTS)}


@pytest.mark.parametrize("file", FILES)
def test_every_link_leads_to_a_file(file: str) -> None:
    here = (ROOT / file).parent
    assert not [link for link in _LINK.findall(text_of(file)) if not (here / link).exists()]


@pytest.mark.parametrize("file", FILES)
def test_every_name_is_in_the_code(file: str) -> None:
    names = {name for word in quoted(file) if (match := _NAME.fullmatch(word.rstrip("()")))
             for name in match.groups() if name}  # fmt: skip
    names |= {word for word in quoted(file) if _CLASS.fullmatch(word)}
    names = {name for name in names - NOT_OURS if not _OPTION.fullmatch(name)}
    assert not names - defined()


@pytest.mark.parametrize("file", FILES)
def test_every_environment_variable_is_read_somewhere(file: str) -> None:
    everywhere = source() + "".join(path.read_text() for path in (ROOT / "bench").glob("*.py"))
    assert not [name for name in _OPTION.findall(text_of(file)) if f'"{name}"' not in everywhere]


@pytest.mark.parametrize("file", FILES)
def test_every_make_target_exists(file: str) -> None:
    makefile = text_of("Makefile")
    code = " ".join((*quoted(file), *_INDENTED.findall(text_of(file))))
    targets = _MAKE.findall(code)
    assert not [name for name in targets if not re.search(rf"^{name}:", makefile, re.MULTILINE)]


@pytest.mark.parametrize("file", FILES)
def test_every_subcommand_exists(file: str) -> None:
    code = "\n".join((*quoted(file), *_INDENTED.findall(text_of(file))))
    used = set(re.findall(r"^(?:.*[|&] )?\s*pfdoctor ([a-z]+)\b", code, re.MULTILINE))
    assert used <= {*SUBCOMMANDS}


def test_the_map_has_every_package() -> None:
    listed = {code.rstrip("/") for code in quoted("CONTRIBUTING.md") if code.endswith("/")}
    packages = {
        str(init.parent.relative_to(PACKAGE))
        for depth in ("*/__init__.py", "tools/*/__init__.py", "klog/*/__init__.py")
        for init in PACKAGE.glob(depth)
    }
    assert packages <= listed


def test_a_newcomer_can_read_the_guide_in_ten_minutes() -> None:
    assert len(text_of("CONTRIBUTING.md").encode()) <= 8192


def test_the_checks_find_what_is_missing() -> None:
    assert _PATH.fullmatch("tools/gone.py")
    assert _PATH.fullmatch("klog/gone/")
    assert _MAKE.findall("make gone") == ["gone"]
    assert _NAME.fullmatch("Walk.gone")
    assert _CLASS.fullmatch("GoneScreen")


@pytest.mark.parametrize("report", _FENCED.findall(text_of("docs/kernels.md")))
def test_the_answer_to_each_report_shown_is_the_one_promised(report: str) -> None:
    lines = (f"[   10.{100000 + n}] {line}" for n, line in enumerate(report.splitlines()))
    log = klog.read("\n".join(lines).encode(), "kernels.md")
    verdict = diagnose((log,), {}).verdict
    assert (verdict.root_cause, verdict.module) == (RootCause.NULL_DEREF, "faulty")
    assert log.reports[0].function == "faulty_init"
