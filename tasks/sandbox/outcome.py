"""How a supervised program ended, as data and as one sentence for a person."""

from __future__ import annotations

import errno
import os
import re
import signal
import stat
from dataclasses import dataclass
from pathlib import Path

from contexts.redaction import margin, redact_text, tail_of
from tasks.sandbox.messages import End, Failure, Job, Reason

MOST_LOG_BYTES = 32_000_000
"""More than `supervisor.run_supervised` ever writes to one."""
_LAST_BYTES = 8_192
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a supervised program ended.

    Attributes:
        exit_code: Its exit status, None where a signal ended it or it never ran.
        signal: The signal that ended it, None where it exited by itself.
        reason: ``exited`` (by itself, whatever the status), ``deadline``, ``cancelled``, ``not-started``, or ``lost``:
            the warden was killed, so how the program ended is unknown.
        message: One sentence for a person.
        seconds: Wall time from start until the last descendant was gone.
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
    log_bytes: int
    truncated: bool
    stragglers: int
    dropped_bytes: int = 0

    @property
    def succeeded(self) -> bool:
        """Whether the program ended by itself with status 0."""
        return self.reason == "exited" and self.exit_code == 0


def unstarted(reason: Reason, message: str) -> Outcome:
    """Return the outcome of a program that never ran."""
    return Outcome(None, None, reason, message, 0.0, 0, truncated=False, stragglers=0)


def outcome_of(end: End, job: Job) -> Outcome:
    """Return the outcome a warden's last event tells of."""
    status = end.status
    code = None if status is None or not os.WIFEXITED(status) else os.WEXITSTATUS(status)
    number = None if status is None or not os.WIFSIGNALED(status) else os.WTERMSIG(status)
    reason: Reason = "not-started" if end.failure else end.reason
    return Outcome(
        exit_code=code,
        signal=number,
        reason=reason,
        message=_sentence(reason, code, number, end, job),
        seconds=end.seconds,
        log_bytes=end.log_bytes,
        truncated=end.dropped_bytes > 0,
        stragglers=end.stragglers,
        dropped_bytes=end.dropped_bytes,
    )


def lost(status: int, seconds: float, orphans: int, log_bytes: int) -> Outcome:
    """Return the outcome of a program whose warden was ended, with the warden's own status as Popen gives it."""
    how = f"by {_signal_name(-status)}" if status < 0 else f"with status {status}"
    return Outcome(
        exit_code=None,
        signal=None,
        reason="lost",
        message=f"the supervisor itself was ended {how}, so how the program ended is unknown; {orphans} of its "
        "processes were found and killed, but one that had detached itself and cleared its environment could not be",
        seconds=seconds,
        log_bytes=log_bytes,
        truncated=False,
        stragglers=orphans,
    )


def _sentence(reason: Reason, code: int | None, number: int | None, end: End, job: Job) -> str:
    if end.failure is not None:
        return _why_not_started(end.failure, job)
    how = f"exited with status {code}" if number is None else f"was ended by {_signal_name(number)}"
    if reason == "deadline":
        text = f"stopped at its deadline of {job.deadline:g} s ({how})"
    elif reason == "cancelled":
        text = f"cancelled ({how})"
    else:
        text = how
    if end.stragglers:
        text += f"; {end.stragglers} of its processes were still running and were killed"
    if end.survivors:
        text += f"; could not kill process {', '.join(str(pid) for pid in end.survivors)}"
    if end.log_problem:
        text += f"; {end.log_problem}"
    return text


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _why_not_started(failure: Failure, job: Job) -> str:
    stage, number, text = failure
    program = job.argv[0]
    if stage == "folder":
        return f"the folder {job.cwd} cannot be entered ({os.strerror(number)})"
    if number == errno.ENOENT and "/" not in program:
        return f"there is no program {program!r} on the PATH; install it, or give its full path"
    if number in {errno.ENOENT, errno.ENOTDIR}:
        if Path(job.cwd, program).exists():
            return f"{program!r} names an interpreter in its first line that does not exist"
        return f"there is no program {program!r}; check the path (relative ones start at {job.cwd})"
    if number == errno.EACCES:
        return f"{program!r} is not executable; try chmod +x"
    if number == errno.ENOEXEC:
        return f"{program!r} is neither a binary for this machine nor a script with a first line like #!/bin/sh"
    if number == errno.E2BIG:
        return f"the arguments and environment of {program!r} are too long for this system; pass large data in files"
    return f"{program!r} could not be started: {text}"


def read_log(log: Path, last: int | None = None) -> bytes | None:
    """Return a program's log, or its last bytes; None where no plain file is.

    A program can put anything in its log's place, also a link to a file that is nobody's log.
    """
    try:
        descriptor = os.open(log, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        return None
    with os.fdopen(descriptor, "rb") as file:
        if last is not None:
            file.seek(max(0, status.st_size - last))
        return file.read(MOST_LOG_BYTES)


def last_line(log: Path, most: int = 300) -> str:
    """Return the last line a program printed that says anything, for a reason: without its secrets, cut to ``most``.

    The end of the log is cleaned as a whole, as a secret may be broken over lines; what may be the rest of one that
    began before it is not told.
    """
    room = margin()
    said = read_log(log, room + _LAST_BYTES) or b""
    text = "\n".join(map(plain_line, said.split(b"\n")))
    if len(said) == room + _LAST_BYTES:
        text = tail_of(text, max(0, len(text) - room))
        _, ended, text = text.partition("\n")
        if not ended:
            return "(a long line)"
    return next((line.strip() for line in reversed(redact_text(text).text.split("\n")) if line.strip()), "")[:most]


def plain_line(line: bytes) -> str:
    """Return a line of output as text, without what would command a terminal."""
    return _ESCAPES.sub("", line.decode("utf-8", "replace")).rstrip()
