"""The JSON Schema of a playbook, for editors."""

from __future__ import annotations

from typing import Any

import msgspec

from pagefault_doctor.model.playbook import Playbook


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) that every playbook file follows."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "pfdoctor playbook"}
    return head | msgspec.json.schema(Playbook)
