"""Open what a track needs from a reference alone: in any process that reaches the store, for a run that is going."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator
from dataclasses import dataclass
from secrets import token_hex

from contexts.errors import InputError
from contexts.leases.watched import watched_lease
from contexts.redaction import know_values_of
from contexts.spec.request import RunRequest
from contexts.store.cache import CachedObjects
from contexts.store.contexts import CONTEXT, ContextStore
from contexts.store.outbox import Outbox
from contexts.store.url import open_objects
from tasks.run.backends import recordings_for, stored_recordings
from tasks.run.base_commit import open_repository
from tasks.run.outage import Outage
from tasks.run.preflight import load_request
from tasks.run.required_programs import refuse_without_programs_of
from tasks.run.reuse import outbox_folder
from tasks.run.runtime import Runtime, stop_when_lost
from tasks.run.workspaces import workspace_root


@dataclass(frozen=True, slots=True)
class TrackReference:
    """One track of the run that is going.

    Attributes:
        store: The store, as ``--store`` names it.
        workflow_id: The workflow.
        task_id: The track.
    """

    store: str
    workflow_id: str
    task_id: str


@contextlib.contextmanager
def open_track(reference: TrackReference) -> Generator[Runtime]:
    """Open the run that a track belongs to, as the run's own process has saved it.

    The spec, the base commit and recordings are those the run began with. Nothing is written unless that run is seen
    to go on: what is written here is written in its name. Once it has ended, `Runtime.cancel` is set. A reference is
    for one process: of two that save the same track, one meets a conflict.

    Raises:
        InputError: The workflow has no such track, or a program that it is to run is not here.
        LeaseLost: No run of the workflow is going.
        RepositoryError: The repository is not within reach, and the store has no copy of the base.
        StoreError: The store cannot be read.
    """
    workflow_id = reference.workflow_id
    reading = ContextStore(CachedObjects(open_objects(reference.store)))
    loaded = load_request(RunRequest(workflow_id=workflow_id, store=reference.store), reading)
    know_values_of(loaded.raw, None)
    if reference.task_id not in {track.task_id for track in loaded.spec.parallel_tasks}:
        raise InputError(f"{workflow_id} has no track {reference.task_id!r}", name=reference.task_id)
    store = reading.with_policy(loaded.spec.secrets)
    outbox = Outbox(outbox_folder(workspace_root(store, workflow_id)), store, workflow_id)
    outage = Outage(workflow_id, outbox, float(loaded.spec.policy.store_patience_minutes) * 60)
    with outage.told_at_end(), watched_lease(store.objects, workflow_id, endures=outage.patience) as lease:
        revisions = store.revisions(workflow_id)
        record = store.load_revision(workflow_id, CONTEXT, revisions[CONTEXT][-1]).context.run
        stored = stored_recordings(store, workflow_id, record)
        repository, base = open_repository(loaded, store, workflow_id, record, named=None, fresh=False)
        run = Runtime(
            run_id=f"{record.id if record else lease.record.owner}-{token_hex(4)}",
            loaded=loaded,
            workflow_id=workflow_id,
            store=store,
            repository=repository,
            base=base,
            recordings=recordings_for(loaded, replay=None, stored=stored),
            forced=frozenset(),
            lease=lease,
            revisions=revisions,
            outage=outage,
        )
        refuse_without_programs_of(run.spec, loaded, workflow_id, reference.task_id, run.recordings)
        run.count_earlier_runs()
        threading.Thread(target=stop_when_lost, args=(run,), name="plait-lease-watch", daemon=True).start()
        try:
            yield run
        finally:
            run.close()
