"""A cause has one name, in the evidence, in the summary and in `pfdoctor explain`."""

from __future__ import annotations

import pytest

from pagefault_doctor.diagnosis.wording import NAMES
from pagefault_doctor.model.diagnosis import RootCause
from pagefault_doctor.playbook.shelf import causes


@pytest.mark.parametrize("cause", [cause for cause in RootCause if cause is not RootCause.NONE])
def test_a_summary_speaks_the_words_of_the_explanation(cause: RootCause) -> None:
    title = causes()[cause].title
    within = title if title.split()[0].isupper() else title[0].lower() + title[1:]
    assert NAMES[cause] == within
