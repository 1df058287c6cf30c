"""Events of a workflow, for automations on the Prefect server; docs/reference/events.md describes every payload.

Prefect queues events and sends them from a thread of its own; what the server does not take is logged there and never
reaches the run. Words of agents are shortened, so that no event is too large to be sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from prefect.events import emit_event

from contexts.documents.base import JsonObject
from contexts.json.values import entries
from contexts.redaction import head_of, redact
from tasks.prefect_ui.markdown import words
from tasks.run.outcome import TrackOutcome

_MOST_WORDS = 500
_MOST_ITEMS = 20


def track_ended(workflow_id: str, outcome: TrackOutcome) -> None:
    """Say how a track ended: ``plait.track.completed``, ``plait.track.reused``, or ``plait.track.failed``."""
    kind = "failed" if outcome.status != "completed" else "reused" if outcome.reused else "completed"
    payload: JsonObject = {
        "status": outcome.status,
        "reused": outcome.reused,
        "attempts": outcome.attempts,
        "seconds": round(outcome.seconds, 3),
        "reason": _short(outcome.reason),
        "document": str(outcome.ref) if outcome.ref else None,
    }
    _emit(f"plait.track.{kind}", workflow_id, payload, task_id=outcome.task_id)


def concerns_found(workflow_id: str, concerns: Sequence[JsonObject]) -> None:
    """Say what a merge could not settle alone: one ``plait.merge.concern`` each, the first twenty."""
    for number, one in enumerate(concerns[:_MOST_ITEMS], 1):
        payload: JsonObject = {
            "number": number,
            "of": len(concerns),
            "kind": one.get("kind"),
            "concern": _short(str(one.get("concern"))),
            "tracks": [str(name) for name in entries(one, "tracks")[:_MOST_ITEMS]],
            "files": [_short(str(name)) for name in entries(one, "files")[:_MOST_ITEMS]],
        }
        _emit("plait.merge.concern", workflow_id, payload)


def verification_failed(workflow_id: str, status: str, reasons: Sequence[str], findings: Sequence[JsonObject]) -> None:
    """Say that a run is not verified: ``plait.verification.failed``."""
    blocking = [str(one["rule"]) for one in findings if one["severity"] == "blocking" and not one.get("waived")]
    payload: JsonObject = {
        "status": status,
        "reasons": [_short(one) for one in reasons[:_MOST_ITEMS]],
        "blocking_findings": len(blocking),
        "rules": sorted(set(blocking))[:_MOST_ITEMS],
    }
    _emit("plait.verification.failed", workflow_id, payload)


def approval_requested(workflow_id: str, production: JsonObject, reasons: Sequence[str]) -> None:
    """Say that a person is to answer at a gate: ``plait.approval.requested``."""
    payload: JsonObject = {
        "gate": production["gate"],
        "subject": production["subject"],
        "status": production["status"],
        "to_be_ticked": [str(one["id"]) for one in entries(production, "prerequisites") if one["status"] == "pending"],
        "reasons": [_short(one) for one in reasons],
    }
    _emit("plait.approval.requested", workflow_id, payload)


def approval_given(workflow_id: str, approval: JsonObject) -> None:
    """Say what a person answered at a gate: ``plait.approval.given``."""
    payload: JsonObject = {
        "gate": approval["gate"],
        "subject": approval["subject"],
        "decision": approval["decision"],
        "by": _short(str(approval["by"])),
        "note": _short(str(approval["note"])),
        "ticked": entries(approval, "ticked"),
    }
    _emit("plait.approval.given", workflow_id, payload)


def _emit(event: str, workflow_id: str, payload: JsonObject, task_id: str | None = None) -> None:
    resource = {
        "prefect.resource.id": f"plait.workflow.{workflow_id}" + (f".track.{task_id}" if task_id else ""),
        "prefect.resource.name": f"{workflow_id} · {task_id}" if task_id else workflow_id,
        "plait.workflow-id": workflow_id,
        **({"plait.task-id": task_id} if task_id else {}),
    }
    clean = cast("JsonObject", redact(payload).value)
    seen = {name: _seen(value) for name, value in clean.items()}
    emit_event(event, resource=resource, payload={"workflow_id": workflow_id, **seen})


def _seen(value: Any) -> Any:
    """Return a payload's value with every text of it as plain text on one line."""
    if isinstance(value, str):
        return words(value, _MOST_WORDS)
    if isinstance(value, list):
        return [_seen(each) for each in value]  # pyright: ignore[reportUnknownVariableType] JSON
    return value


def _short(text: str) -> str:
    return text if len(text) <= _MOST_WORDS else head_of(text, _MOST_WORDS - 1) + "…"
