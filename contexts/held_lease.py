"""Hold a workflow's lease for as long as a block of code runs, with a thread that keeps it alive."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator

from contexts.errors import LeaseLost, PlaitError, StoreError, StoreUnreachable
from contexts.faults import reach
from contexts.lease import RENEW_EVERY, STALE_AFTER, Clock, Lease, acquire
from contexts.lease_record import INTERRUPTED, LeaseRecord
from contexts.objects import ObjectStore

_AFTER_FAILURE = 1.0
"""Seconds until the next try after a heartbeat the store did not take."""
_END_WITHIN = 10.0
"""Seconds a run waits at its end for the store to take the lease's end: an outage must not hold up a cancellation."""


class HeldLease:
    """A lease kept alive in the background.

    Attributes:
        lost: Set once another run has the lease, or may have it: stop writing.
        before: What it said when it was taken; None where there was none.
        end_reason: What the lease will say when the block ends; set it before leaving. Otherwise ``finished``, or
            what ``reason_of`` says of the exception that ended it.
    """

    def __init__(self, lease: Lease, *, every: float) -> None:
        self.lost = threading.Event()
        self.end_reason: str | None = None
        self.before = lease.before
        self._lease = lease
        self._every = every
        self._stop = threading.Event()
        self._cause: BaseException | None = None
        self._release_error: PlaitError | None = None
        self._thread = threading.Thread(target=self._keep, name=f"lease-{lease.record.workflow_id}", daemon=True)

    @property
    def record(self) -> LeaseRecord:
        """What the store holds, as far as this run knows."""
        return self._lease.record

    def check(self) -> None:
        """Make sure the lease is still held, by reading it again; call it where a save met a conflict.

        Raises:
            LeaseLost: Another run has the lease, or may have taken it while the store could not be reached.
        """
        self.check_locally()
        try:
            self._lease.check()
        except LeaseLost:
            self.lost.set()
            raise

    def check_locally(self) -> None:
        """Make sure, without asking the store, that nobody else may hold the lease; call it before every save.

        Raises:
            LeaseLost: It was lost, or not renewed for so long that others may have it.
        """
        if self._lease.overdue:
            self.lost.set()
        if self.lost.is_set():
            raise self._loss()

    def _loss(self) -> LeaseLost:
        if isinstance(self._cause, LeaseLost):
            return LeaseLost(self._cause.message, **self._cause.details)
        workflow_id = self.record.workflow_id
        return LeaseLost(
            f"the lease of workflow {workflow_id} could not be renewed in time ({self._cause or 'no answer'}), so "
            "another run may own it: this one has stopped writing; run again when the store answers",
            workflow_id=workflow_id,
        )

    def _keep(self) -> None:
        wait = self._every
        while not self._stop.wait(wait):
            try:
                self._lease.renew()
                wait = self._every
            except StoreError as error:
                # An outage shorter than the others' patience costs nothing: try again soon.
                self._cause = error
                wait = min(self._every, _AFTER_FAILURE)
                if self._lease.overdue:
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
        reach("lease.before-release")
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
) -> Generator[HeldLease]:
    """Acquire the lease, renew it every 15 s in a thread, and end it with a reason when the block ends.

    ``reason_of`` says what the lease ends with when an exception ends the block that has not said so itself.

    Raises:
        LeaseHeld: Another run owns the workflow; with ``only_ended`` also where the last one was interrupted.
        LeaseLost: At the end of the block, when the lease was lost while it ran and the block did not say so itself.
    """
    lease = acquire(objects, workflow_id, owner=owner, clock=clock, patience=patience, only_ended=only_ended)
    held = HeldLease(lease, every=every)
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
        held.check_locally()
