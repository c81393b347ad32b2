"""Whatever text a report holds: nothing in any format is markup, and nothing is obeyed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from forbidden import SEQUENCES, forbidden_in
from pagefault_doctor.report import html, markdown, text
from pagefault_doctor.report.block import Block, Heading, Items, Paragraph, Verbatim
from pagefault_doctor.report.document import encode

MARKUP = (
    "[a](javascript:alert(1))", "![i](https://x/t.png)", "[a]: javascript:x", "<https://x.y>",
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</pre><b>", "\" onclick='x'",
    "<!-- ", "-->", "]]>", "<![CDATA[", "<?x", "&lt;b&gt;", "&#x3c;", "&amp", "`c`", "```", "~~~~",
    "~~s~~", "| a | b |\n|---|---|\n| c | d |", "***", "- - -", "===", "---", "1. one", "2) two",
    "+ plus", "- minus", "# head", "> quote", "    code", "\tcode", "trailing  ", "back\\", "\\[a]",
    "a\n\n# forged", "a\n- forged", "a\n===", "a\r\n> q", "*x* _y_ __z__", "$f$", "{x}", "!",
)  # fmt: skip
HOSTILE = (*SEQUENCES, *MARKUP)
TEXTS = st.one_of(
    st.text(), st.lists(st.sampled_from([*HOSTILE, "\n", " ", "x", "\0"]), max_size=6).map("".join)
)
BLOCKS = st.one_of(
    st.builds(Heading, TEXTS, st.integers(1, 3)),
    st.builds(Paragraph, TEXTS),
    st.builds(Items, st.lists(TEXTS, min_size=1, max_size=3).map(tuple)),
    st.builds(Verbatim, TEXTS),
)
OUTLINES = st.lists(BLOCKS, max_size=4)


def shown(value: str) -> str:
    """Return the words of a text as they must be read, in the notation of printk."""
    written = "".join(_shown(c) if c not in "\n\t" else " " for c in value)
    return " ".join(written.split())


def _shown(character: str) -> str:
    code = ord(character)
    if not forbidden_in(character) and code != 0xFEFF:
        return character
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def texts_of(block: Block) -> Iterator[str]:
    match block:
        case Items(items=items):
            yield from items
        case Heading(text=text) | Paragraph(text=text) | Verbatim(text=text):
            yield text


def in_markdown(outline: list[Block]) -> list[tuple[str, int]]:
    """Return the kinds of blocks that a reader of Markdown must find, with how often."""
    kinds = []
    for block in outline:
        match block:
            case Heading(level=level):
                kinds.append((f"h{level}", 1))
            case Paragraph(text=text) if shown(text):
                kinds.append(("p", 1))
            case Items(items=items):
                kinds.append(("li", len(items)))
            case Verbatim():
                kinds.append(("fence", 1))
            case _:
                pass
    return kinds


def read_markdown(tokens: list[Token]) -> list[tuple[str, int]]:
    kinds: list[tuple[str, int]] = []
    for token in tokens:
        if token.type in ("heading_open", "fence") or (
            token.type == "paragraph_open" and token.level == 0
        ):
            kinds.append((token.tag if token.type != "fence" else "fence", 1))
        elif token.type == "bullet_list_open":
            kinds.append(("li", 0))
        elif token.type == "list_item_open":
            kinds[-1] = ("li", kinds[-1][1] + 1)
    return kinds


def outlines_with(hostile: str) -> Iterator[list[Block]]:
    """Yield outlines with the text in each kind of block, also where it follows other text."""
    for value in (hostile, f"x\n{hostile}", f"x {hostile} y"):
        yield [Heading(value), Paragraph(value), Items((value, value)), Verbatim(value)]


def check_markdown(outline: list[Block]) -> None:
    # Two lists without anything between them would be one.
    outline = [part for block in outline for part in (block, Heading("next"))]
    written = markdown.render(outline)
    assert not forbidden_in(written)
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    tokens = reader.parse(written)
    assert read_markdown(tokens) == in_markdown(outline)
    inline = [child for token in tokens for child in token.children or ()]
    assert {child.type for child in inline} <= {"text", "text_special"}
    read = [t.content if t.type == "fence" else inner(t) for t in tokens if t.children or t.info]
    wanted = [shown(text) for block in outline for text in texts_of(block)]
    assert [" ".join(x.split()) for x in read if x.split()] == [x for x in wanted if x]


def inner(token: Token) -> str:
    return "".join(child.content for child in token.children or ())


class Page(HTMLParser):
    """What a browser finds in a page: its tags with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.others: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    handle_pi = unknown_decl = handle_comment


POLICY = "default-src 'none'; style-src 'unsafe-inline'"
HEAD = [
    ("html", (("lang", "en"),)),
    ("head", ()),
    ("meta", (("charset", "utf-8"),)),
    ("title", ()),
    ("meta", (("http-equiv", "Content-Security-Policy"), ("content", POLICY))),
    ("style", ()),
    ("body", ()),
]


def in_html(block: Block) -> list[str]:
    match block:
        case Heading(level=level):
            return [f"h{level}"]
        case Items(items=items):
            return ["ul", *["li" for _ in items]]
        case _:
            return ["pre" if isinstance(block, Verbatim) else "p"]


def check_html(outline: list[Block]) -> None:
    written = html.render(outline)
    assert not forbidden_in(written)
    page = Page(written)
    assert page.tags == HEAD + [(tag, ()) for block in outline for tag in in_html(block)]
    assert page.others == []
    wanted = "".join(shown(text) for block in outline for text in texts_of(block))
    body = page.text.partition("monospace; }\n")[2]
    assert "".join(body.split()) == "".join(wanted.split())


@given(OUTLINES)
def test_markdown_of_any_text_has_the_blocks_it_was_made_of(outline: list[Block]) -> None:
    check_markdown(outline)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_in_markdown_no_text_is_a_link_an_image_a_tag_or_another_block(hostile: str) -> None:
    for outline in outlines_with(hostile):
        check_markdown(outline)


@given(OUTLINES)
def test_html_of_any_text_has_the_tags_it_was_made_of(outline: list[Block]) -> None:
    check_html(outline)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_in_html_no_text_is_a_tag_an_attribute_or_a_comment(hostile: str) -> None:
    for outline in outlines_with(hostile):
        check_html(outline)


def test_a_page_loads_and_runs_nothing_whatever_is_in_it() -> None:
    assert Page(html.render([])).tags == HEAD


@given(OUTLINES)
def test_text_has_no_line_that_a_field_began(outline: list[Block]) -> None:
    written = text.render(outline)
    assert not forbidden_in(written)
    for part, block in zip(written.split("\n\n"), outline, strict=False):
        if isinstance(block, Heading) and shown(block.text):
            assert shown(part.splitlines()[0]) == shown(block.text)
            assert len(part.splitlines()) == (2 if block.level < 3 else 1)
        break


@given(TEXTS, TEXTS)
def test_json_is_harmless_also_once_it_is_decoded(key: str, value: str) -> None:
    written = encode({"a": [value], "b": {key: value}}, indent=2)
    assert not forbidden_in(written)
    document = json.loads(written)
    decoded = (*document["a"], *document["b"], *document["b"].values())
    assert [forbidden_in(each) for each in decoded] == [[], [], []]
    assert [shown(each) for each in decoded] == [shown(each) for each in (value, key, value)]


@pytest.mark.parametrize("harmless", ["größe", 'a"\\b', "a\nb\tc", "\\u001b[2J", "\\x1b", "😀"])
def test_json_keeps_what_is_harmless(harmless: str) -> None:
    assert json.loads(encode({harmless: harmless})) == {harmless: harmless}
