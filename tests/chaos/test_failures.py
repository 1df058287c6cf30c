"""Partial failure: what fails, fails alone; what can pass is tried again; every attempt's log is kept."""

import json
import os
import signal
from typing import Any

from contexts.documents.base import parse_instant
from contexts.documents.refs import BlobRef
from tests.chaos.running import Ended, Place, fork, plait, wait_until


def track(place: Place, task_id: str) -> dict[str, Any]:
    return place.store.require("feature", f"tracks/{task_id}")[1]


def logs(place: Place, task_id: str) -> list[str]:
    attempts = track(place, task_id)["execution"]["attempts"]
    return [place.store.get_blob("feature", BlobRef(**one["log"])).decode() for one in attempts]


def statuses(ended: Ended) -> dict[str, str]:
    return {one["task_id"]: one["status"] for one in ended.report["tracks"]}


def test_a_killed_agent_fails_its_track_alone_and_says_how(place: Place) -> None:
    place.write_spec(
        {"victim": ["sleep=60"], "sibling": ["sleep=1"], "after": []}, settings={"after": {"needs": ["victim"]}}
    )
    run = fork(place, "run", place.spec, "--json")
    wait_until("both run", lambda: len(place.lines()) == 2)
    os.kill(next(line["pid"] for line in place.lines() if line["task"] == "victim"), signal.SIGKILL)
    ended = run.wait()
    assert ended.code == 3
    assert statuses(ended) == {"victim": "failed", "sibling": "completed", "after": "blocked"}
    _, final = place.store.require("feature")
    assert "signal 9" in str(final["integration_concerns"])
    assert final["decisions"] == ["sibling is done so"]
    assert {one["task_id"] for one in final["omissions"]} == {"victim", "after"}


def test_resuming_after_a_failure_runs_what_failed_and_what_it_blocked(place: Place) -> None:
    gate = place.folder / "gate"
    tracks = {"fails": ["fail-first"], "fine": [], "after": [], "slow": [f"wait={gate}"]}
    gate.touch()
    place.write_spec(tracks, settings={"after": {"needs": ["fails"]}})
    first = plait(place, "run", place.spec, "--json")
    assert statuses(first) == {"fails": "failed", "fine": "completed", "after": "blocked", "slow": "completed"}
    before = place.started()
    second = plait(place, "run", place.spec, "--json")
    assert second.code == 0
    assert sorted(place.started()[len(before) :]) == ["after", "fails"]


def test_only_failures_that_can_pass_are_tried_again_and_every_log_is_kept(place: Place) -> None:
    place.write_spec(
        {"passes": ["say=once more", "fail-first"], "never": ["say=no", "exit=1"], "late": ["say=late", "sleep=60"]},
        settings={
            "passes": {"retries": 3},
            "never": {"retries": 3},
            "late": {"retries": 1, "timeout_minutes": 0.1, "required": False},
        },
    )
    ended = plait(place, "run", place.spec, "--json")
    assert statuses(ended) == {"passes": "completed", "never": "failed", "late": "failed"}
    assert sorted(place.started()) == ["late", "late", "never", "passes", "passes"]
    assert logs(place, "passes") == ["once more\nnot today\n", "once more\n"]
    assert logs(place, "never") == ["no\n"]
    assert [log.splitlines()[0] for log in logs(place, "late")] == ["late", "late"]
    assert "deadline" in track(place, "late")["execution"]["attempts"][0]["reason"]


def test_a_second_attempt_waits_for_its_backoff(place: Place) -> None:
    place.write_spec(
        {"passes": ["fail-first"]}, settings={"passes": {"retries": 1}}, policy={"retry_backoff_seconds": 2}
    )
    assert plait(place, "run", place.spec, "--json").code == 0
    first, second = track(place, "passes")["execution"]["attempts"]
    waited = (parse_instant(second["started_at"]) - parse_instant(first["started_at"])).total_seconds()
    assert waited >= first["seconds"] + 2


def test_the_policy_to_stop_starts_nothing_new_after_a_required_failure(place: Place) -> None:
    place.write_spec({"fails": ["exit=1"], "second": [], "third": []}, max_parallel=1, policy={"on_failure": "all"})
    ended = plait(place, "run", place.spec, "--json")
    assert ended.code == 3
    assert statuses(ended) == {"fails": "failed", "second": "blocked", "third": "blocked"}
    assert place.started() == ["fails"]


def test_the_policy_to_keep_going_runs_all_that_does_not_depend_on_the_failure(place: Place) -> None:
    place.write_spec(
        {"fails": ["exit=1"], "second": [], "third": []}, max_parallel=1, policy={"on_failure": "keep-going"}
    )
    assert statuses(plait(place, "run", place.spec, "--json"))["third"] == "completed"


def test_a_quorum_is_enough(place: Place) -> None:
    place.write_spec({"fails": ["exit=1"], "second": [], "third": []}, policy={"quorum": 2})
    ended = plait(place, "run", place.spec, "--json")
    assert ended.code == 0, place.store.require("feature")[1]["run"]["reasons"]
    place.write_spec({"fails": ["exit=1"], "second": [], "third": []}, policy={"quorum": 3})
    assert plait(place, "run", place.spec, "--json").code == 3


def test_a_spent_budget_starts_nothing_more_and_resuming_with_more_goes_on(place: Place) -> None:
    tracks = {"first": ["cost=3"], "second": ["cost=3"], "third": []}
    place.write_spec(tracks, max_parallel=1, budget={"cost_usd": 5})
    ended = plait(place, "run", place.spec, "--json")
    assert ended.code == 4
    assert statuses(ended) == {"first": "completed", "second": "completed", "third": "out-of-budget"}
    assert "out-of-budget" in str(place.store.require("feature")[1]["omissions"])
    place.write_spec(tracks, max_parallel=1, budget={"cost_usd": 50})
    assert plait(place, "run", place.spec, "--json").code == 0
    assert place.started() == ["first", "second", "third"]


def test_failed_attempts_and_earlier_runs_count_against_the_budget_and_what_is_done_is_still_reused(
    place: Place,
) -> None:
    tracks = {"cheap": ["cost=1"], "dear": ["spend=2", "exit=75"], "late": []}
    settings = {"dear": {"retries": 5, "needs": ["cheap"]}, "late": {"needs": ["dear"]}}
    place.write_spec(tracks, settings=settings, budget={"cost_usd": 5})
    ended = plait(place, "run", place.spec, "--json")
    assert ended.code == 4
    assert statuses(ended) == {"cheap": "completed", "dear": "out-of-budget", "late": "blocked"}
    assert place.started() == ["cheap", "dear", "dear"], "1 + 2 + 2 US dollars are all there is"
    again = plait(place, "run", place.spec, "--json")
    assert again.code == 4
    assert statuses(again) == {"cheap": "completed", "dear": "out-of-budget", "late": "out-of-budget"}
    assert place.started() == ["cheap", "dear", "dear"]
    place.write_spec({**tracks, "dear": ["cost=1"]}, settings=settings, budget={"cost_usd": 6.5})
    assert plait(place, "run", place.spec, "--json").code == 0
    assert place.started() == ["cheap", "dear", "dear", "dear", "late"]


def test_a_usage_that_is_no_amount_fails_nothing(place: Place) -> None:
    place.write_spec({"one": []}, budget={"cost_usd": 5, "tokens": 10})
    spec = json.loads(place.spec.read_text())
    left = '{"usage": {"cost_usd": "lots", "input_tokens": -1e999, "output_tokens": true}}'
    spec["agents"]["one"]["argv"] = ["sh", "-c", f"echo '{left}' > \"$PLAIT_CONTEXT\"; exit 1"]
    place.spec.write_text(json.dumps(spec))
    assert statuses(plait(place, "run", place.spec, "--json")) == {"one": "failed"}


def test_the_next_attempt_finds_the_checkpoint_in_its_assignment(place: Place) -> None:
    gate = place.folder / "gate"
    place.write_spec({"long": ["leave=half", f"wait={gate}"]}, settings={"long": {"checkpoint_minutes": 0.002}})
    run = fork(place, "run", place.spec)
    wait_until("a checkpoint", lambda: "tracks/long" in place.store.revisions("feature"))
    assert track(place, "long")["status"] == "running"
    run.process.kill()
    run.wait()
    gate.touch()
    assert plait(place, "run", place.spec).code == 0
    first, second = (line for line in place.lines() if "attempt" in line)
    assert (first["attempt"], first["checkpoint"]) == (1, None)
    assert (second["attempt"], second["checkpoint"]) == (2, {"done": "half"})
