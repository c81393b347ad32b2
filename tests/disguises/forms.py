"""How a report looks where it went through other hands: every form holds all of the text."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import textwrap
from collections.abc import Callable
from typing import Final, Literal

Form = Callable[[str], str]

_STAMP: Final = re.compile(r"(?:<\d+>)?\[ *(\d+\.\d+)\](\[ *[CT]\d+\])? ?")
_OWN_PREFIX: Final = re.compile(
    r"(?:> ?)*(?:<\d+>)?(?:\d{4}-|[A-Z][a-z]{2} +\d+ |\[[A-Z][a-z]{2} )"
)
_WALL: Final = "Nov 30 14:38:10"
_ISO: Final = "2026-11-30T14:38:10"
_BROADCAST: Final = "\nMessage from syslogd@demo at Nov 30 14:38:10 ...\n kernel:"


def _lines(text: str) -> list[str]:
    return text.splitlines()


def _each(change: Callable[[str], str]) -> Form:
    return lambda text: "".join(f"{change(line)}\n" for line in _lines(text))


def _numbered(template: str) -> Form:
    """Put the number of a line before it."""
    return lambda text: "".join(
        f"{template.format(number)}{line}\n" for number, line in enumerate(_lines(text), 1)
    )


def _before(prefix: str) -> Form:
    return _each(lambda line: prefix + line)


def _parts(line: str) -> tuple[str, str]:
    """Return the seconds since boot and the words of a line."""
    match = _STAMP.match(line)
    return (match[1], line[match.end() :]) if match else ("0.000001", line)


def _instead(template: str) -> Form:
    """Put another prefix where the kernel's clock stands; lines with their own keep it."""

    def change(line: str) -> str:
        if _OWN_PREFIX.match(line):
            return line
        time, words = _parts(line)
        return template.format(time=time, seconds=float(time)) + words

    return _each(change)


def _softly(width: int, quote: str = "") -> Form:
    """Break lines between words, as mail programs do."""

    def change(line: str) -> str:
        parts = textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False)
        return "\n".join(quote + part for part in parts or [""])

    return _each(change)


def _hard(width: int, quote: str = "") -> Form:
    """Break lines wherever they are too long, as terminals do."""

    def change(line: str) -> str:
        starts = range(0, max(len(line), 1), width)
        return "\n".join(quote + line[at : at + width] for at in starts)

    return _each(change)


def _unstamped(text: str) -> str:
    return _each(lambda line: _parts(line)[1])(text)


def _then(*forms: Form) -> Form:
    def form(text: str) -> str:
        for one in forms:
            text = one(text)
        return text

    return form


def _doubled(text: str) -> str:
    return "".join(f"{line}\n{line}\n" for line in _lines(text))


def _twice(text: str) -> str:
    return text + text


def _with_broadcasts(text: str) -> str:
    """Repeat the gravest lines between the others, as syslogd does on every terminal."""
    lines = []
    for number, line in enumerate(_lines(text)):
        lines.append(line)
        if number % 4 == 1:
            lines.append(f"{_BROADCAST}{_parts(line)[1]}\n")
    return "\n".join(lines) + "\n"


def _prompt(text: str) -> str:
    return f"root@demo:~# dmesg | tail -n 80\n{text}root@demo:~# "


def _login(text: str) -> str:
    return f"\nDebian GNU/Linux 12 demo ttyS0\n\ndemo login: {text}"


def _escaped(text: str) -> str:
    return html.escape(text)


def _page(text: str) -> str:
    code = f"<pre><code>{html.escape(text)}</code></pre>"
    return f"<html><body><p>It crashed:</p>\n{code}</body></html>\n"


def _line_breaks(text: str) -> str:
    return "".join(f"{html.escape(line)}<br>\n" for line in _lines(text))


def _spans(text: str) -> str:
    return "".join(
        f'<span class="line" id="L{n}">{html.escape(line)}</span>\n'
        for n, line in enumerate(_lines(text), 1)
    )


def _cells(text: str) -> str:
    rows = "".join(
        f'<tr><td class="n">{n}</td><td class="l">{html.escape(line)}</td></tr>\n'
        for n, line in enumerate(_lines(text), 1)
    )
    return f"<table>\n{rows}</table>\n"


def _journal(text: str) -> str:
    """Write the lines as `journalctl -o json --output-fields=MESSAGE` does."""
    return "".join(
        json.dumps({"MESSAGE": _parts(line)[1], "_TRANSPORT": "kernel"}) + "\n"
        for line in _lines(text)
    )


def _docker(text: str) -> str:
    return "".join(
        json.dumps({"log": line + "\n", "stream": "stdout", "time": f"{_ISO}.1Z"}) + "\n"
        for line in _lines(text)
    )


def _elastic(text: str) -> str:
    return "".join(
        json.dumps({"@timestamp": f"{_ISO}Z", "host": {"name": "demo"}, "message": line}) + "\n"
        for line in _lines(text)
    )


def _array(text: str) -> str:
    return json.dumps([{"ts": n, "msg": line} for n, line in enumerate(_lines(text))])


def _field(text: str) -> str:
    return json.dumps({"id": 7, "log": text})


def _table(delimiter: str, quoting: Literal[0, 1, 2, 3] = csv.QUOTE_MINIMAL) -> Form:
    """Write the lines as rows of a table, as Splunk, Kibana and cloud consoles export them."""

    def form(text: str) -> str:
        out = io.StringIO()
        rows = csv.writer(out, delimiter=delimiter, lineterminator="\n", quoting=quoting)
        rows.writerow(("time", "host", "source", "message"))
        rows.writerows((f"{_ISO}.000Z", "demo", "kernel", line) for line in _lines(text))
        return out.getvalue()

    return form


def _one_line(text: str) -> str:
    return " ".join(_lines(text)) + "\n"


def _backslash_n(text: str) -> str:
    return "\\n".join(_lines(text)) + "\n"


def _octal(text: str) -> str:
    if any(map(_OWN_PREFIX.match, _lines(text))):
        return text
    return f"{_WALL} demo kernel: " + "#012".join(_lines(text)) + "\n"


def _ocr(text: str) -> str:
    """Read zeros as letters, as programs do that read screens."""
    return re.sub(r"\b0x", "Ox", text)


def _ocr_brackets(text: str) -> str:
    text = _STAMP_ANYWHERE.sub(r"\1 ", text)
    return _ocr(text).replace("<", "").replace(">", "")


_STAMP_ANYWHERE: Final = re.compile(r"^\[ *(\d+\.\d+)\] ?", re.MULTILINE)


def _photo(text: str) -> str:
    """Break lines unevenly, as who types them from a photo does; the clock is left out."""
    out = []
    for number, line in enumerate(_lines(_unstamped(text))):
        parts = textwrap.wrap(line.strip(), 50 + 7 * (number % 4), break_on_hyphens=False)
        out += parts or [""]
    return "\n".join(out) + "\n"


def _no_break_spaces(text: str) -> str:
    return text.replace("  ", " \u00a0")


def _smart(text: str) -> str:
    """Replace what an office program replaces."""
    text = re.sub(r'"([^"\n]*)"', "\u201c\\1\u201d", text).replace("'", "\u2019")
    return text.replace("--", "\u2013").replace("...", "\u2026")


def _chat(text: str) -> str:
    return _before("[14:38] <alex> ")(text)


PREFIXES: Final[dict[str, str]] = {
    "level": "<4>[{seconds:12.6f}] ",
    "caller": "[{seconds:12.6f}][  T812] ",
    "syslog": f"{_WALL} demo kernel: ",
    "syslog and clock": f"{_WALL} demo kernel: [{{seconds:12.6f}}] ",
    "ISO syslog": f"{_ISO}.123456+01:00 demo kernel: ",
    "RFC 5424": f"<4>1 {_ISO}.123Z demo kernel - - - ",
    "journal, monotonic": "[{seconds:12.6f}] demo kernel: ",
    "dmesg -T": "[Mon Nov 30 14:38:10 2026] ",
    "dmesg -e": "[  +0.000012] ",
    "dmesg -x": "kern  :warn  : [{seconds:12.6f}] ",
    "dmesg --time-format iso": f"{_ISO},123456+01:00 ",
    "kmsg": "4,1234,{time},-;",
    "ts": f"{_WALL} [{{seconds:12.6f}}] ",
    "build farm": f"{_ISO}.123Z [{{seconds:12.6f}}] ",
    "logcat": "11-30 14:38:10.123     0     0 W KERNEL  : [{seconds:12.6f}] ",
    "logcat, no clock": "11-30 14:38:10.123     0     0 W KERNEL  : ",
    "container": f"{_ISO}.123456789Z stdout F [{{seconds:12.6f}}] ",
    "serial with time": "[14:38:10.123] [{seconds:12.6f}] ",
    "pstore": "<1>[{seconds:12.6f}] ",
    "kernel alone": "kernel: ",
    "kernel and clock": "kernel: [{seconds:12.6f}] ",
    "file and kernel": f"/var/log/kern.log:{_WALL} demo kernel: ",
}
"""What stands before the kernel's words; kmsg is mended below: it counts microseconds."""


def _kmsg(text: str) -> str:
    if any(map(_OWN_PREFIX.match, _lines(text))):
        return text
    return "".join(
        f"4,{number},{int(float(_parts(line)[0]) * 1e6)},-;{_parts(line)[1]}\n"
        for number, line in enumerate(_lines(text), 100)
    )


FORMS: Final[dict[str, Form]] = {
    **{f"prefix: {name}": _instead(prefix) for name, prefix in PREFIXES.items()},
    "prefix: kmsg": _kmsg,
    "prefix: none": _unstamped,
    "grep -n": _numbered("{}:"),
    "cat -n": _numbered("{:6}\t"),
    "listing": _numbered("{:3}. "),
    "listing |": _numbered("{:3} | "),
    "grep file": _before("kern.log:"),
    "quoted >": _before("> "),
    "quoted >>": _before(">> "),
    "quoted > >": _before("> > "),
    "quoted >tight": _before(">"),
    "quoted |": _before("| "),
    "indented": _before("    "),
    "tabbed": _before("\t"),
    "diff +": _before("+"),
    "diff -": _before("-"),
    "comment #": _before("# "),
    "comment //": _before("// "),
    "comment *": _before(" * "),
    "list -": _before("- "),
    "chat": _chat,
    "chat, no clock": _then(_unstamped, _chat),
    **{f"soft wrap {w}": _softly(w) for w in (60, 72, 78, 80)},
    **{f"soft wrap {w}, quoted": _softly(w, "> ") for w in (72, 78)},
    **{f"soft wrap {w}, no clock": _then(_unstamped, _softly(w)) for w in (60, 72, 78, 80)},
    **{f"hard wrap {w}": _hard(w) for w in (64, 72, 78, 80, 100)},
    **{f"hard wrap {w}, quoted": _hard(w, "> ") for w in (72, 78)},
    **{f"hard wrap {w}, no clock": _then(_unstamped, _hard(w)) for w in (64, 72, 78, 80, 100)},
    "cut at 80": _each(lambda line: line[:80]),
    "cut at 80, no clock": _then(_unstamped, _each(lambda line: line[:80])),
    "doubled lines": _doubled,
    "twice": _twice,
    "broadcasts between": _with_broadcasts,
    "broadcasts alone": _each(lambda line: _BROADCAST + _parts(line)[1] + "\n"),
    "prompt": _prompt,
    "login": _login,
    "blank lines between": _each(lambda line: line + "\n"),
    "CRLF": _each(lambda line: line + "\r"),
    "CRCRLF": _each(lambda line: line + "\r\r"),
    "CR": lambda text: text.replace("\n", "\r"),
    "colours": _each(lambda line: f"\x1b[32m{line}\x1b[0m"),
    "trailing blanks": _each(lambda line: f"{line:<120}"),
    "no-break spaces": _no_break_spaces,
    "all no-break spaces": lambda text: text.replace(" ", "\u00a0"),
    "zero-width spaces": _each(lambda line: "\u200b" + line),
    "byte-order mark": lambda text: "\ufeff" + text,
    "office quotes": _smart,
    "blanks squeezed": _each(lambda line: " ".join(line.split())),
    "HTML entities": _escaped,
    "HTML page": _page,
    "HTML <br>": _line_breaks,
    "HTML spans": _spans,
    "HTML table": _cells,
    "JSON journal": _journal,
    "JSON docker": _docker,
    "JSON elastic": _elastic,
    "JSON array": _array,
    "JSON field": _field,
    "CSV": _table(","),
    "CSV, all quoted": _table(",", csv.QUOTE_ALL),
    "CSV ;": _table(";"),
    "TSV": _table("\t"),
    "one line": _one_line,
    "one line, no clock": _then(_unstamped, _one_line),
    "one line, \\n": _backslash_n,
    "one line, #012": _octal,
    "OCR Ox": _ocr,
    "OCR brackets": _ocr_brackets,
    "photo": _photo,
    "Markdown": lambda text: f"It crashed:\n\n```\n{text}```\n\nWhat can I do?\n",
    "fenced and quoted": _then(lambda text: f"```\n{text}```\n", _before("> ")),
}
"""Each form by its name."""
