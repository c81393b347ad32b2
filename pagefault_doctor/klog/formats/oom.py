"""Memory running out: `mm/oom_kill.c` (dump_header, __oom_kill_process).

Details: `invoked_by`; `order` and `gfp_mask` of the allocation; `constraint` and `cgroup`;
`killed`, `killed_pid`, `total_vm`, `anon_rss` (with their unit), `oom_score_adj`; `limit` of a
control group and `killed_in` (`mm/memcontrol.c`, mem_cgroup_print_oom_meminfo, _oom_context);
`zone`, the first with what is free in it and the least that should be, and `swap`
(`mm/show_mem.c`, show_free_areas).
"""

from __future__ import annotations

from functools import partial
from typing import Final

from pagefault_doctor.klog.formats.format import Format
from pagefault_doctor.klog.formats.memory import ZONE
from pagefault_doctor.model.report import Kind

_KILLED: Final = r"[Oo]ut of memory: Kill(?:ed)? process \d+,? ?\(([^)\n]{1,40})\)"

DETAILS: Final = (
    r"^(?P<invoked_by>.{1,40}?) invoked oom-killer: "
    r"gfp_mask=(?P<gfp_mask>0x[0-9a-f]+(?:\([^)]*\))?).*?order=(?P<order>-?\d+)",
    r"oom-kill:constraint=(?P<constraint>CONSTRAINT_\w+)(?:.*?task_memcg=(?P<cgroup>[^,]+))?",
    r"Kill(?:ed)? process (?P<killed_pid>\d+),? ?\((?P<killed>[^)]{1,40})\)"
    r"(?:.*?total-vm:(?P<total_vm>\d+kB))?(?:.*?anon-rss:(?P<anon_rss>\d+kB))?"
    r"(?:.*?oom_score_adj:(?P<oom_score_adj>-?\d+))?",
    r"(?P<limit>memory: usage \d+kB, limit \d+kB, failcnt \d+)",
    r"(?P<killed_in>Task in \S+ killed as a result of limit of .+)",
    ZONE,
    r"(?P<swap>Free swap += \d+kB)",
)

_oom = partial(Format, kind=Kind.OOM_KILL, plain=True)
_piece = partial(_oom, fragment=True, alike="out of memory")
"""What is left of such a report, or what programs tell of it."""

FORMATS: Final = (
    _oom(
        start=r"^(?!syz).*invoked oom-killer: gfp_mask=",
        pattern=r"\S+ invoked oom-killer: (?:[\s\S]*?)" + _KILLED,
        title="out of memory: killed process {1}",
        source="mm/oom_kill.c (dump_header, __oom_kill_process)",
    ),
    _oom(
        start=r"[Oo]ut of memory(?: \([^)]*\))?: Kill(?:ed)? process \d+\b(?! \(syz)",
        needles=("ut of memory: Kill", "ut of memory ("),
        follows=True,
        pattern=_KILLED,
        title="out of memory: killed process {1}",
        source="mm/oom_kill.c (__oom_kill_process)",
    ),
    _oom(
        pattern=r"(\S+) invoked oom-killer",
        title="out of memory: oom-killer invoked by {1}",
        source="mm/oom_kill.c (dump_header)",
    ),
    _piece(
        start=r"oom-kill:constraint=CONSTRAINT_\w+,.*task=(?!syz)([^,]+)",
        title="out of memory: killed process {1}",
        source="mm/oom_kill.c (dump_oom_summary)",
    ),
    _piece(
        needles=("oom_reaper: ",),
        start=r"oom_reaper: (?:reaped process|unable to reap) (?:\d+|pid:\d+) \((?!syz)([^)]+)\)",
        title="out of memory: killed process {1}",
        source="mm/oom_kill.c (oom_reap_task)",
    ),
    _piece(
        start=r"^Killed process \d+,? \((?!syz)([^)]+)\)",
        title="out of memory: killed process {1}",
        source="mm/oom_kill.c (oom_kill_process), before 4.20",
    ),
    _piece(
        start=r"^\[ *pid *\] +uid +tgid +total_vm +rss "
        r"|^Task in \S+ killed as a result of limit of|^memory: usage \d+kB, limit"
        r" \d+kB, failcnt [1-9]"
        r"|^Memory cgroup stats for |^Tasks state \(memory values in pages\)",
        needles=("total_vm", "as a result of limit", "memory: usage ", "Memory cgroup stats",
                 "Tasks state "),
        title="out of memory: the kernel's list of processes",
        source="mm/oom_kill.c (dump_tasks), mm/memcontrol.c (mem_cgroup_print_oom_meminfo)",
    ),
    _piece(
        start=r"^VM: killing process (?!syz)(.+)|^Out of Memory: Killed process \d+ \(([^)]+)\)",
        title="out of memory: killed process {1}{2}",
        source="mm/oom_kill.c and arch/i386/mm/fault.c of 2.4",
    ),
    _piece(
        start=r"^__alloc_pages: \d+-order allocation failed",
        title="page allocation failed",
        source="mm/page_alloc.c (__alloc_pages) of 2.4",
    ),
    _piece(
        start=r"^SL[AU]B: Unable to allocate memory on|^Out of memory(?:\n|$)"
        r"|^zram: Error allocating memory"
        r"|all_unreclaimable\? yes|^Mem-Info:(?:\n|$)",
        needles=(": Unable to allocate memory", "Out of memory", "zram: Error",
                 "unreclaimable? yes", "Mem-Info:"),
        title="memory runs out",
        source="mm/slub.c (slab_out_of_memory), mm/show_mem.c (show_free_areas)",
    ),
    _piece(
        start=r"lowmemorykiller: Kill(?:ing|ed)? '?\w|^\S*lowmemorykiller: .*to free \d+kB",
        title="out of memory: Android's low memory killer",
        source="drivers/staging/android/lowmemorykiller.c (lowmem_scan), before 4.12",
    ),
    _piece(
        start=r"Killed \S+ due to memory (?:pressure|used)"
        r"|sending SIG(?:TERM|KILL) to process \d+.*badness"
        r"|has been killed by the OOM killer|Failed with result 'oom-kill'",
        said=True,
        title="out of memory: a service was killed",
        source="systemd-oomd, earlyoom, systemd's src/core/unit.c (unit_log_oom)",
    ),
)  # fmt: skip
