"""Record what pfdoctor prints of every log and recording, and compare two such records.

    [PFDOCTOR_CORPUS=FOLDER] .venv/bin/python bench/same.py write FILE
    .venv/bin/python bench/same.py compare BEFORE AFTER

`write` runs the command line on each log of the corpus, the scenarios and the tests (JSON and text)
and on each recording (JSON), from this checkout. `compare` prints the values that differ, and exits
with 1 where any does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent.parent
_MOST: Final = 200
"""Differences that are printed."""
_RUN: Final = [sys.executable, "-m", "pagefault_doctor"]


def logs() -> list[Path]:
    """Return every log of the corpus, the scenarios and the tests."""
    folders = [HERE / "playbooks", HERE / "tests"]
    if corpus := os.environ.get("PFDOCTOR_CORPUS"):
        folders.append(Path(corpus).resolve())
    kinds = ("*.log", "*.txt", "*.dmesg")
    return sorted(p for folder in folders for kind in kinds for p in folder.rglob(kind))


def named(path: Path) -> str:
    """Return a path that two checkouts share."""
    return "/".join(path.parts[-2:]) if HERE not in path.parents else str(path.relative_to(HERE))


def answers(path: Path) -> tuple[str, dict[str, Any]]:
    """Return what the command line prints for a log or a recording."""
    if path.suffix == ".jsonl":
        printed = _printed("report", str(path), "--format", "json")
        return named(path), {"json": json.loads(printed)}
    found = json.loads(_printed("diagnose", "--json", path.name, folder=path.parent))
    return named(path), {"json": found, "text": _printed("diagnose", path.name, folder=path.parent)}


def _printed(*words: str, folder: Path = HERE) -> str:
    run = subprocess.run(
        [*_RUN, *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(HERE)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if run.returncode:
        sys.exit(f"{' '.join(words)}: exit {run.returncode}\n{run.stderr}")
    return run.stdout


def write(file: Path) -> None:
    """Write one line of JSON for each log and recording."""
    recordings = sorted((HERE / "playbooks").rglob("*.jsonl"))
    with ThreadPoolExecutor(os.cpu_count()) as pool, file.open("w", encoding="utf-8") as out:
        for name, said in pool.map(answers, [*logs(), *recordings]):
            out.write(json.dumps({"name": name, **said}) + "\n")


def differences(before: Any, after: Any, where: str = "") -> Iterator[str]:
    """Yield a line for each value that differs."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from differences(before.get(key), after.get(key), f"{where}.{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, pair in enumerate(zip(before, after, strict=True)):
            yield from differences(*pair, f"{where}[{index}]")
    elif before != after:
        yield f"{where}\n  - {before!r:.300}\n  + {after!r:.300}"


def compare(before: Path, after: Path) -> int:
    """Print what differs between two files, and return how many values do."""
    old, new = (
        {line["name"]: line for line in map(json.loads, file.open(encoding="utf-8"))}
        for file in (before, after)
    )
    found = [
        f"{name}{line}"
        for name in [*old, *(name for name in new if name not in old)]
        for line in differences(old.get(name), new.get(name))
    ]
    print(*found[:_MOST], sep="\n")
    print(f"{len(old)} before, {len(new)} after, {len(found)} values differ")
    return len(found)


def main() -> None:
    """Write or compare, as the command line says."""
    match sys.argv[1:]:
        case ["write", file]:
            write(Path(file))
        case ["compare", before, after]:
            sys.exit(1 if compare(Path(before), Path(after)) else 0)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
