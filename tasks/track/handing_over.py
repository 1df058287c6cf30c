"""A track's result on its way into the store: kept on this machine until it is there, and taken up again later."""

from __future__ import annotations

from collections.abc import Callable

from contexts.documents.base import JsonObject
from contexts.documents.refs import ContextRef
from contexts.errors import MAY_PASS, ChecksumMismatch, Conflict, ObjectExists, StoreError
from contexts.failpoints import failpoint
from contexts.json.values import section
from contexts.plan.inputs_digest import Inputs
from contexts.store.contexts import ContextStore, track_document
from contexts.store.gathered import GatheredObjects
from contexts.store.outbox import Kept
from tasks.run import budget as spending
from tasks.run.run import Run


def gathering(run: Run) -> tuple[ContextStore, GatheredObjects]:
    """Return a store in memory for what an attempt leaves, as the run's own would keep it, and what lies in it."""
    objects = GatheredObjects(run.store.identity)
    return run.store.over(objects), objects


def hand_over(run: Run, task_id: str, document: JsonObject, gathered: GatheredObjects) -> ContextRef:
    """Save a track's document and what it refers to; until the store has all of it, it is kept in the outbox.

    Nothing that an agent has finished is in memory alone while a store is waited for, since this machine may die
    meanwhile. A request to a bucket may wait by itself, so there the result is kept first. A folder says at once
    whether it takes it, so it is tried once, and only what it has not taken is kept, before it is waited for.

    Args:
        run: The run.
        task_id: The track.
        document: Its document, with its execution.
        gathered: Its log and its commits.

    Raises:
        SecretRefused: The spec refuses secret values, and the document holds one.
        StoreError: The store did not take it; it is kept, or the message says why it could not be.
        Conflict: Another run owns the workflow, or saved the track meanwhile; it is kept.
    """
    kept: Kept | None = None
    problem: StoreError | None = None

    def keep() -> Kept:
        return run.outbox.keep(task_id, document, run.next_revision(track_document(task_id)), gathered.bodies)

    try:
        if run.store.identity.startswith("file:"):
            try:
                return _save(run, task_id, document, gathered, at_once=True)
            except MAY_PASS:
                pass  # it is waited for below
        try:
            kept = keep()
        except StoreError as error:  # the store may well take it
            problem = error
        ref = _save(run, task_id, document, gathered)
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
    run: Run, task_id: str, document: JsonObject, gathered: GatheredObjects, *, at_once: bool = False
) -> ContextRef:
    store = run.ready_store(at_once=at_once)
    for key, body in gathered.bodies.items():
        try:
            store.objects.create(key, body)
        except ObjectExists:
            continue  # its name is its content
    failpoint("outbox.before-save")
    ref = run.save(track_document(task_id), document, at_once=at_once)
    failpoint("outbox.saved")
    return ref


def _remove(run: Run, kept: Kept) -> None:
    run.outbox.remove(kept)
    failpoint("outbox.removed")


def _keep_or_say(keep: Callable[[], Kept], error: StoreError | Conflict) -> None:
    try:
        keep()
    except StoreError as second:
        raise error.anew(f"{error.message}; {second.message}") from error


def take_up(
    run: Run, task_id: str, inputs: Inputs, earlier: tuple[ContextRef, JsonObject] | None
) -> tuple[ContextRef, JsonObject] | None:
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
            document, blobs = run.outbox.open(kept)
        except ChecksumMismatch as error:
            run.outage.note(error.message)
            continue
        if section(document, "execution").get("inputs") != inputs.digest:
            run.outage.note(f"what {kept.folder} keeps of track {task_id} is not used: its inputs changed since")
            continue
        done = newest is not None and _is_completed(newest[1], inputs)
        follows = kept.revision == run.next_revision(track_document(task_id))
        if not done and (_is_completed(document, inputs) or follows):
            ref = _save(run, task_id, document, GatheredObjects(run.store.identity, blobs))
            run.ledger.note(task_id, spending.recorded(document))
            newest = ref, document
        _remove(run, kept)
    return newest


def _is_completed(document: JsonObject, inputs: Inputs) -> bool:
    return document.get("status") == "completed" and section(document, "execution").get("inputs") == inputs.digest
