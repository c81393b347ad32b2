"""A device that does not answer on the bus: what it was, and what helps."""

from __future__ import annotations

import pytest

from diagnosis.logs import stamped, verdict
from pagefault_doctor.model.diagnosis import NextStep

DOMAIN = "acme-pm-domain fd00.power: failed to get ack on domain 'tide', val=0x9"


def serror(function: str, *before: str) -> str:
    return stamped(
        *before,
        "SError Interrupt on CPU3, code 0xbe000011 -- SError",
        "CPU: 3 PID: 731 Comm: quayd Not tainted 6.1.0 #1",
        "Hardware name: ACME Board (DT)",
        "pstate: 204000c9 (nzCv daIF +PAN -UAO -TCO -DIT -SSBS BTYPE=--)",
        f"pc : {function}+0x20/0x30",
        "lr : tide_probe+0x5c/0xb0",
        "sp : ffff80000aea3900",
        "Call trace:",
        f" {function}+0x20/0x30",
        " tide_probe+0x5c/0xb0",
        " really_probe+0x9c/0x2e0",
    )


def step(text: str) -> NextStep:
    found = verdict(text).next_step
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "situation"),
    [
        (serror("acme_pcie_rd_conf"), "bus-scan-too-early"),
        (serror("pci_generic_config_read"), "bus-scan-too-early"),
        (serror("msix_prepare_msi_desc"), "interrupt-table-unreadable"),
        (serror("regmap_update_bits", DOMAIN), "power-domain-off"),
        (serror("regmap_update_bits"), "unclocked-device"),
        (serror("regmap_update_bits", DOMAIN.replace("failed", "asked")), "unclocked-device"),
        (serror("tide_rd_confirm"), "unclocked-device"),
    ],
)
def test_what_did_not_answer_is_told(text: str, situation: str) -> None:
    assert step(text).situation == situation


def test_the_domain_that_did_not_switch_on_is_named() -> None:
    assert "domain tide " in step(serror("regmap_update_bits", DOMAIN)).why


def test_an_access_of_code_is_no_fault_of_the_memory_to_test() -> None:
    found = verdict(serror("acme_pcie_rd_conf"))
    assert found.root_cause == "logic-error"
    assert found.experiment is None


def test_a_precise_error_of_a_sparc_is_the_access_at_its_instruction() -> None:
    words = (
        "NON-RESUMABLE ERROR: Reporting on cpu 4",
        "NON-RESUMABLE ERROR: TPC [0x00000000005f6900] <msix_prepare_msi_desc+0x90/0xa0>",
        "NON-RESUMABLE ERROR: type [{} nonresumable]",
        "CPU: 4 UID: 0 PID: 950 Comm: kworker/4:1 Not tainted 6.11.5 #63",
        "TPC: <msix_prepare_msi_desc+0x90/0xa0>",
    )
    precise = verdict(stamped(*words).format("precise"))
    deferred = verdict(stamped(*words).format("deferred"))
    assert (precise.root_cause, deferred.root_cause) == ("logic-error", "hardware")
