"""How right the diagnosis is about the crashes in tests/crashes, by kernel, cause and place.

    .venv/bin/python bench/crashes.py [--folder FOLDER] [--wrong] [KERNEL...]

KERNEL is ARCH-VERSION as in tests/crashes/logs; none are all. With --folder the logs are read from
folders of `make crashes` instead. --wrong lists each wrong answer beside the truth.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from crashes.corpus import LOGS, Case, Judged, cases, judge, kernels

COLUMNS: Final = ("detected", "cause", "who", "module", "function", "spoken")
"""What is judged, as `Judged` has it."""

GROUPS: Final[dict[str, Callable[[Case], str]]] = {
    "kernel": lambda case: case.kernel,
    "architecture": lambda case: case.arch,
    "cause": lambda case: case.cause,
    "place": lambda case: str(case.made["where"]),
}
"""By what the tables group the cases."""

Row = tuple[Case, Judged]


def main() -> None:
    """Judge the cases, and print a table for each way to group them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, help="folders of logs, one for each kernel")
    parser.add_argument("--wrong", action="store_true", help="list the wrong answers")
    parser.add_argument("kernel", nargs="*")
    args = parser.parse_args()
    chosen = tuple(_cases(args.folder, args.kernel))
    if not chosen:
        sys.exit(f"no logs of {' '.join(args.kernel) or 'crashes'} in {args.folder or LOGS}")
    with ProcessPoolExecutor() as pool:
        rows = tuple(zip(chosen, pool.map(judge, chosen, chunksize=8), strict=True))
    if args.wrong:
        _print_wrong(rows)
    for title, key in GROUPS.items():
        _print_table(title, key, rows)


def _cases(folder: Path | None, names: list[str]) -> Iterator[Case]:
    if folder is None:
        for kernel in names or kernels():
            yield from cases(kernel)
        return
    for path in sorted(folder.glob("*/*.json")):
        if not names or path.parent.name in names:
            told = json.loads(path.read_text())
            log = path.with_suffix(".log").read_bytes()
            yield Case(path.parent.name, path.stem, log, told["expected"], told["made"])


def _print_table(title: str, key: Callable[[Case], str], rows: Iterable[Row]) -> None:
    groups: dict[str, list[Judged]] = defaultdict(list)
    for case, judged in rows:
        groups[key(case)].append(judged)
        groups["all"].append(judged)
    print(f"{title:20}{'cases':>6}" + "".join(f"{name:>10}" for name in (*COLUMNS, "sure")))
    for name in sorted(groups, key=lambda name: (name == "all", name)):
        judged = groups[name]
        cells = "".join(_percent([getattr(j, column) for j in judged]) for column in COLUMNS)
        sure = _percent([j.cause and j.who for j in judged if j.sure])
        print(f"{name:20}{len(judged):6}{cells}{sure}")
    print()


def _percent(answers: list[bool | None]) -> str:
    asked = [answer for answer in answers if answer is not None]
    return f"{100 * sum(asked) / len(asked):8.1f} %" if asked else f"{'-':>10}"


def _print_wrong(rows: Iterable[Row]) -> None:
    for case, judged in rows:
        wrong = [column for column in COLUMNS if getattr(judged, column) is False]
        if wrong:
            print(f"{case.kernel}/{case.name}: {', '.join(wrong)}")
            print(f"  said {judged.said}\n  true {_truth(case)}")
    print()


def _truth(case: Case) -> str:
    fields = ("root_cause_class", "attribution", "module", "function")
    words = ("silent",) if case.made["silent"] else (str(case.expected[f]) for f in fields)
    return " ".join(words)


if __name__ == "__main__":
    main()
