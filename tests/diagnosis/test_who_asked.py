"""Whose memory an object is, which built-in driver a function is of, and who called shared code.

The logs are made for these tests, in the words of several kernels; a near miss each.
"""

from __future__ import annotations

import pytest

from diagnosis.logs import diagnosed, stamped
from pagefault_doctor.diagnosis.driver_names import driver_of
from pagefault_doctor.diagnosis.object_caches import find
from pagefault_doctor.model.diagnosis import Attribution, Diagnosis, RootCause

HEAD = "CPU: 1 PID: 412 Comm: lantern Not tainted 6.6.9 #1"


@pytest.mark.parametrize(
    ("cache", "holds", "path"),
    [
        ("ext4_inode_cache", "file system ext4", "fs/ext4/"),
        ("btrfs_delayed_ref_head", "file system btrfs", "fs/btrfs/"),
        ("bio-184", "block layer", "block/"),
        ("TCPv6", "TCP", "net/ipv4/tcp.c"),
        ("nf_conntrack", "connection tracking", "net/netfilter/nf_conntrack_core.c"),
        ("scsi_sense_cache", "SCSI code", "drivers/scsi/"),
        ("task_struct", "processes (kernel/fork.c)", "kernel/fork.c"),
        ("dentry", "directory entries (VFS)", "fs/dcache.c"),
    ],
)
def test_the_name_of_a_cache_tells_whose_memory_it_is(cache: str, holds: str, path: str) -> None:
    found = find(cache)
    assert found is not None
    assert (found.name, found.holds, found.path) == (cache, holds, path)


@pytest.mark.parametrize(
    "cache",
    [
        "kmalloc-512",
        "kmalloc-cg-1k",
        "kmalloc-rnd-03-64",
        "dma-kmalloc-96",
        "TCPX",
        "piddle",
        ":0a",
    ],
)
def test_memory_of_everybody_and_unknown_caches_tell_nothing(cache: str) -> None:
    assert find(cache) is None


@pytest.mark.parametrize(
    ("function", "module"),
    [
        ("cdc_ncm_unbind", "cdc_ncm"),
        ("goodix_ts_probe", "goodix_ts"),
        ("mei_ioctl", "mei"),
        ("uvc_queue_release.part.0", "uvcvideo"),
        ("brcmf_cfg80211_get_drvinfo", "brcmfmac"),
        ("__ext4_new_inode", "ext4"),
    ],
)
def test_functions_of_a_built_in_driver_bear_its_name(function: str, module: str) -> None:
    found = driver_of(function)
    assert found is not None
    assert found[0] == module
    assert "/" in found[1]


@pytest.mark.parametrize(
    "function",
    [
        # Words of many drivers, of a subsystem, of helpers and of entry points.
        *("loop_over_all", "led_classdev_register", "i2c_smbus_xfer", "usb_storage_probe"),
        *("usb_submit_urb", "video_register_device", "kfree", "device_add", "process_one_work"),
        *("hwmon_device_register_with_info", "tpm_transmit", "watchdog_ping_work"),
        *("mei", "probe", "", "___"),
    ],
)
def test_functions_that_many_call_are_of_no_driver(function: str) -> None:
    assert driver_of(function) is None


def lead(text: str) -> Diagnosis:
    return diagnosed(text)[0]


def warned(at: str, *trace: str, said: tuple[str, ...] = (), modules: str = "") -> str:
    place, _, function = at.partition(" ")
    return stamped(
        "------------[ cut here ]------------",
        *said,
        f"WARNING: CPU: 1 PID: 412 at {place} {function}+0x4c/0x60",
        f"Modules linked in: {modules}",
        HEAD,
        f"RIP: 0010:{function}+0x4c/0x60",
        "Call Trace:",
        " <TASK>",
        *(f" {name}+0x14/0x90" for name in trace),
        " </TASK>",
        "---[ end trace 0000000000000000 ]---",
    )


REGULATOR = "drivers/regulator/core.c:2396 _regulator_put"


def test_the_driver_that_called_shared_code_is_named_beside_it() -> None:
    found = lead(warned(REGULATOR, "regulator_put", "really_probe", "goodix_ts_probe"))
    assert "voltage regulator code, at _regulator_put, called by goodix_ts_probe" in found.summary
    assert (found.attribution, found.module) == (Attribution.KERNEL, None)
    assert found.next_step is not None
    assert found.next_step.situation == "check-of-driver"
    assert "goodix_ts_probe called _regulator_put" in found.next_step.why


def test_where_no_driver_is_in_the_trace_none_is_named() -> None:
    found = lead(warned(REGULATOR, "regulator_put", "regulator_late_cleanup", "kernel_init"))
    assert "called by" not in found.summary
    assert found.next_step is not None
    assert found.next_step.situation == "warning-in-driver"


def test_behind_the_begin_of_a_thread_nobody_is_looked_for() -> None:
    found = lead(warned(REGULATOR, "regulator_put", "kthread", "goodix_ts_probe"))
    assert "goodix_ts_probe" not in found.summary


def test_a_driver_s_own_warning_has_no_caller() -> None:
    found = lead(warned("drivers/net/usb/cdc_ncm.c:90 cdc_ncm_bind", "goodix_ts_probe"))
    assert "driver cdc_ncm, at cdc_ncm_bind" in found.summary
    assert "goodix" not in found.summary


def kasan(cache: str, *trace: str) -> str:
    return stamped(
        "=" * 66,
        "BUG: KASAN: slab-use-after-free in _raw_spin_lock_irqsave+0x7d/0xd0",
        "Write of size 4 at addr ffff88810a4b2c48 by task kworker/2:3/412",
        HEAD,
        "Call Trace:",
        " <TASK>",
        " dump_stack_lvl+0x43/0x60",
        " kasan_report+0xbc/0xf0",
        *(f" {name}+0x14/0x90" for name in ("_raw_spin_lock_irqsave", *trace)),
        " </TASK>",
        "The buggy address belongs to the object at ffff88810a4b2c00",
        f" which belongs to the cache {cache} of size 1024",
        "=" * 66,
    )


WORK = ("skb_dequeue", "skb_queue_purge_reason", "process_one_work", "worker_thread")


def test_whose_memory_it_is_stands_in_the_sentence_and_names_who_takes_reports() -> None:
    found = lead(kasan("UNIX", *WORK))
    assert found.root_cause is RootCause.USE_AFTER_FREE
    assert found.summary.endswith("at skb_dequeue, on memory of local sockets (AF_UNIX)")
    assert found.owner is not None
    assert found.owner.place == "net/unix"
    assert "slab cache UNIX" in found.owner.why


def test_memory_of_everybody_is_nobody_s() -> None:
    found = lead(kasan("kmalloc-1k", *WORK))
    assert "memory of" not in found.summary
    assert found.owner is None


def test_memory_of_the_code_that_is_named_is_not_told_twice() -> None:
    found = lead(kasan("ext4_inode_cache", "ext4_evict_inode", "evict"))
    assert "file system ext4, at ext4_evict_inode" in found.summary
    assert "memory of" not in found.summary


def test_what_runs_the_work_of_others_is_not_the_place_to_look_at() -> None:
    assert "process_one_work" not in lead(kasan("kmalloc-1k", *WORK)).summary


def usercopy(cache: str) -> str:
    return stamped(
        "usercopy: Kernel memory exposure attempt detected from SLUB object"
        f" '{cache}' (offset 12, size 480)!",
        "------------[ cut here ]------------",
        "kernel BUG at mm/usercopy.c:102!",
        "invalid opcode: 0000 [#1] PREEMPT SMP NOPTI",
        HEAD,
        "RIP: 0010:usercopy_abort+0x76/0x80",
        "Call Trace:",
        *(f" {name}+0xdb/0x100" for name in ("__check_heap_object", "__check_object_size")),
        " simple_read_from_buffer+0x51/0x70",
        " qla2xxx_debug_read+0x8c/0x110 [qla2xxx]",
        " vfs_read+0xb2/0x310",
        "Modules linked in: qla2xxx nf_conntrack",
    )


def test_a_copy_from_memory_of_others_says_whose_that_is() -> None:
    found = lead(usercopy("nf_conntrack"))
    assert (found.attribution, found.module) == (Attribution.MODULE, "qla2xxx")
    assert found.summary.endswith("in module qla2xxx, on memory of connection tracking")
    assert found.next_step is not None
    assert "more than one object of nf_conntrack" in found.next_step.why
    other = lead(usercopy("kmalloc-96")).next_step
    assert other is not None
    assert other.situation == "usercopy"


def test_an_object_of_another_cache_has_a_step_of_its_own() -> None:
    said = ("cache_from_obj: Wrong slab cache. TCPv6 but object is from kmalloc-2k",)
    found = lead(warned("mm/slub.c:4021 cache_from_obj", "kmem_cache_free", "rcu_core", said=said))
    assert found.next_step is not None
    assert found.next_step.situation == "wrong-cache"
    assert "An object of kmalloc-2k was freed as one of TCPv6" in found.next_step.why
    assert found.owner is not None
    assert found.owner.place == "net/ipv4/tcp.c"


ODEBUG = (
    "ODEBUG: {} object: 00000000aa11bb22 object type: timer_list hint: cdc_ncm_tx_timer+0x0/0x40"
)


def test_a_timer_in_freed_memory_is_of_who_freed_it() -> None:
    at = "lib/debugobjects.c:514 debug_print_object"
    trace = ("debug_check_no_obj_freed", "kfree", "cdc_ncm_unbind", "usbnet_disconnect")
    said = (ODEBUG.format("free active (active state 0)"),)
    found = lead(warned(at, *trace, said=said))
    assert "driver cdc_ncm, at cdc_ncm_unbind" in found.summary
    assert found.next_step is not None
    assert "cdc_ncm_unbind freed memory in which cdc_ncm_tx_timer" in found.next_step.why
    other = lead(warned(at, *trace, said=(ODEBUG.format("assert_init not available"),))).next_step
    assert other is None or other.situation != "freed-while-due-to-run"


def hung(*trace: str) -> str:
    return stamped(
        "INFO: task lantern:412 blocked for more than 120 seconds.",
        "      Not tainted 6.6.9 #1",
        "task:lantern         state:D stack:0     pid:412   ppid:1      flags:0x00004006",
        "Call Trace:",
        *(f" {name}+0x14/0x90" for name in ("__schedule", "schedule", *trace)),
    )


def test_a_task_that_waits_in_a_driver_waits_for_its_device() -> None:
    found = lead(hung("schedule_timeout", "wait_for_completion", "mei_ioctl", "__x64_sys_ioctl"))
    assert "the kernel's driver mei, at mei_ioctl" in found.summary
    assert found.next_step is not None
    assert found.next_step.situation == "hung-task-in-driver"
    assert "lantern waits in mei_ioctl of the driver mei" in found.next_step.why


@pytest.mark.parametrize(
    "trace",
    [
        # A lock is another task's, and a function that is of no driver waits for no device.
        ("schedule_preempt_disabled", "__mutex_lock", "mei_ioctl", "__x64_sys_ioctl"),
        ("schedule_timeout", "wait_for_completion", "cellar_ioctl", "__x64_sys_ioctl"),
    ],
)
def test_who_waits_for_a_lock_or_outside_a_driver_waits_for_no_device(
    trace: tuple[str, ...],
) -> None:
    found = lead(hung(*trace)).next_step
    assert found is not None
    assert found.situation == "hung-task"


def test_a_check_that_a_module_ran_into_is_not_where_to_look() -> None:
    at = "lib/kobject.c:734 kobject_put"
    found = lead(warned(at, "put_device", "do_one_initcall", modules="ti_ads7950(+)"))
    assert found.module == "ti_ads7950"
    assert found.next_step is not None
    assert found.next_step.situation == "check-of-module"
    own = "drivers/iio/adc/ti-ads7950.c:90 ti_ads7950_probe"
    other = lead(warned(own, "do_one_initcall", modules="ti_ads7950(+)")).next_step
    assert other is not None
    assert other.situation == "warning-in-driver"


@pytest.mark.parametrize(("speaker", "named"), [("ledger 3-0048", True), ("i2c 3-0048", False)])
def test_while_a_driver_is_bound_the_one_that_spoke_last_is_named(
    speaker: str, named: bool
) -> None:
    trace = ("kref_put", "put_device", "devres_release_all", "really_probe", "kthread")
    text = warned("lib/refcount.c:28 refcount_warn_saturate", *trace, said=("refcount_t: x",))
    before = stamped(f"{speaker}: no answer from the device, giving up")
    summary = lead(before + text).summary
    assert ("(it spoke just before)" in summary) == ("driver ledger" in summary) == named


def test_lines_before_a_report_of_no_driver_name_none() -> None:
    before = stamped("ledger 3-0048: no answer from the device, giving up")
    text = warned("lib/refcount.c:28 refcount_warn_saturate", "kref_put", "kthread")
    assert "ledger" not in lead(before + text).summary


@pytest.mark.parametrize(
    ("at", "trace", "situation"),
    [
        ("kernel/workqueue.c:90 __flush_work", ("cdc_ncm_unbind",), "check-of-built-in"),
        ("fs/sysfs/dir.c:31 sysfs_warn_dup", ("ext4_register_sysfs",), "check-of-built-in"),
        # No disk is at fault where a name is there twice, whoever asked for it.
        ("fs/sysfs/dir.c:31 sysfs_warn_dup", ("cellar_register",), "warning-at"),
        ("fs/ext4/inode.c:90 ext4_writepages", ("do_writepages",), "warning-in-file-system"),
    ],
)
def test_a_check_of_the_core_is_told_from_a_warning_of_the_driver_s_own(
    at: str, trace: tuple[str, ...], situation: str
) -> None:
    found = lead(warned(at, *trace)).next_step
    assert found is not None
    assert found.situation == situation


def deleted_twice(*trace: str) -> str:
    return stamped(
        "general protection fault, probably for non-canonical address 0xdead000000000108: 0000"
        " [#1] PREEMPT SMP NOPTI",
        HEAD,
        "RIP: 0010:__list_del_entry_valid+0x2c/0x60",
        "RAX: dead000000000122 RBX: ffff88810b1c0000 RCX: dead000000000108",
        "Call Trace:",
        " <TASK>",
        *(f" {name}+0x14/0x90" for name in trace),
        " </TASK>",
    )


def test_who_called_a_helper_is_named_whatever_part_of_the_kernel_that_is() -> None:
    found = lead(deleted_twice("detach_if_pending", "timer_delete", "cellar_shutdown"))
    assert found.summary.endswith("at __list_del_entry_valid, called by cellar_shutdown")


def test_no_caller_of_a_helper_is_named_behind_the_begin_of_a_thread() -> None:
    found = lead(deleted_twice("detach_if_pending", "kthread", "cellar_shutdown"))
    assert "called by" not in found.summary
