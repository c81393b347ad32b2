"""Reports: the same blocks as text, Markdown and HTML, and nothing in them is obeyed."""

from __future__ import annotations

import json

import pytest

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.model.command import Risk
from pagefault_doctor.playbook.shelf import causes
from pagefault_doctor.report import html, markdown, text
from pagefault_doctor.report.block import Block, Heading, Items, Paragraph, Verbatim
from pagefault_doctor.report.diagnosis import diagnosis_outline, diagnosis_text
from pagefault_doctor.report.document import diagnosis_document, encode
from pagefault_doctor.report.outline import session_outline
from pagefault_doctor.report.session_document import session_document
from session.small_walk import MakeWalk, make_walk
from test_import_hygiene import OOPS

__all__ = ("make_walk",)

HOSTILE = "# *x* <script>alert(1)</script> [a](b) `c` | ```"


@pytest.mark.parametrize("block", [Heading(HOSTILE), Paragraph(HOSTILE), Items((HOSTILE,))])
def test_markup_in_text_stays_literal(block: Heading | Paragraph | Items) -> None:
    assert "<script>" not in html.render([block])
    told = markdown.render([block])
    assert "<script>" not in told
    assert r"\*x\*" in told
    assert r"\[a\]" in told


def test_verbatim_text_cannot_leave_its_fence() -> None:
    told = markdown.render([Verbatim("a\n```\nb\n````\nc")])
    assert told.startswith("`````text\n")
    assert told.endswith("\n`````\n")


def test_text_wraps_words_but_never_verbatim_lines() -> None:
    long = "word " * 40
    told = text.render([Paragraph(long), Verbatim(long)])
    lines = told.splitlines()
    assert len(lines[0]) <= 80
    assert max(map(len, lines)) > 180


BLOCKS: list[Block] = [
    *(Heading(name, level) for level, name in enumerate(("One", "Two", "Three"), 1)),
    *(Paragraph("Words."), Items(("a", "b")), Verbatim("x\n\ny")),
]


def test_text_has_a_line_below_a_heading_and_space_before_what_is_listed() -> None:
    assert text.render(BLOCKS) == (
        "One\n===\n\nTwo\n---\n\nThree\n\nWords.\n\n  a\n  b\n\n    x\n    \n    y\n"
    )


def test_html_has_an_element_for_each_block() -> None:
    body = html.render(BLOCKS).partition("<body>\n")[2]
    assert body == (
        "<h1>One</h1>\n<h2>Two</h2>\n<h3>Three</h3>\n<p>Words.</p>\n"
        "<ul><li>a</li><li>b</li></ul>\n<pre>x\n\ny</pre>\n</body></html>\n"
    )


def test_an_html_page_may_load_and_run_nothing() -> None:
    policy = "content=\"default-src 'none'; style-src 'unsafe-inline'\""
    assert f'http-equiv="Content-Security-Policy" {policy}' in html.render([])


def test_a_diagnosis_cites_lines_for_its_evidence() -> None:
    log = klog.read(("quiet\n" * 9 + OOPS).encode(), "kern.log")
    opinion = diagnose((log,), {})
    told = diagnosis_text("kern.log", log.reports, opinion)
    assert told.startswith("kern.log:10  BUG: ")
    assert "\n  for        10  " in told
    assert "demo" in text.render(diagnosis_outline("kern.log", log.reports, opinion, causes()))


def test_the_document_is_json_that_reads_back() -> None:
    log = klog.read(OOPS.encode(), "kern.log")
    document = diagnosis_document("kern.log", log.reports, diagnose((log,), {}))
    assert json.loads(encode(document)) == json.loads(encode(document, indent=2))
    assert "\n" not in encode(document)


def test_a_session_report_tells_what_ran_what_did_not_and_why(make_walk: MakeWalk) -> None:
    walk = make_walk({("look", "around"): "trouble\n", ("push",): "pushed\n"})
    for step in ("first", "second"):
        walk.enter(step)
        while walk.proposed:
            if walk.proposed.risk is Risk.READ:
                walk.run(walk.proposed)
            else:
                walk.decline(walk.proposed, "not now")
    walk.note("[b]remember[/b]")
    walk.end("finished")
    told = text.render(session_outline(walk.view))
    for piece in (
        "$ look around",
        "! found trouble",
        "declined: push (not now)",
        "blocked: wall: no dump; set up kdump",
        "First (attention)",
        "second: [b]remember[/b]",
        "ended: finished",
    ):
        assert piece in told
    document = json.loads(encode(session_document(walk.view)))
    assert document["schema"] == "pfdoctor.session/1"
    assert [c["argv"] for c in document["commands"]] == [["look", "around"]]
    assert document["declined"][0]["reason"] == "not now"
    assert document["steps"][0]["status"] == "attention"
