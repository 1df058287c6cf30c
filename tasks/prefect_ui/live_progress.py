"""The progress artifact of a run: how many of its tracks have ended, brought up to date at most once a second."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from tasks.prefect_ui import events
from tasks.prefect_ui.artifact_keys import artifact_key
from tasks.prefect_ui.artifacts import publish_progress, update_progress
from tasks.prefect_ui.ornaments import Ornaments
from tasks.run.outcome import TrackOutcome
from tasks.run.run import Run

EVERY = 1.0
"""Seconds between two updates."""


def live_progress(run: Run, ornaments: Ornaments) -> Callable[[TrackOutcome], None]:
    """Begin the progress artifact, and return what is to be called with every track that has ended."""
    picture = _Picture(run.workflow_id, len(run.spec.parallel_tasks))

    def ended(outcome: TrackOutcome) -> None:
        picture.done += 1
        ornaments.add("progress", picture.draw, every=EVERY)
        events.track_ended(run.workflow_id, outcome)

    ornaments.add("progress", picture.draw, every=EVERY)
    return ended


class _Picture:
    def __init__(self, workflow_id: str, total: int) -> None:
        self.done = 0
        self._workflow_id = workflow_id
        self._total = total
        self._id: UUID | None = None

    def draw(self) -> None:
        """Make the artifact, or bring it up to date."""
        percent = 100.0 * self.done / self._total
        if self._id is None:
            key = artifact_key(self._workflow_id, "progress")
            description = f"Tracks of {self._workflow_id} that have ended, of {self._total}"
            self._id = publish_progress(key, percent, description)
        else:
            update_progress(self._id, percent)
