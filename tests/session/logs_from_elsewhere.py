"""Made-up logs of other machines, one for each kind of case, with the playbook that each is for."""

from __future__ import annotations

from typing import Final

_HEAD: Final = "[   70.000000] Linux version 6.1.0-26-amd64 (turnip@field) (gcc 12) #1 SMP\n"


def _stamped(text: str) -> str:
    lines = enumerate(text.splitlines())
    return _HEAD + "".join(f"[   78.{number:06}] {line}\n" for number, line in lines)


NULL: Final = _stamped("""\
radish: loading out-of-tree module taints kernel.
BUG: kernel NULL pointer dereference, address: 0000000000000010
#PF: supervisor read access in kernel mode
#PF: error_code(0x0000) - not-present page
Oops: 0000 [#1] PREEMPT SMP
CPU: 1 PID: 77 Comm: cat Tainted: G           O       6.1.0-26-amd64 #1
RIP: 0010:radish_show+0x11/0x40 [radish]
RDX: ffff888104a2e000 RSI: ffffffffc05b2040 RDI: 0000000000000000
Call Trace:
 <TASK>
 vfs_read+0x29b/0x360
 </TASK>
Modules linked in: radish(O) ext4
---[ end trace 0000000000000000 ]---
""")
SEGFAULT: Final = _stamped("""\
gardener[812]: segfault at 18 ip 00007f1a2b3c4d5e sp 00007ffc12345678 error 4 in \
libplot.so.2[7f1a2b3c0000+9000]
gardener[930]: segfault at 18 ip 00007f2a2b3c4d5e sp 00007ffc92345678 error 4 in \
libplot.so.2[7f2a2b3c0000+9000]
""")
SERVICE: Final = _stamped("app.service: Main process exited, code=killed, status=11/SEGV\n")
OOM: Final = _stamped("""\
nginx invoked oom-killer: gfp_mask=0x1100cca(GFP_HIGHUSER_MOVABLE), order=0, oom_score_adj=0
CPU: 1 PID: 812 Comm: nginx Not tainted 6.1.0-26-amd64 #1  Debian 6.1.112-1
Call Trace:
 <TASK>
 dump_header+0x4a/0x211
 out_of_memory+0x1fd/0x4c0
 </TASK>
Mem-Info:
active_anon:1000 inactive_anon:450000 isolated_anon:0
 slab_reclaimable:5000 slab_unreclaimable:12000
 mapped:300 shmem:2000 pagetables:3000
Node 0 Normal free:40000kB boost:0kB min:44000kB low:55000kB high:66000kB
Free swap  = 0kB
Total swap = 0kB
512000 pages RAM
Tasks state (memory values in pages):
[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
[    812]    33   812    20000     2000   120000        0             0 nginx
[    813]    33   813    20000     3120   120000        0             0 nginx
[    900]  1000   900   600000   440000  3700000        0             0 tomato
oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,\
task_memcg=/system.slice/tomato.service,task=tomato,pid=900,uid=1000
Out of memory: Killed process 900 (tomato) total-vm:2400000kB, anon-rss:1760000kB, \
file-rss:0kB, shmem-rss:0kB, UID:1000 pgtables:3600kB oom_score_adj:0
""")
GROUP: Final = _stamped("""\
worker invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
CPU: 1 PID: 900 Comm: worker Not tainted 6.1.0-26-amd64 #1  Debian 6.1.112-1
memory: usage 524288kB, limit 524288kB, failcnt 312
Tasks state (memory values in pages):
[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
[    900]  1000   900   200000   124000  1100000        0             0 worker
oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,\
oom_memcg=/system.slice/tomato.service,task_memcg=/system.slice/tomato.service,\
task=worker,pid=900,uid=1000
Memory cgroup out of memory: Killed process 900 (worker) total-vm:800000kB, \
anon-rss:496000kB, file-rss:0kB, shmem-rss:0kB, UID:1000 pgtables:1100kB oom_score_adj:0
""")
PANIC: Final = _stamped("""\
Kernel panic - not syncing: Out of memory: compulsory panic_on_oom is enabled
CPU: 1 PID: 77 Comm: cat Tainted: G O 6.1.0-26-amd64 #1
""")
CANARY: Final = _stamped("""\
Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in: \
radish_store+0x8c/0x90 [radish]
CPU: 1 PID: 77 Comm: sh Tainted: G           O       6.1.0-26-amd64 #1
Call Trace:
 <TASK>
 __stack_chk_fail+0x10/0x10
 radish_store+0x8c/0x90 [radish]
 </TASK>
Modules linked in: radish(O)
""")
GUARD: Final = _stamped("""\
BUG: TASK stack guard page was hit at 00000000aabbccdd (stack is 0000000011223344..0000000055667788)
stack guard page: 0000 [#1] PREEMPT SMP
CPU: 1 PID: 77 Comm: sh Tainted: G           O       6.1.0-26-amd64 #1
RIP: 0010:radish_walk+0x8/0x90 [radish]
Modules linked in: radish(O)
""")
MACHINE_CHECK: Final = _stamped("""\
mce: [Hardware Error]: CPU 3: Machine Check Exception: 5 Bank 4: be00000000800400
mce: [Hardware Error]: TSC 0 ADDR 1ffff8000 MISC d012000100000000
mce: [Hardware Error]: PROCESSOR 2:600f20 TIME 1400000000 SOCKET 0 APIC 6
""")
DISK: Final = _stamped("""\
ata3.00: exception Emask 0x0 SAct 0x0 SErr 0x0 action 0x0
ata3.00: failed command: READ DMA EXT
ata3.00: error: { UNC }
blk_update_request: I/O error, dev sdb, sector 123456 op 0x0:(READ) flags 0x0 phys_seg 1
""")
QUIET: Final = _stamped("usb 1-1: new high-speed USB device number 4 using xhci_hcd\n")

LOGS: Final = {
    "null": (NULL, "kernel-page-fault"),
    "segfault": (SEGFAULT, "user-space-segfault"),
    "service": (SERVICE, "user-space-segfault"),
    "oom": (OOM, "memory-pressure"),
    "group": (GROUP, "memory-pressure"),
    "panic": (PANIC, "memory-pressure"),
    "canary": (CANARY, "corrupted-stack"),
    "guard": (GUARD, "corrupted-stack"),
    "machine-check": (MACHINE_CHECK, "kernel-page-fault"),
    "disk": (DISK, "kernel-page-fault"),
    "quiet": (QUIET, "kernel-page-fault"),
}
