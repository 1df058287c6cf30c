"""Run a program that nobody trusts, under a deadline, and leave nothing of it behind.

Each call starts one warden (``warden.py``), a small process that starts the program, is the subreaper of all its descendants
and ends them when the program ends, when the deadline passes, when plait says so, and when plait is no more. The deadline runs
in the warden, so a stuck plait does not lengthen it.
"""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from tasks.walls.orphans import MARK, kill_orphans

Reason = Literal["exited", "deadline", "cancelled", "not-started", "lost"]

MAX_LINE = 2_000
_SLACK = 30.0  # seconds a warden may be late, on a busy machine, before it counts as stuck
_WARDEN = Path(__file__).with_name("warden.py")
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a supervised program ended.

    Attributes:
        exit_code: Its exit status, None where a signal ended it or it never ran.
        signal: The signal that ended it, None where it exited by itself.
        reason: ``exited`` (by itself, whatever the status), ``deadline``, ``cancelled``, ``not-started``, or ``lost``: the
            warden was killed, so how the program ended is unknown.
        message: One sentence for a person.
        seconds: Wall time from start until the last descendant was gone.
        cpu_seconds: CPU time of the program and every descendant, user and system.
        log_bytes: Bytes of output in the log, without plait's own notes.
        truncated: Output was dropped; the log's last line says how much.
        stragglers: Descendants that had to be killed after the program itself had ended.
        dropped_bytes: Bytes of output that are not in the log.
    """

    exit_code: int | None
    signal: int | None
    reason: Reason
    message: str
    seconds: float
    cpu_seconds: float
    log_bytes: int
    truncated: bool
    stragglers: int
    dropped_bytes: int = 0

    @property
    def succeeded(self) -> bool:
        """Whether the program ended by itself with status 0."""
        return self.reason == "exited" and self.exit_code == 0


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

    Safe to call from many threads at once. An exception from ``on_line``, or KeyboardInterrupt, ends the program first and then
    goes on.

    Args:
        argv: Program and arguments; a name without a slash is looked up in ``env``'s PATH, a relative path from ``cwd``.
        cwd: Folder the program starts in.
        env: The program's whole environment (see `tasks.walls.environment`).
        log: File that receives stdout and stderr, as they come; replaced if it exists.
        deadline: Seconds from the start after which the program is stopped; None for no limit.
        max_log_bytes: Bytes of output kept: the beginning, and the last 64 KB.
        cancel: Set it, from any thread, to stop the program.
        on_line: Receives output lines as they come: at most 100 a second and 2000 characters each, without control characters.
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
            return _unstarted("cancelled", "cancelled before it was started")
        if not argv or not argv[0]:
            return _unstarted("not-started", "there is no program to start: argv is empty")
        mark = secrets.token_hex(16)
        job = {
            "argv": list(argv),
            "cwd": str(cwd),
            "env": {**env, MARK: mark},
            "deadline": deadline,
            "grace": max(0.0, grace),
            "max_log_bytes": max(1024, max_log_bytes),
            "lines": on_line is not None,
        }
        try:
            warden = _start_warden(file)
        except OSError as error:
            return _unstarted("not-started", f"the supervisor could not be started: {error.strerror}")
        limit = None if deadline is None else deadline + 2 * grace + _SLACK
        watch = _Watch(warden, cancel, on_line, limit=limit, stop_limit=2 * grace + _SLACK)
        return watch.run(job, mark)


class _Watch:
    """The side of plait: feed one warden, hear its events, stop it."""

    def __init__(
        self,
        warden: subprocess.Popen[bytes],
        cancel: threading.Event | None,
        on_line: Callable[[str], None] | None,
        *,
        limit: float | None,
        stop_limit: float,
    ) -> None:
        self._warden = warden
        self._cancel = cancel
        self._on_line = on_line
        self._limit = limit
        self._stop_limit = stop_limit
        self._program: int | None = None
        self._end: dict[str, Any] | None = None
        self._buffer = b""

    def run(self, job: dict[str, Any], mark: str) -> Outcome:
        started = time.monotonic()
        try:
            self._send(_frame(job))
            self._listen(started)
        except BaseException:
            # The caller's exception, or Ctrl-C: end the program first, gently; a second Ctrl-C lands in the finally below.
            self._on_line = None
            self._send(b"c")
            self._cancel = None
            self._limit = self._stop_limit
            self._listen(time.monotonic())
            raise
        finally:
            self._close()
            if self._end is None:
                orphans = kill_orphans(mark, self._program)
        if self._end is None:
            return self._lost(time.monotonic() - started, orphans)
        return _outcome(self._end, job)

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
            if limit is not None and time.monotonic() - started > limit:
                return
            if not poll.poll(100 if self._cancel is not None and not cancelled else 1000):
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
            self._end = json.loads(rest)
        elif self._on_line is not None:
            text = _ESCAPES.sub("", rest.decode("utf-8", "replace")).rstrip()
            if text:
                self._on_line(text if len(text) <= MAX_LINE else text[: MAX_LINE - 1] + "…")

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
            self._warden.wait(timeout=_SLACK if self._end is not None else 2.0)
        except subprocess.TimeoutExpired:
            self._warden.kill()
            self._warden.wait()

    def _lost(self, seconds: float, orphans: int) -> Outcome:
        code = self._warden.returncode
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with status {code}"
        return Outcome(
            exit_code=None,
            signal=None,
            reason="lost",
            message=f"the supervisor itself was ended {how}, so how the program ended is unknown; {orphans} of its processes were found "
            "and killed, but one that had detached itself and cleared its environment could not be found",
            seconds=seconds,
            cpu_seconds=0.0,
            log_bytes=0,
            truncated=False,
            stragglers=orphans,
        )


def _frame(job: dict[str, Any]) -> bytes:
    body = json.dumps(job).encode()
    return b"%010d" % len(body) + body


def _start_warden(log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a warden in its own session, so that a terminal's Ctrl-C reaches plait only, with nothing of plait's environment."""
    libraries = {name: value for name in ("LD_LIBRARY_PATH",) if (value := os.environ.get(name))}
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-X", "utf8", str(_WARDEN)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        cwd="/",
        env=libraries,
        start_new_session=True,
    )


def _unstarted(reason: Reason, message: str) -> Outcome:
    return Outcome(None, None, reason, message, 0.0, 0.0, 0, truncated=False, stragglers=0)


def _outcome(end: dict[str, Any], job: dict[str, Any]) -> Outcome:
    status: int | None = end["status"]
    code = None if status is None or not os.WIFEXITED(status) else os.WEXITSTATUS(status)
    number = None if status is None or not os.WIFSIGNALED(status) else os.WTERMSIG(status)
    reason: Reason = "not-started" if end["failure"] else end["reason"]
    return Outcome(
        exit_code=code,
        signal=number,
        reason=reason,
        message=_sentence(reason, code, number, end, job),
        seconds=end["seconds"],
        cpu_seconds=end["cpu_seconds"],
        log_bytes=end["log_bytes"],
        truncated=end["dropped_bytes"] > 0,
        stragglers=end["stragglers"],
        dropped_bytes=end["dropped_bytes"],
    )


def _sentence(reason: Reason, code: int | None, number: int | None, end: dict[str, Any], job: dict[str, Any]) -> str:
    if reason == "not-started":
        return _why_not_started(end["failure"], job)
    how = f"exited with status {code}" if number is None else f"was ended by {_signal_name(number)}"
    if reason == "deadline":
        text = f"stopped at its deadline of {job['deadline']:g} s ({how})"
    elif reason == "cancelled":
        text = f"cancelled ({how})"
    else:
        text = how
    if end["stragglers"]:
        text += f"; {end['stragglers']} of its processes were still running and were killed"
    if end["survivors"]:
        text += f"; could not kill process {', '.join(str(pid) for pid in end['survivors'])}"
    if end["log_problem"]:
        text += f"; {end['log_problem']}"
    return text


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _why_not_started(failure: list[Any], job: dict[str, Any]) -> str:
    stage, number, text = failure
    program = job["argv"][0]
    if stage == "folder":
        return f"the folder {job['cwd']} cannot be entered ({os.strerror(number)})"
    if number == errno.ENOENT and "/" not in program:
        return f"there is no program {program!r} on the PATH; install it, or give its full path"
    if number in {errno.ENOENT, errno.ENOTDIR}:
        if Path(job["cwd"], program).exists():
            return f"{program!r} names an interpreter in its first line that does not exist"
        return f"there is no program {program!r}; check the path (relative ones start at {job['cwd']})"
    if number == errno.EACCES:
        return f"{program!r} is not executable; try chmod +x"
    if number == errno.ENOEXEC:
        return f"{program!r} is neither a binary for this machine nor a script with a first line like #!/bin/sh"
    if number == errno.E2BIG:
        return f"the arguments and environment of {program!r} are too long for this system; pass large data in files"
    return f"{program!r} could not be started: {text}"
