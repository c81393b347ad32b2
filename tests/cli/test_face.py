"""Whether the terminal is drawn on with more than ASCII."""

from __future__ import annotations

import pytest

from pagefault_doctor.cli.face import shows_unicode


@pytest.mark.parametrize(
    ("environ", "shown"),
    [
        ({"LANG": "C.UTF-8"}, True),
        ({"LANG": "de_DE.utf8", "TERM": "xterm"}, True),
        ({"LANG": "C.UTF-8", "LC_ALL": "C"}, False),
        ({"LANG": "C.UTF-8", "LC_CTYPE": "POSIX"}, False),
        ({"LC_ALL": "", "LANG": "en_US.UTF-8"}, True),
        ({"LANG": "de_DE@euro"}, False),
        ({}, False),
        ({"LANG": "C.UTF-8", "TERM": "vt100"}, False),
        ({"LANG": "C.UTF-8", "TERM": "linux"}, True),
    ],
)
def test_the_locale_and_the_terminal_decide(environ: dict[str, str], shown: bool) -> None:
    assert shows_unicode(environ) is shown
