"""Feed hostile input to everything that reads what comes from outside, for as long as you like.

    .venv/bin/python bench/fuzz.py [SECONDS [SEED [READER...]]]
    .venv/bin/python bench/fuzz.py --again FILE...

Each reader in `fuzz_readers.py` gets logs, outputs, sessions, archives, modules and dumps that were
cut, spliced, flipped and filled with terminal escapes. A reader may raise only what its docstring
names, nothing shown may hold a control character, memory must stay bounded, and no input may take
longer than a generous limit for its size. The readers run in a process of their own, so that one
that never returns, or dies, is noticed. The number of inputs tried is printed. An input that did
harm is kept in a file, and the exit code is 1; `--again` reads such files once more. Those that led
to a change of the code are in `tests/found/`, in a folder named after their reader.
"""

from __future__ import annotations

import multiprocessing
import random
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final, NamedTuple

from fuzz_inputs import Mutator, seeds
from fuzz_readers import READERS

from forbidden import FORBIDDEN  # isort: skip

MEMORY: Final = 600
"""MB that the whole run may use at most."""
LONGEST: Final = 10.0
"""Seconds that one input may take; the slowest valid one takes a twentieth on a busy machine."""
INPUT, PROBLEM = ".input", ".problem"


class Attempt(NamedTuple):
    """An input that a reader is to read, by its reader and what it was made from."""

    reader: str
    name: str
    data: bytes


class News(NamedTuple):
    """A message of the readers' process: the input it starts, or how the last one ended."""

    attempt: Attempt
    problem: str = ""
    memory: int = 0


def main() -> int:
    """Try all readers in turn until the time is over; return the exit code."""
    if sys.argv[1:2] == ["--again"]:
        return watch(kept(map(Path, sys.argv[2:])))
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
    print(f"{seconds:.0f} s with seed {seed}, at most {LONGEST:.0f} s for each input", flush=True)
    return watch(made(seconds, seed, sys.argv[3:] or list(READERS)))


def made(seconds: float, seed: int, names: list[str]) -> Iterator[Attempt]:
    """Yield new inputs for each of these readers in turn, until the time is over."""
    until = time.monotonic() + seconds
    good = seeds()
    while time.monotonic() < until:
        seed += 1
        for name in names:
            yield Attempt(name, str(seed), READERS[name].make(Mutator(good, seed)))


def kept(files: Iterator[Path]) -> Iterator[Attempt]:
    """Yield the inputs of some files, whose folders are named after their readers."""
    for file in files:
        yield Attempt(file.parent.name.replace("-", " "), file.stem, file.read_bytes())


def watch(attempts: Iterator[Attempt]) -> int:
    """Have a process read all inputs, and return the exit code."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=read_on, args=(theirs, attempts), daemon=True)
    process.start()
    theirs.close()
    tried, slowest = dict.fromkeys(READERS, 0), (0.0, "")
    last = News(Attempt("start", "", b""))
    while True:
        began = time.monotonic()
        if not ours.poll(LONGEST):
            process.kill()
            return harmed(last._replace(problem=f"took longer than {LONGEST:.0f} s"))
        try:
            news: News = ours.recv()
        except EOFError:
            break
        slowest = max(slowest, (time.monotonic() - began, last.attempt.reader))
        if news.problem:
            return harmed(news)
        tried[news.attempt.reader] += 1
        last = news
    process.join()
    if process.exitcode:
        return harmed(last._replace(problem=f"ended the process with {process.exitcode}"))
    for name, count in tried.items():
        print(f"{name:20}{count:8} inputs")
    told = f"no harm, {last.memory} MB and {slowest[0]:.1f} s ({slowest[1]}) at most"
    print(f"{'all':20}{sum(tried.values()):8} inputs, {told}")
    return 0 if last.memory < MEMORY else 1


def read_on(told: Connection, attempts: Iterator[Attempt]) -> None:
    """Read all inputs, and report each before it is read."""
    with tempfile.TemporaryDirectory() as folder:
        for attempt in attempts:
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            told.send(News(attempt, memory=memory))
            if problem := problem_with(attempt, Path(folder)):
                told.send(News(attempt, problem))
                return


def harmed(news: News) -> int:
    """Keep the input that did harm, print what it did, and return the exit code."""
    attempt = news.attempt
    folder = Path(tempfile.mkdtemp(prefix="pfdoctor-fuzz-"), attempt.reader.replace(" ", "-"))
    folder.mkdir()
    file = folder / (attempt.name + INPUT)
    file.write_bytes(attempt.data)
    file.with_suffix(PROBLEM).write_text(news.problem, errors="backslashreplace")
    print(f"{attempt.reader}: harmed by {attempt.name}, see {file}\n{ascii(news.problem)[-2000:]}")
    return 1


def problem_with(attempt: Attempt, folder: Path) -> str:
    """Return what was wrong with how an input was read, or nothing."""
    try:
        for text in READERS[attempt.reader].texts(attempt.data, folder):
            if found := FORBIDDEN.intersection(text):
                line = next(each for each in text.split("\n") if found & set(each))
                return f"shown: {line!r}"
    except Exception:
        return traceback.format_exc()
    return ""


if __name__ == "__main__":
    sys.exit(main())
