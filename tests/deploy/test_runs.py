"""Deployed runs: by themselves on a schedule, and from the API with parameters as the UI's form sends them."""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    LogFilter,
    LogFilterFlowRunId,
)
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import PrefectHTTPStatusError

from contexts.documents.base import JsonObject
from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from tests.deploy.conftest import deploy
from tests.deploy.running import Place, finish, start, tasks_of, wait_for, write_spec
from tests.servers import ROOT, Server

FORM: dict[str, Any] = {
    "spec": "", "workflow_id": "", "inline": {}, "store": "", "replay": "", "repository": "", "fresh": False, "rerun": [],
}  # fmt: skip
"""What the form holds before anybody writes into it."""


@pytest.fixture(scope="module")
def changed(worker: Server, place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Deploy the file with a schedule of every minute, and one more deployment from git; then the file's own again."""
    changed = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
    scheduled = next(one for one in changed["deployments"] if one["name"] == "feature-scheduled")
    scheduled["parameters"]["spec"] = str(write_spec(place.specs, "by-itself-{date}", "", "", ""))
    scheduled["schedules"] = [{"slug": "soon", "interval": "PT1M", "anchor_date": "2026-01-01T00:00:00+00:00"}]
    plain = next(one for one in changed["deployments"] if one["name"] == "feature")
    changed["deployments"].append({**plain, "name": "feature-from-git", "pull": changed["definitions"]["from_git"]})
    file = ROOT / f"{tmp_path_factory.mktemp('prefect').name}.yaml"
    file.write_text(yaml.safe_dump(changed, sort_keys=False), encoding="utf-8")
    try:
        deploy(worker, "--prefect-file", file.name)
        yield
    finally:
        file.unlink()
        deploy(worker)


@pytest.mark.usefixtures("changed")
def test_a_scheduled_run_happens_by_itself_with_three_tracks_and_a_merge(client: SyncPrefectClient) -> None:
    deployment = client.read_deployment_by_name("feature/feature-scheduled")
    of_it = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[deployment.id]))

    def ended() -> Any:
        found = client.read_flow_runs(flow_run_filter=of_it, sort=FlowRunSort.EXPECTED_START_TIME_ASC)
        return [one for one in found if one.auto_scheduled and one.state and one.state.is_final()]

    run = wait_for("the scheduled run", ended, 150)[0]
    assert run.state.name == "Completed", run.state.message
    (workflow,) = {tag.removeprefix("workflow:") for tag in run.tags if tag.startswith("workflow:")}
    assert re.fullmatch(r"by-itself-\d{4}-?\d{2}-?\d{2}", workflow), "a new workflow every day"
    tasks = tasks_of(client, run.id)
    tracks = [one for one in tasks if one.task_key.startswith("run_track")]
    assert len(tracks) == 3
    assert all(one.state.name == "Completed" for one in tracks)
    (merge,) = (one for one in tasks if one.task_key.startswith("merge_contexts"))
    parents = {str(one.id) for inputs in merge.task_inputs.values() for one in inputs if hasattr(one, "id")}
    assert {str(one.id) for one in tracks} <= parents, "the merge's edges from its tracks"
    assert {tag for one in tracks for tag in one.tags} == {"plait-backend-command"}


@pytest.mark.usefixtures("changed")
def test_the_code_can_come_from_git(client: SyncPrefectClient, place: Place) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("this copy of the project is no git repository")
    spec = write_spec(place.specs, "from-git", "")
    run = start(client, "feature/feature-from-git", **{**FORM, "spec": str(spec)})
    state = finish(client, run.id)
    assert state.name == "Completed", state.message


def test_a_run_from_the_form_completes_and_a_second_one_reuses_every_track(
    worker: Server, client: SyncPrefectClient, place: Place
) -> None:
    spec = write_spec(place.specs, "from-the-form", "", "", "")
    first = start(client, "feature/feature", **{**FORM, "spec": str(spec)})
    state = finish(client, first.id)
    assert state.name == "Completed", state.message
    second = start(client, "feature/feature", **{**FORM, "workflow_id": "from-the-form"})
    assert finish(client, second.id).name == "Completed"
    names = {one.state.name for one in tasks_of(client, second.id) if one.task_key.startswith("run_track")}
    assert names == {"Reused"}
    assert client.read_flow_run(second.id).name == "from-the-form"


def test_the_form_refuses_a_value_of_the_wrong_kind(worker: Server, client: SyncPrefectClient) -> None:
    with pytest.raises(PrefectHTTPStatusError, match="fresh"):
        start(client, "feature/feature", **{**FORM, "fresh": "perhaps"})


def outside(tmp_path: Path) -> dict[str, dict[str, Any]]:
    """What no deployed run may name, with the words of the refusal."""
    spec = write_spec(tmp_path, "not-allowed", "raise SystemExit('this must not run')")
    return {
        "may not use the spec": {"spec": str(spec)},
        "takes no inline specs": {"inline": json.loads(spec.read_text(encoding="utf-8"))},
        "may not use the store": {"workflow_id": "not-allowed", "store": str(tmp_path / "store")},
    }


def test_a_deployed_run_refuses_specs_and_stores_that_the_worker_does_not_allow(
    worker: Server, client: SyncPrefectClient, tmp_path: Path
) -> None:
    cases = outside(tmp_path)
    runs = {words: start(client, "feature/feature", **{**FORM, **given}) for words, given in cases.items()}
    for words, run in runs.items():
        state = finish(client, run.id)
        assert state.is_failed()
        assert words in str(state.message)
        assert not tasks_of(client, run.id)


def test_a_deployed_run_takes_no_repository_over_ssh_that_only_its_starter_named(
    worker: Server, client: SyncPrefectClient, place: Place
) -> None:
    elsewhere = "git@git.example.invalid:team/app.git"
    spec = write_spec(place.specs, "over-ssh", "", repository={"path": elsewhere})
    # As a path below any folder, the last leads into the folder of the specs.
    names = (elsewhere, "a@127.0.0.1:x", f"git@127.0.0.1:x/{'../' * 30}{str(place.specs)[1:]}/app.git")
    runs = [start(client, "feature/feature", **{**FORM, "spec": str(spec), "repository": name}) for name in names]
    runs += [start(client, "reverify/reverify", workflows=["from-the-form"], repository=name) for name in names]
    for run in runs:
        state = finish(client, run.id)
        assert state.is_failed()
        assert "PLAIT_ALLOWED_REPOSITORIES" in str(state.message)
        assert not tasks_of(client, run.id)
    assert place.ssh_calls() == []
    # What the owner of the specs named is fetched: it is this program that would have been called.
    assert finish(client, start(client, "feature/feature", spec=str(spec)).id).is_failed()
    assert any("git@git.example.invalid" in call for call in place.ssh_calls())


def test_whoever_starts_a_run_cannot_change_what_the_worker_allows_or_runs(
    worker: Server, client: SyncPrefectClient, tmp_path: Path
) -> None:
    spec = write_spec(tmp_path, "sneaked-in", "raise SystemExit('this must not run')")
    deployment = client.read_deployment_by_name("feature/feature")
    planted = tmp_path / "planted"
    run = client.create_flow_run_from_deployment(
        deployment.id,
        parameters={**FORM, "inline": json.loads(spec.read_text(encoding="utf-8"))},
        job_variables={
            "env": {"PLAIT_ALLOW_INLINE": "1", "PLAIT_ALLOWED_SPECS": "/"},
            "command": f"touch {planted}",
        },
    )
    state = finish(client, run.id)
    assert state.is_failed()
    assert "takes no inline specs" in str(state.message)
    assert not planted.exists()


def test_what_a_deployed_run_saved_is_in_the_workers_store(
    worker: Server, client: SyncPrefectClient, place: Place
) -> None:
    spec = write_spec(place.specs, "kept", "", "")
    run = start(client, "feature/feature", **{**FORM, "spec": str(spec)})
    assert finish(client, run.id).name == "Completed"
    store = ContextStore(LocalObjects(place.store))
    _, document = store.require("kept")
    assert document["run"]["exit_code"] == 0
    assert set(store.revisions("kept")) == {"context", "tracks/track-1", "tracks/track-2"}


@pytest.mark.parametrize(
    ("why", "last"),
    [
        ("unmet", "as its state says"),
        ("failed", "as its state says"),
        ("not-allowed", "this worker may not use the spec"),
    ],
)
def test_a_run_that_ends_badly_leaves_sentences_and_no_traceback_in_its_log(
    worker: Server, client: SyncPrefectClient, place: Place, tmp_path: Path, why: str, last: str
) -> None:
    del worker
    program = "raise SystemExit(3)" if why == "failed" else ""
    criteria: JsonObject = {"all": ["a person likes it"]} if why == "unmet" else {}
    folder = tmp_path if why == "not-allowed" else place.specs
    spec = write_spec(folder, why, program, success_criteria=criteria)
    run = start(client, "feature/feature", spec=str(spec))
    assert finish(client, run.id).is_failed()
    of_it = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run.id]))

    def said() -> list[str]:
        errors = [one.message for one in client.read_logs(log_filter=of_it) if one.level >= logging.ERROR]
        return errors if any(last in one for one in errors) else []

    assert not any("Traceback" in message for message in wait_for("the last line of its log", said, 30))
