"""The error numbers and codes of a line of the log, in words.

The kernel prints them negative (`include/uapi/asm-generic/errno-base.h` and `errno.h`,
`include/linux/errno.h`). USB gives some of them a meaning of its own
(`Documentation/driver-api/usb/error-codes.rst`), so does I2C (`Documentation/i2c/fault-codes.rst`).
"""

from __future__ import annotations

from typing import Final

from pagefault_doctor.model.pattern import regex

_NAMES: Final = {
    1: ("EPERM", "it is not permitted"),
    2: ("ENOENT", "there is no such file or entry"),
    3: ("ESRCH", "there is no such process"),
    4: ("EINTR", "a signal interrupted it"),
    5: ("EIO", "the device answered with an error"),
    6: ("ENXIO", "there is no such device or address"),
    7: ("E2BIG", "it is too long"),
    8: ("ENOEXEC", "the file is in no format that is known here"),
    9: ("EBADF", "the file is not open"),
    11: ("EAGAIN", "it has to be tried again"),
    12: ("ENOMEM", "no memory for it"),
    13: ("EACCES", "access is denied"),
    14: ("EFAULT", "a bad address was passed"),
    16: ("EBUSY", "the device is in use or not done"),
    17: ("EEXIST", "it exists already"),
    19: ("ENODEV", "the device is not there, or no more"),
    20: ("ENOTDIR", "it is no directory"),
    22: ("EINVAL", "an argument that is not accepted"),
    25: ("ENOTTY", "the device does not know the request"),
    27: ("EFBIG", "it is too large"),
    28: ("ENOSPC", "no room left"),
    30: ("EROFS", "the file system is read-only"),
    32: ("EPIPE", "the other side is closed"),
    34: ("ERANGE", "a value out of its range"),
}
"""The numbers that are the same on all architectures but alpha and sparc."""
_GENERIC: Final = {
    38: ("ENOSYS", "the kernel or the firmware has no such function"),
    61: ("ENODATA", "there are no data"),
    62: ("ETIME", "a timer ran out: the device was not done in time"),
    71: ("EPROTO", "the answer broke the protocol"),
    74: ("EBADMSG", "a checksum was wrong"),
    75: ("EOVERFLOW", "more came than there was room for"),
    84: ("EILSEQ", "a transfer was garbled"),
    95: ("EOPNOTSUPP", "it is not supported"),
    98: ("EADDRINUSE", "the address is in use"),
    104: ("ECONNRESET", "the transfer was cancelled"),
    107: ("ENOTCONN", "it is not connected"),
    108: ("ESHUTDOWN", "the device is shut down or unplugged"),
    110: ("ETIMEDOUT", "it did not answer in time"),
    111: ("ECONNREFUSED", "the other side refused the connection"),
    112: ("EHOSTDOWN", "the other machine is down"),
    113: ("EHOSTUNREACH", "the other machine cannot be reached"),
    115: ("EINPROGRESS", "it is under way"),
    116: ("ESTALE", "the file is gone on the server"),
    117: ("EUCLEAN", "the file system is damaged"),
    121: ("EREMOTEIO", "the chip did not acknowledge, or the remote side failed"),
    123: ("ENOMEDIUM", "no medium is in the drive"),
    126: ("ENOKEY", "the key for the signature is not there"),
    129: ("EKEYREJECTED", "the signature was rejected"),
    131: ("ENOTRECOVERABLE", "the state cannot be recovered"),
    132: ("ERFKILL", "the radio is switched off"),
    133: ("EHWPOISON", "the page is broken memory"),
    512: ("ERESTARTSYS", "a signal interrupted it"),
    517: ("EPROBE_DEFER", "something that it needs is not there yet"),
    524: ("ENOTSUPP", "it is not supported"),
    529: ("EIOCBQUEUED", "it is under way"),
}
_OWN: Final = ("mips", "mips64", "parisc", "sparc64", "sparc", "alpha")
"""Architectures whose numbers above those are others."""
_ON_USB: Final = {
    32: "the device refused the request (stall)",
    71: "no proper answer on the wire: cable, power, or a device that is gone",
    75: "the device sent more than it should (babble)",
    84: "a wrong checksum on the wire, or no answer: cable, power, or a device that is gone",
    28: "the bus has no bandwidth left for it",
    2: "the transfer was cancelled",
}
_USB: Final = regex(r"\busb\b|\bUSB\b|URB|uvc|xhci|ehci|hub \d")
_FIRMWARE: Final = regex(r"(?i)firmware")
_NUMBER: Final = regex(
    r"(?:\b(?:[Ee]rror|[Ee]rr|ERROR|errno|[Rr]et(?:urn(?:s|ed|ing)?)?|rc|[Cc]ode|status|result|with"
    r"|failed|failure)\b[ :=,(]{1,3}|[:=] ?|\()-(?P<number>\d{1,3})"
    r"(?=[),.;\]]|\s*$| (?:\(|(?:for|from|on|at|in|while|after|during)\b))"
)
"""A number that a driver prints for an error: behind such a word, a colon or a bracket."""
_WORD: Final = regex(r"(?i)err|fail|ret|abort|cannot|could|can't|unable|timed|suspend|resum|lost")


_IPMI: Final = {
    "c0": "the management controller is busy",
    "c1": "it does not know the command",
    "c3": "it was not done in time",
    "c5": "the reservation was lost",
    "c7": "the request has a wrong length",
    "c8": "the request is too long",
    "c9": "a value is out of its range",
    "cb": "there is no such sensor or record",
    "cc": "a field of the request is not accepted",
    "ce": "it cannot answer now",
    "d4": "it is not allowed here",
    "d5": "not in its present state",
    "ff": "it does not say why",
}
_ACPI: Final = {
    "NOT_FOUND": "the tables name what they do not have",
    "ALREADY_EXISTS": "the tables define it twice",
    "TIME": "it was not done in time",
    "SUPPORT": "it is not supported",
    "NO_HANDLER": "nothing serves that address space",
    "NO_HARDWARE_RESPONSE": "the chip did not answer",
    "BAD_PARAMETER": "a wrong argument",
    "AML_OPERAND_TYPE": "the code of the tables uses a value of the wrong type",
    "AML_BUFFER_LIMIT": "the code of the tables leaves a buffer",
    "AML_PACKAGE_LIMIT": "the code of the tables leaves a list",
    "AML_REGION_LIMIT": "the code of the tables leaves its region",
    "AML_LOOP_TIMEOUT": "a loop in the tables did not end",
    "AML_INFINITE_LOOP": "a loop in the tables did not end",
    "AML_BAD_NAME": "the code of the tables has a wrong name",
    "AML_MUTEX_NOT_ACQUIRED": "the code of the tables lets go of a lock that it does not hold",
}
_SCSI: Final = {
    "NO_CONNECT": "the drive cannot be reached",
    "BUS_BUSY": "the bus stayed busy",
    "TIME_OUT": "the drive did not answer in time",
    "BAD_TARGET": "there is no such drive any more",
    "ABORT": "the command was given up",
    "PARITY": "a parity error on the bus",
    "ERROR": "the adapter reports an error",
    "RESET": "the bus was reset",
    "SOFT_ERROR": "it failed, and is to be tried again",
    "TRANSPORT_DISRUPTED": "the link to the storage was lost for a moment",
    "TRANSPORT_FAILFAST": "the link to the storage is lost",
    "TRANSPORT_MARGINAL": "the link to the storage is bad",
    "NEXUS_FAILURE": "another machine has reserved it",
    "ALLOC_FAILURE": "the storage has no space left",
    "MEDIUM_ERROR": "the drive cannot read its medium",
}
_CODED: Final = (
    (
        "completion code",
        regex(r"completion code:? (?:0x)?(?P<code>[0-9a-f]{2})\b"),
        "code {}",
        _IPMI,
    ),
    ("AE_", regex(r"\bAE_(?P<code>[A-Z_]+)"), "AE_{}", _ACPI),
    ("hostbyte=", regex(r"hostbyte=DID_(?P<code>[A-Z_]+)"), "DID_{}", _SCSI),
)
"""Codes of IPMI (its specification, 5.2), ACPICA (`include/acpi/acexcep.h`) and SCSI
(`include/scsi/scsi_status.h`): a word of the line, how the code is written, its name, and what it
means."""


def errors_in(text: str, arch: str | None = None) -> str:
    """Return what the error numbers and codes in a line mean, empty where there are none."""
    if _REFUSED in text:
        return ""
    found = [int(match["number"]) for match in _NUMBER.finditer(text) if _WORD.search(text)]
    told = [error_words(number, text, arch) for number in dict.fromkeys(found)]
    for word, shape, name, table in _CODED:
        match = shape.search(text) if word in text else None
        if match and (means := table.get(match["code"])):
            told.append(f"{name.format(match['code'])} is: {means}")
    return "; ".join(filter(None, told))


def error_words(number: int, text: str = "", arch: str | None = None) -> str:
    """Return the name of an error and what it means in such a line, empty where it is unknown."""
    named = _NAMES.get(number) or (None if arch in _OWN else _GENERIC.get(number))
    if named is None:
        return ""
    name, means = named
    if _USB.search(text):
        means = _ON_USB.get(number, means)
    elif number == _NO_FILE and _FIRMWARE.search(text):
        means = "no such file below /lib/firmware"
    return f"-{number} is {name}, {means}"


_NO_FILE: Final = 2
_REFUSED: Final = "nknown symbol"
"""Numbers of these lines have a meaning of their own (`kernel/module/main.c`, resolve_symbol)."""
