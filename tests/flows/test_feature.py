"""The feature flow in this process, on a real Prefect server: what runs when, how each thing ends, what it is called."""

import json
import shutil
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, TaskRunFilter, TaskRunFilterFlowRunId
from prefect.client.schemas.objects import State, TaskRun

from contexts.documents.base import JsonObject, parse_instant
from contexts.errors import SpecError, StoreError
from contexts.leases.record import read_lease
from contexts.spec.request import RunRequest
from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from flows.feature import feature
from flows.launch import describe_run
from tasks.run.progress import LOGGER
from tasks.run.run import RESULT
from tasks.run.workspaces import workspace_root
from tasks.sandbox import ports
from tasks.sandbox.ports import lend_ports
from tests.flows.specs import LEAVE, RECORDINGS, TRACKS, commit, make_repository, write_spec
from tests.servers import Server
from tests.waiting import wait_until

FAIL = "raise SystemExit(3)"


class Flow:
    """The flow with a store of its own, and what the server knows of its runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.objects = LocalObjects(folder / "store")
        self.store = ContextStore(self.objects)

    def run(self, spec: str, **options: Any) -> State[Any]:
        """Run to the end."""
        return feature(spec=spec, store=str(self.folder / "store"), return_state=True, **options)

    def spec(self, workflow_id: str, programs: dict[str, str], **more: Any) -> str:
        """Write a spec."""
        return write_spec(self.folder, workflow_id, programs, **more)

    def tasks(self, state: State[Any]) -> dict[str, TaskRun]:
        """The task runs of a run, tracks by their task_id and others by their task's name."""
        flow_run_id = state.state_details.flow_run_id
        assert flow_run_id
        mine = TaskRunFilter(flow_run_id=TaskRunFilterFlowRunId(any_=[flow_run_id]))
        with get_client(sync_client=True) as client:

            def all_ended() -> list[TaskRun]:
                found = client.read_task_runs(task_run_filter=mine)
                published = any(one.task_key.startswith("publish") for one in found)
                return found if published and all(one.state and one.state.is_final() for one in found) else []

            # Task runs reach the server as events, a moment after the run has ended.
            found = wait_until("the end of every task run", all_ended)
        return {_label(one): one for one in found}

    def tracks(self, state: State[Any]) -> dict[str, str | None]:
        """The state names of the tracks."""
        return {name: one.state_name for name, one in self.tasks(state).items() if one.task_key.startswith("run_track")}

    def document(self, workflow_id: str, name: str = "context") -> JsonObject:
        """The newest revision of a document."""
        return self.store.require(workflow_id, name)[1]


def _label(task: TaskRun) -> str:
    return task.name.split(" · ")[1] if " · " in task.name else task.task_key.rsplit("-", 1)[0]


@pytest.fixture
def flow(prefect_api: Server, workspaces: Path, tmp_path: Path) -> Flow:
    del prefect_api, workspaces
    return Flow(tmp_path)


def test_a_replayed_set_is_merged_whole(flow: Flow) -> None:
    state = flow.run(str(RECORDINGS / "parent.json"), replay=str(RECORDINGS))
    merged = flow.document("notes")
    assert merged["decisions"] == [
        "Number notes from one",
        "Answer 404 for a missing note",
        "Show the newest note first",
        "Start the application for every test",
    ]
    assert merged["pending_actions"] == ["Limit the length of a note", "Translate the page"]
    assert merged["files_modified"] == ["notes/api.py", "static/notes.html", "tests/test_notes.py"]
    assert flow.tracks(state) == dict.fromkeys(TRACKS, "Completed")
    assert state.is_completed(), "the spec names no criterion"


def test_criteria_in_words_that_nothing_decides_end_verification_incomplete(flow: Flow) -> None:
    parent = json.loads((RECORDINGS / "parent.json").read_text(encoding="utf-8"))
    spec = flow.folder / "parent.json"
    spec.write_text(json.dumps({**parent, "success_criteria": {"page": ["It is pretty"]}}), encoding="utf-8")
    state = flow.run(str(spec), replay=str(RECORDINGS))
    assert state.is_failed()
    assert state.name == "VerificationIncomplete"
    assert "page.1 is unverified" in str(state.message)


def test_checks_that_pass_complete_the_run_and_one_that_fails_ends_verification_failed(flow: Flow) -> None:
    def spec(code: int) -> str:
        check = {"id": "check", "argv": ["{python}", "-c", f"raise SystemExit({code})"]}
        return flow.spec("checked", {"a": LEAVE}, verification={"checks": [check]})

    state = flow.run(spec(0))
    assert state.is_completed(), state.message
    assert flow.tasks(state)["check"].state_name == "Passed"
    failed = flow.run(spec(1))
    assert (failed.name, failed.is_failed()) == ("VerificationFailed", True)
    assert "check check failed" in str(failed.message)
    assert flow.tracks(failed) == {"a": "Reused"}, "a changed check does not redo the work"


def test_without_a_repository_the_integrated_files_lie_beside_the_report_as_the_last_run_made_them(flow: Flow) -> None:
    def spec(**texts: str) -> str:
        programs = {name: f"open('{name}.txt', 'w').write('{text}'); {LEAVE}" for name, text in texts.items()}
        return flow.spec("plain", programs)

    flow.run(spec(one="1", two="2"))
    result = workspace_root(flow.store, "plain") / RESULT
    assert {path.name: path.read_text() for path in result.iterdir()} == {"one.txt": "1", "two.txt": "2"}
    flow.run(spec(one="changed"))
    assert {path.name: path.read_text() for path in result.iterdir()} == {"one.txt": "changed"}


def test_siblings_of_a_failed_track_finish_and_are_kept_and_what_needs_it_is_blocked(flow: Flow) -> None:
    programs = {"bad": FAIL, "slow": f"import time; time.sleep(1); {LEAVE}", "after": LEAVE, "last": LEAVE}
    needs = {"after": {"needs": ["bad"]}, "last": {"needs": ["after"]}}
    spec = flow.spec("partly", programs, tracks=needs, verification={"checks": [{"id": "unit", "argv": ["true"]}]})
    state = flow.run(spec)
    assert (state.name, state.is_failed()) == ("Partial", True)
    assert "required track bad failed" in str(state.message)
    assert flow.tracks(state) == {"bad": "Failed", "slow": "Completed"}, "blocked tracks are not started"
    final = flow.document("partly")
    lines = {one["task_id"]: one for one in final["run"]["tracks"]}
    assert {name: one["status"] for name, one in lines.items()} == {
        "bad": "failed", "slow": "completed", "after": "blocked", "last": "blocked",
    }  # fmt: skip
    assert "bad" in lines["after"]["reason"]
    assert flow.document("partly", "tracks/slow")["status"] == "completed"
    assert "exit code 3" in flow.document("partly", "tracks/bad")["context_summary"]
    request = RunRequest(spec=spec, store=str(flow.folder / "store"))
    told = describe_run(request, state.result(raise_on_failure=False))
    assert told.checks == (("passed", 1),), "what could be checked was"
    assert set(final["track_contexts"]) >= {"slow"}


def test_a_track_that_finds_too_few_ports_fails_alone_and_a_check_that_does_was_not_run(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lend_ports(1) as lent:
        only = lent.ports[0]
    monkeypatch.setattr(ports, "_FIRST", only)
    monkeypatch.setattr(ports, "_LAST", only + 1)
    verification = {"checks": [{"id": "served", "argv": ["true"], "ports": 2}]}
    programs = {"greedy": LEAVE, "modest": LEAVE, "none": LEAVE}
    tracks = {"greedy": {"ports": 2, "required": False}, "modest": {"ports": 1}}
    state = flow.run(flow.spec("ported", programs, tracks=tracks, verification=verification))
    assert flow.tracks(state) == {"greedy": "Failed", "modest": "Completed", "none": "Completed"}
    final = flow.document("ported")
    lines = {one["task_id"]: one for one in final["run"]["tracks"]}
    assert "of 2 loopback ports are free" in lines["greedy"]["reason"]
    _, greedy = flow.store.require("ported", "tracks/greedy")
    assert (greedy["status"], [one["status"] for one in greedy["execution"]["attempts"]]) == ("failed", ["failed"])
    (evidence,) = final["evidence"]
    assert evidence["status"] == "unverified"
    assert "2 loopback ports were not free" in evidence["reason"]
    assert state.name == "VerificationIncomplete", "an optional track that failed is no reason, a check not run is"
    required = flow.run(flow.spec("ported", programs, tracks={"greedy": {"ports": 2}}))
    assert (required.name, required.is_failed()) == ("Partial", True)


def test_an_optional_track_that_fails_does_not_fail_the_run(flow: Flow) -> None:
    spec = flow.spec("optional", {"must": LEAVE, "may": FAIL}, tracks={"may": {"required": False}})
    state = flow.run(spec)
    assert state.is_completed(), state.message


def test_a_set_up_that_takes_longer_than_the_spec_allows_fails_its_track(flow: Flow) -> None:
    make_repository(flow.folder / "code", readme__md="code")
    slow = {"path": "code", "setup": [["true"], ["sleep", "300"]], "setup_minutes": 0.01}
    state = flow.run(flow.spec("slow-setup", {"a": LEAVE}, repository=slow))
    assert state.name == "Partial"
    reason = flow.document("slow-setup")["run"]["tracks"][0]["reason"]
    assert reason.startswith("repository.setup sleep 300: ")
    assert "0.6 s" in reason


def test_a_track_starts_when_what_it_needs_is_done_and_not_before(flow: Flow) -> None:
    programs = {"quick": LEAVE, "slow": f"import time; time.sleep(3); {LEAVE}", "after-quick": LEAVE}
    spec = flow.spec("ordered", programs, tracks={"after-quick": {"needs": ["quick"]}})
    state = flow.run(spec)
    assert state.is_completed(), state.message
    tasks = flow.tasks(state)
    assert tasks["after-quick"].start_time >= tasks["quick"].end_time
    assert tasks["after-quick"].end_time < tasks["slow"].end_time, "it does not wait for the whole wave"


def test_progress_says_what_each_thing_is_once(flow: Flow, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", LOGGER)
    flow.run(flow.spec("told", {"a": LEAVE, "b": LEAVE}, groups=[{"id": "early", "tracks": ["a"]}]))
    said = [record.getMessage() for record in caplog.records if record.name == LOGGER]
    for words in ("phase initialize: running", "track a: running", "group early: running", "phase merge: running"):
        assert words in said
    assert not [line for line in said if line.startswith("merge ")]


def test_a_failure_is_told_without_secrets_and_without_what_commands_a_terminal(
    flow: Flow, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    token = "ghp_" + "a1B2c3D4e5F6" * 3
    last = f"print('\\x1b]52;c;ZXZpbA==\\x07\\x1b[2J\\x1b[31mno {token} \\x9b2J'); raise SystemExit(1)"
    state = flow.run(flow.spec("loud", {"a": last.replace(token, token[:4] + "' + '" + token[4:])}))
    (line,) = flow.document("loud")["run"]["tracks"]
    assert line["reason"] == "the program ended with exit code 1: no [redacted:github-token] 2J"
    messages = [record.getMessage() for record in caplog.records]
    messages += [str(one.state.message) for one in flow.tasks(state).values() if one.state]
    assert any(line["reason"] in message for message in messages)
    assert not [message for message in messages if token in message or "\x1b" in message or "\x9b" in message]


def test_no_more_tracks_run_at_a_time_than_max_parallel(flow: Flow) -> None:
    programs = {f"t{number}": f"import time; time.sleep(0.4); {LEAVE}" for number in range(5)}
    state = flow.run(flow.spec("narrow", programs, max_parallel=2))
    spans = [(one.start_time, one.end_time) for one in flow.tasks(state).values() if "run_track" in one.task_key]
    assert len(spans) == 5
    most = max(sum(start <= moment < end for start, end in spans) for moment, _ in spans)
    assert most == 2


def test_a_second_run_reuses_every_track_and_takes_the_merge_from_the_cache(flow: Flow) -> None:
    spec = flow.spec("twice", {"a": LEAVE, "b": LEAVE})
    assert flow.run(spec).is_completed()
    second = flow.run(spec)
    assert second.is_completed(), second.message
    assert flow.tracks(second) == {"a": "Reused", "b": "Reused"}
    assert flow.tasks(second)["merge_contexts"].state_name == "Cached"
    assert all(len(numbers) == 1 for name, numbers in flow.store.revisions("twice").items() if name != "context")


def test_a_cached_merge_whose_document_is_gone_is_made_again(flow: Flow) -> None:
    spec = flow.spec("lost", {"a": LEAVE})
    assert flow.run(spec).is_completed()
    shutil.rmtree(flow.folder / "store" / "documents" / "lost" / "context")
    state = flow.run(spec)
    assert state.is_completed(), state.message
    assert flow.document("lost")["run"]["exit_code"] == 0


def test_a_failure_that_can_pass_is_tried_again_after_the_backoff_with_every_log_kept(flow: Flow) -> None:
    program = (
        "import json, os; attempt = json.load(open(os.environ['PLAIT_ASSIGNMENT']))['attempt']; "
        f"print('attempt', attempt); {LEAVE}; raise SystemExit(0 if attempt == 3 else 75)"
    )
    spec = flow.spec("flaky", {"a": program}, tracks={"a": {"retries": 3}}, policy={"retry_backoff_seconds": 0.5})
    state = flow.run(spec)
    assert state.is_completed(), state.message
    attempts = flow.document("flaky", "tracks/a")["execution"]["attempts"]
    assert [one["status"] for one in attempts] == ["failed", "failed", "completed"]
    starts = [_instant(one["started_at"]) for one in attempts]
    assert starts[1] - starts[0] >= 0.5
    assert starts[2] - starts[1] >= 1.0, "doubled"
    logs = [flow.store.objects.read(f"blobs/flaky/{one['log']['sha256']}").decode() for one in attempts]
    assert [log.strip() for log in logs] == ["attempt 1", "attempt 2", "attempt 3"]


def test_a_failure_that_cannot_pass_is_not_tried_again(flow: Flow) -> None:
    state = flow.run(flow.spec("hopeless", {"a": FAIL}, tracks={"a": {"retries": 3}}))
    assert state.name == "Partial"
    assert len(flow.document("hopeless", "tracks/a")["execution"]["attempts"]) == 1
    assert flow.tasks(state)["a"].run_count == 1


def test_a_track_whose_document_the_store_does_not_take_is_not_done(flow: Flow) -> None:
    blocked = flow.folder / "store" / "documents" / "unsaved" / "tracks"
    program = f"import pathlib; pathlib.Path({str(blocked)!r}).write_text('in the way'); {LEAVE}"
    state = flow.run(flow.spec("unsaved", {"a": program}))
    assert state.is_failed()
    assert isinstance(state.result(raise_on_failure=False), StoreError)
    with pytest.raises(StoreError):
        flow.store.require("unsaved", "tracks/a")


def test_what_is_wrong_with_the_input_is_the_runs_message_and_nothing_is_written(flow: Flow) -> None:
    spec = flow.spec("wrong", {"a": LEAVE}, tracks={"a": {"needs": ["nobody"]}})
    state = flow.run(spec)
    error: Any = state.result(raise_on_failure=False)
    assert isinstance(error, SpecError)
    assert "nobody" in error.message
    assert not (flow.folder / "store").exists()


def test_the_lease_names_the_flow_run_and_ends_with_a_reason(flow: Flow) -> None:
    state = flow.run(flow.spec("leased", {"a": LEAVE}))
    lease = read_lease(flow.objects, "leased")
    assert lease is not None
    assert (lease.owner, lease.end_reason) == (str(state.state_details.flow_run_id), "finished")


def test_a_run_is_named_after_what_it_builds(flow: Flow) -> None:
    spec = flow.spec("named", {"a": LEAVE})
    first = flow.run(spec)
    second = feature(workflow_id="named", store=str(flow.folder / "store"), return_state=True)
    ids: list[UUID] = [one.state_details.flow_run_id for one in (first, second) if one.state_details.flow_run_id]
    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=ids)))
    names = {one.id: one.name for one in runs}
    assert [names[one] for one in ids] == ["named", "named"]


def _instant(text: str) -> float:
    return parse_instant(text).timestamp()


def test_with_the_base_in_the_store_another_machine_needs_no_repository(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = make_repository(flow.folder / "app", page="one\n")
    commit(repository, "Go on", page="two\n")
    programs = {
        "api": f"open('api', 'w').write(open('page').read()); {LEAVE}",
        "tests": f"import os; os.path.exists({str(repository)!r}) and exit(3); open('tests', 'w').write('x'); {LEAVE}",
    }
    wanted = {"path": str(repository), "store_base": True}
    flow.run(flow.spec("kept-base", programs, repository=wanted))
    assert [one["status"] for one in flow.document("kept-base")["run"]["tracks"]] == ["completed", "failed"]
    shutil.rmtree(repository)
    monkeypatch.setenv("PLAIT_WORKSPACES", str(flow.folder / "elsewhere"))
    state = feature(workflow_id="kept-base", store=str(flow.folder / "store"), return_state=True)
    final = flow.document("kept-base")
    assert state.is_completed(), state.message
    assert [one["reused"] for one in final["run"]["tracks"]] == [True, False]
    result = workspace_root(flow.store, "kept-base") / RESULT
    assert {file.name: file.read_text() for file in result.iterdir()} == {"page": "two\n", "api": "two\n", "tests": "x"}
