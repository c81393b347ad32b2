"""Only regular files are opened, and of those no more than was asked for is read."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from pagefault_doctor.files.regular_file import (
    NotRegularError,
    TooLargeError,
    open_regular,
    read_regular,
)


def test_a_regular_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"Oops" * 500_000)
    assert read_regular(file, 2_000_000) == b"Oops" * 500_000


def test_a_file_with_one_byte_too_many_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    assert read_regular(file, 5) == b"12345"
    with pytest.raises(TooLargeError, match="larger than 4 bytes"):
        read_regular(file, 4)


def test_a_file_that_claims_no_size_is_read_and_bounded() -> None:
    assert b"Linux" in read_regular(Path("/proc/version"), 4096)
    with pytest.raises(TooLargeError):
        read_regular(Path("/proc/version"), 4)


def test_a_fifo_a_socket_a_device_and_a_folder_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        for path in (tmp_path / "fifo", tmp_path / "socket", Path("/dev/zero"), tmp_path):
            with pytest.raises(NotRegularError, match="not a regular file"):
                open_regular(path)


def test_a_file_that_becomes_a_fifo_before_it_is_opened_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, fifo = tmp_path / "file", tmp_path / "fifo"
    file.touch()
    os.mkfifo(fifo)
    opened = os.open
    monkeypatch.setattr(os, "open", lambda path, flags: opened(fifo, flags))
    with pytest.raises(NotRegularError):
        open_regular(file)


def test_a_link_is_followed_only_where_that_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    link = tmp_path / "link"
    link.symlink_to("file")
    assert read_regular(link, 10) == b"x"
    with open_regular(link) as opened:
        assert opened.read() == b"x"
    with pytest.raises(NotRegularError):
        read_regular(link, 10, follow_links=False)


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "none", 10)
