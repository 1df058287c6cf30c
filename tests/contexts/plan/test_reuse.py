"""What is reused and why, and what a plan can be sure of before the prerequisites have run."""

import json
from typing import Any

import pytest

from contexts.documents.context import Context
from contexts.plan.inputs_digest import Inputs
from contexts.plan.reuse import Reuse, decide_reuse, judge_track
from contexts.spec.load import parse_spec
from contexts.spec.model import Track
from tests.contexts.building import HEAD, context


def inputs(**parts: str) -> Inputs:
    whole = {"scope": "s", "prerequisites": "p", **parts}
    return Inputs("|".join(f"{name}={whole[name]}" for name in sorted(whole)), whole)


def document(status: str = "completed", **parts: str) -> Context:
    then = inputs(**parts)
    execution = {
        "inputs": then.digest, "parts": then.parts, "result": "r", "reason": "no luck", "backend": "command",
        "started_at": HEAD["timestamp"], "seconds": 1, "attempts": [],
    }  # fmt: skip
    return context(task_id="b", status=status, execution=execution)


@pytest.mark.parametrize(
    ("found", "now", "action", "reason"),
    [
        (None, inputs(), "run", "has not run yet"),
        (document(), inputs(), "reuse", "same inputs"),
        (document(), inputs(scope="t"), "run", "changed since it ran: scope"),
        (document("running"), inputs(), "run", "interrupted"),
        (document("failed"), inputs(), "run", "last attempt failed: no luck"),
        (document("failed"), inputs(scope="t"), "run", "changed since it ran: scope"),
    ],
)
def test_a_track_is_reused_only_if_it_completed_with_the_same_inputs(found, now, action, reason) -> None:
    judged = judge_track(found, now, forced=False)
    assert (judged.action, judged.conditional) == (action, False)
    assert reason in judged.reason


def test_what_was_asked_for_runs() -> None:
    assert judge_track(document(), inputs(), forced=True).action == "run"


@pytest.mark.parametrize(
    ("found", "now", "conditional", "reason"),
    [
        (document(), inputs(), True, "needs a, which runs"),
        (document(), inputs(prerequisites="q"), True, "needs a, which runs"),
        (document(), inputs(scope="t"), False, "changed since it ran: scope"),
        (document("failed"), inputs(), False, "last attempt failed"),
        (document("running"), inputs(), False, "interrupted"),
        (None, inputs(), False, "has not run yet"),
    ],
)
def test_behind_a_prerequisite_that_runs_only_a_finished_unchanged_track_is_undecided(
    found, now, conditional, reason
) -> None:
    judged = judge_track(found, now, forced=False, undecided=["a"])
    assert (judged.action, judged.conditional) == ("run", conditional)
    assert reason in judged.reason


def test_every_track_is_decided_in_spec_order_after_what_it_needs() -> None:
    tracks = [{"task_id": "b", "agent": "x", "needs": ["a"]}, {"task_id": "a", "agent": "x"}]
    spec = parse_spec(json.dumps({"workflow_id": "w", "parallel_tasks": tracks}).encode(), name="w.json")

    def inputs_of(track: Track, results: Any) -> Inputs:
        return inputs(prerequisites=str(dict(results)))

    known = {"a": document(prerequisites="{}").changed(task_id="a"), "b": document(prerequisites="{'a': 'r'}")}
    assert [one.action for one in decide_reuse(spec, known, inputs_of)] == ["reuse", "reuse"]
    b, a = decide_reuse(spec, known, inputs_of, frozenset({"a"}))
    assert (a, b.task_id, b.conditional) == (Reuse("a", "run", "you asked for it"), "b", True)


@pytest.mark.parametrize(
    ("kept", "action", "reason"),
    [
        (document(), "reuse", "saved from the outbox"),
        (document(scope="t"), "run", "not completed at these inputs"),
        (document("cancelled"), "run", "not completed at these inputs"),
    ],
)
def test_what_waits_in_the_outbox_is_reused_like_what_is_stored(kept, action, reason) -> None:
    spec = parse_spec(
        json.dumps({"workflow_id": "w", "parallel_tasks": [{"task_id": "b", "agent": "b"}]}).encode(), name="w.json"
    )

    def now(track: Track, results) -> Inputs:
        return inputs()

    (judged,) = decide_reuse(spec, {}, now, frozenset(), {"b": [kept]})
    assert judged.action == action
    assert reason in judged.reason
    (stored,) = decide_reuse(spec, {"b": document()}, now, frozenset(), {"b": [kept]})
    assert (stored.action, "outbox" in stored.reason) == ("reuse", False)
    (forced,) = decide_reuse(spec, {}, now, frozenset({"b"}), {"b": [kept]})
    assert forced.action == "run"
