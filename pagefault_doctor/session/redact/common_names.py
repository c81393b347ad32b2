"""Names that identify nobody: those of every machine, of public sites, words of any report."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

PUBLIC_SITES: Final = (
    *("kernel.org", "debian.org", "ubuntu.com", "redhat.com", "fedoraproject.org", "suse.com"),
    *("opensuse.org", "github.com", "gitlab.com", "freedesktop.org", "launchpad.net", "kvack.org"),
    *("infradead.org", "gnu.org", "python.org", "wikipedia.org", "linuxfoundation.org"),
    *("systemd.io", "docker.io", "k8s.io", "quay.io", "gcr.io", "qemu.org", "beagleboard.org"),
)
"""Sites that a kernel, a program or pfdoctor mentions; they identify nobody."""

COMMON_NAMES: Final = frozenset(
    "root localhost localhost.localdomain lab recording kernel nobody nogroup daemon systemd user "
    "the this a an any all none null unknown debian ubuntu fedora linux lost+found console tty "
    "space mode memory pages page access pointer stack data process processes program programs "
    "regs address addresses task tasks namespace namespaces land input request hostname host "
    "server changed".split()
)
"""Names that every machine has, and words that follow `user` in kernel messages."""

REPORT_WORDS: Final = frozenset(
    "bug kernel null pointer dereference pf supervisor write access error code not present oops "
    "preempt smp cpu pid comm tainted hardware name rip rsp rbp call trace task irq modules linked "
    "end general protection fault slab cache object freed allocated by module function list debug "
    "sshd example www mail ftp test driver server host demo system unknown "
    "at in ip sp pc lr sr cr is of on or to as be do "
    "go he if it me my no so up us we am an and for from with ok id vs hw sw os fs gs cs ss ds es "
    "mm vm ax bx cx dx si di bp error warning panic stack call trap init exit read main i o g e p "
    "x s".split()
)
"""Words in any report. A name that is one of them is only replaced where a pattern finds it."""


@lru_cache(maxsize=4096)
def is_public_site(name: str) -> bool:
    """Return whether a domain is public and does not identify a machine's owner."""
    lower = name.lower()
    return any(lower == site or lower.endswith(f".{site}") for site in PUBLIC_SITES)


def identifies_nobody(word: str) -> bool:
    """Return whether a word cannot be a name, or names a public site or every machine."""
    plain = word.lower()
    return plain in COMMON_NAMES or is_public_site(plain) or not any(map(str.isalpha, word))
