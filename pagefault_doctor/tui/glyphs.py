"""The few signs the wizard draws, with a plain and a nicer set. Marks are the same in both."""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.model.fact import Mark
from pagefault_doctor.model.playbook import StepStatus


class Glyphs(msgspec.Struct, frozen=True):
    """Signs that differ between terminals."""

    rule: str
    ascii_only: bool


UNICODE: Final = Glyphs("\u2500", False)
ASCII: Final = Glyphs("-", True)

STATUS_MARKS: Final = {
    StepStatus.TODO: " ",
    StepStatus.RUNNING: ">",
    StepStatus.DONE: "v",
    StepStatus.ATTENTION: "!",
    StepStatus.BLOCKED: "#",
    StepStatus.SKIPPED: "/",
    StepStatus.FAILED: "x",
}

STATUS_WORDS: Final = {
    StepStatus.TODO: "to do",
    StepStatus.RUNNING: "under way",
    StepStatus.DONE: "done",
    StepStatus.ATTENTION: "needs attention",
    StepStatus.BLOCKED: "blocked",
    StepStatus.SKIPPED: "skipped",
    StepStatus.FAILED: "failed",
}

FINDING_MARKS: Final = {Mark.BAD: "!", Mark.GOOD: "v", Mark.NEUTRAL: "-"}
