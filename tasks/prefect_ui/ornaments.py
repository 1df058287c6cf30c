"""What a run shows in the Prefect UI and could do without: name, tags, progress, artifacts.

A thread of its own sends it. A server in trouble is asked again with growing pauses while the run goes on, is given a
short while more when the run is over, and is complained about once; no run waits for it or fails of it.
"""

from __future__ import annotations

import contextlib
import contextvars
import logging
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from httpx import HTTPError, HTTPStatusError
from prefect.context import SettingsContext, SyncClientContext, get_settings_context
from prefect.exceptions import ObjectNotFound, PrefectException
from prefect.settings import PREFECT_API_REQUEST_TIMEOUT, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from contexts.redaction import head_of
from tasks.run.joining import join, nobody_hurries
from tasks.run.progress import SERVER_LOGGER

ANSWER_WITHIN = 10.0
"""Seconds for the server to take one thing."""
END_WITHIN = 20.0
"""Seconds a run that is over waits for what is not sent yet."""
_LONGEST_PAUSE = 30.0
_REFUSED = frozenset({400, 401, 403, 404, 405, 409, 410, 413, 415, 422})
"""Answers that asking again does not change."""
_log = logging.getLogger(SERVER_LOGGER)


@dataclass(frozen=True, slots=True)
class _Ornament:
    send: Callable[[], object]
    context: contextvars.Context
    due: float


class Ornaments:
    """What one run still has to show, in order; safe to add to from any thread."""

    def __init__(self, workflow_id: str, hurried: Callable[[], bool] = nobody_hurries) -> None:
        self._hurried = hurried
        self._workflow_id = workflow_id
        self._waiting: dict[str, _Ornament] = {}
        self._sent_at: dict[str, float] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._give_up_at = float("inf")
        self._pause = 0.0
        self._complained = False
        self._thread: threading.Thread | None = None

    def add(self, name: str, send: Callable[[], object], *, every: float = 0.0) -> None:
        """Have something sent, soon, and return at once.

        Args:
            name: What it is; of two with one name that wait, the newer is sent.
            send: Sends it, with Prefect's client, in the context of this call.
            every: Seconds at least between two of this name, while the run goes on.
        """
        with self._changed:
            due = self._sent_at.get(name, float("-inf")) + every
            self._waiting[name] = _Ornament(send, contextvars.copy_context(), due)
            if self._thread is None:
                # The thread is to know the server of the run.
                work = contextvars.copy_context().run
                self._thread = threading.Thread(target=work, args=(self._work,), name="plait-ornaments", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def close(self) -> None:
        """Wait a little for what is not sent yet, unless somebody is in a hurry; what is not sent then is left out."""
        with self._changed:
            self._closed = True
            self._give_up_at = time.monotonic() + END_WITHIN
            self._changed.notify_all()
        if self._thread is not None:
            join(self._thread, END_WITHIN, self._hurried)
            with self._changed:
                self._give_up_at = time.monotonic()

    def _work(self) -> None:
        with contextlib.closing(_Line()) as line:
            while found := self._next():
                self._send(line, *found)

    def _next(self) -> tuple[str, _Ornament] | None:
        """Wait for what is to be sent now; None when the run is over and nothing is left, or no time."""
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                until = min((one.due for one in self._waiting.values()), default=float("inf"))
                if until <= now:
                    break
                self._changed.wait(None if until == float("inf") else until - now)
            if not self._waiting or time.monotonic() > self._give_up_at:
                return None
            name = min(self._waiting, key=lambda name: self._waiting[name].due)
            return name, self._waiting.pop(name)

    def _send(self, line: _Line, name: str, one: _Ornament) -> None:
        error: Exception | None = None
        try:
            one.context.run(_send_with, *line.opened(), one.send)
        except (HTTPError, PrefectException, RuntimeError, ValueError) as failed:  # Prefect's client has no one class
            error = failed
        now = time.monotonic()
        with self._changed:
            self._sent_at[name] = now
            if error is None:
                self._pause = 0.0
                return
            self._complain(name, error)
            if not self._closed and not _is_refused(error):
                self._pause = min(max(2.0, 2 * self._pause), _LONGEST_PAUSE)
                self._waiting.setdefault(name, _Ornament(one.send, one.context, now))
                self._waiting = {
                    waiting: _Ornament(each.send, each.context, max(each.due, now + self._pause))
                    for waiting, each in self._waiting.items()
                }

    def _complain(self, name: str, error: Exception) -> None:
        if not self._complained:
            self._complained = True
            said = head_of(" ".join((str(error) or type(error).__name__).split()), 200)
            _log.warning(
                "the Prefect server did not take the %s of %s (%s); the run goes on, and its page may lack something",
                name, self._workflow_id, said,
            )  # fmt: skip


class _Line:
    """The sending thread's own client, which asks once and not for long; making one costs more than what it sends."""

    def __init__(self) -> None:
        self._open = contextlib.ExitStack()
        self._lent: tuple[SettingsContext, SyncClientContext] | None = None

    def opened(self) -> tuple[SettingsContext, SyncClientContext]:
        """Connect, unless that is done; a server may be asked for its version then, and may fail to answer."""
        if self._lent is None:
            with contextlib.ExitStack() as opening:
                opening.enter_context(
                    temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0, PREFECT_API_REQUEST_TIMEOUT: ANSWER_WITHIN})
                )
                opening.enter_context(_in_place(SyncClientContext, None))
                self._lent = get_settings_context(), opening.enter_context(SyncClientContext())
                self._open = opening.pop_all()
        return self._lent

    def close(self) -> None:
        """Disconnect."""
        self._lent = None
        self._open.close()


def _send_with(settings: SettingsContext, client: SyncClientContext, send: Callable[[], object]) -> None:
    # Without this Prefect would take the run's own client, with the patience it was made with.
    with _in_place(SettingsContext, settings), _in_place(SyncClientContext, client):
        send()


@contextlib.contextmanager
def _in_place(kind: type[SettingsContext | SyncClientContext], value: object) -> Generator[None]:
    variable: contextvars.ContextVar[Any] = kind.__var__
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


def _is_refused(error: Exception) -> bool:
    if isinstance(error, HTTPStatusError):
        return error.response.status_code in _REFUSED
    return isinstance(error, ObjectNotFound)


@contextlib.contextmanager
def adorned(workflow_id: str, hurried: Callable[[], bool] = nobody_hurries) -> Generator[Ornaments]:
    """Give what is to be shown of a run to a thread, and at the block's end wait for it a little.

    Args:
        workflow_id: The run's workflow.
        hurried: Says when to wait no longer.
    """
    ornaments = Ornaments(workflow_id, hurried)
    try:
        yield ornaments
    finally:
        ornaments.close()


def show(name: str, of: str, send: Callable[[], object]) -> None:
    """Have one thing sent, and wait for it a little."""
    with adorned(of) as ornaments:
        ornaments.add(name, send)
