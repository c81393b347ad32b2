"""A small walk with fake tools and a fake host, and a wizard on it that is driven by keys."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from textual.pilot import Pilot

from pagefault_doctor import klog
from pagefault_doctor.hosts.host import Host, OnOutput
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result, ResultStatus, Risk
from pagefault_doctor.model.event import SessionStarted
from pagefault_doctor.model.fact import Mark
from pagefault_doctor.model.playbook import Cause, Playbook, Remedy, Step, Suggestion
from pagefault_doctor.model.scenario import Question, Scenario
from pagefault_doctor.session.event_log import MemoryLog
from pagefault_doctor.session.walk import Walk
from pagefault_doctor.tools.tool import Plan, Tool, fact, finding, once
from pagefault_doctor.tui.app import WizardApp
from pagefault_doctor.tui.app_protocol import Wizard

GOLDEN = Path(__file__).parent / "golden"

LOG = """\
[   11.104211] demo: loading out-of-tree module taints kernel.
[   12.000120] BUG: kernel NULL pointer dereference, address: 0000000000000010
[   12.000121] #PF: supervisor write access in kernel mode
[   12.000122] #PF: error_code(0x0002) - not-present page
[   12.000123] PGD 0 P4D 0
[   12.000124] Oops: 0002 [#1] PREEMPT SMP NOPTI
[   12.000125] CPU: 1 PID: 512 Comm: insmod Tainted: G           OE      6.1.0-demo #1
[   12.000126] Hardware name: Demo Board, BIOS 1.0 01/01/2024
[   12.000127] RIP: 0010:demo_start+0x1c/0x40 [demo]
[   12.000128] Code: 00 00 55 48 89 e5 53 48 8b 1d 00 00 00 00 48 85 db <c6> 43 10 01 5b 5d c3
[   12.000129] RSP: 0018:ffffb2c140a3bc40 EFLAGS: 00010246
[   12.000130] RAX: 0000000000000000 RBX: 0000000000000000 RCX: 0000000000000000
[   12.000131] CR2: 0000000000000010 CR3: 0000000101f2c000 CR4: 00000000000006e0
[   12.000132] Call Trace:
[   12.000133]  <TASK>
[   12.000134]  do_one_initcall+0x44/0x200
[   12.000135]  do_init_module+0x4c/0x1f0
[   12.000136]  __do_sys_finit_module+0xac/0x120
[   12.000137]  </TASK>
[   12.000138] Modules linked in: demo(OE+) ext4 crc16
[   12.000139] ---[ end trace 0000000000000000 ]---
"""


class FakeHost(Host):
    """A host that gives canned answers. While `hold` is clear, commands hang."""

    def __init__(self, live: bool = True, name: str = "db7") -> None:
        self.name = name
        self.live = live
        self.ran: list[tuple[str, ...]] = []
        self.answers: dict[str, str] = {"dmesg": LOG, "lsmod": "demo 16384 1\n"}
        self.hold = threading.Event()
        self.hold.set()

    def run(
        self,
        command: Command,
        on_output: OnOutput | None = None,
        cancel: threading.Event | None = None,
    ) -> Result:
        self.ran.append(command.argv)
        output = self.answers.get(command.argv[0], "")
        if on_output and output:
            on_output(output)
        for _ in range(300):
            if self.hold.wait(0.01):
                break
            if cancel and cancel.is_set():
                return Result(command=command, status=ResultStatus.CANCELLED, output=output)
        return Result(
            command=command, status=ResultStatus.OK, exit_code=0, output=output, seconds=0.02
        )


def _read_log(result: Result, case: Case) -> ToolReading:
    log = klog.read(result.output.encode(), result.command.text)
    titles = [finding(r.title, Mark.BAD, result, r.span.first_line) for r in log.reports]
    return ToolReading(log=log, findings=tuple(titles))


def _read_modules(result: Result, case: Case) -> ToolReading:
    names = tuple(line.split()[0] for line in result.output.splitlines() if line.strip())
    found = tuple(finding(f"{name} is loaded", Mark.NEUTRAL, result, 1) for name in names)
    return ToolReading(facts=(fact("taint.letters", ("O", "E"), result),), findings=found)


def _nothing(result: Result, case: Case) -> ToolReading:
    return ToolReading()


def _tool(id: str, plan: Plan, purpose: str, **options: object) -> Tool:  # noqa: A002
    return Tool(id=id, plan=plan, purpose=purpose, **({"read": _nothing} | options))  # type: ignore[arg-type]


def _blocked(case: Case) -> Blocked:
    return Blocked("no crash dump on this box", "set up kdump, or name a dump with --vmcore")


INSMOD = "insmod demo.ko"

TOOLS = {
    tool.id: tool
    for tool in (
        _tool("dmesg", once("dmesg", "dmesg", why="read the kernel log"), "reads the kernel log",
              read=_read_log),
        _tool("lsmod", once("lsmod", "lsmod", why="see what is loaded"), "lists the modules",
              read=_read_modules),
        _tool("modinfo", once("modinfo", "modinfo", "demo"), "tells what a module is"),
        _tool("stress", once("stress", "stress-ng", "--vm", "1", risk=Risk.LOAD), "makes load"),
        _tool("insmod", once("insmod", "insmod", "demo.ko", risk=Risk.CRASH, why="load it again"),
              "loads a module", risk=Risk.CRASH),
        _tool("drgn", _blocked, "reads a dump"),
        _tool("gdb", once("gdb", "gdb", "--batch", "demo.ko"), "finds the line"),
        _tool("sysctl", once("sysctl", "sysctl", "-w", "kernel.panic=10", risk=Risk.CHANGE,
                             undo="sysctl -w kernel.panic=0"), "sets a kernel setting"),
        _tool("editor", once("editor", "vi", "demo.c", risk=Risk.CHANGE, interactive=True),
              "opens the source"),
    )
}  # fmt: skip


def _lacks_folder(case: Case) -> Command | Blocked | None:
    if case.done("modinfo"):
        return None
    if not (folder := case.get("given.module_dir", "")):
        return Blocked("the file is not known", "name its folder: --module-dir DIR")
    return Command(argv=("readelf", folder), tool="modinfo")


LACKING = {
    **TOOLS,
    "lsmod": _tool("lsmod", lambda case: None, "lists the modules"),
    "modinfo": _tool("modinfo", _lacks_folder, "tells what a module is"),
}
"""Tools of which one lacks a folder."""

_STEPS = (
    ("check-logs", "Check kernel logs", ("dmesg",)),
    ("identify-module", "Identify the culprit module", ("lsmod", "modinfo")),
    ("reproduce", "Reproduce the issue", ("stress", "insmod")),
    ("analyse-crash-dump", "Analyse the crash dump", ("drgn",)),
    ("debug-module", "Debug the module", ("gdb",)),
    ("fix-code", "Fix the code", ("sysctl",)),
    ("validate", "Validate the fix", ("dmesg",)),
)

PLAYBOOK = Playbook(
    schema=1,
    id="demo",
    title="Demo",
    summary="A small walk.",
    steps=tuple(
        Step(
            id=step,
            title=title,
            why=f"What can be learned from {step}? The next step builds on it.",
            tools=tools,
            help="oops: the kernel's report of a fault.",
            by_hand="dmesg | less",
            suggest=(
                Suggestion(
                    go=_STEPS[number + 1][0] if number + 1 < len(_STEPS) else "end",
                    because="It builds on what was found.",
                ),
            ),
        )
        for number, (step, title, tools) in enumerate(_STEPS)
    ),
)

CAUSES = {
    "null-deref": Cause(
        id="null-deref",
        title="NULL pointer dereference",
        what="A pointer that is NULL is used.",
        shows=("a fault address near 0",),
        remedy=Remedy(change="Check the pointer before it is used."),
        prove="Load it again.",
    )
}

SCENARIO = Scenario(
    schema=1,
    id="demo-case",
    title="The module that would not start",
    summary="A module was loaded and the box printed an oops.\n\nFind out why.",
    level="beginner",
    playbook="demo",
    root_cause="null-deref",
    attribution="module",
    module="demo",
    made="Recorded in a virtual machine.",
    lesson="Check what an allocation returns.",
    questions=(
        Question(
            id="what",
            step="check-logs",
            ask="What kind of fault is it?",
            choices=("a NULL pointer dereference", "a divide error", "no fault"),
            answer=0,
            hint="Look at the address.",
            explain="The address 0x10 is NULL plus the offset of a member.",
        ),
    ),
)


def make_walk(
    host: FakeHost | None = None,
    *,
    read_only: bool = False,
    scenario: str | None = None,
    playbook: Playbook = PLAYBOOK,
    tools: Mapping[str, Tool] = TOOLS,
) -> tuple[Walk, MemoryLog]:
    """Return a walk that has not begun yet, and the log its events go to."""
    log = MemoryLog()
    started = SessionStarted(
        id="20240101-120000-beef",
        version="0",
        playbook=playbook.id,
        host=(host or FakeHost()).name,
        read_only=read_only,
        scenario=scenario,
    )
    walk = Walk.start(
        started,
        playbook,
        host=host or FakeHost(),
        sink=log,
        tools=tools,
        clock=lambda: 1704110400.0,
    )
    return walk, log


APP_OF_SCREENS: type[Wizard] = WizardApp
"""mypy compares the app with what screens read and ask of it: they reach it by a cast."""


def make_app(walk: Walk, **options: object) -> WizardApp:
    """Return a wizard on the walk, with a clock that stands still."""
    wanted: dict[str, object] = {
        "causes": CAUSES,
        "vitals": lambda: "mem 41%",
        "clock": lambda: 100.0,
    }
    return WizardApp(walk, **(wanted | options))  # type: ignore[arg-type]


Play = Callable[[WizardApp, Pilot[int]], Awaitable[None]]


def drive(app: WizardApp, play: Play, size: tuple[int, int] = (80, 24)) -> None:
    """Run the wizard without a terminal and let `play` use it."""

    async def run() -> None:
        async with app.run_test(size=size, notifications=True, tooltips=True) as pilot:
            await pilot.pause()
            await play(app, pilot)

    asyncio.run(run())


async def press(app: WizardApp, pilot: Pilot[int], *keys: str) -> None:
    """Press keys, and wait after each until no command runs."""
    for key in keys:
        await pilot.press(key)
        await settle(app, pilot)


async def settle(app: WizardApp, pilot: Pilot[int]) -> None:
    """Wait until no command runs and everything is on the screen."""
    for _ in range(200):
        await pilot.pause()
        if app.running is None and all(w.is_finished for w in app.workers):
            break
        await asyncio.sleep(0.01)
    await pilot.pause()


def text_of(app: WizardApp) -> str:
    """Return what is on the screen, line by line, as a terminal would show it."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips) + "\n"


def codes_of(app: WizardApp) -> str:
    """Return what is on the screen with its colours and all, as it is sent to a terminal."""
    console = app.console
    return "".join(strip.render(console) for strip in app.screen._compositor.render_strips())


def check_golden(name: str, text: str) -> None:
    """Compare a screen with the one on file; PFDOCTOR_UPDATE_GOLDEN=1 rewrites it."""
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("PFDOCTOR_UPDATE_GOLDEN") == "1":
        path.write_text(text)
    assert text == path.read_text(), f"{name} looks different from {path}"
