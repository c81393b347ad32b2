"""Look where the registers of the fault point to.

Each look is on its own, and none walks over all slabs, pages or tasks of a large machine. Past
`LIMIT` seconds of processor time no further pointer is looked at, and the output says so. It is
processor time so that a busy machine finds as much as an idle one. Structures are those of
`mm/slub.c`, `include/linux/mm_types.h`, `kernel/module/main.c` and `kernel/time/timer.c`.
"""

import itertools
import re
import time
from typing import TYPE_CHECKING

from drgn import FaultError, Object, sizeof

if TYPE_CHECKING:
    from pagefault_doctor.tools.scripts.drgn_crash import (
        crashed,
        failed,
        module_of,
        prog,
        say,
        text,
    )

LIMIT = 2.0
begun = time.process_time()
SHOWN = 64
TABLES = {}
ALL_ONES = (1 << 64) - 1
MODULE_STATES = ("live", "coming", "going", "unformed")
ENTRY = re.compile(r"asm_(?:exc|sysvec)_\w+|el1h?_\w+|handle_exception|ret_from_exception")
NO_DATA = ("rip", "pc", "rflags", "pstate", "cs", "ss", "ds", "es", "fs", "gs")
SAID = re.compile(
    r"(?:fault for address|(?:dereference|for non-canonical|non-canonical|handle)(?:,)? address):? "
    r"(?:0x)?([0-9a-f]{8,16})\b"
)
OBJECT = re.compile(r"^\[[^]]*\]\s(?:\[[^]]*\] )?Object 0x([0-9a-f]{8,16}) @offset", re.M)


def faulting():
    frames = list(prog.stack_trace(crashed()))[:64]
    for above, below in zip(frames, frames[1:]):
        if below.interrupted and ENTRY.fullmatch(above.name or ""):
            return below
    if frames and frames[0].interrupted and not any(f.name == "panic" for f in frames):
        return frames[0]
    return None


def registers():
    found = faulting()
    values = found.registers() if found else {}
    return {name: hex(value) for name, value in values.items() if isinstance(value, int)}


def wanted():
    """Give the addresses to look at, each with the names it is known by, the fault's first."""
    from drgn.helpers.linux.printk import get_dmesg

    names = {}
    said = text(get_dmesg())[-(1 << 20) :]
    for name, pattern in (("fault", SAID), ("object", OBJECT)):
        for value in list(dict.fromkeys(pattern.findall(said)))[:3]:
            names.setdefault(int(value, 16), []).append(name)
    try:
        for name, value in registers().items():
            if name not in NO_DATA or name in ("rip", "pc"):
                names.setdefault(int(value, 16), []).append(name)
    except Exception:
        pass
    return {value: known for value, known in names.items() if value >= 0x10000}


def memory(address, size):
    try:
        return prog.read(address, size).hex()
    except FaultError:
        return None


def named(address):
    try:
        symbol = prog.symbol(address)
    except LookupError:
        symbol = own_symbol(address)
    return {"symbol": symbol.name, "symbol_offset": address - symbol.address} if symbol else {}


def own_symbol(address):
    """Find a name in the kernel's own table of the module, for want of debug information."""
    from drgn.helpers.linux.kallsyms import module_kallsyms
    from drgn.helpers.linux.module import address_to_module

    try:
        found = address_to_module(prog, address)
        if not found:
            return None
        name = text(found.name.string_())
        if name not in TABLES:
            TABLES[name] = module_kallsyms(found)[:20000]
        near = [each for each in TABLES[name] if each.name and each.address <= address]
        last = max(near, key=lambda each: each.address)
        return last if address - last.address < max(last.size, 1) else None
    except Exception:
        return None


def cache_flag(bit, name):
    try:
        return 1 << int(prog.constant(name))
    except LookupError:
        return bit


def trace_of(track):
    from drgn.helpers.linux.stackdepot import stack_depot_fetch

    frames = stack_depot_fetch(track.handle) or ()
    return [called(each) for each in list(frames)[:12]]


def called(frame):
    name = frame.name or ""
    if not name or name.startswith("0x"):
        name = named(frame.pc - 1).get("symbol", name)
    return [name, module_of(frame.pc - 1)]


def tracks(cache, address):
    if not int(cache.flags) & cache_flag(0x10000, "_SLAB_STORE_USER"):
        return {}
    inuse = int(cache.inuse)
    at = address + inuse + (8 if int(cache.offset) >= inuse else 0)
    kind, found = prog.type("struct track"), {}
    for name in ("allocated", "freed"):
        try:
            track = Object(prog, kind, address=at)
            if int(track.addr):
                found[name] = {"pid": int(track.pid), "stack": trace_of(track)}
        except Exception as error:
            failed("track of who %s the object" % name, error)
        at += sizeof(kind)
    return found


def redzone(cache, address):
    if not int(cache.flags) & cache_flag(0x400, "_SLAB_RED_ZONE"):
        return None
    end = int(cache.object_size)
    return memory(address + end, max(int(cache.inuse) - end, 0))


def slab(address):
    from drgn.helpers.linux.slab import slab_object_info

    info = slab_object_info(address)
    if info is None or not info.slab_cache:
        return None
    cache = info.slab_cache
    size = int(cache.object_size)
    state = {True: "live", False: "free", None: "unknown"}[info.allocated]
    seen = {
        "is": "slab",
        "what": text(cache.name.string_()),
        "state": state,
        "start": hex(info.address),
        "size": size,
        "bytes": memory(info.address, min(size, SHOWN)),
    }
    for look in (tracks, lambda c, a: {"redzone": redzone(c, a)}):
        try:
            seen.update(look(cache, info.address))
        except Exception:
            pass
    return seen


def is_free(page, pfn):
    from drgn.helpers.linux.mm import pfn_to_page

    mark = int(re.findall(r"PAGE_BUDDY_MAPCOUNT_VALUE\)=(-?\d+)", vmcoreinfo())[0])
    for order in range(11):
        head = pfn_to_page(prog, pfn >> order << order)
        buddy = int(head._mapcount.counter) in (mark, mark - (1 << 32))
        if buddy and int(head.private) >= order:
            return True
    return False


def vmcoreinfo():
    return text(prog["VMCOREINFO"].string_())


def page(address):
    from drgn.helpers.linux.mm import decode_page_flags, in_direct_map, virt_to_page, virt_to_pfn

    if not in_direct_map(prog, address):
        return None
    found = virt_to_page(prog, address)
    seen = {"is": "page", "start": hex(address & ~0xFFF), "size": 4096}
    try:
        seen["what"] = decode_page_flags(found)
        count = int(found._refcount.counter)
    except FaultError:
        return {"is": "nothing", "what": "memory that this machine does not have"}
    try:
        free = is_free(found, int(virt_to_pfn(prog, address)))
    except Exception:
        free = None
    seen["state"] = "free" if free else "unknown" if free is None or count <= 0 else "live"
    seen["bytes"] = memory(address & ~7, SHOWN)
    return seen


def stack_of(task):
    low = int(task.stack.value_())
    return low, low + 0x4000


def task_name(task):
    return f"{text(task.comm.string_())}[{int(task.pid)}]"


def stack(address):
    from drgn.helpers.linux.mm import find_vmap_area
    from drgn.helpers.linux.pid import for_each_task

    def place(task):
        low, high = stack_of(task)
        if low - 4096 <= address < high:
            kind = "guard" if address < low else "stack"
            return {"is": kind, "what": task_name(task), "start": hex(low), "size": high - low}
        return None

    seen = place(crashed())
    if seen:
        return seen
    area = find_vmap_area(prog, address) or find_vmap_area(prog, address + 4096)
    if not area or int(area.va_end - area.va_start) != 0x5000:
        return None
    for task in itertools.islice(for_each_task(prog), 2000):
        seen = place(task)
        if seen:
            return seen
    return None


def module(address):
    from drgn.helpers.linux.module import address_to_module

    found = address_to_module(prog, address)
    if not found:
        return None
    state = MODULE_STATES[int(found.state)]
    return {"is": "module", "what": text(found.name.string_()), "state": state, **named(address)}


def symbol(address):
    return {"is": "symbol", "what": prog.symbol(address).name, **named(address)}


def vmap(address):
    from drgn.helpers.linux.mm import find_vmap_area

    area = find_vmap_area(prog, address)
    if not area:
        return None
    start, end = int(area.va_start), int(area.va_end)
    seen = {"is": "vmap", "start": hex(start), "size": end - start, "what": ""}
    if area.vm and area.vm.caller:
        seen["what"] = named(int(area.vm.caller)).get("symbol", "")
    return seen


def struct_page(address):
    from drgn.helpers.common.memory import identify_address_all
    from drgn.helpers.linux.common import IdentifiedPage

    for found in identify_address_all(prog, address):
        if isinstance(found, IdentifiedPage):
            return {"is": "page-struct", "what": str(found)[:100]}
    return None


LOOKS = (module, symbol, slab, page, stack, vmap, struct_page)


def place(address):
    for look in LOOKS:
        try:
            seen = look(address)
            if seen:
                return seen
        except (LookupError, FaultError):
            pass
        except Exception as error:
            return {"is": "unknown", "what": str(error)[:200]}
    if 0xFFFFFFFFA0000000 <= address < 0xFFFFFFFFFF000000:
        return {"is": "modules-area", "what": ""}
    return {"is": "nothing", "what": ""}


def data_of_modules():
    """Give the memory of the modules that the faulting stack runs through."""
    from drgn.helpers.linux.module import find_module, module_address_regions

    names = {module_of(each.pc) for each in list(prog.stack_trace(crashed()))[:64]} - {""}
    for name in sorted(names)[:4]:
        for start, size in module_address_regions(find_module(prog, name)):
            data = memory(start, min(size, 1 << 18))
            yield name, start, bytes.fromhex(data or "")


def holders(value, areas):
    word, found = value.to_bytes(8, "little"), []
    for what, start, data in areas:
        at = data.find(word)
        if at >= 0 and at % 8 == 0:
            found.append({"what": what, "start": hex(start), "offset": at, **named(start + at)})
    return found[:6]


def pointers():
    names, seen, left = wanted(), {}, 0
    for value in names:
        if time.process_time() - begun > LIMIT:
            left += 1
        elif value >> 47 == 0x1FFFF and value < ALL_ONES - 4095:
            seen[value] = place(value)
        else:
            seen[value] = {"is": "value", "what": ""}
    areas = []
    for at in seen.values():
        if at["is"] == "slab" and not any(start == int(at["start"], 16) for _, start, _ in areas):
            data = memory(int(at["start"], 16), min(at["size"], 8192))
            areas.append((at["what"], int(at["start"], 16), bytes.fromhex(data or "")))
    try:
        areas.extend(data_of_modules())
    except Exception as error:
        failed("data of modules", error)
    for value, at in seen.items():
        at.update(address=hex(value), names=names[value], kept=holders(value, areas))
    return {"found": list(seen.values()), "left_off": left}


def modules():
    from drgn.helpers.linux.module import for_each_module

    found = itertools.islice(for_each_module(prog), 1000)
    return [[text(each.name.string_()), MODULE_STATES[int(each.state)]] for each in found]


def has_code(address):
    try:
        prog.symbol(address)
        return True
    except LookupError:
        return bool(module_of(address))


def pending():
    """Give the timers and delayed works that are due, of which the code is in no module."""
    from drgn import container_of
    from drgn.helpers.linux.cpumask import for_each_online_cpu
    from drgn.helpers.linux.list import hlist_for_each_entry
    from drgn.helpers.linux.percpu import per_cpu

    delayed, found, count = prog.symbol("delayed_work_timer_fn").address, [], 0
    for cpu in itertools.islice(for_each_online_cpu(prog), 64):
        for base in per_cpu(prog["timer_bases"], cpu):
            for head in base.vectors.read_():
                if not head.first:
                    continue
                for timer in hlist_for_each_entry("struct timer_list", head, "entry"):
                    count += 1
                    if count > 512 or time.process_time() - begun > LIMIT:
                        return found
                    code, what = int(timer.function.value_()), "timer"
                    if code == delayed:
                        work = container_of(timer, "struct delayed_work", "timer").work
                        code, what = int(work.func.value_()), "delayed work"
                    if not has_code(code):
                        found.append([what, hex(int(timer.value_())), hex(code)])
    return found


say("registers", registers)
say("pointers", pointers)
say("modules", modules)
say("pending", pending)
