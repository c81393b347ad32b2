"""Known reasons why a kernel does not load or unload a module, by the error message."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from pagefault_doctor.model.pattern import regex


class Refusal(msgspec.Struct, frozen=True):
    """A reason why the kernel does not load or unload a module; `pattern` matches its message."""

    pattern: re.Pattern[str]
    reason: str
    remedy: str


def _refusal(pattern: str, reason: str, remedy: str) -> Refusal:
    return Refusal(regex(pattern, re.IGNORECASE), reason, remedy)


REFUSALS: Final = (
    _refusal(
        r"key was rejected|required key not available",
        "the kernel takes signed modules only (Secure Boot or module.sig_enforce)",
        "sign the module with an enrolled key (mokutil --import), or turn Secure Boot off",
    ),
    _refusal(
        r"file exists",
        "a module of that name is already loaded",
        "unload it first (rmmod); when rmmod says it is in use after an oops, reboot",
    ),
    _refusal(
        r"invalid module format|exec format error",
        "the module was built for another kernel (vermagic or symbol versions differ)",
        "build it against /lib/modules/$(uname -r)/build; see dmesg for what differs",
    ),
    _refusal(
        r"unknown symbol",
        "a symbol the module needs is not there",
        "load what it depends on first (modprobe does); see dmesg for the symbol's name",
    ),
    _refusal(
        r"operation not permitted|permission denied",
        "the kernel does not permit it (not root, kernel lockdown or kernel.modules_disabled=1)",
        "run as root; with modules_disabled=1 only a reboot allows modules again",
    ),
    _refusal(
        r"no such file|module \S+ not found|not found in directory",
        "the module's file is not there",
        "name the folder that holds it: --module-dir DIR",
    ),
    _refusal(
        r"is not currently loaded|no such module",
        "the module is not loaded",
        "nothing to unload; go on",
    ),
    _refusal(
        r"is in use|resource temporarily unavailable|device or resource busy",
        "the module is in use, or hangs in its init since an oops",
        "stop what uses it (lsmod shows by whom); after an oops only a reboot helps",
    ),
    _refusal(
        r"cannot allocate memory",
        "there was not enough memory to load it",
        "free some memory, then try again",
    ),
)
"""Known refusals; the first whose pattern matches applies."""
