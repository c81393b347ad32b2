"""What the hardware reports, and what the kernel says of it.

`arch/x86/kernel/cpu/mce/core.c`, `drivers/firmware/efi/cper.c`, `drivers/acpi/apei/ghes.c`,
`drivers/edac/edac_mc.c`, `drivers/pci/pcie/aer.c`, `drivers/iommu/intel/dmar.c`,
`drivers/iommu/amd/iommu.c`, `drivers/ata/libata-eh.c`, `block/blk-core.c`,
`mm/memory-failure.c`, `arch/arm64/kernel/traps.c` (SError).

Details: `bank`, `status`, `inexact_ip`, `address`, `misc` of a machine check; `label`, `corrected`
of a memory error; `severity`, `error_type` of a firmware record; `device` of a bus, IOMMU or disk
error; `direction`, `dma_address`, `dma_reason` of an IOMMU fault; `sector`, `command` of a disk;
`pfn` of a memory failure.
"""

from __future__ import annotations

from typing import Final

from pagefault_doctor.klog.formats.format import FAULT, OWN, Format
from pagefault_doctor.model.report import Kind


def _plain(says: str, title: str, source: str) -> Format:
    return Format(header=OWN, says=says, title=title, kind=Kind.HARDWARE, plain=True, source=source)


FORMS: Final = (
    _plain(r"Machine Check Exception: +[0-9a-f]", "machine check exception", "print_mce"),
    _plain(r"Machine Check: +[0-9a-f]", "machine check", "print_mce"),
    _plain(r"Machine check events logged", "machine check events logged", "mce_notify_irq"),
    Format(
        header=OWN,
        says=r"Machine check in kernel mode|Oops: Machine check",
        title="machine check in {f}",
        kind=Kind.HARDWARE,
        ways=FAULT,
        source="arch/powerpc/kernel/traps.c (machine_check_exception)",
    ),
    _plain(
        r"Hardware error from APEI Generic Hardware Error Source",
        "hardware error from APEI",
        "__ghes_print_estatus",
    ),
    Format(
        header=OWN,
        says=r"SError Interrupt on CPU\d+|Bad mode in [\w ]+ handler detected",
        title="SError in {f}",
        kind=Kind.HARDWARE,
        ways=FAULT,
        source="arm64_serror_panic",
    ),
    _plain(r"EDAC [\w#]+: (?:\d+ )?UE ", "uncorrected memory error", "edac_mc_printk"),
    _plain(r"EDAC [\w#]+: (?:\d+ )?CE ", "corrected memory error", "edac_mc_printk"),
    _plain(r"Memory failure: 0x[0-9a-f]+: ", "memory failure", "mm/memory-failure.c"),
    _plain(
        r"AER: (?:Multiple )?Uncorrect\w+ (\((?:Non-)?Fatal\))",
        "uncorrected PCIe error {1}",
        "aer_print_port_info",
    ),
    _plain(r"AER: (?:Multiple )?Corrected", "corrected PCIe error", "aer_print_port_info"),
    _plain(
        r"PCIe Bus Error: severity=(\w+)(?: (\([\w-]+\)))?",
        "PCIe bus error: {1} {2}",
        "aer_print_error",
    ),
    _plain(r"DMAR: \[(DMA \w+|INTR-REMAP)", "DMAR fault: {1}", "dmar_fault_do_one"),
    _plain(r"AMD-Vi: Event logged \[([A-Z_0-9]+)", "AMD-Vi: {1}", "iommu_print_event"),
    _plain(r"arm-smmu", "IOMMU fault", "drivers/iommu/arm/arm-smmu"),
    _plain(r"NMI: (IOCK|PCI system) error", "NMI: {1} error", "arch/x86/kernel/nmi.c"),
    _plain(r"NMI received for unknown reason", "unknown NMI", "unknown_nmi_error"),
    _plain(
        r"(Core|Package) temperature (?:is )?above threshold",
        "{1} temperature above threshold",
        "arch/x86/kernel/cpu/mce/therm_throt.c",
    ),
    _plain(r"ata\d[\d.]*: exception Emask 0x", "ATA error", "ata_eh_link_report"),
    _plain(
        r"(I/O|critical (?:medium|target|nexus)|protection|device resource|timeout) error, dev ",
        "disk: {1} error",
        "blk_print_req_error",
    ),
)

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
)
