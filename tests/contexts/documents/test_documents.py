"""The reference's own documents, and documents of our own, through every road they take."""

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

REFERENCE = Path(__file__).parents[4] / "shared" / "reference" / "documents"
NAMES = ("1-parent", "2-frontend", "3-backend", "4-tests", "5-merged", "6-verified")
STAMP = "2025-01-15T10:10:00Z"


def reference(name: str) -> bytes:
    path = REFERENCE / f"{name}.json"
    if not path.is_file():
        pytest.skip(f"{path} is not there: the reference's documents lie outside the repository")
    return path.read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_a_reference_document_goes_round_through_the_model_value_for_value(name: str) -> None:
    document = parse_object(reference(name), name)
    assert orjson.dumps(validate(document, name).to_json(), option=orjson.OPT_SORT_KEYS) == orjson.dumps(
        document, option=orjson.OPT_SORT_KEYS
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_reference_document_goes_round_through_the_store_value_for_value(name: str, tmp_path: Path) -> None:
    document = parse_object(reference(name), name)
    store = ContextStore(LocalObjects(tmp_path))
    workflow = document.get("parent_workflow_id") or document["workflow_id"]
    where = track_document(document["task_id"]) if "task_id" in document else CONTEXT
    ref = store.save(document, workflow_id=workflow, name=where, after=0)
    back = store.load(ref)
    assert back.pop(CHECKSUM) == ref.sha256
    assert orjson.dumps(back) == orjson.dumps(document)


def merged_reference() -> dict[str, Any]:
    head = ("1-parent.json", reference("1-parent"))
    files = [(name, reference(name)) for name in ("4-tests", "2-frontend", "3-backend")]
    result = merge_files(head, files, timestamp=STAMP)
    assert (result.missing, result.unlisted, result.partial) == ((), (), False)
    return parse_object(result.body)


def test_the_merge_of_the_reference_holds_everything() -> None:
    merged = merged_reference()
    originals = [parse_object(reference(name)) for name in ("2-frontend", "3-backend", "4-tests")]
    assert len(merged["decisions"]) == 16
    assert merged["decisions"] == [item for one in originals for item in one["decisions"]]
    assert len(merged["pending_actions"]) == 12
    assert merged["pending_actions"] == [item for one in originals for item in one["pending_actions"]]
    assert len(merged["files_modified"]) == 19
    assert merged["files_modified"] == parse_object(reference("5-merged"))["files_modified"]
    assert merged["omissions"][0]["value"] == parse_object(reference("1-parent"))["context_summary"]
    lists = {"files_modified", "decisions", "pending_actions"}
    for one in originals:
        rest = {key: value for key, value in one.items() if key not in lists}
        assert merged["track_contexts"][one["task_id"]]["context"] == rest
        assert "implementation_details" in rest
    contract = merged["track_contexts"]["frontend-impl"]["context"]["api_contract_assumptions"]
    assert contract == originals[0]["api_contract_assumptions"]


def test_the_merge_of_the_reference_has_the_times_and_shape_of_the_reference() -> None:
    merged, theirs = merged_reference(), parse_object(reference("5-merged"))
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
