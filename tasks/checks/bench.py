"""Where a check runs: its tree, its own folder, its deadline; and the commands it runs there, one step each."""

from __future__ import annotations

import itertools
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from contexts.documents.base import JsonObject, now
from contexts.errors import PortsExhausted
from contexts.spec.checks import Check
from contexts.spec.load import resolve_argv
from tasks.sandbox.clean_log import clean_log
from tasks.sandbox.environment import agent_environment, split_environment
from tasks.sandbox.outcome import Outcome, last_line
from tasks.sandbox.ports import LentPorts, lend_ports
from tasks.sandbox.supervisor import run_supervised

MAX_CAPTURE_BYTES = 50_000_000
_NOTHING: Mapping[str, str] = MappingProxyType({})
# Output and messages of a program land in one log. Where its output alone is wanted, this starts the program with
# stdout in a file, which the kernel keeps bounded.
_CAPTURE = """\
import os, resource, sys
limit, file, *argv = sys.argv[1:]
os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), 1)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
try:
    os.execvp(argv[0], argv)
except OSError as error:
    sys.exit(f"{argv[0]!r} cannot be started: {error.strerror}; install it, or correct the check's argv")
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a check, and how it ended.

    Attributes:
        argv: As it was run.
        outcome: How it ended.
        log: Its output and messages.
        output: What it wrote to stdout, where that was captured apart.
    """

    name: str
    argv: tuple[str, ...]
    outcome: Outcome
    started_at: str
    log: Path
    output: bytes = b""

    @property
    def finished(self) -> bool:
        """Whether it ended by itself, whatever its exit code."""
        return self.outcome.reason == "exited"

    @property
    def succeeded(self) -> bool:
        """Whether it ended by itself with exit code 0."""
        return self.outcome.succeeded

    @property
    def problem(self) -> str:
        """How it ended and its last line, for a reason."""
        said = last_line(self.log)
        if not self.finished:
            return f"{self.name}: {self.outcome.message}"
        code = self.outcome.exit_code
        how = f"exit code {code}" if code is not None else f"signal {self.outcome.signal}"
        return f"{self.name} ended with {how}" + (f": {said}" if said else "")

    @property
    def text(self) -> str:
        """The end of its log, at most 200 KB."""
        if not self.log.is_file():
            return ""
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - 200_000))
            return file.read().decode("utf-8", "replace")


@dataclass
class Bench:
    """One check at work.

    Attributes:
        tree: Folder with the integrated tree.
        place: The check's own folder: home, reports, logs.
        folder: The spec's folder, for ``{spec_dir}``.
        cancel: Ends whatever runs.
        base: Returns a folder with the base commit's tree; raises `StepFailed` where there is none.
        changed_by: The files each track changed.
        consumers: The tracks' documents by task_id, for what they expect of an API.
        on_line: Called with each line of output.
        steps: Commands run so far.
        hidden: What is shown in place of some parts of argument lists.
    """

    tree: Path
    place: Path
    folder: Path
    cancel: threading.Event
    seconds: float
    base: Callable[[], Path] | None = None
    changed_by: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    consumers: Mapping[str, JsonObject] = field(default_factory=dict[str, JsonObject])
    on_line: Callable[[str], None] | None = None
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    ports: tuple[int, ...] = ()
    steps: list[Step] = field(default_factory=list[Step])
    hidden: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        self.ends = time.monotonic() + self.seconds
        self._numbers = itertools.count()
        self.reports = self.place / "reports"
        self.reports.mkdir(parents=True, exist_ok=True)

    @property
    def remaining(self) -> float:
        """Seconds until the check's deadline; never quite zero, so that a late step ends as one at its deadline."""
        return max(0.01, self.ends - time.monotonic())

    def resolve(self, argv: Sequence[str], **more: str) -> tuple[str, ...]:
        """Replace placeholders."""
        port = str(self.ports[0]) if self.ports else ""
        return resolve_argv(argv, folder=self.folder, **{"reports": str(self.reports), "port": port, **more})

    def run(
        self,
        name: str,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] = _NOTHING,
        capture: bool = False,
        cancel: threading.Event | None = None,
        seconds: float | None = None,
    ) -> Step:
        """Run one command in the sandbox and keep it as a step.

        Args:
            name: What it does, for people.
            argv: Resolved already.
            cwd: Where; default the tree.
            env: More variables.
            capture: Keep stdout apart, at most 50 MB.
            cancel: Ends this command alone; default the check's.
            seconds: A deadline of its own, in seconds; the check's holds all the same.
        """
        number = next(self._numbers)  # two commands may run side by side
        log = self.place / "logs" / f"{number}.log"
        output = self.place / "logs" / f"{number}.out"
        log.parent.mkdir(parents=True, exist_ok=True)
        started = now()
        wrapped = (sys.executable, "-I", "-S", "-c", _CAPTURE, str(MAX_CAPTURE_BYTES), str(output), *argv)
        outcome = run_supervised(
            wrapped if capture else argv,
            cwd=cwd or self.tree,
            env={**self.environment(), **env},
            log=log,
            deadline=self.remaining if seconds is None else min(seconds, self.remaining),
            cancel=cancel or self.cancel,
            on_line=self.on_line,
        )
        got = output.read_bytes() if capture and output.is_file() else b""
        clean_log(output)
        step = Step(name, tuple(argv), outcome, started, log, got)
        self.steps.append(step)
        return step

    def why_unfinished(self, step: Step) -> str:
        """Say why a step did not end by itself; a deadline is the whole check's, not what of it was left."""
        if step.outcome.reason == "deadline":
            return f"stopped at its deadline of {self.seconds:g} s"
        return step.outcome.message

    def shown(self, argv: Sequence[str]) -> list[str]:
        """Return an argument list as evidence keeps it: no path of this machine, no database's password."""
        known = {
            **self.hidden,
            str(self.reports): "{reports}",
            str(self.tree): "{tree}",
            str(self.place): "{place}",
            sys.executable: "{python}",
            str(self.folder): "{spec_dir}",
        }
        shown: list[str] = []
        for argument in argv:
            for value, name in known.items():
                argument = argument.replace(value, name)  # noqa: PLW2901 - one after another
            shown.append(argument)
        return shown

    def environment(self) -> dict[str, str]:
        """Return the environment of every command of this check."""
        passed, extra = split_environment(dict(self.env))
        ports = " ".join(str(port) for port in self.ports)
        own = {**extra, "PLAIT_REPORTS": str(self.reports), "PLAIT_PORTS": ports}
        return agent_environment(self.place / "home", passed=passed, extra=own)


class StepFailed(Exception):
    """A step without which a check cannot go on; the text says why, and makes the check unverified."""


def ports_of(check: Check) -> int:
    """Return how many ports a check needs; one that starts the product needs one, asked for or not."""
    return max(check.ports, 1 if check.kind in {"performance", "api"} else 0)


def lend_ports_for(check: Check) -> LentPorts:
    """Lend a check its ports, or none where there are too few: it is then not run, and says so."""
    try:
        return lend_ports(ports_of(check))
    except PortsExhausted:
        return LentPorts(())


def from_environment(value: str) -> str | None:
    """Return a setting's value, ``env:NAME`` taken from plait's own environment; None where that is unset."""
    return os.environ.get(value.removeprefix("env:")) if value.startswith("env:") else value
