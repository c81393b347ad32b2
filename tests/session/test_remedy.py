"""The cure of a cause, at the line that faulted."""

from __future__ import annotations

import pytest

from pagefault_doctor.model.case import Case
from pagefault_doctor.model.diagnosis import RootCause
from pagefault_doctor.model.fact import Fact, Source
from pagefault_doctor.playbook.shelf import causes
from pagefault_doctor.session.remedy import dereferenced, matched


def case(**facts: str) -> Case:
    named = {name.replace("_", ".", 1): value for name, value in facts.items()}
    return Case(facts={name: Fact(name, value, Source("test")) for name, value in named.items()})


@pytest.mark.parametrize(
    ("code", "pointer"),
    [
        ("state->status = FAULTY_READY;", "state"),
        ("size = firmware->f_inode->i_size;", "firmware"),
        ("*comma++ = '\\0';", "comma"),
        ("error = dimmer_apply(*buf);", "buf"),
        ("levels[number] = 0;", "levels"),
        ("dev->table[n].lock = 1;", "dev"),
        ("return a * b;", ""),
        ("", ""),
    ],
)
def test_the_pointer_that_a_line_follows_is_named(code: str, pointer: str) -> None:
    assert dereferenced(code) == pointer


def test_the_check_names_the_pointer_of_the_line() -> None:
    known = case(source_place="faulty.c:37", source_code="state->status = FAULTY_READY;")
    cure = matched(known, causes()["null-deref"])
    assert cure
    assert (cure.place, cure.pointer) == ("faulty.c:37", "state")
    assert cure.check.startswith("if (!state)")
    cure = matched(known, causes()["err-ptr"])
    assert cure
    assert cure.check.splitlines()[-1].strip() == "return PTR_ERR(state);"


def test_what_the_core_showed_counts_more_than_what_the_line_looks_like() -> None:
    known = case(source_place="a.c:1", source_code="one->x = two->y;", user_pointer="two")
    cure = matched(known, causes()["user-space"])
    assert cure
    assert cure.pointer == "two"


def test_without_the_line_there_is_no_match() -> None:
    assert matched(case(source_place="a.c:1"), causes()["null-deref"]) is None


@pytest.mark.parametrize("cause_id", [c.value for c in RootCause if c is not RootCause.NONE])
def test_every_cause_has_a_whole_remedy(cause_id: str) -> None:
    cause = causes()[cause_id]
    assert len(cause.remedy.change) > 60
    assert len(cause.prove) > 60
    assert cause.remedy.api
    assert len(cause.shows) >= 3
    # Broken hardware is replaced, not edited, and so is nothing where the cause is not known.
    if cause_id not in ("hardware", "unknown"):
        assert cause.remedy.before
        assert cause.remedy.after
        assert cause.remedy.before != cause.remedy.after


def test_the_line_of_a_check_is_not_the_one_to_mend() -> None:
    known = case(source_place="lib/list_debug.c:53", source_code="if (next == LIST_POISON1)")
    assert matched(known, causes()["list-corruption"]) is None
