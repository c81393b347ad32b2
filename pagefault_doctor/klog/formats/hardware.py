"""What the hardware reports, as the kernel prints it.

Details: `bank`, `status`, `inexact_ip`, `address`, `misc`, `ipid`, `processor` and `mce_reason` of
a machine check (`arch/x86/kernel/cpu/mce/core.c`, __print_mce, and severity.c), as printed
`mc_status`, `mc_unit` and `mc_address` (`drivers/edac/mce_amd.c`); `label`, `corrected` of a memory
error; `severity`, `error_type`, `memory_place` of a firmware record
(`drivers/firmware/efi/cper.c`); `device` of a bus, IOMMU or disk error, `aer_device` with its error
status; `direction`, `dma_address`, `dma_reason` of an IOMMU fault; `sector`, `command`, and as
printed `ata_error`, `ata_status`, `ata_result`, `bus_error` (`drivers/ata/libata-eh.c`), `sense`,
`add_sense` (`drivers/scsi/scsi_logging.c`) of a disk, `given_up` that it is gone; `pfn` of
a memory failure; `gpu` that NVIDIA's driver lost, its `gpu_id` and the version of its
`gpu_driver`; `attributes`, `insn_address`
of a SPARC (`arch/sparc/kernel/traps_64.c`).
"""

from __future__ import annotations

from functools import partial
from typing import Final

from pagefault_doctor.klog.formats.format import FAULT, Continuation, Format, Lead
from pagefault_doctor.model.report import Kind

DETAILS: Final = (
    r"Machine Check(?: Exception)?: +[0-9a-f]+ Bank (?P<bank>\d+): (?P<status>[0-9a-f]+)",
    r"RIP (?P<inexact_ip>!INEXACT! [0-9a-f]+:.+)",
    r"TSC [0-9a-f]+ .*?ADDR (?P<address>[0-9a-f]+)",
    r"TSC [0-9a-f]+ .*?MISC (?P<misc>[0-9a-f]+)",
    r"EDAC \w+: (?P<corrected>\d+) CE .*? on (?P<label>\S+)",
    r"EDAC \w+: \d+ UE .*? on (?P<label>\S+)",
    r"event severity: (?P<severity>\w+)",
    r"error_type: (?:\d+, )?(?P<error_type>.+)",
    r"physical_address: (?P<address>0x[0-9a-f]+)",
    r"AER: .*? received: (?P<device>[0-9a-f:.]+)",
    r"(?P<device>[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.\d): PCIe Bus Error: "
    r"severity=(?P<severity>[^,]+)",
    r"DMAR: \[(?P<direction>[\w -]+)\] Request device \[(?P<device>[^\]]+)\]"
    r"(?:.*?fault addr (?:0x)?(?P<dma_address>[0-9a-f]+))?"
    r"(?:.*?\[fault reason \w+\] (?P<dma_reason>.+))?",
    r"(?P<device>[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.\d): AMD-Vi: Event logged",
    r"AMD-Vi: Event logged \[\w+ (?:device=(?P<device>[0-9a-f:.]+))?"
    r"(?:.*?address=(?P<dma_address>0x[0-9a-f]+))?",
    r"(?P<device>ata\d[\d.]*): exception Emask",
    r"failed command: (?P<command>.+)",
    r" error, dev (?P<device>\w+), sector (?P<sector>\d+)",
    r"Memory failure: (?P<pfn>0x[0-9a-f]+)",
    r"\bIPID (?P<ipid>[0-9a-f]{8,16})\b",
    r"(?P<processor>PROCESSOR \d+:[0-9a-f]+ TIME .*)",
    r"Machine check: (?P<mce_reason>[A-Z].+)",
    r"(?P<mc_status>\bMC\d+_STATUS\[.+)",
    r"(?P<mc_unit>[A-Z][\w /]+ Ext\. Error Code: .+)",
    r"(?P<mc_address>Error Addr: 0x[0-9a-f]+)",
    r"(?P<memory_place>(?:node|card|module|rank|DIMM location): ?\S.*)",
    r"(?P<aer_device>device \[[0-9a-f:]+\] error status/mask=\S+)",
    r"(?P<ata_error>error: \{ .*\})",
    r"(?P<ata_status>status: \{ .*\})",
    r"(?P<ata_result>res [0-9a-f]{2}/[0-9a-f:/]+ Emask .*)",
    r"(?P<bus_error>SError: \{ .*\})",
    r"(?P<sense>Sense Key ?: .+)",
    r"(?P<add_sense>Add\. Sense: .+)",
    r"^ata\d[\d.]*: (?P<given_up>reset failed, giving up)",
    r"(?P<given_up>rejecting I/O to (?:offline|dead) device)",
    r"(?P<given_up>hostbyte=DID_(?:BAD_TARGET|NO_CONNECT)\b)",
    r"(?P<given_up>Device offlined - not ready after error recovery)",
    r"nvme\w*: (?P<given_up>(?:Removing after probe|Disabling device after reset) failure.*)",
    r"NVRM: (?P<gpu>(?:The NVIDIA )?GPU (?:at )?\S*[0-9a-f]{2}:[0-9a-f]{2}[.:].*)",
    r"NVRM: (?P<gpu_id>\(PCI ID: [0-9a-f:]+\))",
    r"NVRM: loading (?P<gpu_driver>NVIDIA UNIX .*?Module .*? [\d.]+)\b",
    r"ERROR: attrs (?P<attributes>\[.+)",
    r"ERROR: (?P<insn_address>insn effective address .+)",
)

OFTEN: Final = 4
"""Lines of errors that were corrected, from which on a link is bad and not just disturbed once."""

_hardware = partial(Format, kind=Kind.HARDWARE)
_plain = partial(_hardware, plain=True)
_memory = partial(_plain, alike="memory")
_mce = partial(_memory, needles=("Machine ",))
_pcie = partial(_plain, alike="PCIe")
_disk = partial(_plain, alike="disk")
_nmi = partial(_plain, alike="NMI")
_checked = partial(
    _hardware,
    alike="memory",
    title="machine check in {f}",
    ways=FAULT,
    source="arch/powerpc/kernel/traps.c (machine_check_exception, die_mce)",
)

FORMATS: Final = (
    _mce(
        start=r"Machine Check Exception: +[0-9a-f]+ \S",
        title="machine check exception",
        source="arch/x86/kernel/cpu/mce/core.c (__print_mce)",
    ),
    _mce(
        start=r"Machine Check: +[0-9a-f]+ \S",
        title="machine check",
        source="arch/x86/kernel/cpu/mce/core.c (__print_mce)",
    ),
    _mce(
        start=r"Machine check events logged",
        title="machine check events logged",
        source="arch/x86/kernel/cpu/mce/core.c (mce_notify_irq)",
    ),
    _plain(
        start=r"fallen off the bus",
        title="device fallen off the bus",
        source="NVIDIA's open-gpu-kernel-modules, kernel-open/nvidia/nv-pci.c; Xid 79",
    ),
    Continuation(
        lead=r"^NVRM: (?:The NVIDIA )?GPU \S*[0-9a-f]{2}:[0-9a-f]{2}[.:]\S*\s*$|^NVRM: \(PCI ID: ",
        source="NVIDIA's open-gpu-kernel-modules, kernel-open/nvidia/nv-pci.c, in lines of its own",
    ),
    _checked(start=r"^Machine check in kernel mode", needles=("Machine ",), lead=Lead.DROPPED),
    _checked(start=r"Oops: Machine check, sig"),
    _memory(
        start=r"Hardware error from APEI Generic Hardware Error Source",
        title="hardware error from APEI",
        source="drivers/acpi/apei/ghes.c (__ghes_print_estatus)",
    ),
    _hardware(
        start=r"SError Interrupt on CPU\d+, code",
        lead=Lead.DROPPED,
        follows=True,
        title="SError in {f}",
        ways=FAULT,
        source="arch/arm64/kernel/traps.c (arm64_serror_panic)",
    ),
    _hardware(
        start=r"Bad mode in [\w ]+ handler detected",
        lead=Lead.DROPPED,
        title="SError in {f}",
        ways=FAULT,
        source="arch/arm64/kernel/traps.c (bad_mode), before 5.13",
    ),
    _memory(
        start=r"EDAC [\w#]+: (?:\d+ )?UE ",
        title="uncorrected memory error",
        source="drivers/edac/edac_mc.c (edac_ue_error)",
    ),
    _memory(
        start=r"EDAC [\w#]+: (?:\d+ )?CE ",
        title="corrected memory error",
        source="drivers/edac/edac_mc.c (edac_ce_error)",
    ),
    _memory(
        start=r"^Injecting memory failure (?:for|at) pfn 0x",
        silent=True,
        title="memory failure on request",
        source="mm/madvise.c (madvise_inject_error), mm/hwpoison-inject.c (hwpoison_inject)",
    ),
    _memory(
        start=r"^(?:MCE: |mce: )?Memory failure: 0x[0-9a-f]+: ",
        title="memory failure",
        source="mm/memory-failure.c (action_result)",
    ),
    _pcie(
        start=r"AER: (?:Multiple )?Uncorrect(?:ed|able)[^:]* (?:error|\(|message)",
        needles=("AER: ",),
        pattern=r"AER: (?:Multiple )?Uncorrect\w+ (\((?:Non-)?Fatal\))",
        title="uncorrected PCIe error {1}",
        source="drivers/pci/pcie/aer.c (aer_print_port_info)",
    ),
    _pcie(
        start=r"AER: (?:Multiple )?Correct(?:ed|able)[^:]* (?:error|\(|message)",
        needles=("AER: ",),
        pattern=r"AER: (?:Multiple )?Corrected",
        often=OFTEN,
        title="corrected PCIe error",
        source="drivers/pci/pcie/aer.c (aer_print_port_info)",
    ),
    _pcie(
        start=r"PCIe Bus Error: severity=Corrected",
        often=OFTEN,
        title="PCIe bus error: Corrected",
        source="drivers/pci/pcie/aer.c (aer_print_error)",
    ),
    _pcie(
        start=r"PCIe Bus Error: severity=(\w+)(?: (\([\w-]+\)))?",
        title="PCIe bus error: {1} {2}",
        source="drivers/pci/pcie/aer.c (aer_print_error)",
    ),
    _plain(
        start=r"DMAR: \[(DMA \w+|INTR-REMAP)[^\]]*\] Request device \[",
        title="DMAR fault: {1}",
        source="drivers/iommu/intel/dmar.c (dmar_fault_do_one)",
    ),
    _plain(
        start=r"AMD-Vi: Event logged \[([A-Z_0-9]+)",
        title="AMD-Vi: {1}",
        source="drivers/iommu/amd/iommu.c (iommu_print_event)",
    ),
    _plain(
        start=r"arm-smmu[\w-]* \S+: Unhandled context fault",
        title="IOMMU fault",
        source="drivers/iommu/arm/arm-smmu/arm-smmu.c (arm_smmu_context_fault)",
    ),
    _plain(
        start=r"machine check: vector=0x|High Priority Machine Check \(HPMC\)|mcck: CPU malfunction"
        r"|^Cache error exception",
        needles=("machine check: vector", "Machine Check (HPMC)", "mcck: ", "Cache error"),
        title="machine check",
        source="arch/alpha/kernel/core_*.c, arch/parisc/kernel/traps.c (handle_interruption),"
        " arch/s390/kernel/nmi.c, arch/mips/kernel/traps.c (cache_parity_error)",
    ),
    _nmi(
        start=r"NMI: (IOCK|PCI system) error",
        needles=("NMI: ",),
        title="NMI: {1} error",
        source="arch/x86/kernel/nmi.c (io_check_error, pci_serr_error)",
    ),
    _nmi(
        start=r"Uhhuh\. NMI received for unknown reason",
        title="unknown NMI",
        source="arch/x86/kernel/nmi.c (unknown_nmi_error)",
    ),
    _plain(
        start=r"(?:Core|Package) temperature/speed normal",
        silent=True,
        heals="heat",
        title="temperature normal",
        source="drivers/thermal/intel/therm_throt.c",
    ),
    _plain(
        start=r"(Core|Package) temperature (?:is )?above threshold",
        alike="heat",
        title="{1} temperature above threshold",
        source="drivers/thermal/intel/therm_throt.c",
    ),
    _disk(
        start=r"^ata\d[\d.]*: exception Emask 0x",
        title="ATA error",
        source="drivers/ata/libata-eh.c (ata_eh_link_report)",
    ),
    _disk(
        start=r"(I/O|critical (?:medium|target|nexus)|protection|device resource|timeout)"
        r" error, dev (?!(?:loop|z?ram|nullb|fd)\d)\w+, sector \d+",
        title="disk: {1} error",
        source="block/blk-mq.c (blk_print_req_error), of what is no file, memory or empty drive",
    ),
)
