"""Error numbers and codes that drivers print are told in words, and other numbers are none."""

from __future__ import annotations

import pytest

from pagefault_doctor.diagnosis.error_numbers import errors_in


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("quay 0000:01:00.0: failed to suspend: -110", "-110 is ETIMEDOUT"),
        ("quay: Failed to resubmit video URB (-19).", "-19 is ENODEV"),
        ("quay 1-1: probe with driver quay failed with error -22", "-22 is EINVAL"),
        ("quay: reset end with ret = -62", "-62 is ETIME"),
        ("quay: mount failed w/return code = -112", "-112 is EHOSTDOWN"),
        # The same number is another thing on USB, and of a file of firmware.
        ("usb 1-2: device descriptor read/64, error -32", "refused the request (stall)"),
        ("quay: pipe failed, error -32", "the other side is closed"),
        ("quay: Direct firmware load for a.bin failed with error -2", "below /lib/firmware"),
        # Codes of IPMI, ACPI and SCSI.
        ("IPMI Watchdog: Unable to set timer: completion code c0", "code c0 is: the management"),
        ("ACPI Error: Aborting method due to previous error (AE_NOT_FOUND)", "AE_NOT_FOUND is"),
        ("sd 2:0:0:0: FAILED Result: hostbyte=DID_NO_CONNECT", "the drive cannot be reached"),
    ],
)
def test_a_number_that_stands_for_an_error_is_told(line: str, words: str) -> None:
    assert words in errors_in(line)


@pytest.mark.parametrize(
    "line",
    [
        "quay: signal level: -40 dBm",
        "quay: error at offset 12-34",
        "quay: failed at -4096",
        "quay: ready",
        # Of symbols, the number tells why the loader refused them.
        "quay: Unknown symbol pier_register (err -22)",
    ],
)
def test_other_numbers_are_no_errors(line: str) -> None:
    assert errors_in(line) == ""


def test_architectures_with_numbers_of_their_own_are_told_the_common_ones_alone() -> None:
    assert "EIO" in errors_in("quay: failed: -5", "mips")
    assert errors_in("quay: failed: -110", "mips") == ""
