"""Open a run for as long as a block of the flow needs it: its lease, whoever wants it to end, and what it shows."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from contexts.spec.request import RunRequest
from flows.deployments.deployed_run import lease_owner
from flows.deployments.scheduled import scheduled_start
from flows.phases.cancellation import watch_cancellation
from flows.phases.interruption import reason_of
from flows.phases.last_words import give_up_soon_at_exit
from flows.phases.signals import Hearing
from tasks.prefect_ui.ornaments import Ornaments, adorned
from tasks.run.run import Run, open_run


@contextlib.contextmanager
def opened(request: RunRequest, hearing: Hearing) -> Generator[tuple[Run, Ornaments]]:
    """Open a run that hears people, and what it shows them."""
    with (
        open_run(request, lease_owner, at=scheduled_start, reason_of=reason_of) as run,
        watch_cancellation(run.stop, lambda: hearing.hurried),
        adorned(run.workflow_id, lambda: hearing.hurried) as ornaments,
    ):
        try:
            yield run, ornaments
        finally:
            give_up_soon_at_exit()
