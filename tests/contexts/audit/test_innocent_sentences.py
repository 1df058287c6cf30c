"""Sentences and objects that look like a contradiction and are none, beside the same with one."""

from __future__ import annotations

from typing import Any

import pytest

from contexts.audit import SourceDocument, audit
from contexts.audit.sample_documents import file_name, plan, track, verified


def told(*documents: Any) -> list[str]:
    sources = [SourceDocument(file_name(index, document), document) for index, document in enumerate(documents)]
    return [finding.rule for finding in audit(sources).findings if finding.severity != "note"]


@pytest.mark.parametrize(
    "details",
    [
        {"schedule": {"gap_days": [1, 2, 3], "total_days": 6}},
        {"coverage": {"lines_total": 900, "by_file": {"a.py": 3, "b.py": 4}, "tests": {"total": 7}}},
        {"rehearsals": {"a.spec": {"tests": 2}, "b.spec": {"tests": 3}, "total": 5}, "summary": "5 rehearsals"},
    ],
)
def test_parts_are_added_up_only_to_the_whole_they_are_parts_of(details: dict[str, Any]) -> None:
    assert told(track("api", implementation_details=details)) == []


def test_coverage_by_track_names_tracks_or_what_a_document_speaks_of() -> None:
    both = (plan("api", "ui"), track("api"), track("ui", files_modified=["scripts/load.sh"]))
    for other, expected in (("scripts", []), ("share-portal", ["references/unknown-track"])):
        coverage = {"api": "90%", "ui": "80%", other: "70%"}
        assert told(*both, verified(verification_results={"tests": {"coverage": coverage}})) == expected


def test_a_screen_may_be_that_of_a_track_whose_document_is_not_here() -> None:
    def pages(**selectors: str) -> dict[str, Any]:
        return {"page_objects": {"Cart": {"selectors": {"sum": "[data-testid='cart-sum']", **selectors}}}}

    ui = track("ui", implementation_details={"components": {"Cart": {"test_ids": ["cart-sum"]}}})
    other = {"page_objects": {**pages()["page_objects"], "Help": {"selectors": {"close": "[data-testid='close']"}}}}
    assert told(track("e2e", implementation_details=other), ui) == []
    assert told(plan("e2e", "ui"), track("e2e", implementation_details=other), ui) == ["assumptions/selector"]
    assert told(track("e2e", implementation_details=pages(gone="[data-testid='gone']")), ui) == ["assumptions/selector"]
