"""How the feature flow ended, as the process that ran it knows.

The store has the verdict before Prefect's server hears of the run's end, and the server may not hear of it: it may be
gone, have lost the flow run, or have taken the end without its answer having arrived, when it gives back a state
without what belongs to it. Whoever started the flow reads the end here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from contexts.documents.refs import ContextRef
from contexts.errors import RunStopped
from contexts.verification.verdict import STATE_NAMES, WAITING
from tasks.prefect_ui.markdown import words
from tasks.run.run import Run


@dataclass(slots=True)
class Ending:
    """What a flow left on its way out.

    Attributes:
        final: The final context, of a run that went to its end.
        stop: Why a person stopped it.
    """

    final: ContextRef | None = None
    stop: RunStopped | None = None


_ENDING: ContextVar[Ending | None] = ContextVar("plait-ending", default=None)


@contextlib.contextmanager
def known_ending() -> Generator[Ending]:
    """Give what the flow that is run in this block leaves."""
    ending = Ending()
    token = _ENDING.set(ending)
    try:
        yield ending
    finally:
        _ENDING.reset(token)


def note_final(final: ContextRef) -> None:
    """Leave the final context of a run that has gone to its end."""
    if ending := _ENDING.get():
        ending.final = final


def note_stop(stop: RunStopped) -> None:
    """Leave why a person stopped the run."""
    if ending := _ENDING.get():
        ending.stop = stop


def final_state(run: Run, final: ContextRef) -> State[Any]:
    """Return how the flow run ends that went to its end: named after the verdict in the final context."""
    note_final(final)
    context = run.store.load_context(final)
    record = context.run_record
    message = words("; ".join(record.reasons or ()) or context.context_summary or "")
    if record.exit_code in {0, WAITING}:
        # Waiting for a person is no failure; the name says that it is not the end either.
        return Completed(name=STATE_NAMES[record.status], message=message, data=final)
    return Failed(name=STATE_NAMES[record.status], message=message, data=final)
