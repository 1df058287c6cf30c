"""Whole sets of documents through the whole road: run, merged, kept in a store and run again from it alone."""

from pathlib import Path
from typing import Any

import pytest

from contexts.merge.expand import expand_tracks
from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from flows.feature import feature
from tests.document_sets import REFERENCE, DocumentSet, each_once, own, read

LISTS = {"files_modified", "decisions", "pending_actions", "error_log"}


@pytest.mark.usefixtures("prefect_api", "workspaces")
@pytest.mark.parametrize(
    ("documents", "counts"),
    [
        pytest.param(*own("learning").values, [17, 11, 25], id="learning"),
        pytest.param(*REFERENCE.values, [16, 12, 19], id="reference", marks=REFERENCE.marks),
    ],
    indirect=["documents"],
)
def test_a_set_of_documents_is_run_and_loses_nothing(documents: DocumentSet, counts: list[int], tmp_path: Path) -> None:
    workflow_id, place = read(documents.parent)["workflow_id"], str(tmp_path / "store")
    state: Any = feature(spec=str(documents.parent), replay=str(documents.folder), store=place, return_state=True)
    assert state.name == "VerificationIncomplete", "its claims have no evidence"
    store = ContextStore(LocalObjects(tmp_path / "store"))
    document = store.require(workflow_id)[1]
    assert document["run"]["exit_code"] == 1
    assert [len(document[name]) for name in ("decisions", "pending_actions", "files_modified")] == counts
    tracks = [read(path) for path in documents.tracks]
    for name in LISTS:
        assert document.get(name, []) == each_once(one for track in tracks for one in track.get(name, []))
    kept = expand_tracks(store, document)["track_contexts"]
    for track in tracks:
        context = kept[track["task_id"]]["context"]
        rest = track.keys() - LISTS
        assert {name: context.get(name) for name in rest} == {name: track[name] for name in rest}

    again: Any = feature(workflow_id=workflow_id, store=place, return_state=True)
    assert again.name == "VerificationIncomplete"
    lines = store.require(workflow_id)[1]["run"]["tracks"]
    assert all(one["reused"] for one in lines), "the store alone is enough: the recordings are in it"
