"""Everything in the project that reads what comes from outside: how its input is made, and read."""

from __future__ import annotations

import contextlib
import io
import os
import random
import runpy
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple
from unittest import mock

from fuzz_inputs import LACE, PACKED, ROOT, Mutator

from pagefault_doctor import klog
from pagefault_doctor.cli import main as command_line
from pagefault_doctor.cli.stderr import Progress
from pagefault_doctor.cli.unpack_programs import UnpackPrograms
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.diagnosis.explanation import with_explanations
from pagefault_doctor.diagnosis.source_lookup import with_source
from pagefault_doctor.hosts.remote_shell import remote_text
from pagefault_doctor.klog.input.raw_lines import RawLines
from pagefault_doctor.model import untrusted
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Command, Result, ResultStatus
from pagefault_doctor.model.errors import PfDoctorError
from pagefault_doctor.model.event import SessionStarted
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.playbook import loader, shelf
from pagefault_doctor.report import html, markdown, text
from pagefault_doctor.report.block import Block
from pagefault_doctor.report.diagnosis import diagnosis_outline, diagnosis_text
from pagefault_doctor.report.document import diagnosis_document, encode
from pagefault_doctor.report.outline import session_outline
from pagefault_doctor.report.session_document import session_document
from pagefault_doctor.session.event_log import read_events
from pagefault_doctor.session.known import with_known
from pagefault_doctor.session.redact.redaction import Redaction
from pagefault_doctor.session.view import Fold
from pagefault_doctor.symbols.btf import Btf
from pagefault_doctor.symbols.module_file import elf_errors
from pagefault_doctor.tools import TOOLS
from pagefault_doctor.tools.debug.decode_log import LogDecoder, decoded_text, frame_row
from pagefault_doctor.tools.debug.line_files import LineFiles
from pagefault_doctor.tools.debug.missing_lines import missing_lines
from pagefault_doctor.tools.logs.log_search import log_of, text_of
from pagefault_doctor.tools.reproduce.proposed_trigger import proposed_triggers
from pagefault_doctor.tools.reproduce.source_names import names_in_source
from pagefault_doctor.tui.terminal_input import TerminalInput

UNPACK: Final = UnpackPrograms(Progress("fuzz"))
CAUSES: Final = shelf.causes()
SCRIPTS: Final = ROOT / "pagefault_doctor/tools/scripts"


class Reader(NamedTuple):
    """How one kind of input is made, and read: `read` yields all text that a person would see.

    `read` gets the input, a folder of its own and a source of chance that depends on the input
    alone, so that an input can be read once more.
    """

    make: Callable[[Mutator], bytes]
    read: Callable[[bytes, Path, random.Random], Iterator[str]]

    def texts(self, data: bytes, folder: Path) -> Iterator[str]:
        """Yield what a person sees of this input."""
        return self.read(data, folder, random.Random(zlib.crc32(data)))


def _rendered(outline: Callable[[], Iterator[Block]]) -> Iterator[str]:
    for render in (text.render, markdown.render, html.render):
        yield render(outline())


def _diagnosed(log: KernelLog) -> Iterator[str]:
    opinion = with_known(with_explanations(diagnose((log,), {}), (log,), {}), (log,))
    yield log.source + (log.note or "")
    for report in log.reports:
        for trigger in proposed_triggers(report, report.module):
            yield "\n".join((trigger.because, *trigger.commands))
    yield diagnosis_text(log.source, log.reports, opinion)
    yield encode(diagnosis_document(log.source, log.reports, opinion))
    yield from _rendered(lambda: diagnosis_outline(log.source, log.reports, opinion, CAUSES))


def _logs(data: bytes, _folder: Path, _draw: random.Random) -> Iterator[str]:
    yield from _diagnosed(klog.read(data, "fuzz"))


def _changing_logs(data: bytes, folder: Path, draw: random.Random) -> Iterator[str]:
    """A log that is cut short, extended and written anew while it is read."""
    path = folder / "kern.log"
    path.write_bytes(data * 20)
    sizes = [draw.randrange(len(data) * 30 + 1) for _ in range(20)]

    def change() -> None:
        for size in sizes:
            os.truncate(path, size)

    changing = threading.Thread(target=change)
    changing.start()
    try:
        yield from (log.source for log in klog.logs_in_file(path))
    finally:
        changing.join()


def _tools(data: bytes, _folder: Path, draw: random.Random) -> Iterator[str]:
    tool = draw.choice(list(TOOLS.values()))
    output = untrusted.decode(data)
    argv = (draw.choice((tool.id, "cat", "sh")), "-c", output[:40], "x", "/var/log/x")
    status = draw.choice(tuple(ResultStatus))
    result = Result(command=Command(argv=argv, tool=tool.id), status=status, output=output)
    yield from (finding.text for finding in tool.read(result, Case()).findings)


def _sources(data: bytes, _folder: Path, draw: random.Random) -> Iterator[str]:
    """What is named in a source, and the triggers that a fault in it suggests."""
    lines = enumerate(untrusted.decode(data).split("\n"), 1)
    names = names_in_source("\n".join(f"/x/fwsize.c:{number}:{text}" for number, text in lines))
    yield from (file.name + file.path for file in names.files)
    scenario = shelf.scenario_folder(draw.choice(shelf.scenario_ids()))
    for report in klog.read_file(scenario / "serial.log").reports:
        for trigger in proposed_triggers(report, "fwsize", names):
            yield "\n".join((trigger.because, *trigger.commands))


def _playbooks(data: bytes, _folder: Path, _draw: random.Random) -> Iterator[str]:
    try:
        loader.load(untrusted.decode(data), "fuzz.yaml")
    except PfDoctorError as error:
        yield str(error)


def _known_cases(data: bytes, _folder: Path, _draw: random.Random) -> Iterator[str]:
    try:
        for entry in loader.load_known(untrusted.decode(data), "fuzz.yaml"):
            yield entry.case.text
    except PfDoctorError as error:
        yield str(error)


def _recordings(data: bytes, folder: Path, draw: random.Random) -> Iterator[str]:
    path = folder / "fuzz.jsonl"
    path.write_bytes(data)
    try:
        events = read_events(path)
        if draw.randrange(2):
            events = tuple(Redaction().events(events))
        first = events[0]
        assert isinstance(first, SessionStarted)
        view = Fold(TOOLS).replay(events, shelf.playbook(first.playbook))
    except PfDoctorError as error:
        yield str(error)
        return
    yield encode(session_document(view))
    yield from _rendered(lambda: session_outline(view))


def _archives(data: bytes, _folder: Path, _draw: random.Random) -> Iterator[str]:
    for log in klog.logs_in_stream(io.BytesIO(data), "fuzz.tar", None, UNPACK):
        yield log.source + (log.note or "")
        yield diagnosis_text(log.source, log.reports, diagnose((log,), {}))


def _remote(data: bytes, _folder: Path, _draw: random.Random) -> Iterator[str]:
    said = untrusted.decode(data)
    argv = ("sh", "-c", "script", "search", said[:200])
    try:
        assert remote_text(Command(argv=argv, tool="x"), {}).isascii()
    except ValueError as error:
        yield str(error)
    lines = "".join(f" {line}\n" for line in said.splitlines())
    command = Command(argv=argv, tool="x")
    result = Result(command=command, status=ResultStatus.OK, output=f"@1\n{lines}{said}")
    yield log_of(result).note or text_of(result)[:2000]


def _modules(data: bytes, folder: Path, draw: random.Random) -> Iterator[str]:
    """A damaged module, or one damaged after it was packed, and a fault in it."""
    ending = draw.choice(list(PACKED))
    for old in folder.glob("fwsize.ko*"):
        old.unlink()
    (folder / f"fwsize.ko{ending}").write_bytes(PACKED[ending](data))
    report = klog.read_file(shelf.scenario_folder("err-ptr") / "serial.log").reports[0]
    located = (with_source(report, folder),)
    opinion = diagnose((KernelLog(source="x", reports=located),), {})
    yield encode(diagnosis_document("fuzz", located, opinion))


def _decoded(log: bytes, folder: Path) -> Iterator[str]:
    """Yield a log as a terminal gets it, decoded with the modules of a folder."""
    with contextlib.closing(LineFiles(module_dir=folder, unpack=UNPACK)) as files:
        decoder = LogDecoder(files)
        for number, line in enumerate(RawLines(io.BytesIO(log)), 1):
            frames = decoder.decode(line)
            text = decoded_text(line, frames)
            assert frames or text == line
            yield untrusted.clean(text.decode("utf-8", "backslashreplace"))
            yield from (encode(frame_row(number, frame)) for frame in frames)
        yield missing_lines(decoder, "debian") or ""


def _decoded_logs(data: bytes, _folder: Path, _draw: random.Random) -> Iterator[str]:
    yield from _decoded(data, shelf.scenario_folder("err-ptr"))


def _decoding_modules(data: bytes, folder: Path, _draw: random.Random) -> Iterator[str]:
    """A damaged module, and a log with places all over it."""
    (folder / "fwsize.ko").write_bytes(data)
    places = (f" fwsize_{name}+{at:#x}/0x200 [fwsize]\n" for name in ("write", "init", "exit")
              for at in range(0, 0x200, 0x11))  # fmt: skip
    yield from _decoded("".join(places).encode(), folder)


def _types(data: bytes, _folder: Path, _draw: random.Random) -> Iterator[str]:
    try:
        types = Btf(data)
        for number in range(min(types.count, 1000)):
            types.type_name(number)
            types.member_at(number, 16, 4)
        types.function("look")
    except elf_errors():
        return
    yield "read"


def _script(name: str, *argv: str) -> Iterator[str]:
    """Run a Python script of a tool in this process and yield what it prints."""
    shown = io.StringIO()
    with (
        mock.patch.object(sys, "argv", [name, *argv]),
        contextlib.redirect_stdout(shown),
        contextlib.suppress(SystemExit),
    ):
        runpy.run_path(str(SCRIPTS / name))
    # What a script prints enters by this door.
    yield untrusted.decode(shown.getvalue().encode("utf-8", "replace"))


def _dumps(data: bytes, folder: Path, _draw: random.Random) -> Iterator[str]:
    (folder / "vmcore").write_bytes(data)
    (folder / "vmlinux").write_bytes(data[::-1] if len(data) % 2 else data)
    yield from _script("dump_header.py", str(folder / "vmcore"), str(folder / "vmlinux"))


def _module_files(data: bytes, folder: Path, draw: random.Random) -> Iterator[str]:
    ending = draw.choice((".gz", ".xz", ""))
    path = folder / f"small.ko{ending}"
    path.write_bytes(PACKED[ending](data))
    yield from _script("module_file.py", "0.0.0-fuzz", "small", str(path), "one", "two")


def _terminal(data: bytes, _folder: Path, draw: random.Random) -> Iterator[str]:
    """The same bytes in pieces of any size, with pauses between them."""
    terminal = TerminalInput()
    while data:
        size = draw.choice((1, 2, 7, 4096)) if len(data) < 4096 else 4096
        messages = [*terminal.feed(data[:size]), *terminal.pause(draw.choice((0.0, 0.2, 9.0)))]
        data = data[size:]
        yield " ".join(type(message).__name__ for message in messages)


COMMANDS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "diagnose": (("{log}",), ("--json", "{log}"), ("--markdown", "{log}"), ("{word}",),
                 ("--vmcore", "{log}"), ("--module-dir", "{word}", "{log}"), ("--host", "-{word}")),
    "decode": (("{log}",), ("--json", "{log}"), ("{word}",), ("--vmlinux", "{log}", "{log}"),
               ("--module-dir", "{word}", "{log}")),
    "run": (("--log", "{word}.none"), ("--playbook", "{word}"), ("--host", "-{word}"), ("{word}",)),
    "resume": (("{word}",), ("--theme", "{word}")),
    "sessions": ((), ("--json",)),
    "train": (("none-{word}",), ("--plain", "none-{word}")),
    "lab": (("none-{word}",), ("run", "none-{word}"), ("kernels", "remove", "none-{word}"),
            ("run", "none-{word}", "--kernel", "{word}"), ("run", "--module", "{log}.none")),
    "preflight": (("--host", "-{word}"), ("--ssh-config", "{word}")),
    "playbook": (("check", "{playbook}"), ("show", "{word}"), ("{word}",)),
    "known": (("check", "{playbook}"), ("show", "{word}"), ("list", "{word}"), ("remove", "{word}"),
              ("add", "{log}.none", "--says", "{word}"), ("ignore", "{word}")),
    "report": (("{session}",), ("fuzz",), ("--format", "md", "{session}"), ("{word}",),
               ("--format", "json", "{session}"), ("--format", "html", "--redact", "{session}")),
    "explain": (("{word}",),),
    "completion": (("{word}",), ("bash",)),
}  # fmt: skip
"""Arguments for each subcommand, none of which runs a command on this machine."""


def _commands(data: bytes, folder: Path, draw: random.Random) -> Iterator[str]:
    """Each subcommand, with a session, a log and a playbook of these bytes."""
    sessions = folder / "pfdoctor/sessions"
    for each in (folder / "pfdoctor", sessions):
        each.mkdir(mode=0o700, exist_ok=True)
    name = draw.choice(list(command_line.SUBCOMMANDS))
    places = {"log": folder / "kern.log", "playbook": folder / "fuzz.yaml",
              "session": sessions / "fuzz.jsonl"}  # fmt: skip
    for path in places.values():
        path.write_bytes(data)
    word = untrusted.decode(draw.choice(LACE)) if draw.randrange(2) else os.fsdecode(data[:40])
    words = {key: str(path) for key, path in places.items()} | {"word": word.replace("\0", "?")}
    argv = [each.format(**words) for each in draw.choice(COMMANDS[name])]
    shown, told = io.StringIO(), io.StringIO()
    # The process that reads was started without standard input.
    with (
        open(os.devnull) as nothing,
        mock.patch.multiple(sys, stdin=nothing, __stdin__=nothing),
        mock.patch.dict(os.environ, {"XDG_STATE_HOME": str(folder), "HOME": str(folder)}),
        contextlib.redirect_stdout(shown),
        contextlib.redirect_stderr(told),
        contextlib.suppress(SystemExit),
    ):
        command_line.main([name, *argv])
    assert "Traceback" not in told.getvalue(), told.getvalue()
    yield shown.getvalue()
    yield told.getvalue()


READERS: Final[dict[str, Reader]] = {
    "kernel logs": Reader(lambda make: make.input("log"), _logs),
    "logs that change": Reader(lambda make: make.input("log", 20_000), _changing_logs),
    "outputs of tools": Reader(
        lambda make: make.input(make.draw.choice(("output", "log")), 8000), _tools
    ),
    "sources": Reader(lambda make: make.input("source"), _sources),
    "playbooks": Reader(lambda make: make.input("playbook"), _playbooks),
    "known cases": Reader(lambda make: make.input("known cases"), _known_cases),
    "recordings": Reader(lambda make: make.input("recording", 300_000), _recordings),
    "sessions": Reader(Mutator.session, _recordings),
    "archives": Reader(Mutator.archive, _archives),
    "another machine": Reader(lambda make: make.input("log", 8000), _remote),
    "modules": Reader(lambda make: make.binary("module"), _modules),
    "decoded logs": Reader(lambda make: make.input("log", 20_000), _decoded_logs),
    "decoding modules": Reader(lambda make: make.binary("module"), _decoding_modules),
    "type tables": Reader(lambda make: make.binary("types"), _types),
    "dump headers": Reader(lambda make: make.binary(make.draw.choice(("dump", "vmlinux"))), _dumps),
    "module files": Reader(lambda make: make.binary("small module"), _module_files),
    "terminal input": Reader(Mutator.typed, _terminal),
    "subcommands": Reader(
        lambda make: make.draw.choice(
            (Mutator.session, lambda m: m.input("log", 8000), lambda m: m.input("playbook", 8000))
        )(make),
        _commands,
    ),
}
assert set(COMMANDS) == set(command_line.SUBCOMMANDS), "a subcommand has no line in COMMANDS"
