"""What the worker thread tells the wizard. Workers post, handlers act."""

from __future__ import annotations

from textual.message import Message

from pagefault_doctor.model.log import KernelLog


class CommandSaid(Message):
    """The running command printed something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class CommandEnded(Message):
    """The running command came to its end.

    `problem` is set when pfdoctor itself failed, `lost` when the host is out of reach.
    """

    def __init__(self, problem: str = "", lost: bool = False) -> None:
        super().__init__()
        self.problem = problem
        self.lost = lost


class LogParsed(Message):
    """A pasted log was read; `problem` is set instead of `log` when that failed."""

    def __init__(self, log: KernelLog | None, problem: str = "") -> None:
        super().__init__()
        self.log = log
        self.problem = problem
