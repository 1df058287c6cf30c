"""Run a program that nobody trusts, under a deadline, and leave nothing of it behind.

Each call starts one warden (`tasks.sandbox.warden`), a small process that starts the program, is the subreaper of all
its descendants and ends them when the program ends, when the deadline passes, when plait says so, and when plait is no
more. The deadline runs in the warden, so a stuck plait does not lengthen it.
"""

from __future__ import annotations

import json
import os
import secrets
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from contexts.redaction import KnownLines, head_of, margin
from tasks.sandbox.clean_log import clean_cut
from tasks.sandbox.messages import End, Failure, Job
from tasks.sandbox.orphans import MARK, kill_orphans
from tasks.sandbox.outcome import Outcome, lost, outcome_of, plain_line, unstarted
from tasks.sandbox.output import LINE_BYTES

MAX_LINE = 2_000
_LAST_CHANCE = 2.0  # seconds for a warden to end by itself once its control pipe is closed
_SLACK = 30.0  # seconds a warden may be late, on a busy machine, before it counts as stuck
# -I and -S leave only the standard library on the path: quick to start, and nothing of the user's runs in the warden.
_WARDEN = "import sys; sys.path.append(sys.argv[1]); from tasks.sandbox.warden import main; main()"
_ROOT = Path(__file__).parents[2]


def run_supervised(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path,
    deadline: float | None,
    max_log_bytes: int = 20_000_000,
    cancel: threading.Event | None = None,
    on_line: Callable[[str], None] | None = None,
    grace: float = 5.0,
) -> Outcome:
    """Run a program to its end, or end it; when this returns or raises, nothing it started is alive.

    Safe to call from many threads at once. An exception from ``on_line``, or KeyboardInterrupt, ends the program first
    and then goes on.

    Args:
        argv: Program and arguments; a name without a slash is looked up in ``env``'s PATH, a relative path from
            ``cwd``.
        cwd: Folder the program starts in.
        env: The program's whole environment (see `tasks.sandbox.environment`).
        log: File that receives stdout and stderr, as they come; replaced if it exists.
        deadline: Seconds from the start after which the program is stopped; None for no limit.
        max_log_bytes: Bytes of output kept: the beginning, and the last 64 KB.
        cancel: Set it, from any thread, to stop the program.
        on_line: Receives output lines as they come: at most 100 a second and 2000 characters each, without control
            characters.
        grace: Seconds between SIGINT and SIGTERM, and between SIGTERM and SIGKILL.

    Returns:
        The outcome. A program that cannot be started is an outcome (``not-started``), not an error.

    Raises:
        OSError: The log cannot be opened.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        if cancel is not None and cancel.is_set():
            return unstarted("cancelled", "cancelled before it was started")
        if not argv or not argv[0]:
            return unstarted("not-started", "there is no program to start: argv is empty")
        mark = secrets.token_hex(16)
        job = Job(
            argv=list(argv),
            cwd=str(cwd),
            env={**env, MARK: mark},
            deadline=deadline,
            grace=max(0.0, grace),
            max_log_bytes=max(1024, max_log_bytes),
            lines=on_line is not None,
        )
        try:
            warden = _start_warden(file)
        except OSError as error:
            return unstarted("not-started", f"the supervisor could not be started: {error.strerror}")
        limit = None if deadline is None else deadline + 2 * grace + _SLACK
        lines = KnownLines(lambda line: on_line(_short(line))) if on_line is not None else None
        watch = _Watch(warden, file, cancel, lines.take if lines else None, limit=limit, stop_limit=2 * grace + _SLACK)
        outcome = watch.run(job, mark)
        if lines is not None:
            lines.close()
        if outcome.truncated:
            clean_cut(log)
        return outcome


class _Watch:
    """The side of plait: feed one warden, hear its events, stop it."""

    def __init__(
        self,
        warden: subprocess.Popen[bytes],
        log: IO[bytes],
        cancel: threading.Event | None,
        on_line: Callable[[str], None] | None,
        *,
        limit: float | None,
        stop_limit: float,
    ) -> None:
        self._warden = warden
        self._log = log
        self._cancel = cancel
        self._on_line = on_line
        self._limit = limit
        self._stop_limit = stop_limit
        self._program: int | None = None
        self._end: End | None = None
        self._buffer = b""

    def run(self, job: Job, mark: str) -> Outcome:
        started = time.monotonic()
        orphans = 0
        told = False
        try:
            self._send(_frame(job))
            told = True
            self._listen(started)
        except BaseException:
            # The caller's exception, or Ctrl-C: end the program first, gently; a second Ctrl-C lands in the finally
            # below.
            self._on_line = None
            self._cancel = None
            self._limit = self._stop_limit
            if told:
                self._send(b"c")
                self._listen(time.monotonic())
            raise
        finally:
            self._close()
            if self._end is None:
                orphans = kill_orphans(mark, self._program)
        if self._end is None:
            return lost(
                self._warden.returncode, time.monotonic() - started, orphans, os.fstat(self._log.fileno()).st_size
            )
        return outcome_of(self._end, job)

    def _listen(self, started: float) -> None:
        """Take events until the warden's end, or until it is clear that it is stuck."""
        assert self._warden.stdout is not None  # noqa: S101 - opened as a pipe below
        events = self._warden.stdout.fileno()
        poll = select.poll()
        poll.register(events, select.POLLIN)
        cancelled = False
        limit = self._limit
        while self._end is None:
            if self._cancel is not None and self._cancel.is_set() and not cancelled:
                cancelled = True
                self._send(b"c")
                limit = min(limit or float("inf"), time.monotonic() - started + self._stop_limit)
            if not poll.poll(100 if self._cancel is not None and not cancelled else 1000):
                if limit is not None and time.monotonic() - started > limit:
                    return
                continue
            chunk = os.read(events, 65_536)
            if not chunk:
                return
            *lines, self._buffer = (self._buffer + chunk).split(b"\n")
            for line in lines:
                self._take(line)

    def _take(self, event: bytes) -> None:
        kind, rest = event[:1], event[1:]
        if kind == b"P":
            self._program = int(rest)
        elif kind == b"E":
            self._end = _end_of(rest)
        elif self._on_line is not None:
            text = plain_line(rest)
            if len(rest) >= LINE_BYTES:  # the warden, which knows no secrets, cut it here
                whole = head_of(text, max(0, len(text) - margin()))
                text = f"{whole}…" if whole else "(a long line)"
            if text:
                self._on_line(text)

    def _send(self, data: bytes) -> None:
        assert self._warden.stdin is not None  # noqa: S101 - opened as a pipe below
        try:
            self._warden.stdin.write(data)
            self._warden.stdin.flush()
        except BrokenPipeError:
            return  # its end shows on the event pipe

    def _close(self) -> None:
        """Close the control pipe, which ends whatever is left, and collect the warden."""
        for pipe in (self._warden.stdin, self._warden.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue
        try:
            self._warden.wait(timeout=_SLACK if self._end is not None else _LAST_CHANCE)
        except subprocess.TimeoutExpired:
            self._warden.kill()
            self._warden.wait()


def _short(line: str) -> str:
    """Return a line as it is told, cut once it is known what in it is a secret."""
    return line if len(line) <= MAX_LINE else head_of(line, MAX_LINE - 1) + "…"


def _frame(job: Job) -> bytes:
    body = json.dumps(job).encode()
    return b"%010d" % len(body) + body


def _end_of(event: bytes) -> End:
    end = End(*json.loads(event))
    return end._replace(failure=Failure(*end.failure)) if end.failure else end


def _start_warden(log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a warden in its own session (a terminal's Ctrl-C reaches plait only) without plait's environment."""
    libraries = {name: value for name in ("LD_LIBRARY_PATH",) if (value := os.environ.get(name))}
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-X", "utf8", "-c", _WARDEN, str(_ROOT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        cwd="/",
        env=libraries,
        start_new_session=True,
    )
