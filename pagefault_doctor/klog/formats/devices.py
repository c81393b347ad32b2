"""What drivers say of devices, disks, buses, power and heat that fail, and of file systems.

Each is one line among many of a log that goes on, so each counts only in a boot that has nothing
else. What goes on as if nothing had been is no fault: a link that is reset once, an error that was
corrected, a processor that was too hot and is not any more. Details: `device` of most.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from pagefault_doctor.klog.formats.format import Format
from pagefault_doctor.model.report import Kind

_device = partial(Format, kind=Kind.HARDWARE, plain=True, fragment=True)
_graphics = partial(_device, kind=Kind.LOCKUP, alike="graphics")
_disk = partial(_device, alike="disk")
_store = partial(
    _device,
    kind=Kind.INFO,
    alike="file system",
    details=(r"(?P<damaged_store>(?:fs|FS|UBI|ubi|jffs2).+)",),
)
_server = partial(_device, kind=Kind.HUNG_TASK, alike="server")
_PCI: Final = r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.\d"

FORMATS: Final = (
    # machine checks and what firmware hands on
    _device(
        start=r"\[Hardware Error\]: (?!.*(?:Machine [Cc]heck|error from APEI Generic))",
        alike="memory",
        title="hardware error",
        source="HW_ERR of include/linux/printk.h: drivers/edac/mce_amd.c, firmware/efi/cper.c",
    ),
    _device(
        start=r"Machine Check Exception: [0-9a-f]{16}|The hardware reports a non fatal, correctable"
        r"|^(?:MCE|HARDWARE ERROR|CPU \d+ BANK \d+ |mce: CPUs not responding to MCE broadcast)"
        r"|^Severe Machine check interrupt",
        needles=("Machine ", "The hardware reports", "MCE", "HARDWARE ERROR", " BANK "),
        alike="memory",
        title="machine check",
        source="arch/x86/kernel/cpu/mce/core.c, mcelog, arch/powerpc/kernel/mce.c",
    ),
    _device(
        start=r"BERT: Error records from previous boot|GHES: Fatal hardware error",
        alike="memory",
        title="hardware error recorded by the firmware",
        source="drivers/acpi/apei/bert.c (bert_print_all)",
    ),
    _device(
        start=r"EDAC [\w ]+: HANDLING MCE|EDAC PCI\d*: .*Error|EDAC DEVICE\d+: UE",
        title="EDAC error",
        source="drivers/edac/edac_pci.c, edac_device.c",
    ),
    _device(
        start=r"[0-9a-f]+ bad mem addr 0x[0-9a-f]+ - 0x[0-9a-f]+ reserved|^MCE 0x[0-9a-f]+: "
        r"|soft offline: 0x[0-9a-f]+: .*failed|You probably have a hardware problem with your RAM",
        title="bad memory",
        source="mm/memtest.c (reserve_bad_mem), mm/memory-failure.c, arch/x86/kernel/nmi.c",
    ),
    _device(
        start=r"NMI received\. Dazed and confused|Dazed and confused, but trying to continue",
        title="unknown NMI",
        source="arch/x86/kernel/nmi.c (unknown_nmi_error), i386/kernel/traps.c",
    ),
    _device(
        start=r"EEH: (?:Frozen PHB|PHB#\w+ failure|Fenced PHB|.* permanently failed)"
        r"|RTAS: event: \d+, Type: .*Error",
        needles=("EEH: ", "RTAS: event"),
        title="EEH: a PCI slot is frozen",
        source="arch/powerpc/kernel/eeh.c, arch/powerpc/platforms/pseries/ras.c",
    ),
    # heat and power
    _device(
        start=r"[Cc]ritical temperature reached|HARDWARE PROTECTION (?:shutdown|reboot)",
        title="too hot: the machine shut itself down",
        source="drivers/thermal/thermal_core.c, kernel/reboot.c (hw_protection_trigger)",
    ),
    _device(
        start=r"[Uu]nder-?voltage detected",
        title="under-voltage",
        source="drivers/hwmon/raspberrypi-hwmon.c (rpi_firmware_get_throttled)",
    ),
    _device(
        start=r"over-current condition|over-current change",
        often=3,
        needles=("over-current c",),
        title="over-current on a USB port",
        source="drivers/usb/core/hub.c (port_event)",
    ),
    # buses
    _device(
        start=r"DPC: (?:containment event|unmasked uncorrectable|ERR_FATAL)|PCIe link lost"
        r"|Adapter removed|pciehp.*Link Training Error|config space inaccessible",
        needles=("DPC: ", "PCIe link", "Adapter removed", "Link Train", "config space in"),
        title="PCIe: a device was lost",
        source="drivers/pci/pcie/dpc.c (dpc_process_error), igb_main.c (igb_rd32)",
    ),
    _device(
        start=r"xHCI host controller not responding, assume dead|\bHC died; cleaning up"
        r"|Host halt failed, -\d+",
        title="the USB controller died",
        source="drivers/usb/host/xhci-ring.c (xhci_hc_died), drivers/usb/core/hcd.c (usb_hc_died)",
    ),
    _device(
        start=r"DMAR: DRHD: handling fault status reg|AMD-Vi: Completion-Wait loop timed out"
        r"|arm-smmu-v3 \S+: event 0x[0-9a-f]+ received|DMAR hardware is malfunctioning",
        title="IOMMU fault",
        source="drivers/iommu/intel/dmar.c, amd/iommu.c, arm/arm-smmu-v3/arm-smmu-v3.c",
    ),
    # disks
    _disk(
        start=r"\bnvme\w*: controller is down; will reset|\bnvme\w*: (?:Device not ready; aborting"
        r"|Removing after probe failure|Disabling device after reset failure|Abort status: 0x[1-9]"
        r"|I/O .*(?:timeout, reset controller|timeout, aborting|timeout, disable controller))",
        title="NVMe controller fails",
        source="drivers/nvme/host/pci.c (nvme_warn_reset, nvme_timeout, nvme_reset_work)",
    ),
    _disk(
        start=r"I/O Cmd\(0x\w+\) @ LBA \d+|[Bb]uffer I/O error on dev",
        title="disk: I/O error",
        source="drivers/nvme/host/core.c (nvme_log_error), fs/buffer.c (buffer_io_error)",
    ),
    _disk(
        start=r"Sense Key ?: (Medium Error|Hardware Error)|Add\. Sense: (Unrecovered read error)",
        title="disk: {1}{2}",
        source="drivers/scsi/scsi_logging.c (scsi_log_print_sense), constants.c",
    ),
    _disk(
        start=r"rejecting I/O to (?:offline|dead) device|Device offlined - not ready after error"
        r"|FAILED Result: hostbyte=DID_(?:BAD_TARGET|NO_CONNECT|ERROR|TIME_OUT|TRANSPORT\w+)"
        r"|SCSI disk error : |Disk failure on \w+, disabling device|read error not correctable",
        title="disk lost",
        source="drivers/scsi/scsi_lib.c, scsi_error.c, drivers/md/raid1.c, raid5.c, raid10.c",
    ),
    _disk(
        start=r"^ata\d[\d.]*: (?:failed command: |error: \{ (?:UNC|IDNF|ABRT|AMNF)|COMRESET failed"
        r"|status: \{ DRDY (?:DF )?ERR|softreset failed|limiting SATA link speed)"
        r"|^hd[a-z]: .*(?:error=0x|status=0x.*Error|lost interrupt|media error)",
        title="ATA error",
        source="drivers/ata/libata-eh.c, libata-sata.c; drivers/ide/ide-lib.c before 5.14",
    ),
    _disk(
        start=r"mmc\w+: (?:Timeout waiting for hardware|error -\d+ (?:whilst initialising|"
        r"transferring data|sending)|timed out sending|recovery failed!|\w*cqhci: timeout for tag"
        r"|card never left busy state|Card stuck|Reset 0x\d never completed|tuning execution failed"
        r"|running CQE recovery)",
        title="MMC or SD card fails",
        source="drivers/mmc/core/block.c, core.c, host/sdhci.c (sdhci_timeout_timer)",
    ),
    # adapters and their firmware
    _device(
        start=r"Detected (?:Hardware|Tx) Unit Hang|health compromised|firmware internal error"
        r"|controller lockup detected|SAS host is non-operational|fault_state\(0x[0-9a-f]+\)"
        r"|Driver is going to kill adapter|Adapter kernel panic'd"
        r"|FW detected to be in fault ?state|\bMC assert!",
        title="an adapter hangs",
        source="drivers/net/ethernet/intel/e1000e/netdev.c (e1000_print_hw_hang), scsi/hpsa.c",
    ),
    _device(
        start=r"Microcode SW error detected|firmware crashed|Firmware has halted or crashed",
        kind=Kind.INFO,
        title="the firmware of an adapter crashed",
        source="iwlwifi's pcie/trans.c, ath10k/core.c, ath11k/mhi.c, brcmfmac/core.c",
    ),
    # graphics
    _device(
        start=r"NVRM: Xid \([^)]*\): (\d+)",
        alike="graphics",
        title="NVIDIA Xid {1}",
        source="NVIDIA's open-gpu-kernel-modules, kernel/gpu/rc/kernel_rc.c (krcReportXid)",
    ),
    _graphics(
        start=r"\bring \S+ timeout, signaled seq|GPU reset begin!|no-retry page fault \(src_id"
        r"|device coredump has been created"
        r"|hw_init of IP block <\w+> failed|ring \d+ stalled for more than|GPU lockup \("
        r"|gpu lockup rb|GPU HANG: |Hangcheck timer elapsed|GPU hung|GPU recovery timed out"
        r"|Engine reset(?:: engine_class| failed)|has declared device \S+ as wedged"
        r"|gpu sched timeout|recover hung GPU|MMU error from client"
        r"|\bSCHED_ERROR \w+ \[|fifo: channel \d+: killed|\bgr: TRAP ch",
        title="GPU hang",
        details=(rf"(?:^|\s)(?P<module>\w+) (?P<device>{_PCI}): ",),
        source="amdgpu_job.c (amdgpu_job_timedout), i915_gpu_error.c, xe_guc_submit.c,"
        " radeon_ring.c, msm_gpu.c, nouveau's fifo, panfrost_job.c, etnaviv_gpu.c, v3d_irq.c",
    ),
    # file systems, whose disk or memory failed, or their own code
    _store(
        start=r"EXT[234]-fs (?:error|\(\S+\): error)|-fs.*: Remounting filesystem read-only"
        r"|Aborting journal on device|JBD2?: Error -\d+ detected|FAT-fs \(\S+\): error, "
        r"|SQUASHFS error: |EROFS.*failed to decompress|F2FS-fs \(\S+\): .*[Ii]nconsistent",
        needles=("-fs error", "): error", "Aborting journal on", "JBD", "SQUASHFS", "EROFS",
                 "F2FS-fs ", ": Remounting filesystem"),
        title="file system error",
        source="fs/ext4/super.c (__ext4_error), fs/jbd2/journal.c, fs/fat/misc.c, fs/squashfs",
    ),
    _store(
        start=r"XFS \(\S+\): (?:.*I/O error|Filesystem has been shut down|Corruption (?:of in-"
        r"memory data|detected)|Metadata (?:CRC error|corruption) detected|Internal error)",
        needles=("XFS (",),
        title="XFS error",
        source="fs/xfs/xfs_fsops.c (xfs_do_force_shutdown), xfs_error.c",
    ),
    _store(
        start=r"BTRFS:? (?:error|critical|warning) \(device .*(?:parent transid verify failed"
        r"|errno=-|csum failed|corrupt leaf|corrupt node|checksum verify failed|block=\d+ (?:write"
        r"|read) time)|BTRFS error \(device.*errs: wr \d+, rd [1-9]",
        needles=("BTRFS",),
        title="BTRFS error",
        source="fs/btrfs/messages.c (__btrfs_handle_fs_error), disk-io.c, volumes.c",
    ),
    _store(
        start=r"UBI(?:FS)? error|^ubi0 error: |jffs2: (?:Argh|.*CRC (?:failed|mismatch)|Error)",
        needles=("UBI", "ubi0 error: ", "jffs2: "),
        title="flash file system error",
        source="fs/ubifs/misc.c (ubifs_err), drivers/mtd/ubi/misc.c (ubi_err), fs/jffs2",
    ),
    # servers
    _server(
        start=r"nfs: server \S+ not responding|CIFS: VFS: .* has not responded in \d+ seconds"
        r"|ceph: mds\d+ (?:hung|caps stale)",
        needles=("nfs: server", "CIFS: ", "ceph: mds"),
        title="a server does not answer",
        source="net/sunrpc/clnt.c (rpc_check_timeout), fs/smb/client/connect.c"
        " (server_unresponsive), fs/ceph/mds_client.c",
    ),
    _server(
        start=r"nfs: server \S+ OK",
        needles=("nfs: server",),
        silent=True,
        heals="server",
        title="a server answers again",
        source="net/sunrpc/clnt.c (call_connect_status)",
    ),
)  # fmt: skip
