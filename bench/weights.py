"""What the confidence of the diagnosis is worth: a reliability table, and its fit.

    [PFDOCTOR_CORPUS=FOLDER] .venv/bin/python bench/weights.py [--wrong]

A case is a log with a known answer: the scenarios, `tests/crashes`, `tests/strangers` and, where
PFDOCTOR_CORPUS names it, a corpus of strangers' logs. Each is also tried in the poorer forms that
people paste: without its headline, its registers, its code, its trace. An answer is right where
its cause and who has to act both are. `CONFIDENCE` of `diagnosis/weights.py` is fitted (logistic
regression that keeps to the present shape, `diagnosis/confidence.py`), in cross-validation that
leaves out a whole family of logs at a time. Nothing is written: a person decides.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import exp, log
from pathlib import Path
from typing import Any, Final, NamedTuple

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import ranking
from pagefault_doctor.diagnosis.confidence import highest, signs
from pagefault_doctor.diagnosis.contexts import context_of
from pagefault_doctor.diagnosis.unjudged import Unjudged
from pagefault_doctor.diagnosis.weights import CONFIDENCE, HIGHEST
from pagefault_doctor.model.main_report import main_report
from pagefault_doctor.playbook import shelf

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from crashes import corpus
from strangers.logs import strangers

WHOLE: Final = "whole"
_FAULT: Final = re.compile(
    r"BUG:|general protection|Oops|Unable to handle|Internal error|#PF|Kernel"
)
_REGISTERS: Final = re.compile(r"\bR(?:AX|DX|SI|BP|10|13|SP)\b|\b[xr]\d+\s*: |\bpc : |\bEAX\b")
_FRAME: Final = re.compile(r"\S\+0x[0-9a-f]+/0x[0-9a-f]+|Call Trace|</?TASK>")
_PLACE: Final = re.compile(r"\bRIP\b|\bpc : |\bPC is at|\bEIP\b|\bIP:")
DEGRADED: Final[dict[str, Callable[[str], bool]]] = {
    "no headline": lambda line: bool(_FAULT.search(line)),
    "no registers": lambda line: bool(_REGISTERS.search(line)) and not _PLACE.search(line),
    "no code": lambda line: "Code: " in line,
    "no trace": lambda line: bool(_FRAME.search(line)) and not _PLACE.search(line),
}
"""The lines that each poorer form of a log lacks, within its report."""

_CRASHES_COUNT_AS: Final = 100.0
"""The weight of all crashes together, in logs: thousands of them must not outweigh strangers'."""
_PULL: Final = 3.0
"""The cost of a coefficient of 1, squared, in cases: keeps small what few cases show."""
_LACKS: Final = "lacks."
"""How the keys of parts that a report lacks begin: none of them may make an answer surer."""
_STEPS: Final = 300
_BINS: Final = ((0.0, 0.5), (0.5, 0.75), (0.75, 0.9), (0.9, 1.01))


class Truth(NamedTuple):
    """The causes and the attributions that count as right."""

    causes: frozenset[str]
    attributions: frozenset[str]


class Labelled(NamedTuple):
    """A log with its answer. Logs of a `family` are left out together; `weight` is in logs."""

    name: str
    family: str
    weight: float
    text: str
    truth: Truth


class Case(NamedTuple):
    """A log in one form, its answer before it is judged as a whole, and whether that is right."""

    name: str
    family: str
    form: str
    weight: float
    likely: float
    keys: frozenset[str]
    right: bool


def labelled() -> Iterator[Labelled]:
    """Give every labelled log."""
    for name in shelf.scenario_ids():
        text = (shelf.recording_path(name).parent / "serial.log").read_text("utf-8", "replace")
        truth = _truth_of_scenario(name)
        yield Labelled(name, "scenarios", 1.0, text, truth)
    crashes = [case for kernel in corpus.kernels() for case in corpus.cases(kernel)]
    for case in crashes:
        weight = _CRASHES_COUNT_AS / len(crashes)
        text = case.log.decode("utf-8", "replace")
        yield Labelled(f"{case.kernel}/{case.name}", "crashes", weight, text, _truth(case.expected))
    for each in strangers():
        family = f"strangers/{each.name.split('-')[1]}"
        yield Labelled(each.name, family, 1.0, each.log, _truth(each.expected))
    folder = os.environ.get("PFDOCTOR_CORPUS")
    for path in sorted(Path(folder).rglob("*.json")) if folder else ():
        label = json.loads(path.read_text())
        expected = label.get("expected", {}) if isinstance(label, dict) else {}
        if "root_cause_class" in expected:
            family = f"{path.parent.name}/{path.stem[0]}"
            text = path.with_suffix(".log").read_text("utf-8", "replace")
            yield Labelled(path.stem, family, 1.0, text, _truth(expected))


def _truth_of_scenario(name: str) -> Truth:
    scenario = shelf.scenario(name)
    return Truth(frozenset({scenario.root_cause}), frozenset({scenario.attribution}))


def _truth(expected: Mapping[str, Any]) -> Truth:
    """Return what a label of that form accepts."""
    causes = {expected["root_cause_class"], *expected.get("root_cause_also", ())}
    whos = {expected["attribution"], *expected.get("attribution_also", ())}
    return Truth(frozenset(causes), frozenset(whos))


def forms(text: str) -> Iterator[tuple[str, str]]:
    """Give a log and its poorer forms, each with its name."""
    yield WHOLE, text
    kernel_log = klog.read(text.encode(), "log")
    index = main_report((kernel_log,))
    if index is None:
        return
    span, lines = kernel_log.reports[index].span, text.splitlines(keepends=True)
    for name, drops in DEGRADED.items():
        first, last = span.first_line - 1, span.last_line
        kept = [line for line in lines[first:last] if not drops(line)]
        if len(kept) < last - first:
            yield name, "".join((*lines[:first], *kept, *lines[last:]))


def cases() -> Iterator[Case]:
    """Give every labelled log in all its forms that still hold a report."""
    for log_ in labelled():
        found = tuple(forms(log_.text))
        for form, text in found:
            if case := judge(log_, form, text, log_.weight / len(found)):
                yield case


def judge(labelled_log: Labelled, form: str, text: str, weight: float) -> Case | None:
    """Return the answer to a log in one form, or None where it has no report."""
    kernel_log = klog.read(text.encode(), labelled_log.name)
    index = main_report((kernel_log,))
    if index is None:
        return None
    report = kernel_log.reports[index]
    first = ranking.candidates(report, context_of(report, kernel_log, {}), Unjudged())[0]
    truth = labelled_log.truth
    right = first.root_cause in truth.causes and first.attribution in truth.attributions
    keys = frozenset(signs(report, first))
    return Case(labelled_log.name, labelled_log.family, form, weight, first.confidence, keys, right)


def said(model: Mapping[str, float], case: Case) -> float:
    """Return the confidence of a case's answer, as `diagnosis/confidence.py` works it out."""
    return min(_chance(model, case), highest(case.keys))


def _chance(model: Mapping[str, float], case: Case) -> float:
    likely = min(max(case.likely, 0.02), HIGHEST)
    odds = log(likely / (1 - likely)) + model["base"] + sum(model.get(key, 0) for key in case.keys)
    return 1 / (1 + exp(-odds))


def fitted(group: Sequence[Case]) -> dict[str, float]:
    """Return the coefficients that fit the cases best. What is missing never raises them."""
    model = {key: -0.1 * key.startswith(_LACKS) for key in CONFIDENCE}
    start = dict(model)
    for _ in range(_STEPS):
        slopes = {key: _PULL * (model[key] - start[key]) for key in model}
        bends = dict.fromkeys(model, _PULL)
        for case in group:
            chance = _chance(model, case)
            for key in ("base", *case.keys):
                slopes[key] += case.weight * (chance - case.right)
                bends[key] += case.weight * chance * (1 - chance)
        for key in model:
            moved = model[key] - 0.3 * slopes[key] / bends[key]
            model[key] = min(moved, 0.0) if key.startswith(_LACKS) else moved
    return model


def crossed(every: Sequence[Case]) -> list[tuple[float, Case]]:
    """Return each case with the confidence of a model that was fitted without its family."""
    found = []
    for family in sorted({case.family for case in every}):
        model = fitted([case for case in every if case.family != family])
        found += [(said(model, case), case) for case in every if case.family == family]
    return found


def table(answers: Iterable[tuple[float, Case]]) -> Iterator[str]:
    """Give the lines of a reliability table, in Markdown."""
    yield "| confidence | cases | right | share | mean confidence |"
    yield "|---|---|---|---|---|"
    answers = tuple(answers)
    for low, high in _BINS:
        inside = [(chance, case) for chance, case in answers if low <= chance < high]
        weight = sum(case.weight for _, case in inside)
        if not weight:
            continue
        mean = sum(chance * case.weight for chance, case in inside) / weight
        right = sum(case.weight for _, case in inside if case.right)
        name = f"{low:.0%} to {min(high, 1):.0%}"
        yield f"| {name} | {weight:.0f} | {right:.0f} | {right / weight:.0%} | {mean:.0%} |"


def brier(answers: Iterable[tuple[float, Case]]) -> float:
    """Return the mean squared difference between what was said and what was right."""
    answers = tuple(answers)
    weight = sum(case.weight for _, case in answers)
    return sum(case.weight * (chance - case.right) ** 2 for chance, case in answers) / weight


def show(title: str, answers: Sequence[tuple[float, Case]]) -> None:
    """Print the accuracy and the reliability of answers."""
    weight = sum(case.weight for _, case in answers)
    right = sum(case.weight for _, case in answers if case.right)
    print(f"\n{title}: {right:.0f} of {weight:.0f} right ({right / weight:.1%}), "
          f"Brier {brier(answers):.3f}\n")  # fmt: skip
    print("\n".join(table(answers)))


def main() -> None:
    """Print the tables, and the coefficients of the fit over all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--wrong", action="store_true", help="list what is wrong and sure")
    args = parser.parse_args()
    every = list(cases())
    counts = Counter(case.family for case in every if case.form == WHOLE)
    print(", ".join(f"{family}: {count}" for family, count in sorted(counts.items())))
    now = [(said(CONFIDENCE, case), case) for case in every]
    show("present coefficients, whole logs", [(c, k) for c, k in now if k.form == WHOLE])
    show("present coefficients, poorer forms", [(c, k) for c, k in now if k.form != WHOLE])
    unseen = crossed(every)
    show("fitted without the family of the log", unseen)
    by_family = defaultdict(list)
    for chance, case in unseen:
        by_family[case.family].append((chance, case))
    for family, answers in sorted(by_family.items()):
        print(f"  {family:16} Brier {brier(answers):.3f}")
    print("\nthe fit over all")
    for key, value in fitted(every).items():
        print(f'    "{key}": {value:.2f},')
    for chance, case in sorted(now, key=lambda row: -row[0]) if args.wrong else ():
        if not case.right and chance > 0.75:
            print(f"  {chance:.2f} {case.family} {case.name} ({case.form})")


if __name__ == "__main__":
    main()
