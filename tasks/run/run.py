"""One run of a workflow: what every phase needs at hand, opened once and closed with a reason."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from contexts.documents.base import JsonObject, now
from contexts.documents.context import Context
from contexts.documents.refs import ContextRef
from contexts.errors import LeaseLost, RevisionConflict, RunStopped, StopReason
from contexts.failpoints import failpoint
from contexts.json.values import section
from contexts.leases.held import HeldLease, failed_or_interrupted, held_lease
from contexts.leases.patient import PatientObjects, impatient
from contexts.plan.inputs_digest import Inputs
from contexts.spec.load import LoadedSpec
from contexts.spec.model import Spec, Track
from contexts.spec.programs import remember
from contexts.spec.request import RunRequest
from contexts.store.contexts import CONTEXT, ContextStore, Saved
from contexts.store.outbox import Outbox
from contexts.store.url import BLOCK, store_name
from tasks.agents.replay import Recording
from tasks.filesystem import remove_folder
from tasks.git.repository import Repository
from tasks.run.backends import Backend, backend_for
from tasks.run.base_commit import RESTORED, open_repository
from tasks.run.budget import Ledger
from tasks.run.outage import Outage
from tasks.run.outcome import TrackOutcome
from tasks.run.preflight import FOLDER_HINT, prepare, recordings_of
from tasks.run.required_programs import Purpose
from tasks.run.reuse import inputs_of, outbox_folder
from tasks.run.save_locks import Saves
from tasks.run.workspaces import workspace_root

REPORT = "report.html"
"""The latest report of a workflow, beside its workspaces."""
RESULT = "result"
"""Folder with the integrated files, where no repository of the user's receives a branch."""
_LOOK_EVERY = 0.5


class Run:
    """One run of one workflow.

    It is a resource, not a document: it stays in the flow's process and is never stored.

    Attributes:
        id: Names this run among the workflow's runs.
        spec: What is to be built.
        raw: The spec as it was written, for the store.
        folder: What ``{spec_dir}`` means.
        known: What counts instead of the files there, where the workflow goes on from its store.
        programs: What the files hold that the spec's commands name outside the repository, for the store.
        store: Where contexts go. Whoever asks it waits, in an outage, as long as the spec's policy says.
        outbox: What finished agents left, until the store has taken it.
        outage: What is told where the store does not answer.
        repository: Where branches are integrated; an empty one where the spec names none.
        base: The commit tracks start from.
        recordings: Recorded track documents, by task_id.
        forced: Tracks that run whatever the store holds.
        block: The saved block the store was opened from, as ``slug/name``; None for a folder or URL.
        cancel: Set when everything is to stop.
        ledger: What the tracks have cost.
        phases: When each finished phase began and ended.
        endings: How each track's task ended in this run, an outcome or an error: Prefect may lose it afterwards.
    """

    def __init__(
        self,
        *,
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
        block: str | None = None,
    ) -> None:
        self.id = uuid4().hex[:12]
        self.started_at = now()
        self.spec: Spec = loaded.spec
        self.raw: JsonObject = loaded.raw
        self.folder: Path = loaded.folder
        self.known = loaded.known
        self.programs = remember(loaded.spec, loaded.folder, loaded.known)
        self.workflow_id = workflow_id
        self.cancel = threading.Event()
        self.outage = outage
        self.outbox = outage.outbox
        self.store = store.over(
            PatientObjects(store.objects, lease, patience=outage.patience, stop=self.cancel, told=outage.tell)
        )
        self.repository = repository
        self.base = base
        self.recordings = recordings
        self.forced = forced
        self.ledger = Ledger(self.spec.budget)
        self.lease = lease
        self.block = block
        self.phases: list[JsonObject] = []
        self.endings: dict[str, TrackOutcome | Exception] = {}
        self._stopped: StopReason | None = None
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
        return self.has_repository and self.repository.source.git_dir != self.repository.root / RESTORED

    @contextlib.contextmanager
    def phase(self, name: str) -> Generator[None]:
        """Record when a phase began and ended; a run that a person stopped begins none, and ends none well."""
        self.check_going()
        record: JsonObject = {"name": name, "started_at": now()}
        try:
            yield
            self.check_going()
        finally:
            self.phases.append({**record, "completed_at": now()})

    def stop(self, reason: StopReason) -> None:
        """Stop the run, from any thread: agents are ended, and the flow stops at its next step.

        Args:
            reason: What was done to its flow run.
        """
        self._stopped = self._stopped or reason
        self.cancel.set()

    def check_going(self) -> None:
        """Go on only if nobody has stopped the run.

        Raises:
            RunStopped: Somebody has.
        """
        if self._stopped:
            what = f"{self.workflow_id} was {self._stopped}"
            if self._stopped == "deleted":
                what = f"the flow run of {self.workflow_id} was deleted in Prefect"
            raise RunStopped(
                f"{what}; what was finished is kept, and the next run goes on from it", reason=self._stopped
            )

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

    def latest_of(self, names: Iterable[str]) -> dict[str, JsonObject]:
        """Return the newest revisions of several documents that this run knows of, by name."""
        known = [(name, self._last[name]) for name in names if name in self._last]
        return self.store.load_revisions(self.workflow_id, known) if known else {}

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
                self.lease.check()
                if not self._saved_itself(store, name, after + 1):
                    raise
                ref = store.save(document, workflow_id=self.workflow_id, name=name, after=after + 1)
            self._last[name] = ref.revision
        return ref

    def _saved_itself(self, store: ContextStore, name: str, revision: int) -> bool:
        """Say whether a revision is one of this very run, saved although no answer came back."""
        document = store.load_revision(self.workflow_id, name, revision)[1]
        return self.id in {section(document, "execution").get("run_id"), section(document, "run").get("id")}

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


@contextlib.contextmanager
def open_run(
    request: RunRequest,
    owner: Callable[[], str] = lambda: uuid4().hex,
    *,
    only_ended: bool = False,
    purpose: Purpose = "build",
    at: Callable[[], datetime] = lambda: datetime.now(UTC),
    reason_of: Callable[[BaseException], str] = failed_or_interrupted,
) -> Generator[Run]:
    """Open a run: spec, store, lease, repository, base; and end the lease with its reason, however the run ends.

    Args:
        request: What is to be run.
        owner: Gives the name under which the lease is held.
        only_ended: Leave a run that was interrupted to whoever resumes it.
        purpose: What the run is for, which says whose programs must be at hand.
        at: Gives the moment that ``{date}`` and ``{time}`` of a workflow id mean.
        reason_of: Says what the lease ends with when an exception ends the run.

    Everything that can be wrong with the input is found here, before any agent starts.

    Raises:
        InputError: The spec, the repository or a recording cannot be used.
        StoreError: The store cannot be reached or written.
        LeaseHeld: Another run owns the workflow, or with ``only_ended`` was interrupted.
    """
    ready = prepare(request, purpose, at())
    store, loaded, workflow_id = ready.store, ready.loaded, ready.workflow_id
    outbox = Outbox(outbox_folder(workspace_root(store, workflow_id)), store, workflow_id)
    outage = Outage(workflow_id, outbox, float(loaded.spec.policy.store_patience_minutes) * 60)
    with (
        outage.told_at_end(),
        held_lease(
            store.objects,
            workflow_id,
            owner=owner(),
            only_ended=only_ended,
            reason_of=reason_of,
            endures=outage.patience,
        ) as lease,
    ):
        revisions = store.revisions(workflow_id)
        earlier = store.load_revision(workflow_id, CONTEXT, revisions[CONTEXT][-1])[1] if CONTEXT in revisions else {}
        recordings = recordings_of(request, ready, earlier)
        repository, base = open_repository(
            loaded, store, workflow_id, earlier, named=request.repository, fresh=request.fresh
        )
        run = Run(
            loaded=loaded,
            workflow_id=workflow_id,
            store=store,
            repository=repository,
            base=base,
            recordings=recordings,
            forced=ready.forced,
            lease=lease,
            revisions=revisions,
            outage=outage,
            block=_block_name(request.store),
        )
        if loaded.programs is None or loaded.programs.how != "none":
            (repository.root / FOLDER_HINT).write_text(str(loaded.folder), encoding="utf-8")
        failpoint("run.opened")
        for name, watch in (
            ("lease-watch", lambda: _stop_when_lost(run)),
            ("outages", lambda: outage.tell_while_unsure(lambda: lease.unsure, run.cancel)),
        ):
            threading.Thread(target=watch, name=f"plait-{name}", daemon=True).start()
        try:
            yield run
        finally:
            run.close()


def _block_name(store: str | None) -> str | None:
    name = store_name(store)
    return name.removeprefix(BLOCK) if name.startswith(BLOCK) else None


def _stop_when_lost(run: Run) -> None:
    """Stop a run whose lease is lost; what its agents leave is kept in the outbox. Nothing else may end this watch."""
    while not run.cancel.is_set():
        if run.lease.lost.wait(_LOOK_EVERY):
            run.cancel.set()
