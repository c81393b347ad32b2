"""What the wizard says as it is left."""

from __future__ import annotations

from pathlib import Path

from pagefault_doctor.tui.launch import _is_kept


def test_a_session_whose_file_was_removed_is_not_said_to_be_kept(tmp_path: Path) -> None:
    path = tmp_path / "s1.jsonl"
    path.touch()
    assert _is_kept(path, "s1") == "session kept, pfdoctor resume s1"
    path.unlink()
    assert _is_kept(path, "s1") == f"session lost: {path} was removed while the wizard ran"
