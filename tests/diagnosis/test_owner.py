"""Who takes reports about the code of a fault: by its file, its module, its function."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from diagnosis.logs import diagnosed, page_fault
from pagefault_doctor.diagnosis import source_path
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.owner import owner_of
from pagefault_doctor.model.diagnosis import Attribution, Candidate, Owner, RootCause
from pagefault_doctor.model.fact import Fact, Source
from pagefault_doctor.model.report import Frame, Kind, LinkedModule, Report, SourceLine

MakeReport = Callable[..., Report]
KERNEL, MODULE = Attribution.KERNEL, Attribution.MODULE


def owner(
    report: Report,
    attribution: Attribution,
    module: str | None = None,
    cause: RootCause = RootCause.NULL_DEREF,
) -> Owner | None:
    return owner_of(Candidate(cause, attribution, module, 0.9), Context(report))


@pytest.mark.parametrize(
    ("module", "place", "subsystem", "mailing_list"),
    [
        (
            "rtw88_core",
            "drivers/net/wireless/realtek/rtw88",
            "REALTEK WIRELESS DRIVER (rtw88)",
            "linux-wireless@vger.kernel.org",
        ),
        ("ext4", "fs/ext4", "EXT4 FILE SYSTEM", "linux-ext4@vger.kernel.org"),
        # One file of a folder that has many drivers, by the module's name.
        ("hid_playstation", "drivers/hid", "HID PLAYSTATION DRIVER", "linux-input@vger.kernel.org"),
        # Several architectures have one.
        (
            "kvm",
            "arch/x86/kvm",
            "KERNEL VIRTUAL MACHINE FOR X86 (KVM/x86)",
            "kvm@vger.kernel.org",
        ),
    ],
)
def test_a_module_of_the_tree_is_of_its_subsystem(
    report: MakeReport, module: str, place: str, subsystem: str, mailing_list: str
) -> None:
    found = owner(report(module=module, arch="x86_64"), MODULE, module)
    assert found is not None
    assert (found.place, found.subsystem, found.mailing_list) == (place, subsystem, mailing_list)
    assert found.text == f"{place}: {subsystem}, {mailing_list}"
    assert "MAINTAINERS of Linux" in found.why


def test_a_subsystem_without_a_list_has_that_of_the_one_above(report: MakeReport) -> None:
    found = owner(report(module="dm_vdo"), MODULE, "dm_vdo")
    plain = owner(report(module="brd"), MODULE, "brd")
    assert found
    assert found.mailing_list == "dm-devel@lists.linux.dev"
    assert plain
    assert plain.mailing_list == "linux-block@vger.kernel.org"


def test_a_file_of_the_modules_folder_is_more_precise(report: MakeReport) -> None:
    folder = "drivers/gpu/drm/amd/amdgpu"
    path = f"/build/linux-x/linux-6.8/{folder}/amdgpu_amdkfd.c"
    one = report(module="amdgpu", details={"file": path})
    found = owner(one, MODULE, "amdgpu")
    assert found
    assert found.subsystem == "AMD KFD"
    lines = report(module="amdgpu", source_line=SourceLine(f"{folder}/amdgpu_amdkfd.c", 5))
    assert owner(lines, MODULE, "amdgpu") == found
    # The file is of a check elsewhere.
    other = owner(report(module="amdgpu", details={"file": "lib/refcount.c"}), MODULE, "amdgpu")
    assert other
    assert other.subsystem == "RADEON and AMDGPU DRM DRIVERS"
    assert other.tracker == "https://gitlab.freedesktop.org/drm/amd/-/issues"


def test_a_module_from_outside_is_of_its_project(report: MakeReport) -> None:
    found = owner(report(modules=(LinkedModule("zfs", "PO"),)), MODULE, "zfs")
    assert found
    assert found.text == "zfs: OpenZFS, https://github.com/openzfs/zfs/issues"


@pytest.mark.parametrize(
    ("flags", "tainted", "proprietary"),
    [("POE", ("P", "O"), True), ("OE", ("O", "P"), False), ("OE", ("O",), False)],
)
def test_the_free_build_of_a_module_is_told_from_the_other(
    report: MakeReport, flags: str, tainted: tuple[str, ...], proprietary: bool
) -> None:
    one = report(modules=(LinkedModule("nvidia", flags),), tainted=tainted)
    found = owner(one, MODULE, "nvidia")
    assert found
    assert ("proprietary" in found.subsystem) is proprietary


def test_a_driver_from_outside_is_not_of_the_trees_subsystem(report: MakeReport) -> None:
    inside = owner(report(modules=(LinkedModule("ice"),)), MODULE, "ice")
    outside = owner(report(modules=(LinkedModule("ice", "OE"),)), MODULE, "ice")
    assert inside
    assert inside.mailing_list == "intel-wired-lan@lists.osuosl.org"
    assert outside
    assert outside.tracker == "https://github.com/intel/ethernet-linux-ice/issues"


def test_a_module_that_no_trace_leads_to_is_told_so(report: MakeReport) -> None:
    def why(circumstantial: bool) -> str:
        first = Candidate(RootCause.NULL_DEREF, MODULE, "ext4", 0.5, (), circumstantial)
        found = owner_of(first, Context(report()))
        return found.why if found else ""

    assert why(True) == f"{why(False)}; but no trace leads there"


def test_an_unknown_module_is_of_its_dkms_package(report: MakeReport) -> None:
    one = report(modules=(LinkedModule("nobody", "OE"),))
    assert owner(one, MODULE, "nobody") is None
    source = Source("dkms status", 3)
    facts = {
        name: Fact(name, value, source)
        for name, value in (
            ("module.dkms_package", "nobody-src/1.2"),
            ("report.title", one.title),
            ("report.boot", one.boot),
        )
    }
    first = Candidate(RootCause.NULL_DEREF, MODULE, "nobody", 0.9)
    found = owner_of(first, Context(one, facts))
    assert found
    assert found.text == "nobody: dkms package nobody-src/1.2"
    # The walk was about another report.
    facts["report.boot"] = Fact("report.boot", 7, source)
    assert owner_of(first, Context(one, facts)) is None


@pytest.mark.parametrize(
    ("file", "function", "place"),
    [
        ("fs/locks.c", None, "fs/locks.c"),
        ("net/ipv4/tcp_input.c", "tcp_fastretrans_alert", "net/ipv4/tcp_input.c"),
        ("./fs/ext4/inode.c", "ext4_iget", "fs/ext4/inode.c"),
        ("/build/linux-Z1/linux-6.8.0/kernel/bpf/lpm_trie.c", None, "kernel/bpf/lpm_trie.c"),
        ("/home/kernel/linux/arch/x86/kvm/x86.c", "kvm_vcpu", "arch/x86/kvm/x86.c"),
        # What was inlined names its own file; the function failed its check.
        ("mm/filemap.c", "f2fs_sync_node_pages", "fs/f2fs"),
        # Built in: by the name of the function alone.
        (None, "__ext4_find_entry", "fs/ext4"),
        (None, "tcp_ack", "net/ipv4/tcp.c"),
        (None, "blk_mq_free_request", "block/blk-mq.c"),
        (None, "sctp_rcv", "net/sctp"),
    ],
)
def test_the_kernels_own_code_is_found_by_file_or_function(
    report: MakeReport, file: str | None, function: str | None, place: str
) -> None:
    frames = (Frame("dump_stack"), Frame("warn_slowpath_null"), Frame(function))
    one = report(function=function, details={"file": file} if file else {})
    found = owner(msgspec.structs.replace(one, frames=frames), KERNEL)
    assert found is not None
    assert found.place == place


@pytest.mark.parametrize(
    ("file", "function"),
    [
        ("lib/refcount.c", "refcount_warn_saturate"),
        ("lib/list_debug.c", None),
        ("include/linux/mm.h", "putback_inactive_pages"),
        ("mm/slub.c", None),
        ("/var/lib/dkms/thing/1.0/build/net/core/dev.c", None),
        ("/root/drivers/mine/x.c", None),
        ("drivers/nobody/x.c", None),
        # What only works with what it was given, and where a system call begins.
        (None, "kmem_cache_free"),
        (None, "vfs_read"),
        (None, "ext4"),
        # A word of many, and no function of a file of that name.
        (None, "team"),
        (None, "video_is_primary_device"),
        (None, None),
    ],
)
def test_where_nobody_is_named_nobody_is_told(
    report: MakeReport, file: str | None, function: str | None
) -> None:
    frames = (Frame(function),) if function else ()
    one = report(function=function, details={"file": file} if file else {})
    assert owner(msgspec.structs.replace(one, frames=frames), KERNEL) is None


def test_a_file_that_names_a_callee_tells_nothing(report: MakeReport) -> None:
    file = {"file": "fs/locks.c"}
    assert source_path.named_in(report(details=file)) == "fs/locks.c"
    assert source_path.named_in(report(kind=Kind.ATOMIC_SLEEP, details=file)) is None
    # The headline's function is another than the one that the title blames.
    frames = (Frame("locks_check"), Frame("other_code"))
    blamed = report(function="other_code", details=file)
    assert source_path.named_in(msgspec.structs.replace(blamed, frames=frames)) is None


@pytest.mark.parametrize(
    "attribution",
    [
        Attribution.HARDWARE,
        Attribution.USER_SPACE,
        Attribution.MEMORY_PRESSURE,
        Attribution.NONE,
        Attribution.MODULE,
    ],
)
def test_nobody_takes_reports_about_what_is_no_code(
    report: MakeReport, attribution: Attribution
) -> None:
    one = report(function="ext4_iget", details={"file": "fs/ext4/inode.c"})
    assert owner(one, attribution) is None


@pytest.mark.parametrize("cause", [RootCause.LOCKUP_HANG, RootCause.STACK_OVERFLOW])
def test_who_noticed_is_not_told(report: MakeReport, cause: RootCause) -> None:
    one = report(function="ext4_iget", details={"file": "fs/ext4/inode.c"})
    assert owner(one, KERNEL) is not None
    assert owner(one, KERNEL, cause=cause) is None


def test_a_log_has_it_in_its_diagnosis() -> None:
    text = page_fault(
        "0000000000000008",
        place="rtw_pci_napi_poll+0x24/0x90 [rtw88_pci]",
        tainted="Not tainted ",
        modules="rtw88_pci rtw88_core",
    )
    found = diagnosed(text)[0].owner
    assert found
    assert found.subsystem == "REALTEK WIRELESS DRIVER (rtw88)"
