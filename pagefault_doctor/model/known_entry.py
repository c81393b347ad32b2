"""An entry of the book of known cases, as `playbooks/known/*.yaml` and the user's files hold it."""

from __future__ import annotations

import msgspec

from pagefault_doctor.model.known_case import KnownCase

Words = str | tuple[str, ...]
"""One value, or several of which one is enough."""


class KernelRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Releases of the kernel, such as 5.18 or 6.1.30: from the one on, and before the other."""

    since: str = ""
    before: str = ""


class Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a report has to be for an entry to fit; every condition that is given must hold.

    `signature` is one of the report's (`model/signature.py`). In `function`, `module` and `phrase`
    a `*` stands for any characters; a phrase is looked for in each line of the report, or of a log
    without a report. `subsystem` is how the path of the source begins.
    """

    signature: Words = ()
    phrase: Words = ()
    kind: Words = ()
    function: Words = ()
    module: Words = ()
    root_cause: Words = ()
    subsystem: Words = ()
    arch: Words = ()
    kernel: KernelRange | None = None

    @property
    def is_of_lines(self) -> bool:
        """Whether it also fits a line of a log without a report."""
        of_reports = (self.signature, self.kind, self.function, self.module)
        return bool(self.phrase) and not any((*of_reports, self.root_cause, self.subsystem))


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An entry. `says` is what the case is and `do` what to do about it, a sentence each.

    `fixed_in` is the version of the kernel or the module that no longer has it, `source` the file,
    commit title or document that shows it. With `ignore`, the reason, the case does not count.
    `example` is a text that it fits, `other` one that looks alike and that it does not fit.
    """

    id: str
    match: Match
    says: str
    do: str = ""
    command: str = ""
    harmless: bool = False
    fixed_in: str = ""
    source: str = ""
    ticket: str = ""
    ignore: str = ""
    example: str = ""
    other: str = ""

    @property
    def case(self) -> KnownCase:
        """What is told of it."""
        return KnownCase(
            id=self.id,
            says=self.says,
            do=self.do,
            command=self.command,
            harmless=self.harmless,
            fixed_in=self.fixed_in,
            source=self.source,
            ticket=self.ticket,
            ignored=self.ignore,
        )


class KnownFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of the book."""

    schema: int
    entries: tuple[Entry, ...]


def each(words: Words) -> tuple[str, ...]:
    """Return the values, one or several, as several."""
    return (words,) if isinstance(words, str) else words


def release(text: str) -> tuple[int, int, int] | None:
    """Return the numbers of a kernel release such as 6.1.0-13-amd64, or None where it has none."""
    numbers: list[int] = []
    for part in text.split("-")[0].split("+")[0].split(".")[:3]:
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits or len(digits) > 6:
            break
        numbers.append(int(digits))
    if len(numbers) < 2:
        return None
    return numbers[0], numbers[1], numbers[2] if len(numbers) > 2 else 0
