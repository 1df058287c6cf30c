"""The six documents plait was asked for with, through the whole road; our own recordings are run in test_feature."""

import json
from pathlib import Path
from typing import Any

import pytest

from contexts.merge.expand import expand_tracks
from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from flows.feature import feature
from tests.flows.cli.conftest import REFERENCE
from tests.servers import Server

TRACKS = ("2-frontend", "3-backend", "4-tests")
LISTS = {"files_modified", "decisions", "pending_actions"}


def test_the_reference_is_run_and_loses_nothing(prefect_api: Server, workspaces: Path, tmp_path: Path) -> None:
    if not REFERENCE.is_dir():
        pytest.skip(f"the reference documents are not at {REFERENCE}")
    spec, place = str(REFERENCE / "1-parent.json"), str(tmp_path / "store")
    state: Any = feature(spec=spec, replay=str(REFERENCE), store=place, return_state=True)
    assert state.name == "VerificationIncomplete", "its claims have no evidence"
    store = ContextStore(LocalObjects(tmp_path / "store"))
    document = store.require("user-profile-feature-20250115")[1]
    assert document["run"]["exit_code"] == 1
    assert [len(document[name]) for name in ("decisions", "pending_actions", "files_modified")] == [16, 12, 19]
    tracks = [json.loads((REFERENCE / f"{name}.json").read_bytes()) for name in TRACKS]
    for name in LISTS:
        assert set(document[name]) == {one for track in tracks for one in track[name]}
    kept = expand_tracks(store, document)["track_contexts"]
    for track in tracks:
        context = kept[track["task_id"]]["context"]
        rest = track.keys() - LISTS
        assert {name: context.get(name) for name in rest} == {name: track[name] for name in rest}

    again: Any = feature(workflow_id="user-profile-feature-20250115", store=place, return_state=True)
    assert again.name == "VerificationIncomplete"
    lines = store.require("user-profile-feature-20250115")[1]["run"]["tracks"]
    assert all(one["reused"] for one in lines), "the store alone is enough: the recordings are in it"
