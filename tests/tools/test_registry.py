"""The registry of tools: it has every file that declares one."""

from __future__ import annotations

import re
from pathlib import Path

from pagefault_doctor import tools

FOLDER = Path(tools.__file__).parent


def test_every_file_that_declares_a_tool_is_in_the_registry() -> None:
    declaring = {
        f"{path.parent.name}.{path.stem}"
        for path in FOLDER.glob("*/*.py")
        if re.search(r"^TOOLS?\b.*=", path.read_text("utf-8"), re.MULTILINE)
    }
    assert declaring == set(tools._FILES)
