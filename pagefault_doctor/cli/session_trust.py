"""Whether to do what a session names: where it is this user's own, or the person agrees."""

from __future__ import annotations

from pathlib import Path

from pagefault_doctor.cli.consent import ask_consent
from pagefault_doctor.cli.stderr import print_message
from pagefault_doctor.model.errors import UsageError
from pagefault_doctor.session.checksum import KEY_NAME, is_written_here, key_of, known_key
from pagefault_doctor.session.event_log import EventLog, Sink
from pagefault_doctor.session.leads_to import leads_to
from pagefault_doctor.session.view import View


def is_trusted(path: Path, data: bytes, view: View, *, by_option: bool) -> bool:
    """Return whether the session is this user's own, or the person now says that it is good.

    `data` are the bytes of its file, `view` is what they mean. Returns False for another's session
    that leads to nothing. Raises UsageError where the person says no.
    """
    if is_written_here(data, _known_key(path.parent)):
        return True
    lines = leads_to(view)
    if by_option or not lines:
        return by_option
    print_message(f"session {path.stem} is not known to be yours. Resuming it")
    for line in lines:
        print_message(f"  {line}")
    # Said last, because a small terminal may show only the last of them.
    if not ask_consent(f"Go on with these {len(lines)}" if len(lines) > 1 else "Go on"):
        raise UsageError(
            f"session {path.stem} was left as it is",
            f"to read it: pfdoctor report {path.stem}; "
            f"to trust it: pfdoctor resume --trust {path.stem}",
        )
    return True


def _known_key(folder: Path) -> bytes | None:
    try:
        return known_key(folder)
    except OSError as error:
        print_message(f"cannot read {folder / KEY_NAME}: {error.strerror}")
        return None


def vouch(sink: Sink) -> None:
    """Give further events of a session file checksums, so that going on with it asks nothing."""
    if not isinstance(sink, EventLog):
        return
    folder = sink.path.parent
    try:
        sink.vouch(key_of(folder))
    except OSError as error:
        print_message(f"cannot keep {folder / KEY_NAME}: {error.strerror}; resume will ask")
