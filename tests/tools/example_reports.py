"""Results, cases and short walks for the tests of the tools."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result, ResultStatus
from pagefault_doctor.model.fact import Fact, Finding, Source, Value
from pagefault_doctor.tools.logs.log_reading import parse
from pagefault_doctor.tools.tool import Tool, next_command

KERNEL = "6.1.0-56-cloud-amd64"

BOOT = f"""\
[    0.000000] Linux version {KERNEL} (builder@example) (gcc 12) #1 SMP PREEMPT_DYNAMIC
[    0.210000] pci 0000:00:01.0: enabled
"""

OOPS = f"""\
[   12.000100] wobble: loading out-of-tree module taints kernel.
[   12.500000] BUG: kernel NULL pointer dereference, address: 0000000000000000
[   12.500010] #PF: supervisor write access in kernel mode
[   12.500020] #PF: error_code(0x0002) - not-present page
[   12.500030] PGD 0 P4D 0
[   12.500040] Oops: 0002 [#1] PREEMPT SMP NOPTI
[   12.500050] CPU: 0 PID: 91 Comm: insmod Tainted: G           OE      {KERNEL} #1  Debian
[   12.500060] Hardware name: QEMU Standard PC (Q35 + ICH9, 2009), BIOS 1.16.2-1 04/01/2014
[   12.500070] RIP: 0010:wobble_init+0x11/0x1000 [wobble]
[   12.500080] Code: 00 00 0f 1f 44 00 00 31 c0 c6 00 41 c3
[   12.500090] RSP: 0018:ffffb0a5c0327c60 EFLAGS: 00010246
[   12.500100] RAX: 0000000000000000 RBX: 0000000000000000 RCX: 0000000000000000
[   12.500110] CR2: 0000000000000000 CR3: 0000000003b0a000 CR4: 00000000000006f0
[   12.500120] Call Trace:
[   12.500130]  <TASK>
[   12.500140]  do_one_initcall+0x56/0x230
[   12.500150]  do_init_module+0x4a/0x200
[   12.500160]  </TASK>
[   12.500170] Modules linked in: wobble(OE+) helper(OE) virtio_net
[   12.500180] CR2: 0000000000000000
[   12.500190] ---[ end trace 0000000000000000 ]---
"""

SAME_AGAIN = OOPS.replace("[   12.5", "[   95.5").replace("[#1]", "[#2]")

WARNING = f"""\
[  120.000000] ------------[ cut here ]------------
[  120.000010] WARNING: CPU: 1 PID: 300 at mm/other.c:12 other_place+0x20/0x80
[  120.000020] CPU: 1 PID: 300 Comm: stress Tainted: G           OE      {KERNEL} #1  Debian
[  120.000030] RIP: 0010:other_place+0x20/0x80
[  120.000040] Call Trace:
[  120.000050]  do_syscall_64+0x55/0x80
[  120.000060] ---[ end trace 0000000000000000 ]---
"""

SEGFAULT = "[   30.000000] app[400]: segfault at 0 ip 401136 sp 7ffd1 error 4 in app[401000+1000]\n"

OOM = (
    "[   30.000000] Out of memory: Killed process 400 (batch) total-vm:104660kB, anon-rss:54284kB, "
    "file-rss:4kB, shmem-rss:1324kB, UID:0 pgtables:144kB oom_score_adj:0\n"
)

HEALTHY = BOOT + "[    1.000000] random: crng init done\n"


def told(
    output: str = "",
    *argv: str,
    errors: str = "",
    exit_code: int | None = 0,
    status: ResultStatus | None = None,
    tool: str = "test",
) -> Result:
    """Return a result, failed where the exit code says so."""
    ended = status or (ResultStatus.FAILED if exit_code else ResultStatus.OK)
    command = Command(argv=argv or ("test",), tool=tool)
    return Result(command=command, status=ended, exit_code=exit_code, output=output, errors=errors)


def found(log: str) -> Result:
    """Return what the search of a small log prints."""
    lines = "".join(f" {line}\n" for line in log.splitlines())
    return told(f"@1\n{lines}@end {len(log)} 0\n")


def known(facts: dict[str, Value] | None = None, *logs: tuple[str, str]) -> Case:
    """Return a case with these facts, and with logs given as source and text."""
    return Case(
        facts={name: Fact(name, value, Source("test")) for name, value in (facts or {}).items()},
        logs=tuple(parse(text, source) for source, text in logs),
    )


def learn(case: Case, tool_id: str, result: Result, reading: ToolReading) -> Case:
    """Return the case with a result and what was read from it."""
    return msgspec.structs.replace(
        case,
        facts=case.facts | {fact.name: fact for fact in reading.facts},
        findings=(*case.findings, *reading.findings),
        logs=(*case.logs, reading.log) if reading.log else case.logs,
        results=case.results | {tool_id: (*case.done(tool_id), result)},
    )


def follow(tool: Tool, case: Case, *answers: Result) -> tuple[Case, list[Command], Blocked | None]:
    """Use a tool to its end, each command getting the next answer.

    As in a walk, a result knows of its command only what the session's events keep.
    Fails where the tool wants more or fewer commands than there are answers.
    """
    ran: list[Command] = []
    for answer in answers:
        command = next_command(tool, case)
        assert isinstance(command, Command), f"after {len(ran)} commands: {command}"
        ran.append(command)
        kept = Command(
            argv=command.argv, tool=command.tool, risk=command.risk, as_root=command.as_root
        )
        result = msgspec.structs.replace(answer, command=kept)
        case = learn(case, tool.id, result, tool.read(result, case))
    last = next_command(tool, case)
    assert not isinstance(last, Command), f"wants one more: {last}"
    return case, ran, last


def texts(findings: Iterable[Finding]) -> str:
    """Return the sentences of the findings, one a line."""
    return "\n".join(finding.text for finding in findings)


def use_for_real(tool: Tool, case: Case) -> Case:
    """Use a tool on this machine, to its end."""
    while isinstance(wanted := next_command(tool, case), Command):
        result = LocalHost().run(wanted)
        case = learn(case, tool.id, result, tool.read(result, case))
    assert wanted is None, wanted
    return case
