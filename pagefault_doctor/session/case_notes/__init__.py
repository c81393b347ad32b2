"""What a step can say of a case from elsewhere without running a command.

Where the log is of another machine, the commands of a step would be about the wrong one. What the
log itself, the book of known cases and what is known of kernels tell stands here, by step. Nothing
in it is about the machine that pfdoctor runs on.
"""

from __future__ import annotations

from pagefault_doctor.model.fact import Finding
from pagefault_doctor.model.fence import fenced
from pagefault_doctor.model.given_input import ANOTHER_MACHINE
from pagefault_doctor.session.view import View


def case_notes(view: View, step_id: str) -> tuple[Finding, ...]:
    """Return what a step says of a case from another machine; nothing for a case of this box.

    A note that rests on a line of the log names it. Nothing is said where nothing is known.
    """
    if view.case.get("log.of", "") != ANOTHER_MACHINE:
        return ()
    # What tells them reads tables of the kernel, which a wizard on its own box has no need of.
    from pagefault_doctor.session.case_notes.steps import told

    return fenced(lambda _: (), told, view, step_id)
