"""`pfdoctor decode`: a log with the source line of each frame."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import IO, Final

from pagefault_doctor.cli.inputs import STDIN, file_error
from pagefault_doctor.cli.stderr import Progress, print_message
from pagefault_doctor.cli.stdout import print_bytes, print_line
from pagefault_doctor.cli.unpack_programs import UnpackPrograms
from pagefault_doctor.files.regular_file import open_regular
from pagefault_doctor.klog.frame_places import KernelNamed, kernel_named
from pagefault_doctor.klog.input.raw_lines import RawLines
from pagefault_doctor.model.errors import ExitCode, MissingError
from pagefault_doctor.tools.debug.decode_log import (
    DecodedFrame,
    LogDecoder,
    decoded_text,
    frame_row,
)
from pagefault_doctor.tools.debug.line_files import LineFiles
from pagefault_doctor.tools.debug.missing_lines import missing_lines, os_family

_LOOK_AHEAD: Final = 1 << 20
"""Bytes that are read before the first line is printed, until one names the kernel."""
_MOST_PROBLEMS: Final = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options and arguments."""
    parser.epilog = """\
Behind each frame come the line of its code and, where calls were inlined there, the
lines of the callers, the innermost first:

  vfs_write+0xb0/0x3c0 (fs/read_write.c:581)
  do_syscall_64+0x58/0x80 (arch/x86/entry/common.c:45 arch/x86/entry/common.c:76)

A frame is a return address, so its line is that of the call before it; RIP, pc and the
like are looked up as they are. All else of the log is printed unchanged, byte for byte;
only a terminal is shown control characters instead of obeying them.

Debug information is looked for in /usr/lib/debug and /lib/modules by the release that the
log names, by build ids that frames carry, and in what was fetched before by the wizard or
debuginfod. Nothing is fetched. A frame without it stays as it is, and a line on standard
error says what is missing and how to get it.

Examples:
  pfdoctor decode oops.txt
  dmesg | pfdoctor decode -
  journalctl -k -b -1 | pfdoctor decode -
  pfdoctor decode --vmlinux ~/linux/vmlinux --module-dir ~/src/faulty oops.txt
  pfdoctor decode --json oops.txt | jq 'select(.file) | [.function, .file, .source_line]'
"""
    parser.add_argument(
        "log", metavar="LOG", help="a kernel log, also packed with gzip, bzip2 or xz; - for"
        " standard input"
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="one JSON object a line for each frame")
    parser.add_argument(
        "--vmlinux", metavar="FILE", help="the kernel with debug symbols that the log is of"
    )
    parser.add_argument(
        "--module-dir", metavar="DIR", help="where .ko files with debug information lie"
    )


def run(args: argparse.Namespace) -> int:
    """Print the decoded log, and what is missing on standard error."""
    vmlinux = Path(args.vmlinux) if args.vmlinux else None
    module_dir = Path(args.module_dir) if args.module_dir else None
    if vmlinux and not vmlinux.is_file():
        raise MissingError(f"--vmlinux: there is no file {vmlinux}", "check the name")
    if module_dir and not module_dir.is_dir():
        raise MissingError(f"--module-dir: there is no folder {module_dir}", "check the name")
    problems: dict[str, None] = {}

    def tell(problem: str) -> None:
        if len(problems) < _MOST_PROBLEMS and problem not in problems:
            problems[problem] = None
            print_message(problem)

    with Progress(args.log) as progress, ExitStack() as stack:
        files = LineFiles(vmlinux, module_dir, UnpackPrograms(progress), tell)
        stack.callback(files.close)
        try:
            log = RawLines(_opened_log(args.log, stack))
            lines, kernel = _with_kernel(iter(log))
            decoder = LogDecoder(files, kernel, tell)
            _decode(lines, decoder, is_json=args.json)
        except OSError as error:
            raise file_error(args.log, error) from error
    for problem in (log.note, missing_lines(decoder, os_family())):
        if problem:
            print_message(problem)
    return ExitCode.DONE


def _decode(lines: Iterator[bytes], decoder: LogDecoder, *, is_json: bool) -> None:
    number = 1
    for line in lines:
        frames = decoder.decode(line)
        if not is_json:
            print_bytes(decoded_text(line, frames))
        elif frames:
            _print_frames(number, frames)
        number += line.endswith(b"\n")


def _opened_log(path: str, stack: ExitStack) -> IO[bytes]:
    if path == STDIN:
        return sys.stdin.buffer
    return stack.enter_context(open_regular(Path(path)))


def _with_kernel(lines: Iterator[bytes]) -> tuple[Iterator[bytes], KernelNamed | None]:
    """Return the lines, and the first kernel that they name: headlines stand before its line."""
    ahead: list[bytes] = []
    size = 0
    kernel: KernelNamed | None = None
    for line in lines:
        ahead.append(line)
        size += len(line)
        kernel = kernel_named(line)
        if kernel or size > _LOOK_AHEAD:
            break
    return chain(ahead, lines), kernel


def _print_frames(number: int, frames: list[DecodedFrame]) -> None:
    from pagefault_doctor.report.document import encode

    for frame in frames:
        print_line(encode(frame_row(number, frame)))
