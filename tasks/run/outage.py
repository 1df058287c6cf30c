"""Say that the store does not answer, how long that is endured, and where results are kept meanwhile."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator

from contexts.errors import LeaseLost, StoreError
from contexts.store.outbox import Kept, Outbox
from contexts.text.plural import counted
from tasks.run.progress import Progress, report

_LOOK_EVERY = 0.5
"""Seconds between two looks at whether the store answers."""


class Outage:
    """What is told of the outages of one run's store, by whichever thread meets them.

    Attributes:
        workflow_id: The workflow.
        outbox: Where results are kept meanwhile.
        patience: Seconds for which the run waits; 0 where it does not.
    """

    def __init__(self, workflow_id: str, outbox: Outbox, patience: float) -> None:
        self._workflow_id = workflow_id
        self.outbox = outbox
        self.patience = patience
        self._told_of: str | None = None
        self._told_unreadable = ""
        self._telling = threading.Lock()

    def tell(self) -> None:
        """Say that the store does not answer: once, and again with every further result that is kept."""
        kept = self._kept()
        with self._telling:
            if not self.patience or self._told_of == kept:
                return
            self._told_of = kept
        said = f"the store does not answer; waiting up to {self.patience / 60:g} min"
        self._report("waiting", f"{said}; {kept}" if kept else said)

    def over(self) -> None:
        """Say that the store answers again, if it was said that it did not."""
        with self._telling:
            if self._told_of is None:
                return
            self._told_of = None
        self._report("answers", "the store answers again")

    def entries(self, task_id: str | None = None) -> tuple[Kept, ...]:
        """Return what is kept, as `Outbox.entries`; once, say that it cannot be read."""
        found = self.outbox.entries(task_id)
        why = self.outbox.unreadable
        with self._telling:
            is_news = bool(why) and not self._told_unreadable
            self._told_unreadable = self._told_unreadable or why
        if is_news:
            self.note(why)
        return found

    def tell_while_unsure(self, unsure: Callable[[], bool], ended: threading.Event) -> None:
        """Say when an outage is endured and when it is over, until the run ends.

        It has a thread to itself: whoever stops a run must wait neither for a disk nor for whom this is told.

        Args:
            unsure: Says whether the store may not answer.
            ended: Set when the run stops.
        """
        while not ended.wait(_LOOK_EVERY):
            if unsure():
                self.tell()
            else:
                self.over()

    def note(self, message: str) -> None:
        """Say what became of something that was kept."""
        self._report("kept", message)

    @contextlib.contextmanager
    def told_at_end(self) -> Generator[None]:
        """Let an error that ends the block because of the store say too what is kept on this machine."""
        try:
            yield
        except (StoreError, LeaseLost) as error:
            kept = self._kept()
            if not kept:
                raise
            raise error.anew(
                f"{error.message}; {kept}, and the next run on this machine saves what is still wanted"
            ) from error

    def _kept(self) -> str:
        count = len(self.entries())
        return f"{counted(count, 'result')} {'is' if count == 1 else 'are'} kept in {self.outbox.root}" if count else ""

    def _report(self, status: str, message: str) -> None:
        report(Progress(self._workflow_id, "store", "store", status, message))
