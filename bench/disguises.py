"""What is said of every labelled log when it is cut or disguised.

    [PFDOCTOR_CORPUS=FOLDER] .venv/bin/python bench/disguises.py [--one-in N] [--show WORD]
        [--only WORDS] [scenarios] [crashes] [corpus]

For each cut and each form (tests/disguises) it prints how often the answer stays the same, how
often it is another but doubtful one, how often nothing is found in what is left (silent) and how
often something wrong is said with 90 % or more (surely wrong), and in how many a cut makes the
same answer surer. --show lists the logs of an outcome.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from disguises.cuts import CUTS
from disguises.forms import FORMS
from disguises.labelled import SOURCES, Paste, is_chosen, pastes
from disguises.outcome import OUTCOMES, Outcome, tried

Row = tuple[str, str, Outcome]


def main() -> None:
    """Print a table of the outcomes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--one-in", type=int, default=1, help="a sample of the logs, by hash")
    parser.add_argument("--only", default="", help="disguises whose names hold these words")
    parser.add_argument("--show", action="append", default=[], choices=OUTCOMES, metavar="OUTCOME")
    parser.add_argument("source", nargs="*", metavar="SOURCE", help=" ".join(SOURCES))
    args = parser.parse_args()
    chosen = [p for p in pastes(*args.source) if is_chosen(p.name, args.one_in)]
    names = [name for name in (*CUTS, *FORMS) if args.only in name]
    with ProcessPoolExecutor() as pool:
        each = pool.map(partial(_outcomes, names=names), chosen, chunksize=4)
        rows = [
            (paste.name, *told)
            for paste, all_of in zip(chosen, each, strict=True)
            for told in all_of
        ]
    _print_table(names, rows)
    for paste, name, outcome in rows:
        if outcome.name in args.show:
            print(f"{name}: {paste}: {outcome}")


def _outcomes(paste: Paste, names: list[str]) -> list[tuple[str, Outcome]]:
    return list(tried(paste, names))


def _print_table(names: list[str], rows: list[Row]) -> None:
    print(f"{'':32}{'logs':>6}" + "".join(f"{name:>14}" for name in OUTCOMES))
    for name in (*names, "all"):
        found = Counter(o.name for _, disguise, o in rows if name in (disguise, "all"))
        print(f"{name:32}{sum(found.values()):6}" + "".join(f"{found[o]:14}" for o in OUTCOMES))


if __name__ == "__main__":
    main()
