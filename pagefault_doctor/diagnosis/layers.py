"""The layers of the kernel: which modules are a subsystem that drivers call into."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Report

_SUBSYSTEMS: Final = regex(
    r"^(?:drm|drm_\w+|ttm|gpu_sched|i2c_algo_bit|cec|"
    r"snd|snd_(?:pcm|timer|seq\w*|rawmidi|hwdep|compress|hda_core|hda_codec|soc_core|ac97_codec)|"
    r"soundcore|ac97_bus|usbcore|usb_common|usb_storage|usbserial|usbnet|mii|libphy|phylink|"
    r"mac80211|cfg80211|rfkill|libarc4|scsi_mod|scsi_common|scsi_transport_\w+|libata|libahci|"
    r"libsas|libfc|libfcoe|libiscsi|nvme_core|nvme_fabrics|mmc_core|cdrom|"
    r"bluetooth|btintel|btrtl|btbcm|videodev|mc|media|v4l2_\w+|videobuf2_\w+|dvb_core|rc_core|"
    r"hid|industrialio|regmap_\w+|ptp|pps_core|mdio|ib_core|rdma_cm|target_core_mod|"
    r"vhost|virtio|virtio_ring|fscache|netfs|sunrpc|lockd|fat|jbd2|mbcache|dm_mod|md_mod|libcrc32c|"
    r"nf_conntrack|nf_nat|nf_tables|x_tables|ip_tables|rpcrdma|thermal|backlight|video)$"
)
"""Modules whose work is to serve others."""


def is_subsystem(module: str) -> bool:
    """Whether a module of the tree serves many drivers."""
    return _SUBSYSTEMS.match(module) is not None


def calls_into(caller: str, module: str, report: Report) -> bool:
    """Whether a module is a driver, and the module that it called its subsystem.

    So it is where the driver is from outside the tree and the other is not. Else the names tell.
    The list of modules has the newest first, and what a driver needs is loaded before it.
    """
    foreign = report.out_of_tree
    if module in foreign or is_subsystem(caller):
        return False
    names = [linked.name for linked in report.modules]
    if caller in names and module in names and names.index(caller) > names.index(module):
        return False
    return caller in foreign or is_subsystem(module)
