"""Errors keep their class, their fields and their exit code wherever they go."""

import pickle
from dataclasses import fields

import cloudpickle
import pytest

from contexts import errors
from contexts.documents.refs import ContextRef
from contexts.errors import MAY_PASS, LeaseHeld, PlaitError, RunStopped, ServerUnreachable, SpecError, StoreError
from flows.upkeep.resume_interrupted import NotAllResumed
from tasks.run.outcome import TrackNotCompleted, TrackOutcome

OUTCOME = TrackOutcome(
    "api", "failed", ContextRef(workflow_id="w", document="tracks/api", revision=1, sha256="a" * 64, size=2)
)
CLASSES = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, PlaitError)]
NEEDED = {RunStopped: {"reason": "deleted"}}


def values(error: PlaitError) -> dict[str, object]:
    return {one.name: getattr(error, one.name) for one in fields(error)}


@pytest.mark.parametrize("pickler", [pickle, cloudpickle], ids=["pickle", "cloudpickle"])
@pytest.mark.parametrize(
    "error",
    [
        *(cls("a sentence", **NEEDED.get(cls, {})) for cls in CLASSES),
        SpecError("a sentence", path="spec.yaml", line=2, column=3, place="parallel_tasks[0]", problems=("a", "b")),
        LeaseHeld("a sentence", owner="run", host="here", pid=7),
        TrackNotCompleted("a sentence", outcome=OUTCOME, retryable=True),
        NotAllResumed("a sentence", lines=[{"workflow_id": "w"}]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_crosses_processes_whole(error, pickler):
    arrived = pickler.loads(pickler.dumps(error))
    assert type(arrived) is type(error)
    assert values(arrived) == values(error)
    assert (str(arrived), arrived.args, arrived.exit_code) == ("a sentence", ("a sentence",), error.exit_code)


def test_an_error_raised_anew_keeps_its_fields_and_is_another():
    error = LeaseHeld("a sentence", owner="run")
    again = error.anew("another")
    assert again is not error
    assert (type(again), again.message, again.args, again.owner) == (LeaseHeld, "another", ("another",), "run")
    assert error.message == error.anew().message == "a sentence"


def test_a_secret_value_is_taken_out_of_messages_and_fields(monkeypatch):
    monkeypatch.setattr(errors, "_cleaners", [lambda text: text.replace("hush", "...")])
    error = StoreError("hush is full", path="/hush")
    assert (str(error), error.args, error.path) == ("... is full", ("... is full",), "/...")
    assert SpecError("a", problems=("hush", "well")).problems == ("...", "well")
    outcome = TrackOutcome("api", "failed", None, reason="said hush")
    assert TrackNotCompleted("a", outcome=outcome).outcome.reason == "said ..."


def test_no_server_is_taken_for_a_store_that_is_waited_for():
    error = ServerUnreachable("no answer")
    assert error.exit_code == StoreError.exit_code
    assert not isinstance(error, (StoreError, *MAY_PASS))


def test_a_deleted_flow_run_leaves_a_cancelled_lease():
    assert {reason: RunStopped("a", reason=reason).end_reason for reason in ("cancelled", "suspended", "deleted")} == {
        "cancelled": "cancelled",
        "suspended": "suspended",
        "deleted": "cancelled",
    }
