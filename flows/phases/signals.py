"""Hear the requests to end a run, which come as signals at any moment, and hold them back where they must not cut in.

That is where a run has its end already, and only waits until others have taken it; and between two leases, where
nothing could say what is to come after.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Generator
from types import FrameType
from typing import Any

from prefect.exceptions import TerminationSignal

from flows.deployments.deployment_of import is_deployed

_REQUESTS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_Answer = Callable[[int, FrameType | None], Any]


class Hearing:
    """What the main thread of a run does with requests to end; elsewhere, where no signal arrives, nothing."""

    def __init__(self) -> None:
        self._noted: int | None = None
        self._answers: dict[int, _Answer] = {}

    @property
    def hurried(self) -> bool:
        """Whether a request has come since they are held back: whatever only waits is to wait no longer."""
        return self._noted is not None

    @property
    def holds(self) -> bool:
        """Whether requests are held back."""
        return bool(self._answers)

    def hold(self) -> None:
        """Note requests from here on, and let them end nothing; again does nothing more."""
        if self._answers or threading.current_thread() is not threading.main_thread():
            return
        for number in _REQUESTS:
            answer = signal.getsignal(number)
            if callable(answer):  # what is ignored stays ignored, what kills kills
                self._answers[number] = answer
                signal.signal(number, self._note)

    def release(self) -> None:
        """Hear requests again, and answer one that came meanwhile as if it came now.

        Raises:
            TerminationSignal: One did.
            KeyboardInterrupt: One did, from a terminal.
        """
        answers, self._answers = self._answers, {}
        for number, answer in answers.items():
            signal.signal(number, answer)
        noted, self._noted = self._noted, None
        if noted is not None:
            answers[noted](noted, None)

    def forget(self, but: int | None = None) -> None:
        """Hear requests again; one that came meanwhile was meant for what has ended.

        Args:
            but: A signal whose answer stays as it is.
        """
        answers, self._answers = self._answers, {}
        for number, answer in answers.items():
            if number != but:
                signal.signal(number, answer)
        self._noted = None

    def _note(self, number: int, _: FrameType | None) -> None:
        self._noted = number


@contextlib.contextmanager
def hearing_requests() -> Generator[Hearing]:
    """Let the first SIGTERM end the block of a deployed run, and no other disturb it while it ends.

    A worker that ends sends more than one, and a run that is saving what its agents left must not be cut off there.
    One that has its end by itself is not disturbed while Prefect reports it, either.
    """
    hearing = Hearing()
    if not is_deployed() or threading.current_thread() is not threading.main_thread():
        try:
            yield hearing
        finally:
            hearing.forget()
        return

    def end(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)
        raise TerminationSignal(signal=number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield hearing
    finally:
        over = hearing.holds or signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
        signal.signal(signal.SIGTERM, signal.SIG_IGN if over else before)
        hearing.forget(but=signal.SIGTERM)
