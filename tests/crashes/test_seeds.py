"""The seeds: each is complete, and they cover what the corpus promises."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import pytest

from crashes.make import CORPUS, Run, spread
from crashes.seed import FOLDER, Seed, bystanders, seeds
from pagefault_doctor.model.diagnosis import RootCause

ALL = seeds()
README = Path(__file__).with_name("README.md").read_text()


@pytest.mark.parametrize("seed", ALL, ids=lambda seed: f"{seed.cause}/{seed.name}")
def test_a_seed_names_what_is_there(seed: Seed) -> None:
    there = {path.stem for path in bystanders()}
    assert set(seed.bystanders) <= there
    if seed.line is not None:
        assert seed.source
        assert seed.line_number
        assert seed.source.read_text().count(f"\t{seed.line}\n") == 1
    assert seed.is_module or seed.program or seed.module is None


PLANTED = set(RootCause) - {RootCause.UNKNOWN}
"""Who plants a fault knows its cause."""


def test_names_are_unique() -> None:
    names = Counter(seed.name for seed in ALL) + Counter(path.stem for path in bystanders())
    assert [name for name, times in names.items() if times > 1] == []


def test_no_source_is_left_over() -> None:
    libraries = {seed.library for seed in ALL if seed.library}
    sources = {path.name for path in FOLDER.glob("*/*.c") if path.parent.name != "bystanders"}
    assert sources - libraries == {seed.source.name for seed in ALL if seed.source}


def test_every_cause_has_at_least_four_seeds_in_different_places() -> None:
    places = defaultdict(set)
    for seed in ALL:
        places[seed.cause].add(seed.where)
    counts = Counter(seed.cause for seed in ALL)
    assert {cause for cause in PLANTED if counts[cause] < 4} == set()
    assert {cause for cause in PLANTED if len(places[cause]) < 3} == set()
    assert len(ALL) >= 90


def test_the_readme_explains_every_field() -> None:
    missing = {field for field in Seed.__struct_fields__ if f"| `{field}` |" not in README}
    assert missing == {"name", "cause"}


def test_some_seeds_are_of_every_cause() -> None:
    few = spread(list(ALL), len(PLANTED))
    assert {seed.cause for seed in few} == PLANTED
    assert spread(list(ALL), 10_000) == spread(list(ALL), len(ALL))


def test_a_run_with_slub_debug_has_a_name_and_arguments_of_its_own() -> None:
    seed = next(s for s in ALL if s.slub_debug)
    plain, checked = Run(seed), Run(seed, slub_debug=True)
    assert plain.name != checked.name
    assert "slub_debug" not in plain.append
    assert "slub_debug" in checked.append


def test_the_corpus_is_of_several_kernels_and_architectures() -> None:
    assert len({arch for arch, _ in CORPUS}) >= 5
    assert len({kernel for arch, kernel in CORPUS if arch == "x86_64"}) == 4
