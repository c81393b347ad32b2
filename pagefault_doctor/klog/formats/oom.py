"""Memory running out: `mm/oom_kill.c` (dump_header, __oom_kill_process).

Details: `invoked_by`; `order` and `gfp_mask` of the allocation; `constraint` and `cgroup`;
`killed`, `killed_pid`, `total_vm`, `anon_rss` (with their unit), `oom_score_adj`.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from pagefault_doctor.klog.formats.format import Format
from pagefault_doctor.model.report import Kind

_KILLED: Final = r"[Oo]ut of memory: Kill(?:ed)? process \d+,? ?\(([^)\n]{1,40})\)"

DETAILS: Final = (
    r"^(?P<invoked_by>.{1,40}?) invoked oom-killer: "
    r"gfp_mask=(?P<gfp_mask>0x[0-9a-f]+(?:\([^)]*\))?).*?order=(?P<order>-?\d+)",
    r"oom-kill:constraint=(?P<constraint>CONSTRAINT_\w+)(?:.*?task_memcg=(?P<cgroup>[^,]+))?",
    r"Kill(?:ed)? process (?P<killed_pid>\d+),? ?\((?P<killed>[^)]{1,40})\)"
    r"(?:.*?total-vm:(?P<total_vm>\d+kB))?(?:.*?anon-rss:(?P<anon_rss>\d+kB))?"
    r"(?:.*?oom_score_adj:(?P<oom_score_adj>-?\d+))?",
)

_oom = partial(Format, kind=Kind.OOM_KILL, plain=True)

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
)
