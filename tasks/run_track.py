"""Phase tracks: one mapped task per track. Looks in the store first; runs the agent only if it must."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.states import Completed

from contexts.documents.assignment import Assignment
from contexts.documents.base import JsonObject, now, parse_instant
from contexts.documents.refs import BlobRef, ContextRef
from contexts.errors import InputError, PortsExhausted, SecretRefused
from contexts.failpoints import failpoint
from contexts.full_disk import full, without_room
from contexts.json.values import entries, section
from contexts.plan.graph import transitive_needs
from contexts.plan.inputs_digest import Inputs, criteria_of, result_digest
from contexts.plan.reuse import judge_track
from contexts.redaction import redact_text
from contexts.spec.model import Track
from contexts.store.contexts import track_document
from contexts.text.visible import show_invisible
from tasks.agents.backend import Backend, Delivery, Job
from tasks.git.snapshot import MACHINE
from tasks.run import budget as spending
from tasks.run.outcome import TrackNotCompleted, TrackOutcome
from tasks.run.progress import Progress, report
from tasks.run.run import Run
from tasks.sandbox.clean_log import clean_log
from tasks.sandbox.outcome import read_log
from tasks.sandbox.ports import lease_ports
from tasks.track.attempt import Trial, earlier_attempts
from tasks.track.checkpoints import checkpointing, read_checkpoint
from tasks.track.document import describe_success, describe_unfinished, in_log
from tasks.track.handing_over import gathering, hand_over, take_up
from tasks.track.kept_work import keep_work
from tasks.track.workspace import Started, Work, collect, start_workspace


def may_pass(_task: Any, _run: TaskRun, state: State[Any]) -> bool:
    """Tell Prefect whether a failed track is worth another attempt: only failures that can pass are."""
    error: Any = state.result(raise_on_failure=False)
    return isinstance(error, TrackNotCompleted) and error.retryable


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
        TrackNotCompleted: The agent did not deliver; its document, with the log, is saved.
        StoreError: The store did not take the document, so the track does not count as done.
    """
    del agent
    try:
        found = _bring(run, task_id, prerequisites)
    except Exception as error:
        run.endings[task_id] = error
        raise
    run.endings[task_id] = found
    return Completed(name="Reused", message=f"Same inputs as {found.ref}", data=found) if found.reused else found


def _bring(run: Run, task_id: str, prerequisites: Mapping[str, ContextRef]) -> TrackOutcome:
    track = run.spec.track(task_id)
    _back_off(run, task_id)
    needed = _needed(run, track, prerequisites)
    backend = run.backend(track)
    results = {name: str(section(document, "execution").get("result")) for name, document in needed.items()}
    inputs = run.inputs(track, results)
    earlier = run.latest(track_document(task_id))
    forced = task_id in run.forced and _attempt_number() == 1
    stored = earlier
    if not forced:
        earlier = take_up(run, task_id, inputs, stored)
    if earlier and judge_track(earlier[1], inputs, forced=forced).action == "reuse":
        outcome = _completed(run, *earlier, reused=True)
        said = str(earlier[0]) if earlier is stored else f"{earlier[0]}, saved from the outbox"
        report(Progress(run.workflow_id, "track", task_id, "reused", said, outcome.seconds))
        return outcome
    if spent := run.ledger.why_no_more:
        outcome = TrackOutcome(task_id, "out-of-budget", None, reason=spent)
        raise TrackNotCompleted(f"track {task_id}: {spent}", outcome=outcome)
    return _attempt(run, track, backend, inputs, needed, earlier[1] if earlier else None)


def _attempt_number() -> int:
    context = TaskRunContext.get()
    return context.task_run.run_count if context else 1


def _back_off(run: Run, task_id: str) -> None:
    """Wait before another attempt, here and not by Prefect, whose wait a stopped run would have to sit out.

    Raises:
        TrackNotCompleted: The run was stopped meanwhile.
    """
    tried = _attempt_number() - 1
    backoff = float(run.spec.policy.retry_backoff_seconds) * 2 ** (min(tried, 10) - 1) if tried else 0.0
    if run.cancel.wait(backoff) if backoff else run.cancel.is_set():
        why = "the run was stopped"
        raise TrackNotCompleted(f"track {task_id}: {why}", outcome=TrackOutcome(task_id, "cancelled", None, reason=why))


def _needed(run: Run, track: Track, prerequisites: Mapping[str, ContextRef]) -> dict[str, JsonObject]:
    names = transitive_needs(run.spec, track.task_id)
    return dict(zip(names, run.store.load_many([prerequisites[name] for name in names]), strict=True)) if names else {}


def _completed(run: Run, ref: ContextRef, document: JsonObject, *, reused: bool) -> TrackOutcome:
    execution = section(document, "execution")
    started, ended, seconds = execution["started_at"], execution["completed_at"], float(execution["seconds"])
    recorded = False
    if execution["backend"] == "replay":
        planned = run.spec.track(document["task_id"]).started_at or document.get("started_at")
        if planned and parse_instant(planned) <= parse_instant(document["timestamp"]):
            started, ended, recorded = planned, document["timestamp"], True
            seconds = (parse_instant(ended) - parse_instant(started)).total_seconds()
    return TrackOutcome(
        document["task_id"],
        "completed",
        ref,
        reused=reused,
        attempts=len(execution["attempts"]),
        seconds=seconds,
        started_at=started,
        completed_at=ended,
        recorded=recorded,
    )


def _attempt(
    run: Run,
    track: Track,
    backend: Backend,
    inputs: Inputs,
    needed: Mapping[str, JsonObject],
    earlier: JsonObject | None,
) -> TrackOutcome:
    tried, checkpoint = earlier_attempts(earlier, inputs.digest)
    spent = spending.recorded(earlier)
    run.ready_store()  # an agent that starts in an outage may work for nothing
    started_at, started = now(), time.monotonic()
    trial = Trial(run, track, backend, inputs, needed, tried, checkpoint, spent, started_at, started, *gathering(run))
    message = f"attempt {trial.number}" if tried else ""
    report(Progress(run.workflow_id, "track", track.task_id, "running", message))
    folder = run.exchange(track.task_id)
    log: BlobRef | None = None
    kept: Work | None = None
    said: list[JsonObject] = []
    try:
        place = start_workspace(run, track, needed) if backend.works else None
        failpoint("track.workspace-ready")
        delivery, log, said = _deliver(trial, place)
        if delivery.context is not None:
            try:
                work = collect(run, track, place, trial.store) if place else None
                document = describe_success(run, track, delivery, work)
                if said:
                    document["findings"] = [*entries(document, "findings"), *said]
                return _complete(trial, document, work, log, delivery)
            except (InputError, SecretRefused) as error:
                delivery = Delivery(None, error.message, exit_code=delivery.exit_code)
        elif place and delivery.untold:  # its work may be whole, and is not to be lost for want of a file
            kept, where = keep_work(run, track, place, earlier, trial.store)
            delivery = replace(delivery, reason=delivery.reason + where)
    except PortsExhausted as error:
        delivery = Delivery(None, error.message, retryable=True)  # they may be free later
    except OSError as error:
        # What stands in an agent's own folder is the agent's doing, and fails its track alone.
        if error.errno in MACHINE or not str(error.filename).startswith(f"{folder}/"):
            raise
        delivery = Delivery(None, f"{error.filename} cannot be used: {error.strerror}; remove it and run again")
    failed = _fail(trial, delivery, log, kept, said)
    if not delivery.cancelled and without_room([folder]):  # no fault of the agent's, and the next would fare no better
        raise full([folder], failed.message) from failed
    raise failed


def _complete(
    trial: Trial, document: JsonObject, work: Work | None, log: BlobRef | None, delivery: Delivery
) -> TrackOutcome:
    result = result_digest(document, work.tree if work else None)
    more = work.recorded() if work else {}  # what it says of its cost counts also where that does not fit
    execution = trial.execution("completed", delivery.context, log=log, result=result, **more)
    task_id = trial.track.task_id
    failpoint("track.before-save")
    saved: JsonObject = {**document, "execution": execution.to_json()}
    ref = hand_over(trial.run, task_id, saved, trial.gathered)
    failpoint("track.after-save")
    report(Progress(trial.run.workflow_id, "track", task_id, "completed", str(ref), float(execution.seconds)))
    return _completed(trial.run, ref, saved, reused=False)


def _fail(
    trial: Trial, delivery: Delivery, log: BlobRef | None, work: Work | None, said: Sequence[JsonObject]
) -> TrackNotCompleted:
    run, task_id = trial.run, trial.track.task_id
    status = "cancelled" if delivery.cancelled else "failed"
    reason = show_invisible(redact_text(delivery.reason).text)  # it is told beyond the store, too
    delivery = replace(delivery, reason=reason)
    left = read_checkpoint(run.exchange(task_id) / "context.json") if trial.backend.works else None
    execution = trial.execution(status, left, delivery, log=log, **(work.recorded() if work else {}))

    def describe(checkpoint: JsonObject | None) -> JsonObject:
        more: JsonObject = {"findings": list(said)} if said else {}
        return more | describe_unfinished(run, trial.track, status, execution, delivery.reason, checkpoint, work)

    failpoint("track.before-failure")
    try:
        ref = hand_over(run, task_id, describe(left or trial.checkpoint), trial.gathered)
    except SecretRefused:  # in what it had left so far, which is then not kept
        ref = hand_over(run, task_id, describe(trial.checkpoint if left else None), trial.gathered)
    failpoint("track.after-failure")
    report(Progress(run.workflow_id, "track", task_id, status, delivery.reason, float(execution.seconds)))
    seconds = float(execution.seconds)
    return TrackNotCompleted(
        f"track {task_id} {status}: {delivery.reason}",
        outcome=TrackOutcome(task_id, status, ref, attempts=trial.number, seconds=seconds, reason=delivery.reason),
        retryable=delivery.retryable and not run.cancel.is_set(),
    )


def _deliver(trial: Trial, place: Started | None) -> tuple[Delivery, BlobRef | None, list[JsonObject]]:
    run, track = trial.run, trial.track
    exchange = run.exchange(track.task_id)
    log = exchange / f"attempt-{trial.number}.log"
    with lease_ports(track.ports) as lent:
        job = Job(
            assignment=_assignment(trial, lent.ports),
            workspace=place.folder if place else exchange,
            exchange=exchange,
            log=log,
            deadline=float(track.timeout_minutes) * 60,
            cancel=run.cancel,
            on_line=lambda line: report(Progress(run.workflow_id, "line", track.task_id, "running", line)),
        )
        every = float(track.checkpoint_minutes) * 60
        if place and place.failure:
            delivery = Delivery(None, place.failure, cancelled=run.cancel.is_set())
        elif trial.backend.works:
            try:
                with checkpointing(exchange / "context.json", every, trial.save_checkpoint):
                    delivery = trial.backend.run(job)
            except SecretRefused as error:
                delivery = Delivery(None, error.message)
        else:
            delivery = trial.backend.run(job)
    failpoint("track.agent-ended")
    said = read_log(log)
    blob, findings = None, []
    if said is not None:
        try:
            clean, hits = trial.store.cleaned(run.workflow_id, said, "text/plain")
            blob = trial.store.put_blob(run.workflow_id, clean, "text/plain", scanned=True)
            findings = in_log(track, hits)
        except SecretRefused as error:
            delivery = Delivery(None, f"its log: {error.message}", exit_code=delivery.exit_code)
        clean_log(log)
    failpoint("track.log-saved")
    return delivery, blob, findings


def _assignment(trial: Trial, ports: tuple[int, ...]) -> Assignment:
    run, track, needed = trial.run, trial.track, trial.needed
    feature = run.spec.feature_spec.to_json()
    requirements = entries(feature, "requirements")
    feature.pop("requirements", None)
    stated = {name: one.get("api_contract_assumptions") for name, one in needed.items()}
    return Assignment(
        workflow_id=run.workflow_id,
        task_id=track.task_id,
        agent=track.agent,
        attempt=trial.number,
        scope=track.scope,
        feature=feature,
        requirements=requirements,
        constraints=list(run.spec.shared_constraints),
        integration_requirements=list(run.spec.integration_requirements),
        criteria=criteria_of(run.spec, track),
        owns=list(track.owns),
        prerequisites=dict(needed),
        contracts={name: contract for name, contract in stated.items() if contract is not None},
        last_failure=trial.tried[-1].reason or trial.tried[-1].status if trial.tried else None,
        checkpoint=trial.checkpoint,
        ports=list(ports),
    )
