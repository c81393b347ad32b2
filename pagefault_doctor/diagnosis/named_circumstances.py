"""What a sentence of `playbooks/next-steps.yaml` can name in a situation."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.diagnosis import callbacks, machine_check, object_caches
from pagefault_doctor.diagnosis.address import NEAR_NULL
from pagefault_doctor.diagnosis.circumstances import Circumstances
from pagefault_doctor.diagnosis.driver_names import driver_of
from pagefault_doctor.diagnosis.newer_kernel import newer_kernel
from pagefault_doctor.diagnosis.reentry import bare, entered_again
from pagefault_doctor.model.known_entry import release as release_of
from pagefault_doctor.model.pattern import regex

_FIRST_PAGE_OWNER: Final = (3, 19, 0)
_FIRST_SLUB: Final = (2, 6, 22)
_FIRST_KASAN: Final = {
    "x86_64": (4, 0, 0),
    "arm64": (4, 4, 0),
    "aarch64": (4, 4, 0),
    "s390x": (4, 20, 0),
    "riscv64": (5, 7, 0),
    "arm": (5, 11, 0),
    "loongarch64": (6, 6, 0),
}
"""The releases that have KASAN, by architecture (HAVE_ARCH_KASAN in `arch/*/Kconfig`)."""
_READY_MADE: Final = ("appliance", "router", "android", "vendor")
"""Who built kernels that come with a device."""
_DISK_CHECKS: Final = {
    "ext4": "e2fsck -fn",
    "ext3": "e2fsck -fn",
    "ext2": "e2fsck -fn",
    "jbd2": "e2fsck -fn",
    "xfs": "xfs_repair -n",
    "btrfs": "btrfs check --readonly",
    "bcachefs": "bcachefs fsck -n",
    "f2fs": "fsck.f2fs --dry-run",
    "fat": "fsck.fat -n",
    "exfat": "fsck.exfat -n",
    "ntfs3": "chkdsk, in Windows",
    "nfs": "the file system's own check, on the server",
}
"""Checks of file systems that only read."""
_WORD: Final = regex(r"[A-Za-z0-9]+")
_SPEAKER: Final = 24
"""Characters of a headline in which a file system names itself."""
_FOREIGN: Final = 4
"""Modules from outside that a sentence names."""
NAMED: Final = frozenset(
    {
        *("module", "function", "comm", "release", "folder", "file", "arch", "newer", "newest"),
        *("good_release", "good_boots", "foreign", "pid", "bank_says"),
        *("workqueue", "memory_test", "checker", "registered", "instruction", "pointer", "pc"),
        *("newer_kernel", "branch", "caller", "again", "page_checks", "disk_check"),
        *("asker", "driver", "holds", "object_cache"),
    }
)
"""Names that a sentence may hold besides details and the groups of its expressions."""


class NamedCircumstances(Circumstances):
    """The circumstances with what `{name}` stands for; `NAMED` has the names."""

    def named(self, name: str) -> str | None:
        """Return what `{name}` in a sentence stands for: a detail, or what else is known."""
        told = getattr(self, name) if name in NAMED else self._report.details.get(name)
        return told or None

    @property
    def _version(self) -> str | None:
        """The version of the suspect that the log tells."""
        details = self._report.details
        is_its = details.get("versioned_module") == self.module
        return details.get("module_version") if is_its else None

    @property
    def instruction(self) -> str | None:
        """The function and the offset in it, as crash takes them."""
        name, offset = self._report.function, self._report.offset
        return f"{name}+{offset:#x}" if name and offset else None

    @property
    def pointer(self) -> str | None:
        """The bad pointer, where it is more than an offset from NULL."""
        value = self._context.pointer
        return f"{value:#x}" if value and value >= NEAR_NULL else None

    @property
    def good_boots(self) -> str | None:
        """How many boots it had."""
        return str(self.boots_without) if self.boots_without else None

    @property
    def foreign(self) -> str:
        """Modules from outside the tree."""
        return ", ".join(self._report.out_of_tree[:_FOREIGN])

    @property
    def registered(self) -> str | None:
        """What the callback that is missing belongs to."""
        return callbacks.owned(self._report)

    @property
    def bank_says(self) -> str | None:
        """The status of the machine check's bank in words."""
        return machine_check.meaning(self._report)

    @property
    def pc(self) -> str | None:
        """The address of the instruction, where the report prints a number."""
        return self._report.registers.get("pc")

    @property
    def newer(self) -> str | None:
        """The suspect in a newer version than the log tells."""
        return self._newer("a newer {module} than {version}", "a newer {module}")

    @property
    def newest(self) -> str | None:
        """The suspect in its newest version."""
        return self._newer("the newest {module} ({version} runs)", "the newest {module}")

    def _newer(self, told: str, else_: str) -> str | None:
        if self.module is None:
            return None
        words = told.replace("{version}", self._version) if self._version else else_
        return words.replace("{module}", self.module)

    @property
    def newer_kernel(self) -> str | None:
        """The newer kernel to try, as whoever built this one offers it."""
        return newer_kernel(
            self.kernel, self.release or "", self.arch, on_board=self.machine == "board"
        )

    @property
    def branch(self) -> str | None:
        """The two first numbers of the release."""
        version = release_of(self.release or "")
        return f"{version[0]}.{version[1]}" if version else None

    @property
    def caller(self) -> str | None:
        """The function of the area, where it is that of who called."""
        return self._area.function if self._area and self._area.caller else None

    @property
    def asker(self) -> str | None:
        """The function of a driver or a file system that called into code which serves many."""
        return self._area.asker if self._area else None

    @property
    def driver(self) -> str | None:
        """The driver that the code is of, where it is built into the kernel."""
        found = driver_of(self._area.function) if self._area else None
        return found[0] if found else None

    @property
    def object_cache(self) -> str | None:
        """The slab cache of the object, where its name tells what it is for."""
        cache = object_caches.of_report(self._report)
        return cache.name if cache else None

    @property
    def holds(self) -> str | None:
        """What the slab cache of the object is for."""
        cache = object_caches.of_report(self._report)
        return cache.holds if cache else None

    @property
    def again(self) -> str | None:
        """The function that waits for a lock and stands twice in the trace."""
        outer = entered_again(self._report)
        return bare(outer) if outer else None

    @property
    def workqueue(self) -> str | None:
        """The work that ran."""
        return self._report.workqueue

    @property
    def pid(self) -> str | None:
        """The number of the process that ran."""
        return str(self._report.pid) if self._report.pid else None

    @property
    def memory_test(self) -> str:
        """The test of memory that the machine can run."""
        x86 = self.arch in (None, "x86_64", "i386", "x86")
        return "memtest86+ overnight" if x86 else "memtester 1G 3"

    @property
    def disk_check(self) -> str:
        """The program that looks through the file system of the suspect without changing it."""
        parts = {*(self.folder or "").split("/"), self.module or ""}
        parts |= {word.lower() for word in _WORD.findall(self.headline[:_SPEAKER])}
        known = (words for name, words in _DISK_CHECKS.items() if name in parts)
        return next(known, "its fsck, with the option that changes nothing")

    @property
    def page_checks(self) -> str:
        """The options that check pages, which this kernel has (`mm/page_owner.c` since 3.19)."""
        version = release_of(self.release or "") or _FIRST_PAGE_OWNER
        owner = "page_owner=on " if version >= _FIRST_PAGE_OWNER else ""
        return f"{owner}debug_pagealloc=on (where it is built in)"

    @property
    def checker(self) -> str:
        """The check of memory that this kernel has: KASAN came to each architecture on its own.

        Who got the kernel with the device cannot build another for it.
        """
        version = release_of(self.release or "") or _FIRST_KASAN["x86_64"]
        since = _FIRST_KASAN.get(self.arch or "x86_64")
        if since and version >= since and self.kernel not in _READY_MADE:
            return "a kernel with CONFIG_KASAN=y"
        return "slub_debug=FZPU" if version >= _FIRST_SLUB else "a kernel with CONFIG_DEBUG_SLAB=y"
