"""Every dependency is pinned with hashes, explained, and of the licence that the table says."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from itertools import product
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parent.parent
LISTS: Final = ("run", "dev", "fast", "pins")
PYTHONS: Final = ("3.11", "3.12", "3.13", "3.14")

_ENTRY: Final = re.compile(r"([a-z0-9-]+)==([\w.+!-]+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n")
_ROW: Final = re.compile(
    r"\| ([\w.-]+) \| (run|dev|fast|pins)(?:, for ([\w.-]+))? \| (.+) \| (.+) \|"
)


def entries(name: str) -> dict[str, str]:
    """Return the packages of a list with their versions; a line that is no entry fails."""
    text = (ROOT / f"requirements/{name}.txt").read_text("utf-8")
    body = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
    assert not _ENTRY.sub("", body).strip()
    return {match[1]: match[2] for match in _ENTRY.finditer(body)}


def table() -> dict[str, tuple[str, str, str]]:
    """Return for each package of the table its list, whom it is there for, and its licence."""
    lines = (ROOT / "docs/dependencies.md").read_text("utf-8").splitlines()
    rows = [match for line in lines if (match := _ROW.fullmatch(line))]
    return {
        str(canonicalize_name(row[1])): (row[2], str(canonicalize_name(row[3] or "")), row[5])
        for row in rows
    }


def project() -> dict[str, list[Requirement]]:
    """Return what pyproject.toml names, by the list that it is in."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        read = tomllib.load(file)
    extras = read["project"]["optional-dependencies"]
    named = {
        "run": read["project"]["dependencies"],
        "dev": [*extras["dev"], *extras["drgn"], *read["build-system"]["requires"]],
        "fast": extras["fast"],
    }
    return {name: [Requirement(text) for text in texts] for name, texts in named.items()}


def installed(name: str) -> Distribution | None:
    """Return a package that is installed here, or None."""
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def licence(package: Distribution) -> str:
    """Return the licence that a package's metadata states."""
    fields = package.metadata.json
    classifiers = [str(text) for text in fields.get("classifier", ())]
    named = [text.split(" :: ")[-1] for text in classifiers if text.startswith("License")]
    return str(fields.get("license_expression") or fields.get("license") or ", ".join(named))


def needed(package: Distribution, extras: tuple[str, ...] = ("",)) -> set[str]:
    """Return the names of what a package needs on Linux, with any Python that pfdoctor runs on."""
    found = set()
    for text in package.requires or ():
        one = Requirement(text)
        for version, extra in product(PYTHONS, extras):
            where = {"python_version": version, "python_full_version": f"{version}.9"}
            where["extra"] = extra
            if one.marker is None or one.marker.evaluate(where):
                found.add(str(canonicalize_name(one.name)))
    return found


@pytest.mark.parametrize("name", LISTS)
def test_every_entry_has_one_version_and_hashes_and_no_address(name: str) -> None:
    assert entries(name)
    assert "://" not in (ROOT / f"requirements/{name}.txt").read_text("utf-8")


def test_the_lists_have_what_the_project_names_in_a_version_that_it_allows() -> None:
    for name, wanted in project().items():
        pinned = entries(name)
        for one in wanted:
            assert one.specifier.contains(
                pinned[str(canonicalize_name(one.name))], prereleases=True
            )


def test_the_environment_and_the_one_file_run_with_the_same_versions() -> None:
    assert entries("run").items() <= entries("dev").items()


@pytest.mark.parametrize("name", LISTS)
def test_a_list_has_all_that_its_packages_need(name: str) -> None:
    pinned = entries(name)
    for package in filter(None, map(installed, pinned)):
        assert needed(package) <= {*pinned}, package.name


def test_nothing_is_installed_but_from_the_lists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    defined = dict(re.findall(r"^(\w+) := (.*pip install.*|\$\(PIP\).*)$", makefile, re.MULTILINE))
    assert {*defined} == {"PIP", "PINNED", "OURS"}
    assert makefile.count("pip install") == 1
    assert makefile.count("$(PIP)") == 2
    assert defined["PINNED"].endswith("--require-hashes --requirement")
    assert "--no-deps --no-build-isolation" in defined["OURS"]
    used = re.findall(r"\$\((?:PINNED|OURS)\)(.*?)(?:2>|&&|\n)", makefile)
    from_lists = r" (requirements/(run|dev|fast)|build/pyz/msgspec)\.txt.*"
    ours = {"--editable .;", "--target build/pyz/own ."}
    assert [word.strip() for word in used if not re.match(from_lists, word)]
    assert {
        word.replace("}", "").strip() for word in used if not re.match(from_lists, word)
    } == ours


def test_the_table_has_each_package_once_in_its_list() -> None:
    rows = table()
    assert {*rows} == {name for one in LISTS for name in entries(one)}
    for package, (name, needed_by, _) in rows.items():
        assert package in entries(name)
        assert name == "run" or package not in entries("run")
        assert not needed_by or needed_by in rows


def test_what_another_package_needs_names_it() -> None:
    rows = table()
    named = {str(canonicalize_name(one.name)) for ones in project().values() for one in ones}
    assert {package for package, (_, by, _) in rows.items() if not by} == named | {"pip-tools"}
    for package, (_, by, _) in rows.items():
        if by and by != "hatchling" and (holder := installed(by)):
            extras = ("", *holder.metadata.json.get("provides_extra", ()))
            assert package in needed(holder, extras), package


def test_each_licence_is_the_one_that_the_package_states() -> None:
    checked = 0
    for name, (where, _, stated) in table().items():
        package = installed(name)
        if package and package.version == entries(where)[name]:
            assert stated == licence(package), name
            checked += 1
    assert checked >= len(entries("run"))


@pytest.mark.parametrize("name", ["run", "dev", "fast"])
def test_what_is_installed_is_what_is_listed(name: str) -> None:
    for package, version in entries(name).items():
        if found := installed(package):
            assert found.version == version, package
