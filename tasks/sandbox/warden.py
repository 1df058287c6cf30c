"""Watch one program and everything it starts, from a process of its own (``python -I -S``, see `supervisor`).

File descriptors: 0 is the control pipe from plait (ten digits of length, that much JSON, then any byte to cancel;
end-of-file means that plait is dead), 1 carries events to plait (``P`` pid, ``L`` a line of output, ``E`` the JSON
end), 2 is the log.

The process is a child subreaper, so whatever the program leaves behind, by double fork or in a session of its own,
becomes a child of this process: "nothing left" is exactly what ``waitpid`` means by ECHILD. Only the standard library,
and little of it, because every track and every check waits for this start.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sys
import time
from types import FrameType

from tasks.sandbox.messages import End, Failure, Job, Reason
from tasks.sandbox.output import Lines, Log
from tasks.sandbox.processes import (
    PR_SET_CHILD_SUBREAPER,
    PR_SET_DUMPABLE,
    PR_SET_PDEATHSIG,
    descendants,
    send,
    set_process_option,
)

EVENT_BUFFER = 262_144
NATURAL_END = 0.2  # seconds a helper may take to end by itself after the program has
GIVE_UP = 10.0  # seconds after SIGKILL at which a process counts as unkillable


class Warden:
    """One program, from start to the last of its descendants."""

    def __init__(self, job: Job, parent: int) -> None:
        self._job = job
        self._parent = parent
        self._log = Log(2, job.max_log_bytes)
        self._lines = Lines() if job.lines else None
        self._events = bytearray()
        self._listener = True
        self._program = 0
        self._status: int | None = None
        self._reason: Reason = "exited"
        self._ladder: list[tuple[float, int]] = []
        self._killed: set[int] = set()
        self._output = -1
        self._wake = -1
        self._note = ""
        self._killing_since = 0.0

    def run(self) -> None:
        """Start the program, watch it to its end, leave nothing behind, and report."""
        started = time.monotonic()
        self._wake, wake_end = os.pipe()
        for descriptor in (0, self._wake, wake_end):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(wake_end, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _wake_up)
        signal.signal(signal.SIGTERM, self._terminated)
        failure = self._start()
        if failure is None:
            self._watch(started)
        survivors = self._kill_everything()
        self._drain(everything=True)
        if self._lines:
            for line in self._lines.rest():
                self._events += b"L" + line + b"\n"
        self._log.close(self._note)
        end = End(
            status=self._status,
            reason=self._reason,
            failure=failure,
            seconds=time.monotonic() - started,
            log_bytes=self._log.kept,
            dropped_bytes=self._log.dropped,
            log_problem=self._log.problem,
            stragglers=len(self._killed),
            survivors=survivors,
        )
        self._events += b"E" + json.dumps(end).encode() + b"\n"
        self._flush(deadline=float("inf"))

    def _start(self) -> Failure | None:
        """Start the program in a session of its own; return why it could not be."""
        self._output, output_end = os.pipe()
        failed, failed_end = os.pipe()
        os.set_blocking(self._output, False)
        self._program = os.fork()
        if self._program == 0:
            _become(self._job, output_end, failed_end)
        os.close(output_end)
        os.close(failed_end)
        with os.fdopen(failed, "rb") as file:
            message = file.read()
        if message:
            os.waitpid(self._program, 0)
            return Failure(*json.loads(message))
        self._events += f"P{self._program}\n".encode()
        return None

    def _watch(self, started: float) -> None:
        deadline = self._job.deadline
        output = self._output
        poll = select.poll()
        for descriptor in (0, self._wake, output):
            poll.register(descriptor, select.POLLIN)
        self._flush()
        while self._status is None and (not self._killing_since or time.monotonic() - self._killing_since < GIVE_UP):
            now = time.monotonic()
            if deadline is not None and now - started >= deadline and not self._ladder:
                self._stop("deadline", gently=True)
            while self._ladder and self._ladder[0][0] <= now:
                self._signal_tree(self._ladder.pop(0)[1])
            until = now + 1.0  # at least once a second: the parent may have died while another process holds the pipe
            if self._ladder:
                until = min(until, self._ladder[0][0])
            elif deadline is not None and self._reason == "exited":
                until = min(until, started + deadline)
            for descriptor, _ in poll.poll(max(0.0, until - now) * 1000 + 1):
                if descriptor == 0 and not self._listen():
                    poll.unregister(0)
                elif descriptor == self._wake:
                    os.read(self._wake, 4096)
                elif descriptor == output and not self._drain():
                    poll.unregister(output)
            if os.getppid() != self._parent:
                self._abandoned()
            self._flush()
            self._reap()
        self._let_helpers_end()

    def _listen(self) -> bool:
        try:
            words = os.read(0, 4096)
        except BlockingIOError:
            return True
        if words:
            self._stop("cancelled", gently=True)
            return True
        self._abandoned()
        return False

    def _abandoned(self) -> None:
        self._note = "the plait that started this program has ended, so the program was killed"
        self._listener = False
        self._stop("cancelled", gently=False)

    def _stop(self, reason: Reason, *, gently: bool) -> None:
        """Begin the ladder SIGINT, SIGTERM, SIGKILL, or go to its end at once."""
        now, grace = time.monotonic(), self._job.grace
        if not gently:
            self._ladder = [(now, signal.SIGKILL)]
        elif self._reason == "exited":
            self._ladder = [(now, signal.SIGINT), (now + grace, signal.SIGTERM), (now + 2 * grace, signal.SIGKILL)]
        if self._reason == "exited":
            self._reason = reason

    def _terminated(self, _number: int, _frame: FrameType | None) -> None:
        self._stop("cancelled", gently=True)

    def _signal_tree(self, number: int) -> None:
        if number == signal.SIGKILL:
            self._killing_since = self._killing_since or time.monotonic()
            self._kill_round(count=False)
            self._ladder.append((time.monotonic() + 0.05, signal.SIGKILL))
            return
        tree = descendants(os.getpid()) or {self._program: os.getpid()}
        for pid, parent in tree.items():
            send(pid, parent, number)
            send(pid, parent, signal.SIGCONT)

    def _let_helpers_end(self) -> None:
        until = time.monotonic() + (NATURAL_END if self._reason == "exited" else 0.0)
        while self._reap() and time.monotonic() < until:
            self._drain()
            self._flush()
            select.select([], [], [], 0.01)

    def _kill_everything(self) -> list[int]:
        """Kill until ``waitpid`` knows no child; return the processes that would not die."""
        give_up = time.monotonic() + GIVE_UP
        pause = 0.002
        while self._reap():
            self._kill_round(count=True)
            self._drain()
            self._flush()
            if time.monotonic() > give_up:
                return sorted(descendants(os.getpid()))
            select.select([], [], [], pause)
            pause = min(0.1, pause * 1.5)
        return []

    def _kill_round(self, *, count: bool) -> None:
        """Stop all first, so that nobody forks away from the list, then kill all."""
        stopped: dict[int, int] = {}
        for _ in range(5):
            fresh = {pid: parent for pid, parent in descendants(os.getpid()).items() if pid not in stopped}
            if not fresh:
                break
            for pid, parent in fresh.items():
                send(pid, parent, signal.SIGSTOP)
            stopped |= fresh
        if count:
            self._killed |= stopped.keys()
        for pid, parent in stopped.items():
            send(pid, parent, signal.SIGKILL)
        if sys.platform != "linux" and self._program:
            try:
                os.killpg(self._program, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                return

    def _reap(self) -> bool:
        """Collect the dead; return whether any child is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self._program and self._status is None:
                self._status = status

    def _drain(self, *, everything: bool = False) -> bool:
        """Read what the program wrote, a bounded amount unless it is over; return whether the pipe may bring more."""
        turns = 0
        while self._output >= 0 and (everything or turns < 16):
            try:
                chunk = os.read(self._output, 65_536)
            except BlockingIOError:
                return True
            if not chunk:
                os.close(self._output)
                self._output = -1
                return False
            self._log.add(chunk)
            if self._lines and self._listener:
                for line in self._lines.take(chunk):
                    if len(self._events) < EVENT_BUFFER:
                        self._events += b"L" + line + b"\n"
                    else:
                        self._lines.skipped += 1
            # After the end only a pipe's content is left, unless it leaked to somebody who keeps writing.
            turns += 1
            if everything and turns > 256:
                return False
        return self._output >= 0

    def _flush(self, deadline: float = 0.0) -> None:
        """Send events as far as plait reads them; wait for it only until ``deadline``."""
        while self._events and self._listener:
            try:
                done = os.write(1, self._events[:4096])
                del self._events[:done]
            except BlockingIOError:
                if time.monotonic() >= deadline or os.getppid() != self._parent:
                    return
                select.select([], [1], [], 0.5)
            except OSError:
                self._listener = False


def _wake_up(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: that a handler is set makes the signal end the wait."""


def _become(job: Job, output: int, failed: int) -> None:
    """Turn the forked child into the program; never returns."""
    stage = "prepare"
    try:
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        # Safe here, unlike in plait: this parent has one thread. It covers a warden that is killed itself.
        set_process_option(PR_SET_PDEATHSIG, signal.SIGKILL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        stage = "folder"
        os.chdir(job.cwd)
        stage = "program"
        os.execvpe(job.argv[0], job.argv, job.env)  # noqa: S606 - running the program is the point
    except (OSError, ValueError) as error:
        os.write(failed, json.dumps(Failure(stage, getattr(error, "errno", None) or 0, str(error))).encode())
    finally:
        os._exit(127)


def main() -> None:
    """Read the job from the control pipe and see it through."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    parent = os.getppid()
    set_process_option(PR_SET_CHILD_SUBREAPER, 1)
    set_process_option(PR_SET_DUMPABLE, 0)  # an agent of the same user cannot open our pipes through /proc
    size = _read_exactly(10)
    job = _read_exactly(int(size)) if size else b""
    if not job:
        return  # plait died before it had said what to do
    os.set_blocking(1, False)
    Warden(Job(*json.loads(job)), parent).run()


def _read_exactly(size: int) -> bytes:
    """Read from the control pipe; empty where it ends before."""
    data = bytearray()
    while len(data) < size:
        piece = os.read(0, size - len(data))
        if not piece:
            return b""
        data += piece
    return bytes(data)
