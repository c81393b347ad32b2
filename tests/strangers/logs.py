"""The logs of strangers: read from their archive, and how an answer to one is judged."""

from __future__ import annotations

import json
import sys
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.model.diagnosis import Diagnosis, RootCause

ARCHIVE: Final = Path(__file__).parent / "logs.tar.xz"
SURE: Final = 0.9


class Stranger(msgspec.Struct, frozen=True):
    """A log and its truth (README.md)."""

    name: str
    log: str
    expected: dict[str, Any]

    @property
    def is_unseen(self) -> bool:
        """Whether nobody looked at it to write a rule."""
        return bool(zlib.crc32(self.name.encode()) & 1)

    @property
    def is_faulty(self) -> bool:
        """Whether the log has a fault."""
        return str(self.expected["root_cause_class"]) != "none"

    def accepts(self, verdict: Diagnosis) -> bool:
        """Whether an expert would accept both the cause and who has to act."""
        causes = {self.expected["root_cause_class"], *self.expected.get("root_cause_also", ())}
        whos = {self.expected["attribution"], *self.expected.get("attribution_also", ())}
        return verdict.root_cause in causes and verdict.attribution in whos


class Answer(msgspec.Struct, frozen=True):
    """What was said of a log: whether it is right, sure, and nothing though there is a fault."""

    stranger: Stranger
    verdict: Diagnosis
    right: bool
    sure: bool
    silent: bool


def strangers() -> Iterator[Stranger]:
    """Yield the logs, by name."""
    with tarfile.open(ARCHIVE) as archive:
        files = {}
        for member in archive:
            stream = archive.extractfile(member)
            assert stream
            files[member.name] = stream.read().decode("utf-8", "replace")
    for name in sorted(name.removesuffix(".json") for name in files if name.endswith(".json")):
        yield Stranger(name, files[f"{name}.log"], json.loads(files[f"{name}.json"])["expected"])


def answer(stranger: Stranger) -> Answer:
    """Return what is said of a log, and whether it is right."""
    verdict = diagnose((klog.read(stranger.log.encode(), stranger.name),), {}).verdict
    silent = stranger.is_faulty and verdict.root_cause is RootCause.NONE
    right, sure = stranger.accepts(verdict), verdict.confidence >= SURE
    return Answer(stranger, verdict, right, sure, silent)


def main() -> None:
    """Pack the logs and the truths of a folder."""
    from crashes.corpus import pack

    folder = Path(sys.argv[1])
    pack(folder, [path.stem for path in folder.glob("*.json")], ARCHIVE)


if __name__ == "__main__":
    main()
