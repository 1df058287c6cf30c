"""The progress artifact of a run: how many of its tracks have ended, brought up to date at most once a second."""

from __future__ import annotations

import contextlib
import contextvars
import logging
import threading
from collections.abc import Callable, Generator
from uuid import UUID

from httpx import HTTPError
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from tasks import events
from tasks.artifact_keys import artifact_key
from tasks.artifacts import publish_progress, update_progress
from tasks.outcome import TrackOutcome
from tasks.run import Run

EVERY = 1.0
"""Seconds between two updates."""
_log = logging.getLogger(__name__)


@contextlib.contextmanager
def live_progress(run: Run, every: float = EVERY) -> Generator[Callable[[TrackOutcome], None]]:
    """Keep the progress artifact while the tracks run; call what is yielded with every track that ended.

    The artifact is written by a thread of its own: a slow server does not slow the run, and one that refuses it is
    logged once.
    """
    total = len(run.spec.parallel_tasks)
    picture = _Picture(run, total)
    stop = threading.Event()

    def draw() -> None:
        # One more try and no patience: a run whose server is gone would wait a minute or two here for a picture.
        with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 1}):
            while not stop.wait(every):
                picture.draw()
            picture.draw()

    def ended(outcome: TrackOutcome) -> None:
        picture.done += 1
        events.track_ended(run.workflow_id, outcome)

    # The thread is to know the flow run it draws for.
    thread = threading.Thread(target=contextvars.copy_context().run, args=(draw,), name="plait-progress", daemon=True)
    thread.start()
    try:
        yield ended
    finally:
        stop.set()
        thread.join()


class _Picture:
    def __init__(self, run: Run, total: int) -> None:
        self.done = 0
        self._run = run
        self._total = total
        self._shown = -1
        self._id: UUID | None = None
        self._refused = False

    def draw(self) -> None:
        """Bring the artifact up to date if it is not, unless the server refused it before."""
        done = self.done
        if self._refused or done == self._shown:
            return
        percent = 100.0 * done / self._total
        try:
            if self._id is None:
                self._id = publish_progress(
                    artifact_key(self._run.workflow_id, "progress"),
                    percent,
                    f"Tracks of {self._run.workflow_id} that have ended, of {self._total}",
                )
            else:
                update_progress(self._id, percent)
        except (HTTPError, PrefectHTTPStatusError) as error:
            self._refused = True
            _log.warning("the server did not take the progress of %s: %s", self._run.workflow_id, error)
        self._shown = done
