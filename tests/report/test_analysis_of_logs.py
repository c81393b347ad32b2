"""The analysis in prose: its parts, and that each sentence cites its source."""

from __future__ import annotations

import re

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.diagnosis.explanation import with_explanations
from pagefault_doctor.model.diagnosis import Diagnosis, Evidence
from pagefault_doctor.playbook.shelf import causes
from pagefault_doctor.report.analysis import analysis, cited
from pagefault_doctor.report.block import Heading, Items
from test_import_hygiene import OOPS

UNDECIDED = """\
BUG: unable to handle page fault for address: fffffffffffffff0
#PF: supervisor write access in kernel mode
#PF: error_code(0x0002) - not-present page
Oops: 0002 [#1] SMP
CPU: 1 PID: 5 Comm: cat Tainted: G           OE      6.1.0-1-amd64 #1
RIP: 0010:demo_poll+0x1/0x9 [demo]
Call Trace:
 <TASK>
 vfs_read+0x1/0x9
 ksys_read+0x1/0x9
 </TASK>
"""


def found(log: str = OOPS) -> Diagnosis:
    """Return the verdict on a log."""
    logs = (klog.read(log.encode(), "kern.log"),)
    return with_explanations(diagnose(logs, {}), logs, {}).verdict


def sections(diagnosis: Diagnosis) -> dict[str, tuple[str, ...]]:
    """Return the sentences of an analysis under its headings."""
    under, head = {}, ""
    for block in analysis(diagnosis, causes()):
        if isinstance(block, Heading):
            head = block.text
        elif isinstance(block, Items):
            under[head] = block.items
    return under


def test_it_has_what_an_expert_tells_in_that_order() -> None:
    heads = [head.split(":")[0] for head in sections(found())]
    wanted = ["What happened", "Why", "Where the cure belongs", "What to do next"]
    assert [head for head in heads if head in wanted] == wanted


def test_every_sentence_of_the_evidence_names_its_line() -> None:
    told = sections(found())
    for head in ("What happened", "Where the cure belongs"):
        assert all(re.search(r" \(line \d+\)$", sentence) for sentence in told[head])
    why = next(items for head, items in told.items() if head.startswith("Why"))
    assert all("(line " in s for s in why if s.startswith("for:"))


def test_nothing_is_said_where_nothing_speaks_against_a_cause() -> None:
    why = next(items for head, items in sections(found()).items() if head.startswith("Why"))
    assert not any(sentence.startswith("against:") for sentence in why)


def test_the_words_of_the_log_come_with_their_lines() -> None:
    said = sections(found())["What the log says"]
    assert said[0].startswith("BUG: ")
    assert all(re.search(r" \(line \d+\)$", sentence) for sentence in said)


def test_other_causes_are_told_with_what_splits_them() -> None:
    told = sections(found(UNDECIDED))
    assert any(head.startswith("Also considered") for head in told)
    assert any(s.startswith("to tell the causes apart") for s in told["What to do next"])
    assert sum(s.startswith("if it is ") for s in told["What to do next"]) == 2


def test_a_place_is_a_line_a_command_or_nothing() -> None:
    assert cited(Evidence("so it is", 1.0, 7)) == "so it is (line 7)"
    assert cited(Evidence("so it is", 1.0, 2, "modinfo demo")) == "so it is (modinfo demo, line 2)"
    assert cited(Evidence("so it is", 1.0, None, "sh -c 'a\nb'")) == "so it is (sh (script))"
    assert cited(Evidence("so it is", 1.0)) == "so it is"
