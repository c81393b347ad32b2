"""The files of the programs that run elsewhere, by their paths in the package."""

from __future__ import annotations

from pathlib import Path

import pagefault_doctor

PACKAGE = Path(pagefault_doctor.__file__).parent
SHELL = sorted(str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.sh"))
PYTHON = sorted(str(path.relative_to(PACKAGE)) for path in PACKAGE.glob("tools/scripts/*.py"))
