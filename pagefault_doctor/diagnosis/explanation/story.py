"""What the task was doing, in one sentence, from where its trace begins to the fault.

Which function begins what is data: `_PHRASES`, with the file of the kernel that has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Final

from pagefault_doctor.diagnosis.reentry import bare, entered_again
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Frame, Kind, Report

_PHRASES: Final = {
    # kernel/sched, kernel/exit.c, kernel/signal.c, fs/exec.c, kernel/fork.c
    "schedule_tail": "the first run of a new task",
    "kernel_init|do_basic_setup|kernel_init_freeable": "starting the kernel",
    "get_signal|arch_do_signal_or_restart|do_notify_resume": "handling a signal",
    "do_exit|do_group_exit": "ending",
    "exit_mmap": "giving back its memory",
    "begin_new_exec|flush_old_exec|exec_mmap": "starting another program (exec)",
    "copy_process|dup_mmap": "making a new process (fork)",
    # kernel/module
    "load_module|idempotent_init_module": "loading a module",
    "do_init_module": "running a module's init function",
    "free_module": "removing a module",
    # interrupts, timers: kernel/softirq.c, kernel/time, kernel/irq
    "call_timer_fn|expire_timers|__run_timer_base|__run_timers": "running a timer",
    "__hrtimer_run_queues": "running a high-resolution timer",
    "rcu_do_batch|rcu_core": "running an RCU callback (what was put off until no reader is left)",
    "irq_thread|irq_thread_fn": "handling an interrupt in its thread",
    "__handle_irq_event_percpu|handle_irq_event": "handling a device's interrupt",
    "net_rx_action|napi_poll|__napi_poll": "receiving network packets",
    "net_tx_action": "sending network packets",
    "tasklet_action_common|tasklet_action": "running a tasklet",
    # memory: mm/
    "handle_mm_fault|do_user_addr_fault": "handling a page fault of its memory",
    "balance_pgdat|kswapd": "reclaiming memory in the background",
    "try_to_free_pages|do_try_to_free_pages": "reclaiming memory for itself",
    "shrink_slab|do_shrink_slab": "shrinking the kernel's caches",
    "oom_reaper|oom_reap_task|__oom_reap_task_mm": "taking back the memory of a killed process",
    "compact_zone|kcompactd": "compacting memory",
    "khugepaged": "making huge pages in the background",
    "unmap_vmas|zap_page_range|unmap_page_range": "unmapping its pages",
    "migrate_pages": "moving pages",
    "drop_slab|drop_caches_sysctl_handler": "dropping caches as asked for",
    # files: fs/
    "wb_workfn|wb_writeback": "writing dirty pages back",
    "do_fsync|vfs_fsync_range": "writing a file out (fsync)",
    "path_mount|do_mount|vfs_get_tree|mount_bdev": "mounting a file system",
    "cleanup_mnt|deactivate_super|generic_shutdown_super": "unmounting a file system",
    "kjournald2|jbd2_journal_commit_transaction": "committing the journal",
    "__fput": "closing a file",
    "sock_close|__sock_release": "closing a socket",
    "do_unlinkat|vfs_unlink": "deleting a file",
    "path_openat|do_sys_openat2|do_filp_open": "opening a file",
    "kernfs_fop_write_iter|kernfs_fop_write": "writing to a file of /sys",
    "kernfs_fop_read_iter|sysfs_kf_seq_show": "reading a file of /sys",
    "proc_reg_read|proc_reg_read_iter|proc_reg_write": "using a file of /proc",
    "submit_bio|submit_bio_noacct": "asking a block device for data",
    "blk_mq_run_work_fn": "sending requests to a block device",
    "blk_mq_timeout_work": "handling a block request that took too long",
    # devices: drivers/base, drivers/usb, drivers/pci
    "really_probe|driver_probe_device|__driver_probe_device": "binding a driver (probe)",
    "device_release_driver_internal|__device_release_driver": "taking a driver off (remove)",
    "device_shutdown": "shutting devices down",
    "suspend_devices_and_enter|pm_suspend": "suspending the machine",
    "dpm_suspend|device_suspend|dpm_suspend_noirq|dpm_suspend_start": "suspending devices",
    "dpm_resume|dpm_resume_end|device_resume|dpm_resume_noirq|dpm_resume_early": "resuming devices",
    "hibernate|hibernation_snapshot": "hibernating",
    "rpm_suspend|pm_runtime_work": "suspending an idle device (runtime PM)",
    "rpm_resume": "waking an idle device (runtime PM)",
    "hub_event": "handling a USB plug or unplug",
    "usb_disconnect": "unplugging a USB device",
    "pciehp_ist|pciehp_handle_presence_or_link_change": "handling a PCI hot-plug",
    "acpi_evaluate_object|acpi_ns_evaluate": "running code of the firmware (ACPI)",
    "acpi_hotplug_work_fn|acpi_device_hotplug": "handling an ACPI hot-plug",
    "drm_ioctl": "a graphics call (DRM ioctl)",
    "drm_release|drm_file_free": "closing the graphics device",
    "drm_sched_main|drm_sched_run_job_work": "sending a job to the graphics card",
    "drm_sched_job_timedout": "handling a graphics job that hangs",
    "drm_atomic_commit|drm_atomic_helper_commit": "changing what the screen shows",
    "kvm_vcpu_ioctl|kvm_arch_vcpu_ioctl_run": "running a virtual machine",
    "io_wq_worker|io_submit_sqes": "doing an io_uring request",
    "scsi_error_handler": "recovering a SCSI or ATA device from an error",
    # networks: net/
    "cleanup_net": "removing a network namespace",
    "unregister_netdevice_many|unregister_netdevice_queue": "removing a network interface",
    "__dev_open|dev_open": "bringing a network interface up",
    "__dev_close_many|dev_close_many": "bringing a network interface down",
    "rtnetlink_rcv_msg": "handling a network configuration request",
    "tcp_sendmsg|udp_sendmsg|sock_sendmsg": "sending data",
    "tcp_recvmsg|sock_recvmsg": "receiving data",
}  # fmt: skip
"""What a task does while one of these functions runs."""
_DOES: Final = {name: words for names, words in _PHRASES.items() for name in names.split("|")}
_CALL: Final = regex(
    r"__(?:x64|ia32|arm64|s390x?|riscv|se|do)_(?:compat_)?sys_(?P<name>\w+)|"
    r"(?:SyS|sys|ksys)_(?P<old>\w+)"
)
"""A system call's own function (`arch/*/include/asm/syscall_wrapper.h`)."""
_TOLD_BY: Final = frozenset(
    "ioctl write writev pwrite64 read readv pread64 close exit_group exit init_module finit_module "
    "delete_module fsync fdatasync openat open execve clone clone3 fork mount umount "
    "io_uring_enter unlink unlinkat sendmsg sendto recvmsg recvfrom".split()
)
"""Calls that the phrases below them tell better, where there is one."""
_BEGINS: Final = regex(
    r"ret_from_\w+|entry_\w+|system_call\w*|el0_sync|el0_svc|ret_to_user|syscall_\w+|sysenter_\w+|"
    r"secondary_startup\w*|handle_sys"
)
"""Where a stack begins; what is printed below is another one (`arch/*/entry*`)."""
_TASKS: Final = {
    regex(shape): words
    for shape, words in {
        r"kswapd\d": "reclaiming memory in the background",
        r"kcompactd\d": "compacting memory",
        r"khugepaged": "making huge pages in the background",
        r"oom_reaper": "taking back the memory of a killed process",
        r"ksoftirqd/\d": "handling soft interrupts",
        r"irq/\d+-(?P<name>\S+)": "handling interrupts of {name} in a thread",
        r"jbd2/(?P<name>\S+?)(?:-\d+)?$": "committing the journal of {name}",
        r"(?P<name>md\d+)_(?:raid\d+|resync)": "working on the RAID {name}",
        r"scsi_eh_\d": "recovering a SCSI or ATA device from an error",
        r"(?:insmod|modprobe|kmod)$": "loading or removing a module",
        r"rmmod$": "removing a module",
        r"swapper(?:/\d+)?$": "idle, or starting the kernel",
    }.items()
}
"""What tasks of the kernel's do, and a few programs, by their names."""
_WORK: Final = regex(r"(?P<queue>\S+) (?P<function>\w+)(?:\.\S+)?(?: \[(?P<module>[\w-]+)\])?$")
"""What `Workqueue:` names (kernel/workqueue.c, print_worker_info)."""
_MOST: Final = 4
_AGAIN: Final = (
    "it waits for a lock that the outer call of it may hold (the task then waits for itself)"
)


def story(report: Report) -> Evidence | None:
    """Return what the task was doing, None where the trace does not tell."""
    if report.kind is Kind.HARDWARE:
        return None
    frames = list(_own_frames(report))
    parts = list(dict.fromkeys(_parts(report, frames)))
    if len(parts) > _MOST:
        parts = [*parts[:1], *parts[1 - _MOST :]]
    text = ", ".join(parts)
    if again := entered_again(report):
        text += "; " * bool(text) + f"{bare(again)} is twice in the trace: {_AGAIN}"
    line = frames[0].line if frames and frames[0].line else None
    return Evidence(text, 0.0, line or report.line_of("workqueue", "trace")) if text else None


def _own_frames(report: Report) -> Iterator[Frame]:
    """Yield the frames of the stack that the fault was on, without guesses."""
    stack = next((f.context for f in report.frames if f.context), None)
    sure = (frame for frame in report.frames if frame.reliable and frame.function)
    for frame in takewhile(lambda frame: not frame.context or frame.context == stack, sure):
        yield frame
        if _BEGINS.fullmatch(frame.function or ""):
            return


def _parts(report: Report, frames: list[Frame]) -> Iterator[str]:
    """Yield what was done, the outermost first."""
    phrases = [_DOES.get(bare(frame)) for frame in reversed(frames)]
    told = list(filter(None, phrases))
    if found := _work(report):
        of = f" of module {found['module']}" if found["module"] else ""
        what = _DOES.get(found["function"])
        yield f"{what}: " * bool(what) + f"work {found['function']}{of} (queue {found['queue']})"
    elif call := next(filter(None, (_call(f) for f in reversed(frames))), None):
        if not told or call not in _TOLD_BY:
            yield f"system call {call}"
    elif not told and (words := _of_task(report)):
        yield words
    yield from told


def _work(report: Report) -> re.Match[str] | None:
    """Return what `Workqueue:` names: of another task where this one is no worker."""
    is_other = report.comm is not None and not report.comm.startswith("kworker")
    return None if is_other else _WORK.fullmatch((report.workqueue or "").strip())


def _of_task(report: Report) -> str | None:
    if report.pid == 1 and (report.comm or "").startswith("swapper"):
        return "starting the kernel"
    found = ((shape.match(report.comm or ""), words) for shape, words in _TASKS.items())
    return next((words.format(**match.groupdict()) for match, words in found if match), None)


def _call(frame: Frame) -> str | None:
    found = _CALL.fullmatch(bare(frame))
    name = found and (found["name"] or found["old"])
    return name.removeprefix("new") if name and not frame.module else None
