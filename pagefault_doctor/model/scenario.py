"""A training scenario: a recorded crash with questions."""

from __future__ import annotations

from typing import Final

import msgspec

EVENTS: Final = ("mce", "nmi")
"""Commands of QEMU's monitor (`hmp-commands.hx`) that only make the guest's hardware misbehave.

Others could read files or start programs on this machine, and a scenario may come from anywhere.
"""


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A question at a step, asked once its commands have run.

    `choices` are shown in order; `answer` is the index of the right one, from 0.
    """

    id: str
    step: str
    ask: str
    choices: tuple[str, ...]
    answer: int
    hint: str
    explain: str


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The content of `scenario.yaml`. The recording is beside it, as `recording.jsonl`.

    A scenario is about a module, or about a program: then `module` is None and `given` names the
    `program`; or about the machine itself: then `module` is None and `inject` holds what goes wrong
    there, each a command line of QEMU's monitor that begins with one of EVENTS. `given` is what the
    person of the case knew at the start, such as `source_dir`.
    `trigger` holds the command lines that cause the fault once the module is loaded, or that
    prepare the machine for an event, quoted as for a shell; none where loading is enough.
    `kernel_args` go on the kernel's command line.
    `arch` is the architecture of its machine, as the lab names it.
    `bystanders` are innocent out-of-tree modules that are loaded before.
    `kernel` is the Debian package of the kernel it needs, none where the lab's usual one will do.
    """

    # Without a default: a file must state the version that it was written for.
    schema: int
    id: str
    title: str
    summary: str
    level: str
    playbook: str
    root_cause: str
    attribution: str
    module: str | None
    made: str
    lesson: str
    given: dict[str, str] = {}
    trigger: tuple[str, ...] = ()
    inject: tuple[str, ...] = ()
    kernel_args: tuple[str, ...] = ()
    bystanders: tuple[str, ...] = ()
    arch: str = "x86_64"
    kernel: str = ""
    questions: tuple[Question, ...] = ()

    @property
    def blamed(self) -> str | None:
        """The module that the verdict names: none where the log shows only that memory ran out."""
        return self.module if self.attribution == "module" else None

    @property
    def known(self) -> dict[str, str]:
        """What a session of it starts with, including the trigger of its module."""
        known = self.module and self.trigger
        trigger = {"trigger": "\n".join(self.trigger)} if known else {}
        return self.given | trigger
