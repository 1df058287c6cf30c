"""What plait and a warden tell each other: the job, and how it ended. Written as JSON on their pipes.

Only the standard library, and little of it: every warden imports this before it can start its program.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Reason = Literal["exited", "deadline", "cancelled", "not-started", "lost"]


class Job(NamedTuple):
    """What a warden is to do.

    Attributes:
        argv: Program and arguments.
        cwd: Folder the program starts in.
        env: The program's whole environment.
        deadline: Seconds after which it is stopped; None for no limit.
        grace: Seconds between two signals that end it.
        max_log_bytes: Bytes of output to keep.
        lines: Whether somebody hears its lines.
    """

    argv: list[str]
    cwd: str
    env: dict[str, str]
    deadline: float | None
    grace: float
    max_log_bytes: int
    lines: bool


class Failure(NamedTuple):
    """Why a program could not be started: at which step, and with which errno."""

    stage: str
    number: int
    text: str


class End(NamedTuple):
    """How a job ended.

    Attributes:
        status: The program's status as `os.waitpid` gives it; None where it never ran or could not be killed.
        reason: What ended it.
        failure: Why it was not started; None where it was.
        seconds: Wall time until the last descendant was gone.
        log_bytes: Bytes of output in the log.
        dropped_bytes: Bytes of output that are not.
        log_problem: Why the log is not whole; empty where it is.
        stragglers: Descendants that had to be killed.
        survivors: Processes that could not be.
    """

    status: int | None
    reason: Reason
    failure: Failure | None
    seconds: float
    log_bytes: int
    dropped_bytes: int
    log_problem: str
    stragglers: int
    survivors: list[int]
