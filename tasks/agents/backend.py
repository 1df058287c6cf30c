"""What every agent backend is: something that takes a job and says how it went."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from contexts.documents.assignment import Assignment
from contexts.documents.base import JsonObject


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt of one track, ready to be run.

    Attributes:
        assignment: What the agent is told.
        workspace: The folder it works in.
        exchange: A folder beside the workspace for assignment.json, context.json and the agent's own HOME.
        log: Where its output goes.
        deadline: Seconds it may take, None for no limit.
        cancel: Set when the run is to stop.
        on_line: Called with each line it prints.
    """

    assignment: Assignment
    workspace: Path
    exchange: Path
    log: Path
    deadline: float | None
    cancel: threading.Event
    on_line: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an attempt went.

    Attributes:
        context: What the agent left that can be a context; None when it failed.
        claims: What else it left.
        odd: Pointers of what it left that is not as it was written.
        reason: Why it failed; empty when it did not.
        retryable: Whether the failure can pass.
        cancelled: Whether it was stopped because the run stops.
        untold: Whether the program ended well and left no context.
        exit_code: The program's exit code, None where no program ran or it was ended by a signal.
    """

    context: JsonObject | None
    reason: str = ""
    retryable: bool = False
    cancelled: bool = False
    exit_code: int | None = None
    claims: Mapping[str, Any] = field(default_factory=dict[str, Any])
    odd: tuple[str, ...] = ()
    untold: bool = False


class Backend(Protocol):
    """Runs a job."""

    @property
    def name(self) -> str:
        """The name a spec uses."""
        ...

    @property
    def works(self) -> bool:
        """Whether it changes files in a workspace."""
        ...

    def run(self, job: Job) -> Delivery:
        """Do the work and report; never raises for what the agent does wrong."""
        ...
