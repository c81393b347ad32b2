"""What the functions of a trace show that was being done, and what does it again in a guest.

The functions are those of `fs/`, `net/core/`, `drivers/base/` and `kernel/` since 2.6.32; a rule
needs only one of its functions to be in the trace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.reproduce.file_trigger import Draft, path_of, use, write_line, writes
from pagefault_doctor.tools.reproduce.source_names import NamedFile, Place, plain_name
from pagefault_doctor.tools.reproduce.trigger_scene import MODULE_PLACE, Scene

WAIT: Final = "sleep 20"
AFTER_UNLOAD: Final = "sleep 3"

_Make = Callable[[Scene], Iterator[Draft]]


class TriggerRule(msgspec.Struct, frozen=True):
    """Functions of a trace, what they show in words, and what does that again.

    `own` are endings of a module's own functions that show it, too, behind the module's name.
    """

    functions: frozenset[str]
    shows: str
    make: _Make
    own: tuple[str, ...] = ()

    def fits(self, function: str, suspect: str | None) -> bool:
        """Return whether a function of the trace shows it."""
        own = {f"{suspect}_{ending}" for ending in self.own} if suspect else ()
        return function in self.functions or function in own


_NO_DEVICE: Final = frozenset(
    ("get_tree_nodev", "mount_nodev", "get_tree_single", "mount_single", "get_tree_keyed")
)
_UNMOUNTS: Final = frozenset(
    ("deactivate_super", "deactivate_locked_super", "generic_shutdown_super", "cleanup_mnt")
)


def _load(scene: Scene) -> Iterator[Draft]:
    yield Draft(())


def unload(scene: Scene, then: str) -> Draft:
    """Return the draft that unloads the suspect, and does something after."""
    name = scene.suspect or MODULE_PLACE
    return Draft((f"rmmod {name}", then), is_complete=scene.suspect is not None)


def _unload(scene: Scene) -> Iterator[Draft]:
    yield unload(scene, AFTER_UNLOAD)


def _file(doing: str, place: Place) -> _Make:
    def make(scene: Scene) -> Iterator[Draft]:
        yield from _files(scene, doing, place)

    return make


def _files(scene: Scene, doing: str, place: Place) -> Iterator[Draft]:
    """Yield the use of each file of that place that can be used so, or of one to be filled in."""
    wanted = [file for file in scene.files if file.place is place]
    able = [file for file in wanted if doing in file.handlers] or wanted
    if not able and place is Place.SYSFS and (name := _named_by_function(scene)):
        able = [NamedFile(place=place, name=name)]
    for file in able or (None,):
        yield from use(scene, file, doing, place)


def _named_by_function(scene: Scene) -> str:
    """Return the attribute that a function shows or stores, as the macros of sysfs name them."""
    for function in scene.functions:
        if _KERNELS_OWN.match(function):
            return ""  # What comes now called the module's function, which is not in the trace.
        stem, _, ending = function.rpartition("_")
        if ending in ("show", "store") and plain_name(stem):
            return stem
    return ""


_KERNELS_OWN: Final = regex(r"(?:\w+_)?attr_(?:show|store)$|sysfs_|kernfs_")


def _device(scene: Scene) -> Iterator[Draft]:
    """Yield the use of a device's file, or of one below debugfs, as the system call was."""
    calls = next((doing for doing, names in _CALLS if names & scene.functions.keys()), "read")
    place = Place.DEVICE
    if not any(file.place is place for file in scene.files):
        place = next((f.place for f in scene.files if f.place is not Place.PARAMETER), place)
    yield from _files(scene, calls, place)


_CALLS: Final = (
    ("ioctl", frozenset(("vfs_ioctl", "do_vfs_ioctl", "__x64_sys_ioctl", "__arm64_sys_ioctl"))),
    ("mmap", frozenset(("mmap_region", "do_mmap", "vm_mmap_pgoff", "__do_fault", "do_fault"))),
    (
        "write",
        frozenset(("vfs_write", "ksys_write", "do_iter_write", "vfs_writev", "new_sync_write")),
    ),
    ("read", frozenset(("vfs_read", "ksys_read", "seq_read", "seq_read_iter", "new_sync_read"))),
    ("release", frozenset(("__fput", "filp_close", "filp_flush"))),
    ("open", frozenset(("do_dentry_open", "chrdev_open", "misc_open"))),
    ("poll", frozenset(("do_sys_poll", "vfs_poll", "do_select", "ep_item_poll"))),
)
"""System calls on files, and functions of them, the surest first."""


def _later(scene: Scene) -> Iterator[Draft]:
    """Yield what lets time go by: what a program did before may be needed first."""
    writable = [file for file in scene.files if "write" in file.handlers]
    first, more = list[Draft](), list[Draft]()
    for file in writable:
        path = path_of(scene, file, None)
        asked = ("0",) if scene.is_division else scene.removals(file) if scene.is_freed else ()
        sure = {write_line(value, path) for value in asked}
        for commands in writes(scene, file, path):
            (first if commands[0] in sure else more).append(Draft((*commands, WAIT)))
    yield from first
    if scene.is_freed and scene.suspect:
        yield unload(scene, AFTER_UNLOAD)
    yield Draft((WAIT,))
    yield from more


def _mount(scene: Scene) -> Iterator[Draft]:
    kind = next(iter(scene.in_source.file_systems), scene.suspect or "TYPE")
    is_known = kind != "TYPE"
    without_device = _NO_DEVICE & scene.functions.keys()
    leaving = ("umount /tmp",) if _UNMOUNTS & scene.functions.keys() else ()
    device = "none" if without_device else "DEVICE"
    yield Draft((f"mount -t {kind} {device} /tmp", *leaving), is_known and bool(without_device))


def _link(scene: Scene) -> Iterator[Draft]:
    device = next(iter(scene.in_source.net_devices), "lo")
    yield Draft((f"ip link set {device} up", f"ip link set {device} down"))


def _new_link(scene: Scene) -> Iterator[Draft]:
    kind = next(iter(scene.in_source.link_kinds), scene.suspect or "TYPE")
    lines = (f"ip link add d0 type {kind}", "ip link set d0 up", "ip link del d0")
    yield Draft(lines, is_complete=kind != "TYPE")


def _send(scene: Scene) -> Iterator[Draft]:
    """Yield packets through the module's device: the address is one of documentation's."""
    device = next(iter(scene.in_source.net_devices), "DEVICE")
    address = (f"ip link set {device} up", f"ip addr add 192.0.2.1/24 dev {device}")
    packets = "ping -c 8 -W 1 192.0.2.2"
    if scene.in_source.link_kinds and device == "DEVICE":
        made = (f"ip link add d0 type {scene.in_source.link_kinds[0]}",)
        lines = (line.replace(device, "d0") for line in address)
        yield Draft((*made, *lines, packets))
        return
    yield Draft((*address, packets), is_complete=device != "DEVICE")


def _receive(scene: Scene) -> Iterator[Draft]:
    yield Draft(("ip link set lo up", "ping -c 3 127.0.0.1"))


def _run(*commands: str) -> _Make:
    def make(scene: Scene) -> Iterator[Draft]:
        yield Draft(commands)

    return make


def _rule(functions: str, shows: str, make: _Make, own: str = "") -> TriggerRule:
    return TriggerRule(frozenset(functions.split()), shows, make, tuple(own.split()))


OF_LOADING: Final = (
    _rule(
        "do_init_module load_module sys_init_module __do_sys_finit_module __do_sys_init_module "
        "do_one_initcall init_module SyS_finit_module SyS_init_module",
        "the module was being loaded",
        _load,
        "init init_module module_init",
    ),
    _rule(
        "__do_sys_delete_module __se_sys_delete_module __x64_sys_delete_module delete_module "
        "sys_delete_module SyS_delete_module free_module cleanup_module",
        "the module was being unloaded",
        _unload,
        "exit cleanup cleanup_module module_exit",
    ),
)
"""Loading and unloading: what stands above it in the trace is part of it."""

RULES: Final = (
    _rule("param_attr_store", "a parameter was written", _file("write", Place.PARAMETER)),
    _rule("param_attr_show", "a parameter was read", _file("read", Place.PARAMETER)),
    _rule(
        "dev_attr_store kobj_attr_store drv_attr_store bus_attr_store class_attr_store "
        "sysfs_kf_write sysfs_kf_bin_write sysfs_write_file kernfs_fop_write_iter kernfs_fop_write",
        "an attribute below /sys was written",
        _file("write", Place.SYSFS),
    ),
    _rule(
        "dev_attr_show kobj_attr_show drv_attr_show bus_attr_show class_attr_show "
        "sysfs_kf_seq_show sysfs_kf_read sysfs_kf_bin_read sysfs_read_file kernfs_seq_show "
        "kernfs_fop_read_iter kernfs_fop_read",
        "an attribute below /sys was read",
        _file("read", Place.SYSFS),
    ),
    *(
        _rule(
            " ".join(f"proc_reg_{name}" for name in names.split()),
            f"a file below /proc was {verb}",
            _file(doing, Place.PROC),
        )
        for names, verb, doing in (
            ("write write_iter", "written", "write"),
            ("read read_iter", "read", "read"),
            ("unlocked_ioctl compat_ioctl", "controlled", "ioctl"),
            ("mmap", "mapped", "mmap"),
            ("open release poll llseek", "opened or closed", "open"),
        )
    ),
    _rule(
        "full_proxy_write open_proxy_write debugfs_attr_write simple_attr_write",
        "a file of debugfs was written",
        _file("write", Place.DEBUGFS),
    ),
    _rule(
        "full_proxy_read debugfs_attr_read simple_attr_read full_proxy_open open_proxy_open",
        "a file of debugfs was read",
        _file("read", Place.DEBUGFS),
    ),
    _rule(
        "vfs_get_tree do_new_mount path_mount do_mount legacy_get_tree get_tree_bdev mount_bdev "
        "mount_fs vfs_kern_mount deactivate_super deactivate_locked_super cleanup_mnt "
        "generic_shutdown_super",
        "a file system was mounted or unmounted",
        _mount,
    ),
    _rule(
        "rtnl_newlink __rtnl_newlink rtnl_newlink_create rtnl_dellink rtnl_delete_link",
        "a network device was made or removed",
        _new_link,
    ),
    _rule(
        "dev_hard_start_xmit xmit_one netdev_start_xmit __dev_queue_xmit dev_queue_xmit "
        "sch_direct_xmit __dev_direct_xmit",
        "a packet was being sent",
        _send,
    ),
    _rule(
        "call_netdevice_notifiers_info call_netdevice_notifiers __dev_notify_flags "
        "dev_change_flags __dev_change_flags netif_change_flags dev_open __dev_open dev_close "
        "__dev_close_many do_setlink rtnl_setlink dev_ioctl devinet_ioctl",
        "a network device was changed",
        _link,
    ),
    _rule(
        "netif_receive_skb __netif_receive_skb_core __netif_receive_skb process_backlog ip_rcv "
        "ip_local_deliver nf_hook_slow net_rx_action ip_output ip_local_out ip_finish_output2",
        "a packet was on its way",
        _receive,
    ),
    _rule(
        "dpm_suspend dpm_resume dpm_prepare suspend_devices_and_enter pm_suspend device_resume "
        "device_suspend",
        "the machine was being suspended",
        _run("echo devices > /sys/power/pm_test", "echo freeze > /sys/power/state"),
    ),
)
"""What was being done: that of the function nearest to the fault counts."""

OF_ALL_PROGRAMS: Final = (
    _rule(
        "begin_new_exec bprm_execve load_elf_binary do_execveat_common search_binary_handler",
        "a program was being started",
        _run("busybox true"),
    ),
    _rule(
        "copy_process kernel_clone _do_fork do_fork",
        "a process was being made",
        _run("sh -c 'busybox true; busybox true'"),
    ),
    _rule(
        "do_exit do_group_exit exit_mm mmput exit_files",
        "a process was ending",
        _run("busybox true"),
    ),
    _rule(
        "vfs_write ksys_write vfs_writev new_sync_write vfs_read ksys_read new_sync_read vfs_ioctl "
        "do_vfs_ioctl __x64_sys_ioctl __arm64_sys_ioctl chrdev_open "
        "misc_open do_dentry_open __fput filp_close filp_flush mmap_region do_mmap vm_mmap_pgoff "
        "__do_fault do_fault vfs_poll do_sys_poll do_select ep_item_poll",
        "a program was using a file",
        _device,
    ),
    _rule(
        "call_timer_fn __run_timers run_timer_softirq __hrtimer_run_queues hrtimer_interrupt "
        "__run_timer_base run_timer_base",
        "a timer had run out",
        _later,
    ),
    _rule("process_one_work worker_thread process_scheduled_works", "queued work ran", _later),
    _rule(
        "__do_softirq handle_softirqs run_ksoftirqd tasklet_action_common tasklet_action "
        "rcu_do_batch rcu_core __handle_irq_event_percpu handle_irq_event irq_thread",
        "what an interrupt or a freed object leaves to do was being done",
        _later,
    ),
    _rule("kthread kthread_worker_fn", "a thread of the kernel ran", _later),
)
"""What goes on in any system at any time: it tells something where a module is the suspect."""
