"""What the hardware reports: `arch/x86/kernel/cpu/mce/core.c`, `drivers/firmware/efi/cper.c`,
`arch/arm64/kernel/traps.c` (SError).

Details: `bank` and `status` of a machine check.
"""

from __future__ import annotations

from typing import Final

from pagefault_doctor.klog.form import FAULT, OWN, Form
from pagefault_doctor.model.report import Kind

FORMS: Final = (
    Form(
        header=OWN,
        says=r"Machine Check Exception: +\d",
        title="machine check exception",
        kind=Kind.HARDWARE,
        plain=True,
        source="print_mce",
    ),
    Form(
        header=OWN,
        says=r"Hardware error from APEI Generic Hardware Error Source",
        title="hardware error from APEI",
        kind=Kind.HARDWARE,
        plain=True,
        source="__ghes_print_estatus",
    ),
    Form(
        header=OWN,
        says=r"SError Interrupt on CPU\d+|Bad mode in \w+ handler detected",
        title="SError in {f}",
        kind=Kind.HARDWARE,
        ways=FAULT,
        source="arm64_serror_panic",
    ),
    Form(
        header=OWN,
        says=r"EDAC [\w#]+: \d+ UE ",
        title="uncorrected memory error",
        kind=Kind.HARDWARE,
        plain=True,
        source="edac_mc_handle_error",
    ),
    Form(
        header=OWN,
        says=r"Memory failure: 0x[0-9a-f]+: ",
        title="memory failure",
        kind=Kind.HARDWARE,
        plain=True,
        source="mm/memory-failure.c",
    ),
    Form(
        header=OWN,
        says=r"AER: (?:Multiple )?Uncorrect\w+ (\((?:Non-)?Fatal\))",
        title="uncorrected PCIe error {1}",
        kind=Kind.HARDWARE,
        plain=True,
        source="drivers/pci/pcie/aer.c",
    ),
    Form(
        header=OWN,
        says=r"NMI: (IOCK|PCI system) error",
        title="NMI: {1} error",
        kind=Kind.HARDWARE,
        plain=True,
        source="arch/x86/kernel/nmi.c",
    ),
)

DETAILS: Final = (r"Machine Check(?: Exception)?: +\d+ Bank (?P<bank>\d+): (?P<status>[0-9a-f]+)",)
