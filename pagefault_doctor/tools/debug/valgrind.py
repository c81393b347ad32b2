"""valgrind: the memory errors of a program, from its XML output.

Format: `docs/internals/xml-output-protocol4.txt` of valgrind.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from pagefault_doctor.model import untrusted
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result, ResultStatus, Risk
from pagefault_doctor.model.fact import Fact, Finding, Mark
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.arguments import first_path
from pagefault_doctor.tools.tool import NO_DOWNLOADS, Tool, fact, finding, remark

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

NO_PROGRAM: Final = Blocked(
    "the program that faulted is not known",
    "name it: --program FILE; or by hand: valgrind --track-origins=yes PROGRAM",
)

_SCRIPT: Final = (
    "exec valgrind --xml=yes --xml-fd=9 --leak-check=full --track-origins=yes "
    '--child-silent-after-fork=yes -- "$1" 9>&1 >/dev/null'
)
"""The program's own output is discarded: it would mix with the XML."""

_END: Final = "</valgrindoutput>"
_MAX_FINDINGS: Final = 8
_ENTITY: Final = regex(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


class ValgrindError(msgspec.Struct, frozen=True):
    """One error. `kind` is valgrind's name for it; `place` is the first line with source."""

    kind: str
    what: str
    function: str
    place: str
    about: str


def _plan(case: Case) -> Command | Blocked | None:
    if case.done("valgrind"):
        return None
    program = first_path(case, "given.program")
    if not program:
        return NO_PROGRAM
    return Command(
        argv=("sh", "-c", _SCRIPT, "sh", program),
        tool="valgrind",
        risk=Risk.LOAD,
        timeout=300.0,
        why=f"run {program} again under valgrind, about 30 times slower, with all that it does",
        env=NO_DOWNLOADS,
    )


def parse(output: str) -> tuple[tuple[ValgrindError, ...], str, bool]:
    """Return the errors, the name of the fatal signal, and whether the XML could be read."""
    root = _parse_xml(output)
    if root is None:
        return (), "", False
    errors = tuple(_error(element) for element in root.iter("error"))
    return errors, _text(root, "fatal_signal/signame"), True


def _parse_xml(output: str) -> Element | None:
    """Return the XML tree, or None.

    Output that was cut off is closed first. A document type or entity is refused: the output may
    come from a hostile program, and entities can expand without limit.
    """
    from xml.etree import ElementTree

    start = output.find("<?xml")
    if start < 0 or _ENTITY.search(output):
        return None
    text = output[start:]
    end = text.find(_END)
    last = max(text.rfind("</error>") + len("</error>"), text.rfind("</preamble>") + 11)
    text = text[: end + len(_END)] if end >= 0 else text[:last] + _END
    try:
        return ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, RecursionError):
        return None


def _text(element: Element, path: str) -> str:
    return untrusted.clean_line((element.findtext(path) or "").strip())


def _error(element: Element) -> ValgrindError:
    what = _text(element, "what") or _text(element, "xwhat/text")
    frames = element.findall("stack[1]/frame")
    own = next((frame for frame in frames if frame.find("line") is not None), None)
    frame = own if own is not None else (frames[0] if frames else element)
    file, line = _text(frame, "file"), _text(frame, "line")
    about = _text(element, "auxwhat") or _text(element, "xauxwhat/text")
    place = f"{file}:{line}" if file and line else ""
    return ValgrindError(_text(element, "kind"), what, _text(frame, "fn"), place, about)


def _read(result: Result, case: Case) -> ToolReading:
    errors, signal, is_readable = parse(result.output)
    if not is_readable:
        if result.status is ResultStatus.TIMEOUT:
            return remark("The program did not end under valgrind", result)
        return remark("valgrind did not run through", result)
    facts: tuple[Fact, ...] = (fact("user.valgrind_errors", len(errors), result),)
    if signal:
        facts += (fact("user.signal", signal, result),)
    cut = _END not in result.output
    if case.get("fix.built", False):
        facts += (fact("validate.verdict", _verdict(errors, signal, cut), result),)
    if not errors and not signal and cut:
        text = "valgrind's output breaks off: that no error came before proves nothing"
        return ToolReading(facts=facts, findings=(finding(text, Mark.NEUTRAL, result),))
    if not errors and not signal:
        text = "valgrind found no memory error in this run"
        return ToolReading(facts=facts, findings=(finding(text, Mark.GOOD, result),))
    by_severity = sorted(errors, key=lambda error: error.kind.startswith("Leak"))
    return ToolReading(
        facts=facts, findings=tuple(_error_finding(e, result) for e in by_severity[:_MAX_FINDINGS])
    )


def _verdict(errors: tuple[ValgrindError, ...], signal: str, cut: bool) -> str:
    """Return the verdict on a fixed program; leaked memory is no fault, a cut output no proof."""
    faults = [error for error in errors if not error.kind.startswith("Leak")]
    if faults or signal:
        return "not-fixed"
    return "inconclusive" if cut else "fixed"


def _error_finding(error: ValgrindError, result: Result) -> Finding:
    where = f" in {error.function}" if error.function else ""
    place = f" ({error.place})" if error.place else ""
    about = f"; {error.about}" if error.about else ""
    mark = Mark.NEUTRAL if error.kind.startswith("Leak") else Mark.BAD
    return finding(f"{error.what}{where}{place}{about}", mark, result)


TOOL: Final = Tool(
    id="valgrind",
    purpose="watches what a program does to its memory",
    programs=("sh", "valgrind"),
    package={"": "valgrind"},
    risk=Risk.LOAD,
    facts=("user.valgrind_errors", "user.signal", "validate.verdict"),
    plan=_plan,
    read=_read,
    by_hand="Build the program with -fsanitize=address -g and run it.",
)
