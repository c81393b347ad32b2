"""Print what drgn sees of the crash in a dump, one JSON object a line.

Each look is on its own, so that a damaged dump still tells what it can.
"""

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drgn import Program

    prog = Program()


def say(name, look):
    try:
        print(json.dumps({name: look()}), flush=True)
    except Exception as error:
        failed(name, error)


def failed(name, error):
    print(json.dumps({"failed": name, "error": str(error)[:300]}), flush=True)


def text(value):
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def panic():
    from drgn.helpers.linux.panic import panic_message

    return text(panic_message())


def crashed():
    from drgn.helpers.linux.panic import panic_task

    return panic_task()


def task():
    found = crashed()
    return {"comm": text(found.comm.string_()), "pid": int(found.pid)}


def module_of(address):
    try:
        from drgn.helpers.linux.module import address_to_module

        module = address_to_module(prog, address)
        return text(module.name.string_()) if module else ""
    except Exception:
        return ""


def frames():
    # drgn does not see that el1h_64_sync interrupts (entry.S of arm64), and looks one instruction
    # back for a line, as for a call.
    told, above, faulted, places = [], "", None, iter(())
    for each in list(prog.stack_trace(crashed()))[:64]:
        if above.startswith("el1h_64_"):
            faulted, places = each.pc, iter(places_of(each.pc))
        told.append(frame(each, next(places, None) if each.pc == faulted else None))
        above = each.name or ""
    return told


def places_of(address):
    try:
        return prog.source_location(address)
    except (AttributeError, LookupError):
        return ()


def frame(found, place):
    seen = {"name": found.name or "", "interrupted": found.interrupted, "file": "", "line": 0}
    try:
        seen["module"] = module_of(found.pc)
        symbol = found.symbol()
        seen["symbol"], seen["offset"] = symbol.name, found.pc - symbol.address
    except LookupError:
        pass
    try:
        at = place or found.source()
        seen["file"], seen["line"] = at[0], at[1]
    except LookupError:
        pass
    return seen


def log():
    from drgn.helpers.linux.printk import get_dmesg

    return text(get_dmesg())


say("release", lambda: text(prog["UTS_RELEASE"].string_()))
say("panic", panic)
say("task", task)
say("frames", frames)
say("log", log)
