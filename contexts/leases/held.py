"""Hold a workflow's lease for as long as a block of code runs, with a thread that keeps it alive."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Generator

from contexts.errors import MAY_PASS, LeaseLost, PlaitError, StoreError, StoreUnreachable
from contexts.failpoints import failpoint
from contexts.leases.lease import RENEW_EVERY, STALE_AFTER, Clock, Lease, acquire
from contexts.leases.record import INTERRUPTED, LeaseRecord
from contexts.store.objects import ObjectStore

_AFTER_FAILURE = 1.0
"""Seconds until the next try after a heartbeat the store did not take."""
_LOOK_EVERY = 0.2
"""Seconds between two looks at whether a wait is to end for another reason."""
_END_WITHIN = 10.0
"""Seconds a run waits at its end for the store to take the lease's end: an outage must not hold up a cancellation."""


def _nobody() -> None:
    """Tell nobody."""


class HeldLease:
    """A lease kept alive in the background.

    Args:
        lease: The lease, just taken.
        every: Seconds between two heartbeats.
        endures: Seconds for which an outage of the store is endured beyond the 50 s after which nothing is written any
            more: while it lasts nobody else can take the lease through that store, and a renewal afterwards tells
            whether somebody has reached it by another way. None: the lease is given up after the 50 s.

    Attributes:
        lost: Set once another run has the lease, or it was given up: stop for good.
        ended: Whether the block has ended, and the lease with it.
        before: What it said when it was taken; None where there was none.
        end_reason: What the lease will say when the block ends; set it before leaving. Otherwise ``finished``, or
            what ``reason_of`` says of the exception that ended it.
    """

    def __init__(self, lease: Lease, *, every: float, endures: float | None = None) -> None:
        self.lost = threading.Event()
        self.ended = False
        self.end_reason: str | None = None
        self.before = lease.before
        self._lease = lease
        self._every = every
        self._endures = endures
        self._renewed = threading.Condition()
        self._renewed_at = time.monotonic()
        self._stop = threading.Event()
        self._cause: BaseException | None = None
        self._release_error: PlaitError | None = None
        self._thread = threading.Thread(target=self._keep, name=f"lease-{lease.record.workflow_id}", daemon=True)

    @property
    def record(self) -> LeaseRecord:
        """What the store holds, as far as this run knows."""
        return self._lease.record

    def ensure_held(self) -> None:
        """Make sure the lease is still held, by reading it again; call it where a save met a conflict.

        Raises:
            LeaseLost: Another run has the lease, or may have taken it while the store could not be reached.
        """
        self.wait_until_held()
        try:
            self._lease.ensure_held()
        except LeaseLost:
            self.lost.set()
            raise

    def ensure_held_locally(self) -> None:
        """Make sure, without asking the store, that the lease was not lost; call it before every save.

        Raises:
            LeaseLost: Another run has it; or, where no outage is endured, it was not renewed for so long that others
                may have it.
            StoreUnreachable: The store did not answer for as long as an outage is endured.
            StoreError: It answered, and did not take the lease.
        """
        if self._endures is None and self._lease.overdue:
            self.lost.set()
        if self.lost.is_set():
            raise self._loss()

    @property
    def unsure(self) -> bool:
        """Whether the store did not answer the last heartbeat, or took none for so long that others may have it."""
        return self._lease.overdue or isinstance(self._cause, MAY_PASS)

    @property
    def may_write(self) -> bool:
        """Whether the last heartbeat is so young that what is sent now lands before anybody else may take over.

        Half of the 50 s must be left, so that with the 10 s until others take over 35 s remain: more than the 20 s
        for which an answer is waited for.
        """
        return not (self.ended or self.lost.is_set() or self._lease.silent_for(self._lease.own_limit / 2))

    def wait_until_held(
        self,
        *,
        to_write: bool = False,
        since: float | None = None,
        stop: Callable[[], bool] = lambda: False,
        told: Callable[[], None] = _nobody,
    ) -> None:
        """Wait until nobody else may hold the lease: at once but in an outage.

        Args:
            to_write: Wait until something may be sent under it, as `may_write` says.
            since: Wait for a heartbeat that the store took later than this, by `time.monotonic`.
            stop: Says when to wait no longer.
            told: Called once if there is something to wait for.

        Raises:
            LeaseLost: As `ensure_held_locally`.
            StoreUnreachable: As `ensure_held_locally`, or ``stop`` has ended the wait.
        """
        waited = False
        while True:
            self.ensure_held_locally()
            is_held = self.may_write if to_write else not self._lease.overdue
            if is_held and (since is None or self._renewed_at > since):
                return
            if stop():
                raise self._unreachable("nobody waits for it any more")
            if not waited:
                told()
                waited = True
            with self._renewed:
                self._renewed.wait(_LOOK_EVERY)

    def _loss(self) -> LeaseLost | StoreError:
        if isinstance(self._cause, LeaseLost):
            return self._cause.anew()
        if self._endures is not None and isinstance(self._cause, StoreError):
            if not isinstance(self._cause, MAY_PASS):  # it answers: a full disk, a permission that is gone
                return self._cause.anew()
            limit = self._lease.own_limit + self._endures
            return self._unreachable(f"for {limit / 60:.0f} min" if limit >= 90 else f"for {limit:.0f} s")
        workflow_id = self.record.workflow_id
        return LeaseLost(
            f"the lease of workflow {workflow_id} could not be renewed in time ({self._cause or 'no answer'}), so "
            "another run may own it: this one has stopped writing; run again when the store answers",
            workflow_id=workflow_id,
        )

    def _unreachable(self, how: str) -> StoreUnreachable:
        workflow_id = self.record.workflow_id
        return StoreUnreachable(
            f"the store took no heartbeat of {workflow_id}, {how} ({self._cause or 'no answer'}), so this run has "
            "stopped: run again when it answers",
            workflow_id=workflow_id,
        )

    def _keep(self) -> None:
        wait = self._every
        while not self._stop.wait(wait):
            began = time.monotonic()
            try:
                if not self._lease.renew():
                    self._cause = None
                    wait = self._every
                    continue
            except StoreError as error:
                # An outage that is shorter than the others' patience, or endured, costs nothing: try again soon.
                self._cause = error
                wait = min(self._every, _AFTER_FAILURE)
                endures = (self._endures or 0.0) if isinstance(error, MAY_PASS) else 0.0
                if self._lease.silent_for(self._lease.own_limit + endures):
                    self.lost.set()
                    return
            except LeaseLost as error:
                self._cause = error
                self.lost.set()
                return
            except PlaitError as error:  # what stands in its place is no lease
                self._cause = error
                self.lost.set()
                return
            except BaseException as error:
                self._cause = error
                self.lost.set()
                raise
            else:
                self._cause = None
                self._renewed_at = time.monotonic()
                with self._renewed:
                    self._renewed.notify_all()
                # One that was long on its way says how things were when it was sent: the next follows sooner.
                wait = max(self._every - (self._renewed_at - began), min(self._every, _AFTER_FAILURE))
        failpoint("lease.before-release")
        try:
            self._lease.release(self.end_reason or "finished")
        except PlaitError as error:
            self._release_error = error

    def start(self) -> None:
        """Begin renewing."""
        self._thread.start()

    def finish(self, default_reason: str) -> None:
        """Stop renewing, and end the lease with its reason if it is still held.

        Raises:
            LeaseLost: Another run has it already.
            StoreError: The store did not take the end within 10 s; others will take the lease over when it is stale.
        """
        self.end_reason = self.end_reason or default_reason
        self.ended = True
        self._stop.set()
        self._thread.join(_END_WITHIN)
        if self._thread.is_alive():
            raise StoreUnreachable(
                f"the store did not answer when the lease of {self.record.workflow_id} was to be ended; it ends by "
                f"itself in {STALE_AFTER:.0f} s",
                workflow_id=self.record.workflow_id,
            )
        if self._release_error is not None:
            raise self._release_error


def failed_or_interrupted(error: BaseException) -> str:
    """Return what the lease ends with, as far as the exception alone tells."""
    return INTERRUPTED if isinstance(error, KeyboardInterrupt) else "failed"


@contextlib.contextmanager
def held_lease(
    objects: ObjectStore,
    workflow_id: str,
    *,
    owner: str,
    clock: Clock | None = None,
    patience: float = STALE_AFTER + 5,
    every: float = RENEW_EVERY,
    only_ended: bool = False,
    reason_of: Callable[[BaseException], str] = failed_or_interrupted,
    endures: float | None = None,
) -> Generator[HeldLease]:
    """Acquire the lease, renew it every 15 s in a thread, and end it with a reason when the block ends.

    Args:
        objects: The store.
        workflow_id: The workflow.
        owner: As for `acquire`.
        clock: As for `acquire`.
        patience: As for `acquire`.
        every: Seconds between two heartbeats.
        only_ended: As for `acquire`.
        reason_of: Says what the lease ends with when an exception ends the block that has not said so itself.
        endures: As for `HeldLease`.

    Raises:
        LeaseHeld: Another run owns the workflow; with ``only_ended`` also where the last one was interrupted.
        LeaseLost: At the end of the block, when the lease was lost while it ran and the block did not say so itself.
    """
    lease = acquire(objects, workflow_id, owner=owner, clock=clock, patience=patience, only_ended=only_ended)
    held = HeldLease(lease, every=every, endures=endures)
    held.start()
    try:
        yield held
    except BaseException as error:
        try:
            held.finish(held.end_reason or reason_of(error))
        except PlaitError as second:
            error.add_note(f"ending the lease of {workflow_id} failed too: {second}")
        raise
    held.finish("finished")
    if held.lost.is_set():
        held.ensure_held_locally()
