"""The other hosts that a walk can move to: a machine over ssh, the lab, or this machine."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Final

from pagefault_doctor.cli.open_session import connect, tools_for
from pagefault_doctor.hosts.host import Host
from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.hosts.ssh import SshHost
from pagefault_doctor.model.errors import UsageError
from pagefault_doctor.model.event import HostChanged, LabCase
from pagefault_doctor.model.given_input import THIS_BOX
from pagefault_doctor.session.walk import Walk

HERE: Final = "here"
LAB: Final = "lab"


class OtherHost:
    """Moves a walk to another host; what is opened for that is closed with the stack."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def __call__(self, walk: Walk, name: str) -> None:
        """Begin the walk's first step anew on the host of that name.

        `here` is this machine, `lab` the lab with the module whose source was given; any other
        name is an argument of ssh, which may ask the person. Raises what `connect` and `lab_host`
        raise, UsageError where the lab has no source to build.
        """
        changed = _changed(walk, name)
        host = self._open(changed)
        walk.move(host, changed, tools_for(host, changed.lab))
        if changed.lab and walk.view.case.has("log.of"):
            # The guest stands in for the machine of the log.
            walk.give_fact("log_of", THIS_BOX)
        walk.enter(walk.view.playbook.steps[0].id)

    def _open(self, changed: HostChanged) -> Host:
        if changed.lab:
            from pagefault_doctor.cli.lab_commands.host import lab_host

            return self._stack.enter_context(lab_host(changed.lab))
        if changed.destination:
            return connect(changed.destination, changed.ssh_config)
        return LocalHost()


def _changed(walk: Walk, name: str) -> HostChanged:
    if name == HERE:
        return HostChanged(host=LocalHost().name)
    if name == LAB:
        return HostChanged(host="lab", lab=_lab_case(walk))
    config = walk.view.started.ssh_config
    return HostChanged(host=SshHost(name, config).name, destination=name, ssh_config=config)


def _lab_case(walk: Walk) -> LabCase:
    case = walk.view.case
    source = case.get("given.source_dir", "")
    if not source or not Path(source).is_dir():
        raise UsageError("the lab needs the module's source", "give its folder first: f")
    return LabCase(
        source=source,
        trigger=tuple(case.get("given.trigger", "").splitlines()),
        kernel_args=tuple(case.get("given.kernel_args", "").split()),
    )
