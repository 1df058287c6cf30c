"""Phase tracks: one mapped task per track. Looks in the store first; runs the agent only if it must."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.states import Completed

from contexts.digest import Inputs, criteria_of, result_digest
from contexts.errors import InputError, SecretRefused, TrackFailed
from contexts.model.assignment import Assignment
from contexts.model.base import JsonObject, entries, section
from contexts.model.parts import Attempt, Execution, TrackStatus
from contexts.model.refs import BlobRef, ContextRef
from contexts.model.spec import Track
from contexts.plan import transitive_needs
from contexts.reuse import judge_track
from contexts.store import track_document
from tasks.agents.backend import Backend, Delivery, Job
from tasks.progress import Progress, report
from tasks.run import Run, now
from tasks.track_document import describe_failure, describe_success
from tasks.walls.ports import lease_ports
from tasks.workspaces import Started, Work, collect, start_workspace


@dataclass(frozen=True, slots=True)
class TrackOutcome:
    """How a track ended in this run: a reference to its document and the few facts the summary needs.

    Attributes:
        seconds: Wall time of the track's attempts; for a reused track, of the run that did the work.
        cost_usd: US dollars the agent reports as spent.
        tokens: Input plus output tokens the agent reports.
    """

    task_id: str
    status: TrackStatus
    ref: ContextRef | None
    reused: bool = False
    attempts: int = 0
    seconds: float = 0.0
    reason: str = ""
    cost_usd: float = 0.0
    tokens: int = 0


def may_pass(_task: Any, _run: TaskRun, state: State[Any]) -> bool:
    """Tell Prefect whether a failed track is worth another attempt: only failures that can pass are."""
    error: Any = state.result(raise_on_failure=False)
    return isinstance(error, TrackFailed) and bool(error.details.get("retryable"))


@task(
    name="run_track",
    task_run_name="{run.workflow_id} · {task_id} · {agent}",
    cache_policy=NO_CACHE,
    retry_condition_fn=may_pass,
)
def run_track(run: Run, task_id: str, agent: str, prerequisites: Mapping[str, ContextRef]) -> Any:
    """Bring one track to its context document.

    Args:
        run: The run.
        task_id: The track.
        agent: Its role, for the name people see.
        prerequisites: Documents of the transitive prerequisites, all completed.

    Returns:
        A `TrackOutcome`; the state is named Reused when the store already held the result.

    Raises:
        TrackFailed: The agent did not deliver; its document, with the log, is saved.
        StoreError: The store did not take the document, so the track does not count as done.
    """
    del agent
    track = run.spec.track(task_id)
    needed = _needed(run, track, prerequisites)
    backend = run.backend(track)
    results = {name: str(section(document, "execution").get("result")) for name, document in needed.items()}
    inputs = run.inputs(track, results)
    earlier = run.latest(track_document(task_id))
    forced = task_id in run.forced and _attempt_number() == 1
    if earlier and judge_track(earlier[1], inputs, forced=forced).action == "reuse":
        outcome = _reused(earlier)
        report(Progress(run.workflow_id, "track", task_id, "reused", str(earlier[0]), outcome.seconds))
        return Completed(name="Reused", message=f"Same inputs as {earlier[0]}", data=outcome)
    return _attempt(run, track, backend, inputs, needed, earlier[1] if earlier else None)


def _attempt_number() -> int:
    context = TaskRunContext.get()
    return context.task_run.run_count if context else 1


def _needed(run: Run, track: Track, prerequisites: Mapping[str, ContextRef]) -> dict[str, JsonObject]:
    names = transitive_needs(run.spec, track.task_id)
    return dict(zip(names, run.store.load_many([prerequisites[name] for name in names]), strict=True)) if names else {}


def _reused(earlier: tuple[ContextRef, JsonObject]) -> TrackOutcome:
    ref, document = earlier
    execution: JsonObject = document["execution"]
    attempts = len(execution["attempts"])
    return TrackOutcome(
        document["task_id"], "completed", ref, reused=True, attempts=attempts, seconds=execution["seconds"],
        **_spent(document),
    )  # fmt: skip


def _spent(document: JsonObject) -> dict[str, Any]:
    usage = section(document, "usage")
    tokens = int(usage.get("input_tokens") or 0) + int(usage.get("output_tokens") or 0)
    return {"cost_usd": float(usage.get("cost_usd") or 0), "tokens": tokens}


def _attempt(
    run: Run,
    track: Track,
    backend: Backend,
    inputs: Inputs,
    needed: Mapping[str, JsonObject],
    earlier: JsonObject | None,
) -> TrackOutcome:
    tried = _earlier_attempts(earlier, inputs.digest)
    number, started = len(tried) + 1, time.monotonic()
    started_at = now()
    report(Progress(run.workflow_id, "track", track.task_id, "running", f"attempt {number}" if number > 1 else ""))
    place = start_workspace(run, track, needed) if backend.works else None
    delivery, log = _deliver(run, track, backend, needed, tried, number, place)
    work: Work | None = None
    document: JsonObject | None = None
    if delivery.context is not None:
        try:
            work = collect(run, track, place) if place else None
            document = describe_success(run, track, delivery.context, work)
        except (InputError, SecretRefused) as error:
            delivery = Delivery(None, error.message, exit_code=delivery.exit_code)
    seconds = round(time.monotonic() - started, 3)
    attempt = Attempt(
        number=number,
        status="completed" if document else "cancelled" if delivery.cancelled else "failed",
        seconds=seconds,
        started_at=started_at,
        exit_code=delivery.exit_code,
        reason=delivery.reason or None,
        log=log,
    )
    attempts = [*tried, attempt]
    execution = Execution(
        inputs=inputs.digest,
        parts=dict(inputs.parts),
        result=result_digest(document, work.tree if work else None) if document else None,
        backend=backend.name,
        started_at=attempts[0].started_at,
        completed_at=now(),
        seconds=round(sum(one.seconds for one in attempts), 3),
        attempts=attempts,
        reason=delivery.reason or None,
        run_id=run.id,
        **(work.recorded() if work else {}),
    )
    name = track_document(track.task_id)
    if document is None:
        ref = run.save(name, describe_failure(run, track, delivery, execution))
        status = "cancelled" if delivery.cancelled else "failed"
        report(Progress(run.workflow_id, "track", track.task_id, status, delivery.reason, seconds))
        raise TrackFailed(
            f"track {track.task_id} {status}: {delivery.reason}",
            task_id=track.task_id,
            reason=delivery.reason,
            retryable=delivery.retryable and not run.cancel.is_set(),
            ref=ref,
            attempts=number,
            seconds=execution.seconds,
            status=status,
        )
    ref = run.save(name, {**document, "execution": execution.to_json()})
    report(Progress(run.workflow_id, "track", track.task_id, "completed", str(ref), seconds))
    return TrackOutcome(
        track.task_id, "completed", ref, attempts=number, seconds=float(execution.seconds), **_spent(document)
    )


def _earlier_attempts(earlier: JsonObject | None, inputs: str) -> list[Attempt]:
    execution: JsonObject = (earlier or {}).get("execution") or {}
    if not earlier or earlier.get("status") == "completed" or execution.get("inputs") != inputs:
        return []
    return [Attempt.model_validate(one) for one in execution["attempts"]]


def _deliver(
    run: Run,
    track: Track,
    backend: Backend,
    needed: Mapping[str, JsonObject],
    tried: list[Attempt],
    number: int,
    place: Started | None,
) -> tuple[Delivery, BlobRef | None]:
    exchange = run.exchange(track.task_id)
    log = exchange / f"attempt-{number}.log"
    with lease_ports(track.ports) as lent:
        job = Job(
            assignment=_assignment(run, track, needed, tried, number, lent.ports),
            workspace=place.folder if place else exchange,
            exchange=exchange,
            log=log,
            deadline=float(track.timeout_minutes) * 60,
            cancel=run.cancel,
            on_line=lambda line: report(Progress(run.workflow_id, "line", track.task_id, "running", line)),
        )
        delivery = Delivery(None, place.failure) if place and place.failure else backend.run(job)
    blob = run.store.put_blob(run.workflow_id, log.read_bytes(), "text/plain") if log.is_file() else None
    return delivery, blob


def _assignment(
    run: Run,
    track: Track,
    needed: Mapping[str, JsonObject],
    tried: list[Attempt],
    number: int,
    ports: tuple[int, ...],
) -> Assignment:
    feature = run.spec.feature_spec.to_json()
    requirements = entries(feature, "requirements")
    feature.pop("requirements", None)
    return Assignment(
        workflow_id=run.workflow_id,
        task_id=track.task_id,
        agent=track.agent,
        attempt=number,
        scope=track.scope,
        feature=feature,
        requirements=requirements,
        constraints=list(run.spec.shared_constraints),
        integration_requirements=list(run.spec.integration_requirements),
        criteria=criteria_of(run.spec, track),
        owns=list(track.owns),
        prerequisites=dict(needed),
        contracts={
            name: one["api_contract_assumptions"] for name, one in needed.items() if "api_contract_assumptions" in one
        },
        last_failure=tried[-1].reason if tried else None,
        checkpoint=None,
        ports=list(ports),
    )
