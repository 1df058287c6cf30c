"""A run as its tracks see it: the spec, the repository, and the workflow's documents under its lease."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

from contexts.documents.base import JsonObject
from contexts.documents.context import Context
from contexts.documents.refs import ContextRef
from contexts.errors import LeaseLost, RevisionConflict
from contexts.leases.held import HeldLease
from contexts.leases.patient import PatientObjects, impatient
from contexts.plan.inputs_digest import Inputs
from contexts.spec.load import LoadedSpec
from contexts.spec.model import Spec, Track
from contexts.store.contexts import ContextStore, Saved
from contexts.store.keys import track_document
from tasks.agents.replay import Recording
from tasks.filesystem import remove_folder
from tasks.git.repository import Repository
from tasks.run.backends import Backend, backend_for
from tasks.run.base_commit import RESTORED
from tasks.run.budget import Ledger, recorded
from tasks.run.outage import Outage
from tasks.run.reuse import inputs_of
from tasks.run.save_locks import Saves

_LOOK_EVERY = 0.5


class Runtime:
    """One run of one workflow, as far as tracks need it; a `tasks.run.track_runtime.TrackRuntime`.

    It is a resource, not a document: it stays in its process and is never stored.

    Attributes:
        id: Names this run among the workflow's runs.
        spec: What is to be built.
        folder: What ``{spec_dir}`` means.
        known: What counts instead of the files there, where the workflow goes on from its store.
        store: Where contexts go. Whoever asks it waits, in an outage, as long as the spec's policy says.
        outage: What is told where the store does not answer, and what finished agents left until it has taken that.
        repository: Where branches are integrated; an empty one where the spec names none.
        base: The commit tracks start from.
        recordings: Recorded track documents, by task_id.
        forced: Tracks that run whatever the store holds.
        lease: What says that the workflow is this run's.
        cancel: Set when everything is to stop.
        ledger: What the tracks have cost.
    """

    def __init__(
        self,
        *,
        run_id: str,
        loaded: LoadedSpec,
        workflow_id: str,
        store: ContextStore,
        repository: Repository,
        base: str,
        recordings: Mapping[str, Recording],
        forced: frozenset[str],
        lease: HeldLease,
        revisions: Mapping[str, tuple[int, ...]],
        outage: Outage,
    ) -> None:
        self.id = run_id
        self.spec: Spec = loaded.spec
        self.folder: Path = loaded.folder
        self.known = loaded.known
        self.workflow_id = workflow_id
        self.cancel = threading.Event()
        self.outage = outage
        self.store = store.over(
            PatientObjects(store.objects, lease, patience=outage.patience, stop=self.cancel, told=outage.tell)
        )
        self.repository = repository
        self.base = base
        self.recordings = recordings
        self.forced = forced
        self.ledger = Ledger(self.spec.budget)
        self.lease = lease
        self._last = {name: numbers[-1] for name, numbers in revisions.items()}
        self._saves = Saves()
        self._at_once = store.over(impatient(store.objects, lease))

    @property
    def has_repository(self) -> bool:
        """Whether a repository is the base of the work."""
        return self.spec.repository is not None

    @property
    def delivers(self) -> bool:
        """Whether the user's own repository is within reach and receives a branch."""
        return self.has_repository and self.repository.user.git_dir != self.repository.root / RESTORED

    def is_forced(self, task_id: str) -> bool:
        """Whether a track runs whatever the store holds."""
        return task_id in self.forced

    def close(self) -> None:
        """Stop what is still going on; from here on nothing is saved, because the lease is about to end."""
        self.cancel.set()
        self._saves.close()

    def latest(self, name: str) -> Saved | None:
        """Return the newest revision of a document that this run knows of, by one read; None if there is none."""
        number = self._last.get(name)
        return self.store.load_revision(self.workflow_id, name, number) if number else None

    def knows(self, name: str) -> bool:
        """Say whether a document was ever saved, as far as this run knows."""
        return name in self._last

    def latest_of(self, names: Iterable[str]) -> dict[str, Context]:
        """Return the newest revisions of several documents that this run knows of, by name."""
        known = [(name, self._last[name]) for name in names if name in self._last]
        return self.store.load_revisions(self.workflow_id, known) if known else {}

    def count_earlier_runs(self) -> None:
        """Enter into the ledger what the tracks have cost until now, where there is a budget to hold."""
        if self.ledger.is_limited:
            names = {track_document(track.task_id): track.task_id for track in self.spec.parallel_tasks}
            for name, context in self.latest_of(names).items():
                self.ledger.note(names[name], recorded(context))

    def save(self, name: str, document: Context | JsonObject, *, at_once: bool = False) -> ContextRef:
        """Save a document as the revision after the last one this run has read or written.

        Args:
            name: The document's name.
            document: The document.
            at_once: Do not wait for a store that does not answer.

        Raises:
            LeaseLost: This run no longer owns the workflow; nothing was written.
            RevisionConflict: Somebody saved in between although this run still owns the workflow.
            StoreUnreachable: The store did not answer, for as long as the run has patience.
        """
        with self._saves.of(name) as may_save:
            if not may_save:
                raise LeaseLost(f"this run of {self.workflow_id} has ended; {name} was not saved: run again to go on")
            store = self.ready_store(at_once=at_once)
            after = self._last.get(name, 0)
            try:
                ref = store.save(document, workflow_id=self.workflow_id, name=name, after=after)
            except RevisionConflict:
                self.lease.ensure_held()
                if not self._saved_itself(store, name, after + 1):
                    raise
                ref = store.save(document, workflow_id=self.workflow_id, name=name, after=after + 1)
            self._last[name] = ref.revision
        return ref

    def _saved_itself(self, store: ContextStore, name: str, revision: int) -> bool:
        """Say whether a revision is one of this very run, saved although no answer came back."""
        context = store.load_revision(self.workflow_id, name, revision).context
        return self.id in {context.execution and context.execution.run_id, context.run and context.run.id}

    def next_revision(self, name: str) -> int:
        """Return the number of the revision that the next save of a document makes."""
        return self._last.get(name, 0) + 1

    def ready_store(self, *, at_once: bool = False) -> ContextStore:
        """Return the store to write to, once this run is sure of its lease, which in an outage it waits for.

        Args:
            at_once: Wait neither for that nor, with the store that is returned, for an answer later.

        Raises:
            LeaseLost: Another run owns the workflow.
            StoreUnreachable: The run's patience is over, or it is to stop; with ``at_once`` where it would wait.
        """
        if at_once:
            self.lease.wait_until_held(stop=lambda: True)
            return self._at_once
        self.lease.wait_until_held(stop=self.cancel.is_set, told=self.outage.tell)
        return self.store

    def backend(self, track: Track) -> Backend:
        """Return what really runs a track."""
        return backend_for(self.spec, track, folder=self.folder, recordings=self.recordings)

    def inputs(self, track: Track, results: Mapping[str, str]) -> Inputs:
        """Return what decides a track's result, from the result digests of its prerequisites."""
        base = self.base if self.has_repository else None
        return inputs_of(
            self.spec,
            track,
            folder=self.folder,
            known=self.known,
            recordings=self.recordings,
            base=base,
            results=results,
        )

    def exchange(self, task_id: str) -> Path:
        """Return a track's own folder beside its workspace: assignment, context, log, home."""
        folder = self.repository.root / "tracks" / task_id
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            remove_folder(folder)  # an agent put it in its folder's place; what a link leads to is left alone
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def stop_when_lost(run: Runtime) -> None:
    """Stop a run whose lease is lost; what its agents leave is kept in the outbox. Nothing else may end this watch."""
    while not run.cancel.is_set():
        if run.lease.lost.wait(_LOOK_EVERY):
            run.cancel.set()
