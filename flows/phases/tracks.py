"""Which track starts when: every track as soon as what it needs is done, at most ``max_parallel`` at a time.

Completed futures call back into a queue; each batch of newly ready tracks is one more `run_track.map`.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from prefect import unmapped
from prefect.exceptions import Pause, TerminationSignal
from prefect.futures import PrefectFuture

from contexts.documents.refs import ContextRef
from contexts.errors import TrackFailed
from contexts.plan.graph import all_needs
from contexts.spec.model import Track
from contexts.store.contexts import track_document
from flows.deployments.concurrency import backend_tags
from flows.phases.server_trouble import is_server_trouble, server_said
from tasks.run.outcome import TrackNotCompleted, TrackOutcome
from tasks.run.progress import SERVER_LOGGER, Progress, report
from tasks.run.run import Run
from tasks.run_track import run_track

Future = PrefectFuture[Any]
_Kind = tuple[int, str, bool]
"""What tracks of one `map` have in common: retries, backend, whether they take a slot of its concurrency limit."""
_log = logging.getLogger(SERVER_LOGGER)

TRIES_WITH_SLOT = 3
"""How often a track whose slot the server does not give is tried: then it runs without, as Prefect itself goes on where
a slot cannot be renewed."""
MOST_TRIES = 10
"""How often in all, for a task that needs the server for tags of somebody else's."""
PAUSE = 2.0
"""Seconds before another try of a track the server let fall; doubled each time."""
LONGEST_PAUSE = 30.0

_STOP_SECONDS = 25.0
"""How long a stopped run waits for its tracks: the supervisors' own stop ladder takes less."""


class Tracks:
    """How all tracks ended, and the futures the merge waits for.

    Attributes:
        outcomes: One per track, in spec order.
        futures: The Prefect futures of the tracks that were started, by task_id.
    """

    def __init__(self, outcomes: Sequence[TrackOutcome], futures: Mapping[str, Future]) -> None:
        self.outcomes = tuple(outcomes)
        self.futures = dict(futures)

    @property
    def completed(self) -> tuple[ContextRef, ...]:
        """References of the completed tracks' documents, in spec order."""
        return tuple(one.ref for one in self.outcomes if one.status == "completed" and one.ref)

    @property
    def gaps(self) -> dict[str, str]:
        """Why each track that is not completed is missing."""
        return {one.task_id: f"{one.status}: {one.reason}" for one in self.outcomes if one.status != "completed"}


def run_tracks(run: Run, ended: Callable[[TrackOutcome], None] = lambda _: None) -> Tracks:
    """Run every track of the spec that can run, and return how each ended; ``ended`` hears of each at once.

    A failed track never takes its siblings with it; what needs it is blocked, and said to be.
    """
    return _Schedule(run, ended).go()


class _Schedule:
    def __init__(self, run: Run, ended: Callable[[TrackOutcome], None]) -> None:
        self.run = run
        self.ended = ended
        self.tracks = {track.task_id: track for track in run.spec.parallel_tasks}
        self.needs = {task_id: frozenset(track.needs) for task_id, track in self.tracks.items()}
        self.standing_on = all_needs(run.spec)
        self.outcomes: dict[str, TrackOutcome] = {}
        self.started: dict[str, Future] = {}
        self.waiting = dict(self.tracks)
        self.tasks: dict[_Kind, Any] = {}
        self.fallen: Counter[str] = Counter()
        self.held: set[str] = set()
        """Tracks the server let fall, and which of them wait before another try."""
        self.trouble = False
        self.done: queue.SimpleQueue[tuple[str, bool]] = queue.SimpleQueue()
        """Tracks whose task has ended; with True, those whose pause has."""
        self.running = 0
        self.stopped = ""
        kept = {one.task_id for one in run.outage.entries()}
        self.known = frozenset(name for name in self.tracks if name in kept or run.knows(track_document(name)))
        """Tracks with a document here or in the store: `run_track` reuses it, whatever the budget, or says that there
        is none left."""

    def go(self) -> Tracks:
        self.run.count_earlier_runs()
        try:
            self._start()
            while self.running:
                self._settle_next()
                self.run.ensure_going()
                while not self.done.empty():
                    self._settle_next()
                self._start()
        except BaseException:
            # Agents are told to stop, and their last words are saved while this run still holds the lease.
            self.run.cancel.set()
            self._let_agents_end()
            raise
        order = [self.outcomes[task_id] for task_id in self.tracks]
        return Tracks(order, self.started)

    def _let_agents_end(self) -> None:
        """Wait for all tracks, however often somebody asks to hurry: their agents are being ended meanwhile."""
        deadline = time.monotonic() + _STOP_SECONDS
        waiting = list(self.started.values())
        while waiting and (left := deadline - time.monotonic()) > 0:
            try:
                waiting[-1].wait(timeout=left)
            except (KeyboardInterrupt, TerminationSignal):
                continue
            except Pause:  # what a task of a suspended flow run ends with
                pass
            except Exception as error:
                if not is_server_trouble(error):
                    raise
            waiting.pop()

    def _start(self) -> None:
        if self.trouble or self.run.ledger.why_no_more:
            self._block()
        free = self.run.spec.max_parallel - self.running
        ready = list(islice((track for name, track in self.waiting.items() if self._is_ready(name)), max(free, 0)))
        alike: dict[_Kind, list[Track]] = {}
        for track in ready:
            limited = self.fallen[track.task_id] < TRIES_WITH_SLOT
            alike.setdefault((track.retries, self._backend(track), limited), []).append(track)
        for kind, batch in alike.items():
            self._map(batch, kind)

    def _backend(self, track: Track) -> str:
        return "replay" if track.task_id in self.run.recordings else self.run.spec.agents[track.agent].backend

    def _is_ready(self, task_id: str) -> bool:
        if task_id in self.held:
            return False
        return all(need in self.outcomes and self.outcomes[need].status == "completed" for need in self.needs[task_id])

    def _block(self) -> None:
        spent = self.run.ledger.why_no_more
        changed = True
        while changed:
            changed = False
            for task_id in list(self.waiting):
                broken = [need for need in self.needs[task_id] if need in self.outcomes and not self._ended_well(need)]
                if broken:
                    reason = f"it needs {', '.join(sorted(broken))}, which did not complete"
                    self._close(TrackOutcome(task_id, "blocked", None, reason=reason))
                elif spent and task_id not in self.known:
                    self._close(TrackOutcome(task_id, "out-of-budget", None, reason=spent))
                elif self.stopped:
                    self._close(TrackOutcome(task_id, "blocked", None, reason=self.stopped))
                else:
                    continue
                changed = True

    def _ended_well(self, task_id: str) -> bool:
        return self.outcomes[task_id].status == "completed"

    def _map(self, batch: Sequence[Track], kind: _Kind) -> None:
        if kind not in self.tasks:
            retries, backend, limited = kind
            tags = backend_tags(backend) if limited else set[str]()
            self.tasks[kind] = run_track.with_options(retries=retries, tags=tags)
        futures: Iterable[Future] = self.tasks[kind].map(
            unmapped(self.run),
            [track.task_id for track in batch],
            [track.agent for track in batch],
            [self._prerequisites(track) for track in batch],
        )
        for track, future in zip(batch, futures, strict=True):
            self.started[track.task_id] = future
            del self.waiting[track.task_id]
            self.running += 1
            future.add_done_callback(lambda _, task_id=track.task_id: self.done.put((task_id, False)))

    def _prerequisites(self, track: Track) -> dict[str, ContextRef]:
        refs = {name: self.outcomes[name].ref for name in self.standing_on[track.task_id]}
        return {name: ref for name, ref in refs.items() if ref}

    def _settle_next(self) -> None:
        task_id, after_pause = self.done.get()
        self._settle(task_id, after_pause=after_pause)

    def _settle(self, task_id: str, *, after_pause: bool) -> None:
        self.running -= 1
        if after_pause:
            self.held.discard(task_id)
            return
        future: Future | None = self.started[task_id]
        result: object
        try:
            future.wait()
        except Exception as error:
            # Not the task's doing, which ends in a state, but of Prefect's engine around it.
            if not is_server_trouble(error):
                raise
            del self.started[task_id]  # nobody can wait for it
            result = self.run.endings.get(task_id)
            if result is None:
                self._try_again(task_id, error)
                return
            future = None  # it was done before the server failed
        else:
            result = future.state.result(raise_on_failure=False)
        if isinstance(result, TrackNotCompleted):
            result = result.outcome
        if isinstance(result, TrackOutcome):
            self._close(result)
        elif isinstance(result, BaseException) and not isinstance(result, Exception):
            raise result
        else:
            # Not the agent's failure but ours or the store's: it must not look like a finished track.
            self.run.cancel.set()
            why = future.state.message if future else "it left nothing"
            raise result if isinstance(result, Exception) else TrackFailed(f"track {task_id}: {why}")

    def _try_again(self, task_id: str, error: Exception) -> None:
        """Queue a track anew whose task the server let fall before it began; no agent of it has run."""
        self.fallen[task_id] += 1
        self.waiting[task_id] = self.tracks[task_id]
        number = self.fallen[task_id]
        if number >= MOST_TRIES:
            reason = f"the Prefect server let its task fall {number} times ({server_said(error)})"
            self._close(TrackOutcome(task_id, "failed", None, reason=reason))
            return
        limited = number < TRIES_WITH_SLOT
        then = "it is tried again" if limited else "it runs without a slot of the concurrency limit"
        _log.warning("track %s: the Prefect server let its task fall (%s); %s", task_id, server_said(error), then)
        # Its place among those that run side by side stays taken while it waits.
        self.running += 1
        self.held.add(task_id)
        seconds = min(PAUSE * 2 ** (number - 1), LONGEST_PAUSE)
        pause = threading.Timer(seconds, self.done.put, ((task_id, True),))
        pause.daemon = True
        pause.start()

    def _close(self, outcome: TrackOutcome) -> None:
        self.outcomes[outcome.task_id] = outcome
        self.waiting.pop(outcome.task_id, None)
        self.trouble = self.trouble or outcome.status != "completed"
        self.ended(outcome)
        if outcome.ref is None:  # else its task has said it
            report(Progress(self.run.workflow_id, "track", outcome.task_id, outcome.status, outcome.reason))
        if (
            outcome.status not in {"completed", "blocked", "out-of-budget"}
            and self.run.spec.policy.on_failure == "all"
            and self.tracks[outcome.task_id].required
        ):
            self.stopped = f"required track {outcome.task_id} {outcome.status}, and the policy is to stop then"
