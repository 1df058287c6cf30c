"""Run what failed in a run of `.ci/run` once more, alone, and say whether the run is green after that.

    python .ci/second_try.py FOLDER STEP:RC...

FOLDER holds, per step, `STEP.pytests` with the number of pytest processes the step starts, and `STEP.sessions/` with
what each of them wrote down (tests/session_record.py). A test that passes by itself at the end is printed as
`second try: NODEID`, and does not make the run red. Red is:

- a step that failed otherwise than by tests that failed: killed, timed out, crashed, nothing collected, a file that
  cannot be read, a pytest process missing, or no step of pytest at all;
- a test that fails again, or does not run;
- more than three second tries in one run;
- a second try of a test that had one in an earlier run. Those are remembered in the file PLAIT_SECOND_TRIES names, by
  default plait/second-tries below XDG_STATE_HOME (~/.local/state), outside the clone, since CI has a new clone each
  time; and in `.ci/second-tries`, for a CI that forgets its home as well: commit the printed node id there, one a line.
  A test that was mended is taken out of both by hand.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
AT_MOST = 3
"""Second tries in one run that are still green."""
TRIED = 20
"""Failures that are tried again at all: with more there is something else the matter."""
SECONDS = 1800
"""How long one test may take by itself."""


@dataclass(frozen=True)
class Failure:
    """A test that failed, and the variables it was run with."""

    nodeid: str
    environment: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Step:
    """A make target that failed: how, what its pytest processes wrote down, and how many there should be."""

    name: str
    exit_code: int
    pytests: int
    sessions: tuple[Mapping[str, Any], ...]

    def why_red(self) -> str | None:
        """Say why no second try can make this step green, if none can."""
        if not self.pytests:
            return "it runs no tests"
        if self.exit_code in {124, 137}:
            return "it was ended by its time-out"
        if len(self.sessions) != self.pytests:
            return f"{len(self.sessions)} of {self.pytests} pytest processes began"
        for session in self.sessions:
            if not session["finished"]:
                return "a pytest process did not come to its end"
            if session["not_collected"]:
                return f"{session['not_collected'][0]} could not be collected"
            if session["exit_code"] not in {0, 1}:
                return f"a pytest process ended with {session['exit_code']}"
        return None if self.failures() else "no test failed in it"

    def failures(self) -> list[Failure]:
        """Return the tests that failed."""
        return [Failure(nodeid, session["environment"]) for session in self.sessions for nodeid in session["failed"]]


def judge(
    steps: Iterable[Step], earlier: Iterable[str], passes: Callable[[Failure], bool]
) -> tuple[list[str], list[str]]:
    """Try again what failed.

    Args:
        steps: The make targets that failed.
        earlier: Node ids that needed a second try in an earlier run.
        passes: Runs one test alone, and says whether it passed.

    Returns:
        The node ids that passed the second time, and why the run is red, a reason a line; none where it is green.
    """
    reasons: list[str] = []
    failures: dict[str, Failure] = {}
    for step in steps:
        if why := step.why_red():
            reasons.append(f"{step.name}: {why}")
        failures |= {one.nodeid: one for one in step.failures()}
    if len(failures) > TRIED:
        return [], [*reasons, f"{len(failures)} tests failed, too many for a second try"]
    tried = [nodeid for nodeid, failure in failures.items() if passes(failure)]
    reasons += [f"failed twice: {nodeid}" for nodeid in failures if nodeid not in tried]
    if len(tried) > AT_MOST:
        reasons.append(f"{len(tried)} tests needed a second try; at most {AT_MOST} may in one run")
    before = set(earlier)
    reasons += [f"needed a second try in an earlier run too: {nodeid}" for nodeid in tried if nodeid in before]
    return tried, reasons


def read_step(folder: Path, name: str, exit_code: int) -> Step:
    """Read what a step left in the run's folder."""
    count = folder / f"{name}.pytests"
    sessions = tuple(
        json.loads(file.read_text("utf-8")) for file in sorted((folder / f"{name}.sessions").glob("*.json"))
    )
    return Step(name, exit_code, int(count.read_text("utf-8")) if count.exists() else 0, sessions)


def passes_alone(failure: Failure) -> bool:
    """Run one test in a pytest process of its own, and say whether it ran and passed."""
    print(f"=== once more, alone: {failure.nodeid}", flush=True)
    with tempfile.TemporaryDirectory() as records:
        argv = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", failure.nodeid]
        environment = os.environ | failure.environment | {"PLAIT_SESSION_RECORDS": records}
        try:
            code = subprocess.run(argv, cwd=ROOT, env=environment, check=False, timeout=SECONDS).returncode
        except subprocess.TimeoutExpired:
            return False
        sessions = [json.loads(file.read_text("utf-8")) for file in Path(records).glob("*.json")]
    return code == 0 and [one["passed"] for one in sessions] == [1]


def record_file() -> Path:
    """Return the file outside the clone that remembers second tries."""
    if named := os.environ.get("PLAIT_SECOND_TRIES"):
        return Path(named)
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "plait" / "second-tries"


def remembered(file: Path) -> list[str]:
    """Return the node ids of a record, one a line; lines that begin with # are words."""
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def main(arguments: list[str]) -> int:
    """Try again what failed, print what came of it, and return 0 where the run is green."""
    folder, *failed = arguments
    steps = [read_step(Path(folder), *_named(one)) for one in failed]
    record = record_file()
    earlier = {*remembered(record), *remembered(ROOT / ".ci" / "second-tries")}
    tried, reasons = judge(steps, earlier, passes_alone)
    if new := [nodeid for nodeid in tried if nodeid not in earlier]:
        record.parent.mkdir(parents=True, exist_ok=True)
        with record.open("a", encoding="utf-8") as file:
            file.writelines(f"{nodeid}\n" for nodeid in new)
        print(f"=== remembered in {record}; a mended test is taken out there by hand")
    for nodeid in tried:
        print(f"second try: {nodeid}")
    for reason in reasons:
        print(f"red: {reason}")
    return 1 if reasons else 0


def _named(step: str) -> tuple[str, int]:
    name, _, code = step.partition(":")
    return name, int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
