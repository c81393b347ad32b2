"""A host made of two."""

from __future__ import annotations

import threading

from pagefault_doctor.hosts.host import Host, OnOutput
from pagefault_doctor.lab.composite import CompositeHost
from pagefault_doctor.model.command import Command, Result, ResultStatus


class Echo(Host):
    """A host that answers with its name, and remembers what it was handed."""

    live = True

    def __init__(self, name: str) -> None:
        self.name = name
        self.handed: list[object] = []

    def run(
        self,
        command: Command,
        on_output: OnOutput | None = None,
        cancel: threading.Event | None = None,
    ) -> Result:
        self.handed += [command, on_output, cancel]
        return Result(command=command, status=ResultStatus.OK, output=self.name)


def composite(box: Echo, desk: Echo) -> Host:
    return CompositeHost(box, lambda command: desk if command.tool == "crash" else box)


def test_commands_go_where_they_belong() -> None:
    host = composite(Echo("box"), Echo("desk"))
    assert host.run(Command(argv=("lsmod",), tool="lsmod")).output == "box"
    assert host.run(Command(argv=("crash",), tool="crash")).output == "desk"


def test_it_bears_the_name_of_its_main_host() -> None:
    assert composite(Echo("box"), Echo("desk")).name == "box"


def test_output_and_cancel_are_handed_on() -> None:
    box, cancel = Echo("box"), threading.Event()
    command = Command(argv=("true",), tool="true")
    composite(box, Echo("desk")).run(command, print, cancel)
    assert box.handed == [command, print, cancel]
