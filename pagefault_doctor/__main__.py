"""`python -m pagefault_doctor` is `pfdoctor`."""

from __future__ import annotations

import sys

from pagefault_doctor.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
