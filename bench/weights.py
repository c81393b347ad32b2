"""What the confidence of the diagnosis is worth: a reliability table over all labelled cases.

    [PFDOCTOR_CORPUS=FOLDER] .venv/bin/python bench/weights.py [FOLDS] [--single] [--wrong]

Cases are the serial logs of the scenarios and, where PFDOCTOR_CORPUS names it, a corpus with labels
or titles that name the cause. Each is also tried in the poorer forms that people paste: without its
headline, its registers, its code, its trace. Weights are fitted in cross-validation, with a penalty
for leaving the present ones, and what the fit would change is printed. Nothing is written: a person
decides.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import exp, log
from pathlib import Path
from typing import Final, NamedTuple

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import context, ranking, weights
from pagefault_doctor.diagnosis.contexts import context_of
from pagefault_doctor.model.diagnosis import RootCause
from pagefault_doctor.model.fact import Fact
from pagefault_doctor.model.main_report import main_report
from pagefault_doctor.playbook import shelf

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

_TITLES: Final = (
    (r"sysrq_handle_crash|sysrq triggered crash", "none"),
    (r"KASAN: .*use-after-free|KFENCE: use-after-free|WARNING: refcount bug", "use-after-free"),
    (r"KASAN: .*out-of-bounds|KFENCE: (out-of-bounds|memory corr)|bad usercopy", "out-of-bounds"),
    (r"KASAN: null-ptr-deref|BUG: unable to handle kernel NULL pointer", "null-deref err-ptr"),
    (r"KASAN: (double|invalid)-free|Object already free", "double-free"),
    (r"KASAN: user-memory-access", "user-access wild-pointer null-deref"),
    (r"KASAN: wild-memory-access|KMSAN: uninit-value", "wild-pointer use-after-free"),
    (r"BUG: corrupted list", "list-corruption use-after-free"),
    (r"stack guard page|kernel stack overflow|corrupted stack end", "stack-overflow"),
    (r"stack is corrupted", "out-of-bounds stack-overflow"),
    (r"Bad page map|Bad rss-counter", "page-table"),
    (r"divide error|^memory leak|^KCSAN", "logic-error"),
    (r"task hung|detected stall|soft lockup|possible deadlock|circular locking|lock state|"
     r"scheduling while atomic|sleeping function|task can't die", "lockup-hang"),
    (r"general protection fault", "null-deref err-ptr use-after-free wild-pointer out-of-bounds "
     "user-access hardware"),
    (r"^BUG: unable to handle kernel paging request", "wild-pointer use-after-free out-of-bounds "
     "null-deref err-ptr user-access readonly-write page-table hardware"),
)  # fmt: skip
"""Titles of the syzbot convention that name the cause, or leave only these; others are left out."""


class Case(NamedTuple):
    """A log with the causes that its label allows, the weights that fired, and the answer."""

    name: str
    group: str
    form: str
    allowed: frozenset[str]
    fired: dict[str, tuple[tuple[str, float], ...]]
    """For each cause, the key and the sign of each piece of evidence."""
    thin: bool


class Keyed(float):
    """A weight that remembers its key."""

    key: str


class _Table(dict[str, float]):
    def __missing__(self, key: str) -> float:
        keyed = Keyed(weights.WEIGHT[key])
        keyed.key = key
        return keyed


def labelled() -> Iterator[tuple[str, str, frozenset[str]]]:
    """Give the name, the text and the allowed causes of every labelled log."""
    for name in shelf.scenario_ids():
        text = (shelf.recording_path(name).parent / "serial.log").read_text("utf-8", "replace")
        yield name, text, frozenset({shelf.scenario(name).root_cause})
    corpus = os.environ.get("PFDOCTOR_CORPUS")
    for path in sorted(Path(corpus).rglob("*.log")) if corpus else ():
        label = path.with_suffix(".json")
        allowed = _allowed(json.loads(label.read_text())["expected"]) if label.exists() else None
        if allowed:
            name = f"{path.parent.name}/{path.stem}"
            yield name, path.read_text("utf-8", "replace"), frozenset(allowed)


def _allowed(expected: dict[str, str]) -> list[str] | None:
    if cause := expected.get("root_cause_class"):
        return [cause]
    title = expected.get("title") or ""
    return next((names.split() for words, names in _TITLES if re.search(words, title)), None)


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


@contextmanager
def keyed() -> Iterator[None]:
    """Make every piece of evidence remember the key of its weight."""
    plain = context.WEIGHT
    context.WEIGHT = _Table()  # type: ignore[misc]
    try:
        yield
    finally:
        context.WEIGHT = plain  # type: ignore[misc]


def cases() -> Iterator[Case]:
    """Give every labelled log in all its forms that still hold a report."""
    for name, text, allowed in labelled():
        for form, said in forms(text):
            if case := judge(name, form, said, allowed):
                yield case


def judge(
    name: str,
    form: str,
    text: str,
    allowed: frozenset[str],
    facts: Mapping[str, Fact] | None = None,
) -> Case | None:
    """Return the evidence for each cause of a log, or None where it has no report."""
    kernel_log = klog.read(text.encode(), name)
    index = main_report((kernel_log,))
    if index is None:
        return None
    report = kernel_log.reports[index]
    with keyed():
        found, thin = ranking.evidence_by_cause(report, context_of(report, kernel_log, facts or {}))
    fired = {
        cause.value: tuple((getattr(e.weight, "key", ""), float(e.weight)) for e in evidence)
        for cause, evidence in found.items()
    }
    return Case(f"{name} ({form})", name, form, allowed, fired, thin)


class Model(NamedTuple):
    """What can be fitted: two priors of the unknown, a temperature, and shifts of the weights."""

    unknown: float = weights.UNKNOWN
    thin: float = weights.UNKNOWN_THIN
    temperature: float = weights.TEMPERATURE
    shifts: dict[str, float] = {}

    def confidences(self, case: Case) -> dict[str, float]:
        """Return how likely each cause of a case is."""
        scores = {
            cause: weights.PRIOR.get(RootCause(cause), 0.0)
            + sum(weight + self.shifts.get(key, 0.0) for key, weight in fired)
            for cause, fired in case.fired.items()
        }
        unknown = self.thin if case.thin else self.unknown
        total = exp(unknown / self.temperature)
        total += sum(exp(score / self.temperature) for score in scores.values())
        return {
            cause: min(exp(score / self.temperature) / total, weights.HIGHEST)
            for cause, score in scores.items()
        }

    def best(self, case: Case) -> tuple[str | None, float]:
        """Return the likeliest cause and its confidence."""
        found = self.confidences(case)
        best = max(found, key=lambda cause: found[cause], default=None)
        return best, found[best] if best else 0.15

    def loss(self, case: Case) -> float:
        """Return the log loss of a case: whether its first cause is right."""
        best, confidence = self.best(case)
        return -log(confidence if best in case.allowed else 1 - confidence)


def mean_loss(model: Model, group: Sequence[Case]) -> float:
    """Return the log loss over cases, each log counting once however many forms it has."""
    by_log = defaultdict(list)
    for case in group:
        by_log[case.group].append(model.loss(case))
    return sum(sum(each) / len(each) for each in by_log.values()) / len(by_log)


_GLOBALS: Final = (("unknown", (-0.5, 2.5)), ("thin", (0.0, 3.0)), ("temperature", (0.6, 3.0)))
_PULL: Final = 0.004
"""The cost of a shift of 1, squared: keeps weights where they are unless the gain is clear."""


def fitted(group: Sequence[Case], single: bool) -> Model:
    """Return the model that fits the cases best, by steps along one parameter at a time."""
    model, best = Model(shifts={}), mean_loss(Model(), group)
    keys = sorted({key for c in group for fired in c.fired.values() for key, _ in fired})
    for step in (0.5, 0.25, 0.1):
        for name, (low, high) in _GLOBALS:
            for value in (getattr(model, name) - step, getattr(model, name) + step):
                tried = model._replace(**{name: min(max(value, low), high)})
                if (loss := _cost(tried, group)) < best:
                    model, best = tried, loss
        for key in keys if single else ():
            touched = [c for c in group if any(key == k for f in c.fired.values() for k, _ in f)]
            for move in (-step, step):
                shifts = {**model.shifts, key: model.shifts.get(key, 0.0) + move}
                tried = model._replace(shifts=shifts)
                if _gain(model, tried, touched, group) > 0:
                    model = tried
        best = _cost(model, group)
    return model


def _cost(model: Model, group: Sequence[Case]) -> float:
    return mean_loss(model, group) + _PULL * sum(s * s for s in model.shifts.values())


def _gain(old: Model, new: Model, touched: Sequence[Case], group: Sequence[Case]) -> float:
    saved = sum(old.loss(c) - new.loss(c) for c in touched) / len(group)
    pull = [_PULL * sum(s * s for s in m.shifts.values()) for m in (old, new)]
    return saved + pull[0] - pull[1]


def table(said: Sequence[tuple[float, bool]]) -> Iterator[str]:
    """Give the lines of a reliability table over confidences and whether they were right."""
    bins = ((0.0, 0.5), (0.5, 0.75), (0.75, 0.9), (0.9, 1.01))
    error = 0.0
    yield f"{'said':>12}{'cases':>8}{'right':>8}{'share':>8}{'mean said':>11}"
    for low, high in bins:
        inside = [(c, right) for c, right in said if low <= c < high]
        if not inside:
            continue
        mean = sum(c for c, _ in inside) / len(inside)
        right = sum(r for _, r in inside)
        share = right / len(inside)
        error += abs(mean - share) * len(inside) / len(said)
        name = f"{low:.0%}-{min(high, 1):.0%}"
        yield f"{name:>12}{len(inside):8}{right:8}{share:8.1%}{mean:11.1%}"
    yield f"calibration error {error:.3f}"


def judged(model: Model, group: Sequence[Case]) -> list[tuple[float, bool]]:
    """Return for each case the confidence of the first cause, and whether it is right."""
    found = ((model.best(case), case) for case in group)
    return [(confidence, best in case.allowed) for (best, confidence), case in found]


def show(title: str, said: Sequence[tuple[float, bool]]) -> None:
    """Print the accuracy, the log loss and the reliability of the answers."""
    right = sum(r for _, r in said)
    loss = sum(-log(c if r else 1 - c) for c, r in said) / len(said)
    print(f"\n{title}: {right} of {len(said)} right ({right / len(said):.1%}), log loss {loss:.3f}")
    print("\n".join(table(said)))


def crossed(every: Sequence[Case], folds: int, single: bool) -> list[tuple[float, bool]]:
    """Return the answers of models for cases they were not fitted on; no fold splits a log."""
    names = sorted({case.group for case in every})
    said = []
    for fold in range(folds):
        left_out = set(names[fold::folds])
        model = fitted([c for c in every if c.group not in left_out], single)
        said += judged(model, [c for c in every if c.group in left_out])
    return said


def main() -> None:
    """Print the tables, and what a fit over all cases would change."""
    folds = next((int(word) for word in sys.argv[1:] if word.isdigit()), 5)
    every = list(cases())
    logs = {case.group for case in every}
    print(f"{len(logs)} labelled logs, {len(every)} with their poorer forms")
    show("present weights, whole logs", judged(Model(), [c for c in every if c.form == WHOLE]))
    show("present weights, poorer forms", judged(Model(), [c for c in every if c.form != WHOLE]))
    show("present weights, all", judged(Model(), every))
    for form in DEGRADED:
        said = judged(Model(), [c for c in every if c.form == form])
        print(f"{form}: {sum(r for _, r in said)} of {len(said)}")
    show(f"priors and temperature fitted, {folds} folds", crossed(every, folds, False))
    if "--single" in sys.argv:
        show(f"all weights fitted, {folds} folds", crossed(every, folds, True))
    model = fitted(every, "--single" in sys.argv)
    print(f"\nthe fit over all: unknown {model.unknown:.2f}, thin {model.thin:.2f}, "
          f"temperature {model.temperature:.2f}")  # fmt: skip
    for key, shift in sorted(model.shifts.items(), key=lambda kv: -abs(kv[1])):
        if abs(shift) >= 0.1:
            print(f"  {key:28}{weights.WEIGHT.get(key, 0.0):6.1f} -> {shift:+.2f}")
    if "--wrong" in sys.argv:
        for case in every:
            best, confidence = Model().best(case)
            if best not in case.allowed and confidence > 0.7:
                print(f"  {confidence:.2f} {case.name}: {best}, not {'/'.join(case.allowed)[:40]}")


if __name__ == "__main__":
    main()
