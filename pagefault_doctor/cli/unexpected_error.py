"""An exception that nobody expected becomes one line, and its traceback a file."""

from __future__ import annotations

import errno
import os
import sys
from typing import Any, Final

from pagefault_doctor.model.errors import ExitCode
from pagefault_doctor.model.untrusted import clean, clean_line

SHOW: Final = "PFDOCTOR_TRACEBACK"
"""Set in the environment, the traceback is printed too."""

_LONGEST_MESSAGE: Final = 300
_LONGEST_TRACEBACK: Final = 1 << 16

_REMEDIES: Final = {
    errno.EMFILE: "raise the limit of open files: ulimit -n",
    errno.ENFILE: "the machine has too many open files; close some programs",
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space, your quota is used up",
    errno.EFBIG: "raise the limit of file sizes: ulimit -f",
    errno.EACCES: "try it with sudo",
    errno.EPERM: "try it with sudo",
    errno.EAGAIN: "the limit of processes may be reached: ulimit -u",
    errno.ENOMEM: "free some memory, or raise the limit: ulimit -v",
}
_NO_THREAD: Final = "can't start new thread"
"""The limit of processes or of memory is reached (Modules/_threadmodule.c)."""
_NO_MEMORY: Final = f"not enough memory; {_REMEDIES[errno.ENOMEM]}"
_NOT_MAPPED: Final = "failed to map segment"
"""How the loader says that a library has no room, or may not run where it is (glibc, dl-load.c)."""
_MAP_IT: Final = "raise the limit of memory: ulimit -v, or move it from a folder mounted noexec"
_NOT_PERMITTED: Final = (errno.EACCES, errno.EPERM, errno.ENOENT)


def report_unexpected(error: Exception, doing: str) -> ExitCode:
    """Print the error in one line and return the exit code; `doing` is what pfdoctor was doing."""
    try:
        line, code = _explained(error, doing)
    except MemoryError:
        line, code = f"{doing}: {_NO_MEMORY}", ExitCode.FAILED
    except Exception:
        # Out of descriptors, the explanation can fail as the work did.
        line, code = f"{doing}: {type(error).__name__}", ExitCode.FAILED
    print(f"pfdoctor: {line}", file=sys.stderr)
    return code


def report_in_background(unraisable: Any) -> None:
    """Print one line for an exception in a thread or at exit, which ends nothing.

    It is the `excepthook` of threads and the `unraisablehook` of the interpreter.
    """
    error = unraisable.exc_value
    if isinstance(error, Exception):
        report_unexpected(error, "in the background")


def _explained(error: Exception, doing: str) -> tuple[str, ExitCode]:
    if isinstance(error, MemoryError):
        return f"{doing}: {_NO_MEMORY}", ExitCode.FAILED
    if str(error) == _NO_THREAD:
        return f"{doing}: {_NO_THREAD}; raise the limits: ulimit -u, ulimit -v", ExitCode.FAILED
    if _working_folder_is_gone(error):
        return f"{doing}: the working folder was removed; cd to another", ExitCode.MISSING
    number = error.errno if isinstance(error, OSError) else None
    message = f"{type(error).__name__}: {clean_line(str(error))[:_LONGEST_MESSAGE]}"
    remedy = _REMEDIES.get(number or 0) or (_MAP_IT if _NOT_MAPPED in message else "")
    remedy = remedy or _where_the_traceback_is(error)
    code = ExitCode.MISSING if number in _NOT_PERMITTED else ExitCode.FAILED
    return f"{doing}: {message}; {remedy}", code


def _working_folder_is_gone(error: Exception) -> bool:
    # getcwd(2) names no file.
    if not isinstance(error, FileNotFoundError) or error.filename is not None:
        return False
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def _where_the_traceback_is(error: Exception) -> str:
    """Save the traceback, print it if asked to, and return where it is."""
    import traceback

    text = clean("".join(traceback.format_exception(error)))
    if os.environ.get(SHOW):
        sys.stderr.write(text)
        return "please report it"
    try:
        return f"please report it with {_saved(text)}"
    except Exception:
        return f"{SHOW}=1 shows the traceback, please report it"


def _saved(text: str) -> str:
    """Write the text to the one file for it in the folder of sessions, and return its path."""
    from pagefault_doctor import __version__
    from pagefault_doctor.session.store import sessions_folder

    folder = sessions_folder().parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path, new = folder / "traceback.txt", folder / f"traceback.{os.getpid()}"
    # Never into a file, or through a link, that is there already.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with open(os.open(new, flags, 0o600), "w", encoding="utf-8") as file:
        file.write(f"pfdoctor {__version__}\n{text[-_LONGEST_TRACEBACK:]}")
    os.replace(new, path)
    return str(path)
