"""The driver that a function is of where it is built into the kernel, by how the name begins.

A driver's functions begin with the name of its module, or a short form of it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from pagefault_doctor.diagnosis import function_roles
from pagefault_doctor.symbols import in_tree

_SHORT: Final = {
    short: module
    for module, shorts in (
        ("aacraid", "aac"),
        ("ath10k_core", "ath10k"),
        ("ath9k", "ath9k"),
        ("bnxt_en", "bnxt"),
        ("brcmfmac", "brcmf"),
        ("dw_mmc", "dw_mci"),
        ("hv_netvsc", "netvsc"),
        ("hv_storvsc", "storvsc"),
        ("iwlwifi", "iwl iwlagn"),
        ("lan78xx", "lan78xx"),
        ("megaraid_sas", "megasas"),
        ("mlx4_core", "mlx4"),
        ("mlx5_core", "mlx5 mlx5e"),
        ("mpt3sas", "mpt3sas scsih"),
        ("nouveau", "nvkm nvif nv50"),
        ("qla2xxx", "qla2x00 qla24xx qla25xx qla82xx"),
        ("r8152", "r8152 rtl8152"),
        ("r8169", "rtl8169"),
        ("rtw88_core", "rtw"),
        ("rtw89_core", "rtw89"),
        ("smartpqi", "pqi"),
        ("snd_hda_intel", "azx"),
        ("tg3", "tg3"),
        ("uvcvideo", "uvc"),
        ("virtio_blk", "virtblk"),
        ("virtio_net", "virtnet"),
        ("vmxnet3", "vmxnet3"),
        ("xen_blkfront", "blkfront blkif"),
        ("xen_netfront", "netfront xennet"),
    )
    for short in shorts.split()
}
"""Modules of the tree by what their functions begin with, where that is not the module's name."""
_SHARED: Final = frozenset(
    "i2c_smbus i2c_mux i2c_dev mmc_block spi_bitbang ath backlight coresight echo eeprom gameport "
    "kcomedilib mc mdev pmbus roles rtlwifi serio tcpm tpm typec".split()
)
"""Modules whose functions begin as those of the code that all drivers of their kind call."""
_FEWEST: Final = 3
"""Letters of a name of one word that counts."""
_OF_DRIVERS: Final = ("drivers/", "sound/", "net/", "fs/", "arch/")


@lru_cache(256)
def driver_of(function: str | None) -> tuple[str, str] | None:
    """Return the module of the tree that a function is of, with its folder; None if none is sure.

    A name of one word counts where the folder bears it as well: others are words of many drivers.
    """
    if function is None or function_roles.only_passes_on(function):
        return None
    if function_roles.is_entry_point(function):
        return None
    words = function.partition(".")[0].lstrip("_").split("_")
    for count in range(min(len(words) - 1, _LONGEST), 0, -1):
        name = "_".join(words[:count])
        if name in _SHORT and (folder := in_tree.path_of(_SHORT[name])):
            return _SHORT[name], folder
        if (folder := _folder(name, count)) and folder.startswith(_OF_DRIVERS):
            return name, folder
    return None


_LONGEST: Final = 4
"""Words of a module's name that are looked for."""


def _folder(name: str, words: int) -> str | None:
    if len(name) < _FEWEST or name in _SHARED or function_roles.is_subsystem(name):
        return None
    folder = in_tree.path_of(name)
    above, _, last = (folder or "").rpartition("/")
    # What bears the name of a whole class of devices is the core of it: drivers/hwmon.
    is_own = last == name and above != "drivers"
    return folder if is_own or words > 1 else None
