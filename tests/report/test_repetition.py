"""An answer says each thing once."""

from __future__ import annotations

import pytest

from pagefault_doctor.model.diagnosis import Experiment
from pagefault_doctor.report.repetition import adds, asks_for_the_same

CODE = "<8b> 47 60: mov 0x60(%rdi),%eax, with RDI = 0x0"
LINK = "prev->next was ca53: 0xca53 is noise, as a hardened freelist pointer"


@pytest.mark.parametrize(
    ("text", "said", "expected"),
    [
        ("mov 0x60(%rdi),%eax with RDI = 0", CODE, False),
        ("mov 0x68(%rdi),%eax with RDI = 0", CODE, True),
        ("fault address 0x60, a member at offset 0x60 of NULL", CODE, True),
        ("the list points to 0xca53: noise, as a hardened freelist pointer", LINK, False),
        ("the list points to 0xca53: freed memory", LINK, True),
        ("the kernel calls it a NULL pointer dereference", "BUG: kernel NULL pointer "
         "dereference, address: 0", False),
        ("an assertion failed", "", True),
    ],
)  # fmt: skip
def test_a_sentence_is_left_out_where_all_of_it_was_said(
    text: str, said: str, expected: bool
) -> None:
    assert adds(text, (said,)) is expected


@pytest.mark.parametrize(
    ("do", "step", "expected"),
    [
        ("boot once with slub_debug=FZPU", "Do the same with a kernel with CONFIG_KASAN=y", True),
        ("test the memory for hours", "Rule out memory first (memtest86+ overnight)", True),
        ("boot once with slub_debug=FZPU", "Update the kernel", False),
        ("test the memory for hours", "Do the same with slub_debug=FZPU", False),
    ],
)
def test_an_experiment_that_the_next_step_asks_for_is_one(
    do: str, step: str, expected: bool
) -> None:
    assert asks_for_the_same(Experiment("it", "reproduce", do), step) is expected
