"""A track's result on its way into the store: kept on this machine until it is there, and taken up again later."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from contexts.documents.codec import validate
from contexts.documents.context import Context
from contexts.documents.refs import ContextRef
from contexts.errors import MAY_PASS, Conflict, DocumentError, ObjectExists, StoreError
from contexts.failpoints import failpoint
from contexts.plan.inputs_digest import Inputs
from contexts.store.contexts import ContextStore, track_document
from contexts.store.gathered import GatheredObjects
from contexts.store.outbox import Kept
from tasks.run import budget as spending
from tasks.run.track_runtime import TrackRuntime


class Stored(NamedTuple):
    """A track's document that the store holds."""

    ref: ContextRef
    context: Context


def gathering(run: TrackRuntime) -> tuple[ContextStore, GatheredObjects]:
    """Return a store in memory for what an attempt leaves, as the run's own would keep it, and what lies in it."""
    objects = GatheredObjects(run.store.identity)
    return run.store.over(objects), objects


def hand_over(run: TrackRuntime, task_id: str, context: Context, gathered: GatheredObjects) -> ContextRef:
    """Save a track's document and what it refers to; until the store has all of it, it is kept in the outbox.

    Nothing that an agent has finished is in memory alone while a store is waited for, since this machine may die
    meanwhile. A request to a bucket may wait by itself, so there the result is kept first. A folder says at once
    whether it takes it, so it is tried once, and only what it has not taken is kept, before it is waited for.

    Args:
        run: The run.
        task_id: The track.
        context: Its document, with its execution.
        gathered: Its log and its commits.

    Raises:
        SecretRefused: The spec refuses secret values, and the document holds one.
        StoreError: The store did not take it; it is kept, or the message says why it could not be.
        Conflict: Another run owns the workflow, or saved the track meanwhile; it is kept.
    """
    kept: Kept | None = None
    problem: StoreError | None = None

    def keep() -> Kept:
        revision = run.next_revision(track_document(task_id))
        return run.outage.outbox.keep(task_id, context.to_json(), revision, gathered.bodies)

    try:
        if run.store.identity.startswith("file:"):
            try:
                return _save(run, task_id, context, gathered, at_once=True)
            except MAY_PASS:
                pass  # it is waited for below
        try:
            kept = keep()
        except StoreError as error:  # the store may well take it
            problem = error
        ref = _save(run, task_id, context, gathered)
    except (StoreError, Conflict) as error:
        if problem is not None:
            raise StoreError(f"{error.message}; {problem.message}") from error
        if kept is None:
            _keep_or_say(keep, error)
        raise
    if kept is not None:
        _remove(run, kept)
    return ref


def _save(
    run: TrackRuntime, task_id: str, context: Context, gathered: GatheredObjects, *, at_once: bool = False
) -> ContextRef:
    store = run.ready_store(at_once=at_once)
    for key, body in gathered.bodies.items():
        try:
            store.objects.create(key, body)
        except ObjectExists:
            continue  # its name is its content
    failpoint("outbox.before-save")
    ref = run.save(track_document(task_id), context, at_once=at_once)
    failpoint("outbox.saved")
    return ref


def _remove(run: TrackRuntime, kept: Kept) -> None:
    run.outage.outbox.remove(kept)
    failpoint("outbox.removed")


def _keep_or_say(keep: Callable[[], Kept], error: StoreError | Conflict) -> None:
    try:
        keep()
    except StoreError as second:
        raise error.anew(f"{error.message}; {second.message}") from error


def take_up(run: TrackRuntime, task_id: str, inputs: Inputs, earlier: Stored | None) -> Stored | None:
    """Save what the outbox holds of a track and is still wanted; return the newest revision of its document.

    Wanted is what was made from the same inputs: a completed result, as long as nobody has saved one since; of an
    attempt that was cut off the record and the checkpoint, if nothing at all was saved since.

    Args:
        run: The run.
        task_id: The track.
        inputs: What decides its result now.
        earlier: The newest revision of its document that the store holds.
    """
    newest = earlier
    for kept in run.outage.entries(task_id):
        try:
            document, blobs = run.outage.outbox.open(kept)
            context = validate(document, f"{kept.folder}")
        except DocumentError as error:  # damaged, or of another format
            run.outage.note(error.message)
            continue
        if context.execution is None or context.execution.inputs != inputs.digest:
            run.outage.note(f"what {kept.folder} keeps of track {task_id} is not used: its inputs changed since")
            continue
        done = newest is not None and _is_completed(newest.context, inputs)
        follows = kept.revision == run.next_revision(track_document(task_id))
        if not done and (_is_completed(context, inputs) or follows):
            ref = _save(run, task_id, context, GatheredObjects(run.store.identity, blobs))
            run.ledger.note(task_id, spending.recorded(context))
            newest = Stored(ref, context)
        _remove(run, kept)
    return newest


def _is_completed(context: Context, inputs: Inputs) -> bool:
    execution = context.execution
    return context.status == "completed" and execution is not None and execution.inputs == inputs.digest
