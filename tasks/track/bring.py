"""Bring one track to its context document: from the store where it is done, else by its agent.

Nothing here knows of Prefect: the same is done in the flow's process and in any other that has the run's interface.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from contexts.documents.assignment import Assignment
from contexts.documents.base import JsonObject, now, parse_instant
from contexts.documents.context import Context
from contexts.documents.findings import Finding
from contexts.documents.refs import BlobRef, ContextRef
from contexts.errors import DocumentError, InputError, PortsExhausted, SecretRefused
from contexts.failpoints import failpoint
from contexts.full_disk import full, without_room
from contexts.json.values import entries, is_object
from contexts.plan.graph import transitive_needs
from contexts.plan.inputs_digest import Inputs, criteria_of, result_digest
from contexts.plan.reuse import judge_track
from contexts.redaction import redact_text
from contexts.spec.model import Track
from contexts.store.keys import track_document
from contexts.text.visible import show_invisible
from tasks.agents.backend import Backend, Delivery, Job
from tasks.git.snapshot import MACHINE
from tasks.run import budget as spending
from tasks.run.outcome import TrackNotCompleted, TrackOutcome
from tasks.run.progress import Progress, report
from tasks.run.track_runtime import TrackRuntime
from tasks.sandbox.clean_log import clean_log
from tasks.sandbox.outcome import read_log
from tasks.sandbox.ports import lend_ports
from tasks.track.attempt import Trial, earlier_attempts
from tasks.track.checkpoints import checkpointing, read_checkpoint
from tasks.track.document import describe_success, describe_unfinished, in_log
from tasks.track.handing_over import Stored, gathering, hand_over, take_up
from tasks.track.kept_work import keep_work
from tasks.track.workspace import Started, Work, collect, start_workspace


def bring_track(
    run: TrackRuntime, task_id: str, prerequisites: Mapping[str, ContextRef], *, number: int = 1
) -> TrackOutcome:
    """Bring one track to its context document.

    Args:
        run: The run.
        task_id: The track.
        prerequisites: Documents of the transitive prerequisites, all completed.
        number: Which try of this run it is, from 1; each one after the first waits before it begins.

    Raises:
        TrackNotCompleted: The agent did not deliver; its document, with the log, is saved.
        StoreError: The store did not take the document, so the track does not count as done.
    """
    track = run.spec.track(task_id)
    _back_off(run, task_id, number - 1)
    needed = _needed(run, track, prerequisites)
    backend = run.backend(track)
    results = {name: str(one.execution and one.execution.result) for name, one in needed.items()}
    inputs = run.inputs(track, results)
    saved = run.latest(track_document(task_id))
    earlier = stored = Stored(saved.ref, saved.context) if saved else None
    forced = run.is_forced(task_id) and number == 1
    if not forced:
        earlier = take_up(run, task_id, inputs, stored)
    if earlier and judge_track(earlier.context, inputs, forced=forced).action == "reuse":
        outcome = _completed(run, earlier, reused=True)
        said = str(earlier.ref) if earlier is stored else f"{earlier.ref}, saved from the outbox"
        report(Progress(run.workflow_id, "track", task_id, "reused", said, outcome.seconds))
        return outcome
    if spent := run.ledger.why_no_more:
        outcome = TrackOutcome(task_id, "out-of-budget", None, reason=spent)
        raise TrackNotCompleted(f"track {task_id}: {spent}", outcome=outcome)
    return _attempt(run, track, backend, inputs, needed, earlier.context if earlier else None)


def prerequisites_of(run: TrackRuntime, task_id: str) -> dict[str, ContextRef]:
    """Return the documents of a track's transitive prerequisites, as the store holds them.

    Raises:
        InputError: One of them is not completed.
    """
    found: dict[str, ContextRef] = {}
    for name in transitive_needs(run.spec, task_id):
        saved = run.latest(track_document(name))
        if saved is None or saved.context.status != "completed":
            raise InputError(f"track {task_id} needs {name}, which is not completed")
        found[name] = saved.ref
    return found


def _back_off(run: TrackRuntime, task_id: str, tried: int) -> None:
    """Wait before another attempt, here and not by Prefect, whose wait a stopped run would have to sit out.

    Raises:
        TrackNotCompleted: The run was stopped meanwhile.
    """
    backoff = float(run.spec.policy.retry_backoff_seconds) * 2 ** (min(tried, 10) - 1) if tried else 0.0
    if run.cancel.wait(backoff) if backoff else run.cancel.is_set():
        why = "the run was stopped"
        raise TrackNotCompleted(f"track {task_id}: {why}", outcome=TrackOutcome(task_id, "cancelled", None, reason=why))


def _needed(run: TrackRuntime, track: Track, prerequisites: Mapping[str, ContextRef]) -> dict[str, Context]:
    names = transitive_needs(run.spec, track.task_id)
    return dict(zip(names, run.store.load_contexts([prerequisites[name] for name in names]), strict=True))


def _completed(run: TrackRuntime, stored: Stored, *, reused: bool) -> TrackOutcome:
    context, task_id = stored.context, str(stored.context.task_id)
    execution = context.execution
    if execution is None:
        raise DocumentError(f"{stored.ref} does not say how the track was run", document=str(stored.ref))
    started, ended, seconds = execution.started_at, execution.completed_at, float(execution.seconds)
    recorded = False
    if execution.backend == "replay":
        planned = run.spec.track(task_id).started_at or (context.model_extra or {}).get("started_at")
        if planned and parse_instant(planned) <= parse_instant(context.timestamp):
            started, ended, recorded = planned, context.timestamp, True
            seconds = (parse_instant(ended) - parse_instant(started)).total_seconds()
    return TrackOutcome(
        task_id,
        "completed",
        stored.ref,
        reused=reused,
        attempts=len(execution.attempts),
        seconds=seconds,
        started_at=started,
        completed_at=ended,
        recorded=recorded,
    )


def _attempt(
    run: TrackRuntime,
    track: Track,
    backend: Backend,
    inputs: Inputs,
    needed: Mapping[str, Context],
    earlier: Context | None,
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
    said: list[Finding] = []
    try:
        place = start_workspace(run, track, needed) if backend.works else None
        failpoint("track.workspace-ready")
        delivery, log, said = _deliver(trial, place)
        if delivery.context is not None:
            try:
                work = collect(run, track, place, trial.store) if place else None
                context = describe_success(run, track, delivery, work)
                if said:
                    context = context.changed(findings=[*(context.findings or ()), *said])
                return _complete(trial, context, work, log, delivery)
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
    trial: Trial, context: Context, work: Work | None, log: BlobRef | None, delivery: Delivery
) -> TrackOutcome:
    result = result_digest(context.to_json(), work.tree if work else None)
    # What it says of its cost counts also where that does not fit.
    execution = trial.execution("completed", delivery.context, delivery, log=log, result=result, work=work)
    task_id = trial.track.task_id
    failpoint("track.before-save")
    saved = context.changed(execution=execution)
    ref = hand_over(trial.run, task_id, saved, trial.gathered)
    failpoint("track.after-save")
    report(Progress(trial.run.workflow_id, "track", task_id, "completed", str(ref), float(execution.seconds)))
    return _completed(trial.run, Stored(ref, saved), reused=False)


def _fail(
    trial: Trial, delivery: Delivery, log: BlobRef | None, work: Work | None, said: Sequence[Finding]
) -> TrackNotCompleted:
    run, task_id = trial.run, trial.track.task_id
    status = "cancelled" if delivery.cancelled else "failed"
    reason = show_invisible(redact_text(delivery.reason).text)  # it is told beyond the store, too
    delivery = replace(delivery, reason=reason)
    left = read_checkpoint(run.exchange(task_id) / "context.json") if trial.backend.works else None
    execution = trial.execution(status, left, delivery, log=log, work=work)

    def describe(checkpoint: JsonObject | None) -> Context:
        return describe_unfinished(run, trial.track, status, execution, delivery.reason, checkpoint, work, said)

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


def _deliver(trial: Trial, place: Started | None) -> tuple[Delivery, BlobRef | None, list[Finding]]:
    run, track = trial.run, trial.track
    exchange = run.exchange(track.task_id)
    log = exchange / f"attempt-{trial.number}.log"
    with lend_ports(track.ports) as lent:
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
    stated = {name: _contracts(one) for name, one in needed.items()}
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
        prerequisites={name: one.to_json() for name, one in needed.items()},
        contracts={name: contract for name, contract in stated.items() if contract is not None},
        last_failure=trial.tried[-1].reason or trial.tried[-1].status if trial.tried else None,
        checkpoint=trial.checkpoint,
        ports=list(ports),
    )


def _contracts(context: Context) -> JsonObject | None:
    """Return what a track says of interfaces: as handed in, or in the notations of older documents."""
    told = context.to_json()
    return told["contracts"] if is_object(told.get("contracts")) else context.api_contract_assumptions
