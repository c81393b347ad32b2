"""A fact that a tool reads is one that something sets."""

from __future__ import annotations

import re
from pathlib import Path

import pagefault_doctor
from pagefault_doctor.session.derived_facts import known_facts
from pagefault_doctor.tools import TOOLS

READ = re.compile(r'\.get\(\s*"([a-z_]+\.[a-z_]+)"')


def test_every_fact_that_is_read_by_name_is_set_by_a_tool_or_the_diagnosis() -> None:
    sources = Path(pagefault_doctor.__file__).parent.rglob("*.py")
    read = {name for path in sources for name in READ.findall(path.read_text("utf-8"))}
    assert len(read) > 20
    assert read <= known_facts(TOOLS.values())
