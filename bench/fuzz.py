"""Feed hostile input to everything that reads text from outside, for as long as you like.

    .venv/bin/python bench/fuzz.py [SECONDS [SEED]]

Each reader gets logs, outputs, recordings, playbooks and archives that were cut, spliced, flipped
and filled with terminal escapes. A reader may raise only what its docstring names, nothing shown
may hold a control character, memory must stay bounded, and no input may take longer than a generous
limit for its size. The readers run in a process of their own, so that one that never returns is
noticed. The number of inputs tried is printed. An input that did harm is kept in a file, and the
exit code is 1.
"""

from __future__ import annotations

import gzip
import io
import multiprocessing
import random
import resource
import sys
import tarfile
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final, NamedTuple

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.diagnosis.explanation import with_explanations
from pagefault_doctor.hosts.remote_shell import remote_text
from pagefault_doctor.model import untrusted
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Command, Result, ResultStatus
from pagefault_doctor.model.errors import PfDoctorError
from pagefault_doctor.model.event import SessionStarted
from pagefault_doctor.playbook import loader, shelf
from pagefault_doctor.report.diagnosis import diagnosis_text
from pagefault_doctor.report.document import diagnosis_document, encode
from pagefault_doctor.report.html import render
from pagefault_doctor.report.outline import session_outline
from pagefault_doctor.session.event_log import read_events
from pagefault_doctor.session.redact.redaction import Redaction
from pagefault_doctor.session.view import Fold
from pagefault_doctor.tools import TOOLS
from pagefault_doctor.tools.logs.log_search import log_of, text_of

ROOT: Final = Path(__file__).resolve().parents[1]
LACE: Final = (
    b"\x1b[2J", b"\x1b]0;x\x07", b"\x9b31m", b"\r", b"\0", b"\xff\xfe", "‮".encode(),
    "é".encode(), b"[bold]", b"%s%n", b"$(id)", b"' \" \\", b"../../etc/passwd", b"&a [*a, *a]",
    b"!!python/object:os.system", b"9" * 400, b"-1", b"1e999", b"{", b"}", b"\n" * 50, b"BUG: ",
    b"RIP: 0010:", b"Call Trace:\n", b"@9999999999\n", b"@end 1 1\n", b" \t" * 200,
)  # fmt: skip
MEMORY: Final = 600
"""MB that the whole run may use at most."""
LONGEST: Final = 10.0
"""Seconds that one input may take; the slowest valid one takes a twentieth on a busy machine."""


def seeds() -> dict[str, list[bytes]]:
    """Return valid input of each sort, from the project's own files."""
    logs = [path.read_bytes() for path in (ROOT / "tests/klog/logs").glob("*")]
    recordings = sorted((ROOT / "playbooks/scenarios").glob("*/recording.jsonl"))
    return {
        "log": logs + [path.read_bytes() for path in ROOT.glob("playbooks/scenarios/*/serial.log")],
        "output": [path.read_bytes() for path in (ROOT / "tests/tools/data").iterdir()],
        "recording": [path.read_bytes() for path in recordings],
        "playbook": [path.read_bytes() for path in ROOT.glob("playbooks/*.yaml")],
    }


class Mutator:
    """Makes hostile input from valid input, the same for the same seed."""

    def __init__(self, good: dict[str, list[bytes]], seed: int) -> None:
        self.draw = random.Random(seed)
        self.good = dict(good)

    def input(self, sort: str, most: int = 60_000) -> bytes:
        """Return a new input of that sort."""
        data = bytearray(self.draw.choice(self.good[sort]))
        if len(data) > most:
            begin = self.draw.randrange(len(data) - most)
            data = data[begin * self.draw.randrange(2) :][:most]
        for _ in range(self.draw.randrange(1, 12)):
            self._changed(data, sort)
        return bytes(data[: 2 * most])

    def _changed(self, data: bytearray, sort: str) -> None:
        place = self.draw.randrange(len(data) + 1)
        length = self.draw.choice((1, 3, 20, 400))
        what = self.draw.randrange(6)
        if what == 0:
            del data[place : place + length]
        elif what == 1:
            data[place:place] = self.draw.choice(LACE)
        elif what == 2:
            other = self.draw.choice(self.good[sort])
            begin = self.draw.randrange(len(other) or 1)
            data[place : place + length] = other[begin : begin + 10 * length]
        elif what == 3:
            data[place : place + length] = self.draw.randbytes(length)
        elif what == 4:
            data[place:place] = data[place : place + length] * self.draw.randrange(1, 20)
        elif data:
            del data[self.draw.randrange(len(data)) :]


Reader = Callable[[Mutator, Path], Iterator[str]]
"""Reads one new input and yields all the text that a person would see of it."""


def _logs(make: Mutator, _folder: Path) -> Iterator[str]:
    log = klog.read(make.input("log"), "fuzz")
    opinion = with_explanations(diagnose((log,), {}), (log,), {})
    yield diagnosis_text("fuzz", log.reports, opinion)
    yield encode(diagnosis_document("fuzz", log.reports, opinion))


def _tools(make: Mutator, _folder: Path) -> Iterator[str]:
    tool = make.draw.choice(list(TOOLS.values()))
    output = untrusted.decode(make.input(make.draw.choice(("output", "log")), 8000))
    argv = (make.draw.choice((tool.id, "cat", "sh")), "-c", output[:40], "x", "/var/log/x")
    status = make.draw.choice(tuple(ResultStatus))
    result = Result(command=Command(argv=argv, tool=tool.id), status=status, output=output)
    yield from (finding.text for finding in tool.read(result, Case()).findings)


def _playbooks(make: Mutator, _folder: Path) -> Iterator[str]:
    try:
        loader.load(untrusted.decode(make.input("playbook")), "fuzz.yaml")
    except PfDoctorError as error:
        yield str(error)


def _recordings(make: Mutator, folder: Path) -> Iterator[str]:
    path = folder / "fuzz.jsonl"
    path.write_bytes(make.input("recording", 300_000))
    try:
        events = read_events(path)
        if make.draw.randrange(2):
            events = tuple(Redaction().events(events))
        first = events[0]
        assert isinstance(first, SessionStarted)
        view = Fold(TOOLS).replay(events, shelf.playbook(first.playbook))
    except PfDoctorError as error:
        yield str(error)
        return
    yield render(session_outline(view))


def _archives(make: Mutator, _folder: Path) -> Iterator[str]:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for number in range(make.draw.randrange(1, 5)):
            data = make.input("log", 8000)
            name = make.draw.choice((f"var/log/kern.{number}", "../../x", "/etc/x", "a\x1b[2J"))
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    make.good["archive"] = [packed.getvalue(), gzip.compress(packed.getvalue(), 1)]
    for log in klog.logs_in_stream(io.BytesIO(make.input("archive")), "fuzz.tar"):
        yield log.source + (log.note or "")
        yield diagnosis_text(log.source, log.reports, diagnose((log,), {}))


def _remote(make: Mutator, _folder: Path) -> Iterator[str]:
    said = untrusted.decode(make.input("log", 8000))
    argv = ("sh", "-c", "script", "search", said[:200])
    try:
        assert remote_text(Command(argv=argv, tool="x"), {}).isascii()
    except ValueError as error:
        yield str(error)
    lines = "".join(f" {line}\n" for line in said.splitlines())
    command = Command(argv=argv, tool="x")
    result = Result(command=command, status=ResultStatus.OK, output=f"@1\n{lines}{said}")
    yield log_of(result).note or text_of(result)[:2000]


READERS: Final[dict[str, Reader]] = {
    "kernel logs": _logs,
    "outputs of tools": _tools,
    "playbooks": _playbooks,
    "recordings": _recordings,
    "archives": _archives,
    "another machine": _remote,
}


class News(NamedTuple):
    """A message of the readers' process: the input it starts, or how the last one ended."""

    reader: str
    seed: int
    problem: str = ""
    memory: int = 0


def main() -> int:
    """Try all readers in turn until the time is over; return the exit code."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
    print(f"{seconds:.0f} s with seed {seed}, at most {LONGEST:.0f} s for each input", flush=True)
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=read_on, args=(theirs, seconds, seed), daemon=True)
    process.start()
    theirs.close()
    tried, slowest, last = dict.fromkeys(READERS, 0), 0.0, News("start", seed)
    while True:
        began = time.monotonic()
        if not ours.poll(LONGEST):
            process.kill()
            return _harmed(last._replace(problem=f"took longer than {LONGEST:.0f} s"))
        try:
            news: News = ours.recv()
        except EOFError:
            break
        slowest = max(slowest, time.monotonic() - began)
        if news.problem:
            return _harmed(news)
        tried[news.reader] += 1
        last = news
    process.join()
    if process.exitcode:
        return _harmed(last._replace(problem=f"ended the process with {process.exitcode}"))
    for name, count in tried.items():
        print(f"{name:20}{count:8} inputs")
    told = f"no harm, {last.memory} MB and {slowest:.1f} s at most"
    print(f"{'all':20}{sum(tried.values()):8} inputs, {told}")
    return 0 if last.memory < MEMORY else 1


def read_on(told: Connection, seconds: float, seed: int) -> None:
    """Try inputs until the time is over, and report each before it is tried."""
    until = time.monotonic() + seconds
    good = seeds()
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() < until:
            seed += 1
            for name, reader in READERS.items():
                memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
                told.send(News(name, seed, memory=memory))
                if problem := _problem(reader, Mutator(good, seed), Path(folder)):
                    told.send(News(name, seed, problem))
                    return


def _harmed(news: News) -> int:
    kept = Path(tempfile.gettempdir(), f"pfdoctor-fuzz-{news.seed}.txt")
    kept.write_text(f"{news.reader}, seed {news.seed}\n{news.problem}")
    print(f"{news.reader}: harmed by seed {news.seed}, see {kept}\n{news.problem[-2000:]}")
    return 1


def _problem(reader: Reader, make: Mutator, folder: Path) -> str:
    """Return what was wrong with a new input, or nothing."""
    try:
        for text in reader(make, folder):
            for line in text.split("\n"):
                if not untrusted.is_clean(line):
                    return f"shown: {line!r}"
    except Exception:
        return traceback.format_exc()
    return ""


if __name__ == "__main__":
    sys.exit(main())
