"""Every planted defect is found at its place; every harmless rewriting is passed over."""

from __future__ import annotations

import os

import pytest

from contexts.audit import Finding
from tests.contexts.audit.editing import CLEAN, Editor, findings, fresh, is_at, load_set
from tests.contexts.audit.mutations import MUTATIONS
from tests.contexts.audit.rewrites import REWRITES

SEEDS = int(os.environ.get("PLAIT_TEST_ROUNDS", "1"))
_LOADED = {folder.parent.name: load_set(folder) for folder in CLEAN}
_BEFORE = {domain: findings(documents) for domain, documents in _LOADED.items()}


CASES = [
    (name, domain)
    for name, mutate in MUTATIONS.items()
    for domain, documents in _LOADED.items()
    if mutate(Editor(documents, 0))
]


def test_there_are_forty_mutations_and_each_applies_somewhere() -> None:
    assert len(MUTATIONS) >= 40
    assert {name for name, _ in CASES} == set(MUTATIONS)


@pytest.mark.parametrize(("name", "domain"), CASES)
def test_a_planted_defect_is_found_at_its_place(name: str, domain: str) -> None:
    for seed in range(SEEDS):
        edit = Editor(_LOADED[domain], seed)
        assert MUTATIONS[name](edit)
        new = fresh(_BEFORE[domain], findings(edit.documents))
        found = [finding for finding in new if is_at(finding, edit.places)]
        assert found, (seed, edit.places, [(f.rule, f.message) for f in new])


HARMLESS = [
    (name, domain)
    for name, change in REWRITES.items()
    for domain, documents in _LOADED.items()
    if change(Editor(documents, 0))
]


def test_there_are_twenty_rewritings_and_each_applies_somewhere() -> None:
    assert len(REWRITES) >= 20
    assert {name for name, _ in HARMLESS} == set(REWRITES)


@pytest.mark.parametrize(("name", "domain"), HARMLESS)
def test_a_harmless_rewriting_raises_nothing_not_even_a_note(name: str, domain: str) -> None:
    for seed in range(SEEDS):
        edit = Editor(_LOADED[domain], seed)
        assert REWRITES[name](edit)
        new = fresh(_BEFORE[domain], findings(edit.documents), notes=True)
        assert [(f.rule, f.message) for f in new if not _is_known(f, domain)] == []


def _is_known(finding: Finding, domain: str) -> bool:
    """Tell whether a note was there before, and only spells an endpoint or a criterion as it is written now."""
    return finding.severity == "note" and finding.rule in {before.rule for before in _BEFORE[domain]}
