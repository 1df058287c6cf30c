"""One run of a workflow: what every phase needs at hand, opened once and closed with a reason."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime
from uuid import uuid4

from contexts.documents.base import JsonObject, now
from contexts.documents.records import PhaseRecord
from contexts.errors import RunStopped, StopReason
from contexts.failpoints import failpoint
from contexts.leases.held import HeldLease, failed_or_interrupted, held_lease
from contexts.spec.load import LoadedSpec
from contexts.spec.programs import remember
from contexts.spec.request import RunRequest
from contexts.store.contexts import CONTEXT, ContextStore
from contexts.store.outbox import Outbox
from contexts.store.url import BLOCK, store_name
from tasks.agents.replay import Recording
from tasks.git.repository import Repository
from tasks.run.base_commit import open_repository
from tasks.run.outage import Outage
from tasks.run.outcome import TrackOutcome
from tasks.run.preflight import FOLDER_HINT, prepare, recordings_of
from tasks.run.required_programs import Purpose
from tasks.run.reuse import outbox_folder
from tasks.run.runtime import Runtime, stop_when_lost
from tasks.run.workspaces import workspace_root

REPORT = "report.html"
"""The latest report of a workflow, beside its workspaces."""
RESULT = "result"
"""Folder with the integrated files, where no repository of the user's receives a branch."""


class Run(Runtime):
    """One run of one workflow in the flow's process: what its tracks need, and its phases.

    Attributes:
        raw: The spec as it was written, for the store.
        programs: What the files hold that the spec's commands name outside the repository, for the store.
        block: The saved block the store was opened from, as ``slug/name``; None for a folder or URL.
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
        super().__init__(
            run_id=uuid4().hex[:12],
            loaded=loaded,
            workflow_id=workflow_id,
            store=store,
            repository=repository,
            base=base,
            recordings=recordings,
            forced=forced,
            lease=lease,
            revisions=revisions,
            outage=outage,
        )
        self.started_at = now()
        self.raw: JsonObject = loaded.raw
        self.programs = remember(loaded.spec, loaded.folder, loaded.known)
        self.block = block
        self.phases: list[PhaseRecord] = []
        self.endings: dict[str, TrackOutcome | Exception] = {}
        self._stopped: StopReason | None = None

    @contextlib.contextmanager
    def phase(self, name: str) -> Generator[None]:
        """Record when a phase began and ended; a run that a person stopped begins none, and ends none well."""
        self.ensure_going()
        began = now()
        try:
            yield
            self.ensure_going()
        finally:
            self.phases.append(PhaseRecord(name=name, started_at=began, completed_at=now()))

    def stop(self, reason: StopReason) -> None:
        """Stop the run, from any thread: agents are ended, and the flow stops at its next step.

        Args:
            reason: What was done to its flow run.
        """
        self._stopped = self._stopped or reason
        self.cancel.set()

    def ensure_going(self) -> None:
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
        earlier = None
        if CONTEXT in revisions:
            earlier = store.load_revision(workflow_id, CONTEXT, revisions[CONTEXT][-1]).context.run
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
            ("lease-watch", lambda: stop_when_lost(run)),
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
