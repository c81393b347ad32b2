"""What the pointers of a fault point to, out of recordings of drgn on dumps of the lab."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.diagnosis.explanation import with_explanations
from pagefault_doctor.model import untrusted
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.diagnosis import Diagnosis
from pagefault_doctor.model.fact import Value
from pagefault_doctor.model.memory import PointedMemory, decoded
from pagefault_doctor.tools.dump import crash, crash_memory, drgn, dump_memory
from tools.example_reports import follow, known, texts, told
from tools.recorded import DATA, output

DUMP: dict[str, Value] = {"given.vmcore": "/var/crash/1/vmcore", "dump.format": "elf"}


def seen(name: str) -> Case:
    """Return the case after drgn printed that recording."""
    return follow(drgn.TOOL, known(DUMP), told(output(f"drgn_{name}.txt"), "drgn"))[0]


def verdict(case: Case) -> Diagnosis:
    return with_explanations(diagnose(case.logs, case.facts), case.logs, case.facts).verdict


def pointers(case: Case) -> dict[str, PointedMemory]:
    """Return what each register of the fault points to."""
    value = case.facts["dump.pointers"].value
    assert isinstance(value, tuple)
    found = [decoded(text) for text in value if isinstance(text, str)]
    return {name: p for p in found if p for name in p.names}


def reasons(case: Case) -> str:
    """Return the evidence for the likeliest cause, in words."""
    return "\n".join(e.text for e in verdict(case).candidates[0].supporting)


def test_a_freed_object_is_told_with_who_freed_it_and_who_still_points_to_it() -> None:
    case = seen("use_after_free")
    sensor = pointers(case)["rbx"]
    assert (sensor.what, sensor.state, sensor.offset) == ("thermo_sensor", "free", 0)
    assert sensor.data
    assert set(bytes.fromhex(sensor.data)) == {0x6B}
    said = texts(case.findings)
    assert "RBX, RDI: a freed object of thermo_sensor" in said
    assert "freed by thermo_write [thermo]" in said
    assert "thermo+0x28 [thermo] still points to the freed object" in said
    assert "the bad pointer 0x6b6b6b6b6b6b6b6b lies in a freed object" in reasons(case)


def test_the_account_says_who_freed_the_object_instead_of_that_nobody_knows() -> None:
    account = verdict(seen("use_after_free")).account
    assert account
    assert any("freed by thermo_write [thermo]" in e.text for e in account.came)
    assert not any("who freed it" in e.text for e in account.unknown)


def test_an_object_that_kfree_was_given_while_it_was_free_is_told() -> None:
    case = seen("double_free")
    found = verdict(case)
    assert (found.root_cause.value, found.module) == ("double-free", "badge")
    assert "RAX, RBX: a freed object of kmalloc-96" in reasons(case)


def test_a_jump_to_where_a_module_was_is_told() -> None:
    case = seen("use_after_unload")
    assert pointers(case)["rip"].kind == "modules-area"
    found = verdict(case)
    assert (found.root_cause.value, found.module) == ("use-after-free", "beacon")
    assert "the dump has no module at" in reasons(case)
    assert not found.candidates[0].opposing


def test_the_guard_page_below_a_stack_is_told_with_its_task() -> None:
    case = seen("stack_overflow")
    assert pointers(case)["rsp"].kind == "guard"
    assert "the guard page below the stack of tr[" in reasons(case)


def test_bytes_overwritten_behind_an_object_are_told_with_who_allocated_it() -> None:
    case = seen("out_of_bounds")
    assert pointers(case)["object"].is_trampled
    assert "allocated by label_write [label]" in reasons(case)
    found = verdict(case)
    assert (found.root_cause.value, found.module) == ("out-of-bounds", "label")


def test_a_recording_of_an_older_script_says_nothing_of_memory() -> None:
    case, _, _ = follow(drgn.TOOL, known(DUMP), told(output("drgn.txt")))
    assert not case.has("dump.pointers")
    assert case.get("dump.module", "") == "faulty"


def one(**change: Any) -> str:
    """Return the output for one pointer to a slab object, with changes."""
    base: dict[str, Any] = {
        "is": "slab",
        "what": "kmalloc-64",
        "state": "free",
        "start": "0xffff888001000000",
    }
    base |= {"address": "0xffff888001000000", "names": ["rbx"], "size": 64, "kept": []}
    return json.dumps({"pointers": {"found": [base | change], "left_off": 0}})


def findings(text: str) -> str:
    """Return the findings from an output."""
    said = drgn.parse(text)
    return texts(dump_memory.findings(said, told(text)))


def test_content_that_was_filtered_out_of_the_dump_is_said_not_guessed() -> None:
    page = {"is": "page", "what": "", "size": 4096, "bytes": None}
    assert "its content was filtered out of the dump" in findings(one(**page))
    assert "is not in the dump" in findings(one(bytes=None))
    whole = findings(one(bytes="6b6b"))
    assert "filtered out" not in whole
    assert "not in the dump" not in whole


def test_a_slab_whose_state_is_not_known_is_not_called_free() -> None:
    said = findings(one(state="unknown", bytes="00"))
    assert "not known whether it is free" in said
    assert "freed object" not in said


def test_a_freed_page_is_called_one_only_where_the_allocator_says_so() -> None:
    assert "a page that is free" in findings(one(**{"is": "page"}, bytes="00"))
    assert "not known" in findings(one(**{"is": "page"}, state="unknown", bytes="00"))


@pytest.mark.parametrize("address", ["-0x1", "0x" + "f" * 17, "12", "0xzz", 5, None])
def test_what_is_no_address_is_passed_over(address: object) -> None:
    assert findings(one(address=address)) == ""


def test_values_that_were_left_off_are_counted() -> None:
    text = one(bytes="00").replace('"left_off": 0', '"left_off": 3')
    assert "3 more values were not looked at" in findings(text)


def test_code_that_is_due_and_in_no_module_is_told() -> None:
    text = json.dumps({"pending": [["delayed work", "0xffff888001000040", "0xffffffffc0300000"]]})
    assert "whose code, 0xffffffffc0300000, is in no module" in findings(text)


CRASHED: dict[str, Value] = DUMP | {"given.vmlinux": "/usr/lib/debug/boot/vmlinux"}


def crash_output(name: str) -> str:
    """Return what crash prints at first of the dump of a recording: a frame, and the log."""
    lines = output(f"drgn_{name}.txt").splitlines()
    log = next(json.loads(line)["log"] for line in lines if line.startswith('{"log"'))
    return f" #0 [ffffd11ac0053c90] panic at ffffffff897cd21a\n{log}"


def test_where_drgn_is_missing_crash_tells_the_same_object() -> None:
    answers = told(crash_output("use_after_free")), told(output("crash_memory.txt"))
    case, ran, _ = follow(crash.TOOL, known(CRASHED), *answers)
    assert ran[1].argv[:3] == ("crash", "-s", crash_memory.OPTION)
    assert "kmem ffff8a1257ef0178\n" in ran[1].stdin
    found = pointers(case)
    assert (found["rbx"].kind, found["rbx"].what) == ("slab", "thermo_sensor")
    assert found["rbx"].is_free
    assert found["rcx"].state == "live"
    assert (found["rsp"].kind, found["rsp"].what) == ("stack", "kworker/u4:0")
    assert (found["rsi"].kind, found["rsi"].what) == ("module", "thermo")
    assert "lies in a freed object of thermo_sensor" in reasons(case)


def test_crash_is_not_asked_where_a_null_pointer_points_to() -> None:
    _, ran, _ = follow(crash.TOOL, known(CRASHED), told(output("crash.txt")))
    assert len(ran) == 1


def test_crash_is_not_asked_where_drgn_has_looked() -> None:
    case, _, _ = follow(drgn.TOOL, known(CRASHED), told(output("drgn_use_after_free.txt")))
    follow(crash.TOOL, case)


def test_a_page_that_crash_finds_in_the_free_lists_is_free() -> None:
    said = (
        "hexadecimal: ffff8a1257ef0178\nZONE  NAME        SIZE    FREE      MEM_MAP\n"
        "fffff18f4009e200  (ffff8a1257ef0178 is 1st of 8 pages)\n"
        "      PAGE       PHYSICAL      MAPPING       INDEX CNT FLAGS\n"
        "fffff18f4009e200  2788000                0        0  0 fffffc0000000\n"
    )
    answers = told(crash_output("use_after_free")), told(said)
    found = pointers(follow(crash.TOOL, known(CRASHED), *answers)[0])
    assert (found["rbx"].kind, found["rbx"].state) == ("page", "free")


def test_a_slot_without_a_mark_of_its_cache_is_not_taken_for_an_object() -> None:
    answers = (
        told(crash_output("use_after_free")),
        told("hexadecimal: ffff8a1257ef0178\n   ffff8a1257ef0170  \n"),
    )
    found = pointers(follow(crash.TOOL, known(CRASHED), *answers)[0])
    assert found["rbx"].kind == "unknown"


@settings(max_examples=200)
@given(
    st.tuples(st.just(output("crash_memory.txt")), st.integers(0, 8000), st.text(max_size=6)).map(
        lambda cut: cut[0][: cut[1]] + cut[2] + cut[0][cut[1] :]
    )
)
def test_whatever_crash_prints_of_memory_is_read_without_an_exception(text: str) -> None:
    answers = told(crash_output("use_after_free")), told(untrusted.clean(text))
    case, _, _ = follow(crash.TOOL, known(CRASHED), *answers)
    assert all(untrusted.is_clean(finding.text) for finding in case.findings)


LINES = [
    line
    for path in sorted(DATA.glob("drgn_*.txt"))
    for line in path.read_text("utf-8").splitlines()
    if not line.startswith(('{"log"', '{"frames"'))
]
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.just("0xffff888001000000"),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["found", "left_off", *PointedMemory.__struct_encode_fields__]),
            inner,
            max_size=8,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300)
@given(
    st.one_of(
        st.dictionaries(st.sampled_from(["pointers", "pending", "modules"]), json_values).map(
            json.dumps
        ),
        st.lists(json_values, max_size=3).map(
            lambda found: json.dumps({"pointers": {"found": found, "left_off": 1}})
        ),
        st.tuples(st.sampled_from(LINES), st.integers(0, 4000), st.text(max_size=4)).map(
            lambda cut: cut[0][: cut[1]] + cut[2] + cut[0][cut[1] :]
        ),
    )
)
def test_whatever_the_script_prints_is_read_without_an_exception(text: str) -> None:
    case, _, _ = follow(drgn.TOOL, known(DUMP), told(untrusted.clean(text), "drgn"))
    assert all(untrusted.is_clean(finding.text) for finding in case.findings)
    assert {name for name in case.facts if name.startswith("dump.")} <= {*drgn.TOOL.facts, *DUMP}
    assert diagnose(case.logs, case.facts).verdict
