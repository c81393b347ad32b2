"""The failures of pfdoctor itself, each with its exit code."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of the `pfdoctor` command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    MISSING = 3
    # Only with --exit-code: a found fault is a successful diagnosis.
    FAULT_FOUND = 10
    # The shell's convention for SIGINT: 128 + 2.
    INTERRUPTED = 130


class PfDoctorError(Exception):
    """A failure, shown in one line: what is wrong and what to do about it."""

    exit_code = ExitCode.FAILED

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(f"{problem}; {remedy}" if remedy else problem)
        self.problem = problem
        self.remedy = remedy


class UsageError(PfDoctorError):
    """The command line, a playbook or another file given by the person is wrong."""

    exit_code = ExitCode.USAGE


class MissingError(PfDoctorError):
    """Something needed is not there, or not permitted."""

    exit_code = ExitCode.MISSING
