"""The situation of a report: the conditions that `playbooks/next-steps.yaml` uses."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.diagnosis import source_path
from pagefault_doctor.diagnosis.address import AddressClass
from pagefault_doctor.diagnosis.area import Area, area_of
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.history import same_fault
from pagefault_doctor.diagnosis.missing import is_before_init, missing
from pagefault_doctor.diagnosis.newer_kernel import is_ended
from pagefault_doctor.diagnosis.provenance import folder_of, is_unknown
from pagefault_doctor.diagnosis.reentry import COMPILERS, entered_again
from pagefault_doctor.diagnosis.suspect import suspect_frame
from pagefault_doctor.diagnosis.unloaded_module import is_of_nobody, unloaded
from pagefault_doctor.model.diagnosis import Attribution, Candidate, RootCause
from pagefault_doctor.model.fact import Fact
from pagefault_doctor.model.kernel_builder import builder_of
from pagefault_doctor.model.known_entry import release as release_of
from pagefault_doctor.model.once import once
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import LOADERS, Access, Report
from pagefault_doctor.symbols import in_tree

_SURE: Final = 0.9
_DEVICES: Final = {
    name: regex(shape)
    for name, shape in {
        "appliance": r"Synology|QNAP|NETGEAR ReadyNAS|Western Digital|Asustor|TerraMaster|UniFi"
        r"|Ubiquiti Dream|Proxmox Backup|pfSense|Steam ?Deck|SonicWall|Fortinet|Drobo|Buffalo",
        "router": r"(?i)OpenWrt|TP-Link|Archer|Linksys|D-Link|NETGEAR [RWX]|ASUS RT-|AVM FRITZ"
        r"|GL\.?iNet|GL-[A-Z]|Turris|MikroTik|RouterBOARD|ipq\d{4}|mt76\d\d\b|mediatek,mt79"
        r"|Xiaomi (?:Redmi Router|AX|Mi Router)|Zyxel|Ubiquiti (?:Edge|UniFi)",
    }.items()
}
"""Devices that get their kernel with all else from their maker, by the hardware's name."""
_ON_ROUTERS: Final = regex(
    r"^(?:mt76\w*|ath\w+_core|mac80211|ath9k|xt_FLOWOFFLOAD|nss_\w+|qca_\w+|fast_classifier"
    r"|shortcut_fe|hnd\w*|wl|ctf|et|compat|pppoe|ppp_async|ledtrig_usbport|ag71xx|mtk_\w+)$"
)
"""Modules of which such a device has several, where its name is not printed."""
_SEVERAL: Final = 3
_VM: Final = regex(
    r"QEMU|VMware|VirtualBox|innotek|KVM|Xen|Hyper-V|Virtual Machine|Google Compute|Amazon EC2"
    r"|Bochs|OpenStack|Standard PC|Alibaba Cloud|BHYVE|Parallels"
)
_BOARDS: Final = ("arm", "mips", "riscv", "riscv64", "m68k", "xtensa", "sh")
_SERVERS: Final = regex(r"Server|Rack|PRIMERGY|ProLiant|PowerEdge|ThinkSystem|Mt\.? ?Jade|Altra")
_VITAL: Final = regex(
    r"^(?:fs|block|drivers/(?:ata|scsi|nvme|md|block|mmc|virtio|net|input|tty|gpu|firmware|pinctrl"
    r"|clk|regulator|usb/(?:host|storage))|net|crypto)\b"
)
"""Folders of modules that may hold the root file system, the console or the network."""
_MODULES_OF_DISKS: Final = ("zfs", "spl", "drbd", "lustre", "bcachefs", "aufs", "dm_")
_OF_CRASH: Final = regex(r"^\s*(?:crash> |#\d{1,3} \[[0-9a-f]{8,16}\] )")
"""What crash prints of a dump: its prompt and the frames of bt."""
_FIRST_JOURNAL: Final = (3, 0, 0)
_LINES: Final = 80
"""Lines of a report that conditions look at; the rest is its trace."""


class Circumstances:
    """The situation of one report whose likeliest cause is `first`."""

    def __init__(self, first: Candidate, context: Context) -> None:
        self._first, self._context, self._report = first, context, context.report

    def walk_fact(self, name: str) -> Fact | None:
        """Return a fact that a walk about this report found out."""
        return self._context.walk_fact(name)

    @once
    def cause(self) -> str:
        """The root cause."""
        return self._first.root_cause.value

    @once
    def who(self) -> str:
        """Who has to act."""
        return self._first.attribution.value

    @once
    def kind(self) -> str:
        """What the report is about, by its own words."""
        return self._report.kind.value

    @once
    def module(self) -> str | None:
        """The suspected module; a name that could pass for an option is none."""
        name = self._first.module
        return None if name is None or name.startswith("-") else name

    @once
    def function(self) -> str | None:
        """The function to look at: the suspect's own where a check only reports its damage.

        Without what a compiler adds to a name, so that the source can be searched for it.
        """
        found = suspect_frame(self._report, self._first.module).function
        return COMPILERS.sub("", found) if found else None

    @once
    def comm(self) -> str | None:
        """The process that ran."""
        return self._report.comm

    @once
    def release(self) -> str | None:
        """The kernel's release."""
        return self._report.kernel_release

    @once
    def arch(self) -> str | None:
        """The architecture."""
        return self._context.arch

    @once
    def origin(self) -> str | None:
        """Where the suspect's code comes from."""
        module, report = self._first.module, self._report
        if module is None:
            kernel = self._first.attribution is Attribution.KERNEL
            module_unknown = self._first.attribution is Attribution.MODULE
            return "core" if kernel else "unnamed" if module_unknown else None
        foreign = module in report.out_of_tree or is_unknown(module, report)
        known = in_tree.path_of(module) is not None
        return "third-party" if foreign or not known else "in-tree"

    @once
    def folder(self) -> str | None:
        """The folder of the suspect's source in the kernel's tree."""
        if folder := folder_of(self._first.module, self._report):
            return folder
        return self.file.rpartition("/")[0] if self.file else None

    @once
    def area(self) -> str | None:
        """The file or folder of the code that faulted, or of who called it."""
        return self._area.path or None if self._area else None

    @once
    def _area(self) -> Area | None:
        if self._first.attribution is not Attribution.KERNEL:
            return None
        return area_of(self._context, suspect_frame(self._report, None).function)

    @once
    def reentered(self) -> bool:
        """Whether the task may wait for a lock that it holds itself."""
        return entered_again(self._report) is not None

    @once
    def ended(self) -> bool:
        """Whether the branch of the kernel gets no fixes any more, from kernel.org at least."""
        version = release_of(self.release or "")
        return version is not None and is_ended(version[:2])

    @once
    def file(self) -> str | None:
        """The file of the kernel's tree that the report names, from the root of the tree on."""
        name = self._report.details.get("file", "").partition(":")[0]
        place = self._report.source_line
        return source_path.from_root(name or (place.file if place else "")) or None

    @once
    def kernel(self) -> str | None:
        """Who built the kernel, None where neither its release nor the device tells."""
        release, hardware = self.release or "", self._report.hardware or ""
        if found := next((name for name, of in _DEVICES.items() if of.search(hardware)), None):
            return found
        if self.arch in _BOARDS and self._routes and "-" not in release:
            return "router"
        return builder_of(release) or None

    @property
    def _routes(self) -> bool:
        names = (module.name for module in self._report.modules)
        return sum(1 for name in names if _ON_ROUTERS.match(name)) >= _SEVERAL

    @once
    def machine(self) -> str | None:
        """The kind of machine."""
        hardware = self._report.hardware or ""
        if _VM.search(hardware):
            return "vm"
        if self.arch in _BOARDS or (self.arch in ("arm64", "aarch64") and hardware):
            return "pc" if _SERVERS.search(hardware) else "board"
        return "pc" if hardware else None

    @once
    def place(self) -> str:
        """Where the text was read."""
        return "box" if self._context.facts else "file"

    @once
    def detail(self) -> tuple[str, ...]:
        """The details that the report has."""
        return tuple(self._report.details)

    @once
    def lacks(self) -> tuple[str, ...]:
        """The parts that the report should have and lacks."""
        return tuple(part.name for part in missing(self._report))

    @once
    def line(self) -> str:
        """The first lines of the report, its headline at the top."""
        headline = self._report.line_of("headline")
        lines = list(self._report.excerpt[:_LINES])
        if lines and lines[0].number != headline:
            lines.sort(key=lambda line: line.number != headline)
        return "\n".join([line.text for line in lines])

    @once
    def before(self) -> str:
        """The lines just before the report that may have led to it, the nearest first."""
        return "\n".join(line.text for line in reversed(self._report.before))

    @once
    def headline(self) -> str:
        """The line that the report begins with."""
        number = self._report.line_of("headline")
        return next((x.text for x in self._report.excerpt if x.number == number), "")

    @once
    def sure(self) -> bool:
        """Whether the cause is as good as certain."""
        return self._first.confidence >= _SURE

    @once
    def after_death(self) -> bool:
        """Whether the kernel had died before, and the log does not show of what."""
        others = self._context.others
        return self._report.follows_fault and not any(o.is_kernel_fault for o in others)

    @once
    def loading(self) -> bool:
        """Whether a module was being loaded, the suspect where there is one."""
        return self._moving("+") or LOADERS.get(self.comm or "") == "+"

    @once
    def unloading(self) -> bool:
        """Whether a module was being unloaded."""
        return self._moving("-") or LOADERS.get(self.comm or "") == "-"

    def _moving(self, sign: str) -> bool:
        return any(m.name == self.module and sign in m.flags for m in self._report.modules)

    @once
    def gone(self) -> bool:
        """Whether the suspect is unloaded."""
        found = unloaded(self._context)
        return found is not None and found.module == self.module

    @once
    def vital(self) -> bool:
        """Whether the machine may not start, or not be reached, without the suspect."""
        folder, module = self.folder, self.module or ""
        return bool(folder and _VITAL.search(folder)) or module.startswith(_MODULES_OF_DISKS)

    @once
    def repeats(self) -> bool:
        """Whether other boots of the log had the same fault."""
        return bool(same_fault(self._report, self._context.history))

    @once
    def regressed(self) -> bool:
        """Whether the log has boots of another kernel, all without this fault."""
        return self.boots_without > 0

    @once
    def others_too(self) -> bool:
        """Whether modules from outside the tree are loaded."""
        return bool(self._report.out_of_tree)

    @once
    def traced(self) -> bool:
        """Whether there is a call trace."""
        return "trace" in self._report.cited

    @once
    def good_release(self) -> str | None:
        """The last other release whose boots all went without the fault."""
        hit = {self._report.boot, *(r.boot for r in self._faults)}
        bad = {self._context.booted[boot] for boot in hit if boot < len(self._context.booted)}
        good = [r for r in self._context.booted if r and r not in bad]
        return good[-1] if good and self.release and None not in bad else None

    @once
    def _faults(self) -> tuple[Report, ...]:
        return same_fault(self._report, self._context.history)

    @once
    def boots_without(self) -> int:
        return self._context.booted.count(self.good_release) if self.good_release else 0

    @once
    def called(self) -> bool:
        """Whether the processor jumped to where no code is."""
        fault = self._report.fault
        return fault is not None and fault.access is Access.EXECUTE

    @once
    def in_vmalloc(self) -> bool:
        """Whether what was overrun is an area of vmalloc, which slab checks do not watch."""
        overrun = self._first.root_cause is RootCause.OUT_OF_BOUNDS
        return overrun and self._context.address_class is AddressClass.VMALLOC

    @once
    def left_behind(self) -> bool:
        """Whether a module that is gone, and that nothing names, left an object in a list."""
        return is_of_nobody(self._context)

    @once
    def in_crash(self) -> bool:
        """Whether the text is what crash printed of a dump."""
        printed = any(_OF_CRASH.match(line.text) for line in self._report.excerpt[:_LINES])
        return printed or "typed_crash" in self._report.details

    @once
    def journal(self) -> bool:
        """Whether the machine may keep a journal: no board, and no kernel older than systemd."""
        version = release_of(self.release or "")
        if is_before_init(self._report):
            return False
        return self.arch not in _BOARDS and (version is None or version >= _FIRST_JOURNAL)
