"""The audit finds what was planted in documents it was not written for, and is silent on those without a defect."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.contexts.audit.precision import Measured, measure, table

LEAST_RECALL = 0.9


@pytest.fixture(scope="module")
def measured() -> Measured:
    return measure()


def test_nine_of_ten_planted_defects_are_found_at_their_place(measured: Measured) -> None:
    assert len(measured.found) + len(measured.missed) >= 180
    assert measured.recall >= LEAST_RECALL, table(measured)


def test_so_are_nine_of_ten_in_every_family(measured: Measured) -> None:
    found = Counter(defect["family"] for _, defect in measured.found)
    every = found + Counter(defect["family"] for _, defect in measured.missed)
    assert len(every) == 7
    assert {family for family in every if found[family] < LEAST_RECALL * every[family]} == set(), table(measured)


def test_clean_and_harmless_documents_raise_neither_warning_nor_block(measured: Measured) -> None:
    assert [(case, finding.rule, finding.message) for case, finding in measured.alarms] == []


def test_beside_the_planted_defects_nothing_else_is_found(measured: Measured) -> None:
    assert [(case, finding.rule, finding.message) for case, finding in measured.stray] == []


def test_what_the_documents_do_not_decide_never_blocks(measured: Measured) -> None:
    assert [(case, defect["id"], finding.rule) for case, defect, finding in measured.overstated] == []
