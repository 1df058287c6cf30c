"""Whole sets of documents, the project's and the reference, and documents made up, through every road they take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contexts.documents.codec import CHECKSUM, parse_object, seal, unseal, validate
from contexts.merge import merge_files
from contexts.store.contexts import CONTEXT, ContextStore, track_document
from contexts.store.local import LocalObjects
from tests.contexts.merge_strategies import IDS, parent, plain, tracks
from tests.document_sets import REFERENCE, DocumentSet, each_once

STAMP = "2025-01-15T10:10:00Z"
LISTS = {"decisions", "pending_actions", "files_modified", "error_log"}


def read(path: Path) -> dict[str, Any]:
    return parse_object(path.read_bytes(), path.name)


def test_a_document_of_a_set_goes_round_through_the_model_value_for_value(documents: DocumentSet) -> None:
    for path in documents.paths:
        document = read(path)
        assert orjson.dumps(validate(document, path.name).to_json(), option=orjson.OPT_SORT_KEYS) == orjson.dumps(
            document, option=orjson.OPT_SORT_KEYS
        )


def test_a_document_of_a_set_goes_round_through_the_store_value_for_value(
    documents: DocumentSet, tmp_path: Path
) -> None:
    for path in documents.paths:
        document = read(path)
        store = ContextStore(LocalObjects(tmp_path / path.stem))
        workflow = document.get("parent_workflow_id") or document["workflow_id"]
        where = track_document(document["task_id"]) if "task_id" in document else CONTEXT
        ref = store.save(document, workflow_id=workflow, name=where, after=0)
        back = store.load(ref)
        assert back.pop(CHECKSUM) == ref.sha256
        assert orjson.dumps(back) == orjson.dumps(document)


def merge_of(documents: DocumentSet) -> dict[str, Any]:
    """Merge a set's tracks anew, given in another order than its parent lists them in."""
    *first, last = documents.tracks
    files = [(path.name, path.read_bytes()) for path in (last, *first)]
    result = merge_files((documents.parent.name, documents.parent.read_bytes()), files, timestamp=STAMP)
    assert (result.missing, result.unlisted, result.partial) == ((), (), False)
    return parse_object(result.body)


def test_the_merge_of_a_set_holds_everything(documents: DocumentSet) -> None:
    merged, originals = merge_of(documents), [read(path) for path in documents.tracks]
    for name in LISTS:
        assert merged.get(name, []) == each_once(item for one in originals for item in one.get(name, []))
    assert merged["files_modified"] == read(documents.merged)["files_modified"]
    assert merged["omissions"][0]["value"] == read(documents.parent)["context_summary"]
    for one in originals:
        rest = {key: value for key, value in one.items() if key not in LISTS}
        assert merged["track_contexts"][one["task_id"]]["context"] == rest
        assert "implementation_details" in rest


@pytest.mark.parametrize("documents", [REFERENCE])
def test_the_merge_of_the_reference_holds_sixteen_decisions_and_what_each_side_assumed(documents: DocumentSet) -> None:
    merged = merge_of(documents)
    assert [len(merged[name]) for name in ("decisions", "pending_actions", "files_modified")] == [16, 12, 19]
    contract = merged["track_contexts"]["frontend-impl"]["context"]["api_contract_assumptions"]
    assert contract == read(documents.tracks[0])["api_contract_assumptions"]


def test_the_merge_of_a_set_has_the_times_and_shape_of_the_sets_own(documents: DocumentSet) -> None:
    merged, theirs = merge_of(documents), read(documents.merged)
    assert merged["phase"] == theirs["phase"]
    assert merged["next_agent"] == theirs["next_agent"]
    ours, expected = merged["parallel_execution_summary"], theirs["parallel_execution_summary"]
    for name in ("started_at", "completed_at", "total_duration_minutes"):
        assert ours[name] == expected[name]
    for task, wanted in zip(ours["tasks"], expected["tasks"], strict=True):
        for name in ("task_id", "agent", "duration_minutes", "status", "files_count"):
            assert task[name] == wanted[name]
    assert merged["metrics"]["total_files_modified"] == theirs["metrics"]["total_files_modified"]
    validate(merged)


@given(st.sampled_from(IDS).flatmap(tracks))
def test_any_track_goes_round_through_the_model_and_the_seal_value_for_value(document: dict[str, Any]) -> None:
    written = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    assert orjson.dumps(validate(document).to_json(), option=orjson.OPT_SORT_KEYS) == written
    back = unseal(seal(document)[0])
    del back[CHECKSUM]
    assert orjson.dumps(back, option=orjson.OPT_SORT_KEYS) == written


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8), plain, max_size=4))
def test_fields_nobody_knows_are_kept_through_load_merge_and_save(unknown: dict[str, Any]) -> None:
    names = {f"x{key}": value for key, value in unknown.items()}
    head = parent(["api"])
    head["parallel_tasks"][0] |= names
    head["feature_spec"] |= names
    head |= names
    track = {
        **{key: value for key, value in parent([]).items() if key != "parallel_tasks"},
        "workflow_id": "feature-api",
        "parent_workflow_id": "feature",
        "task_id": "api",
        "decisions": [{"topic": "t", "choice": "c", **names}],
        "pending_actions": [{"action": "a", **names}],
        "error_log": [{"error": "e", **names}],
        **names,
    }
    body = merge_files(("p", orjson.dumps(head)), [("t", orjson.dumps(track))], timestamp=STAMP).body
    merged = unseal(seal(parse_object(body))[0])
    for place in (
        merged,
        merged["feature_spec"],
        merged["parallel_tasks"][0],
        merged["decisions"][0],
        merged["pending_actions"][0],
        merged["error_log"][0],
        merged["track_contexts"]["api"]["context"],
        validate(merged).to_json(),
    ):
        assert orjson.dumps({key: place[key] for key in names}) == orjson.dumps(names)
