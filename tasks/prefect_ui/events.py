"""Events of a workflow, for automations on the Prefect server; docs/reference/events.md describes every payload.

Prefect queues events and sends them from a thread of its own; what the server does not take is logged there and never
reaches the run. Words of agents are shortened, so that no event is too large to be sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from prefect.events import emit_event

from contexts.documents.deployment import ApprovalEntry, ProductionReadiness
from contexts.documents.findings import Finding
from contexts.documents.merged import Concern
from contexts.json.values import mapping
from contexts.redaction import head_of, redact
from tasks.prefect_ui.markdown import words
from tasks.run.outcome import TrackOutcome

_MOST_WORDS = 500
_MOST_ITEMS = 20


@dataclass(frozen=True, slots=True)
class _TrackEnded:
    status: str
    reused: bool
    attempts: int
    seconds: float
    reason: str
    document: str | None


@dataclass(frozen=True, slots=True)
class _ConcernFound:
    number: int
    of: int
    kind: str | None
    concern: str
    tracks: list[str]
    files: list[str]


@dataclass(frozen=True, slots=True)
class _VerificationFailed:
    status: str
    reasons: list[str]
    blocking_findings: int
    rules: list[str]


@dataclass(frozen=True, slots=True)
class _ApprovalRequested:
    gate: str | None
    subject: str | None
    status: str | None
    to_be_ticked: list[str]
    reasons: list[str]


@dataclass(frozen=True, slots=True)
class _ApprovalGiven:
    gate: str
    subject: str
    decision: str
    by: str
    note: str
    ticked: list[str]


_Payload = _TrackEnded | _ConcernFound | _VerificationFailed | _ApprovalRequested | _ApprovalGiven


def track_ended(workflow_id: str, outcome: TrackOutcome) -> None:
    """Say how a track ended: ``plait.track.completed``, ``plait.track.reused``, or ``plait.track.failed``."""
    kind = "failed" if outcome.status != "completed" else "reused" if outcome.reused else "completed"
    payload = _TrackEnded(
        status=outcome.status,
        reused=outcome.reused,
        attempts=outcome.attempts,
        seconds=round(outcome.seconds, 3),
        reason=_short(outcome.reason),
        document=str(outcome.ref) if outcome.ref else None,
    )
    _emit(f"plait.track.{kind}", workflow_id, payload, task_id=outcome.task_id)


def concerns_found(workflow_id: str, concerns: Sequence[Concern]) -> None:
    """Say what a merge could not settle alone: one ``plait.merge.concern`` each, the first twenty."""
    for number, one in enumerate(concerns[:_MOST_ITEMS], 1):
        payload = _ConcernFound(
            number=number,
            of=len(concerns),
            kind=one.kind,
            concern=_short(one.concern),
            tracks=list((one.tracks or ())[:_MOST_ITEMS]),
            files=[_short(name) for name in (one.files or ())[:_MOST_ITEMS]],
        )
        _emit("plait.merge.concern", workflow_id, payload)


def verification_failed(workflow_id: str, status: str, reasons: Sequence[str], findings: Sequence[Finding]) -> None:
    """Say that a run is not verified: ``plait.verification.failed``."""
    blocking = [one.rule for one in findings if one.blocks]
    payload = _VerificationFailed(
        status=status,
        reasons=[_short(one) for one in reasons[:_MOST_ITEMS]],
        blocking_findings=len(blocking),
        rules=sorted(set(blocking))[:_MOST_ITEMS],
    )
    _emit("plait.verification.failed", workflow_id, payload)


def approval_requested(workflow_id: str, production: ProductionReadiness, reasons: Sequence[str]) -> None:
    """Say that a person is to answer at a gate: ``plait.approval.requested``."""
    payload = _ApprovalRequested(
        gate=production.gate,
        subject=production.subject,
        status=production.status,
        to_be_ticked=[one.id for one in production.known if one.status == "pending"],
        reasons=[_short(one) for one in reasons],
    )
    _emit("plait.approval.requested", workflow_id, payload)


def approval_given(workflow_id: str, approval: ApprovalEntry) -> None:
    """Say what a person answered at a gate: ``plait.approval.given``."""
    payload = _ApprovalGiven(
        gate=approval.gate,
        subject=approval.subject,
        decision=approval.decision,
        by=_short(approval.by),
        note=_short(approval.note),
        ticked=approval.ticked or [],
    )
    _emit("plait.approval.given", workflow_id, payload)


def _emit(event: str, workflow_id: str, payload: _Payload, task_id: str | None = None) -> None:
    resource = {
        "prefect.resource.id": f"plait.workflow.{workflow_id}" + (f".track.{task_id}" if task_id else ""),
        "prefect.resource.name": f"{workflow_id} · {task_id}" if task_id else workflow_id,
        "plait.workflow-id": workflow_id,
        **({"plait.task-id": task_id} if task_id else {}),
    }
    seen = {name: _seen(value) for name, value in mapping(redact(asdict(payload)).value).items()}
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
