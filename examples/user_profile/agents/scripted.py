"""What the scripted agents share: read the assignment, apply a prepared change, check it, leave a context.

A scripted agent is a program, not a language model: its change was prepared beforehand. Everything after it is real:
the files it writes into its workspace, the tests it runs there, the branch, the merge and the checks on the result.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

AGENTS = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Tests:
    """The agent's own tests.

    Attributes:
        suite: Folder in the workspace.
        collect_only: Why they cannot run in this workspace yet; they are then only collected.
    """

    suite: str
    collect_only: str | None = None


def main(change: str, tests: Tests | None = None, arguments: list[str] | None = None) -> int:
    """Do the track's work in the current directory; return the exit code. ``arguments`` are sys.argv's by default."""
    parser = argparse.ArgumentParser(description=f"Scripted agent: applies the prepared change {change!r}.")
    parser.add_argument("--pause", type=float, default=0, metavar="SECONDS", help="wait before working")
    pause = parser.parse_args(arguments).pause
    assignment = read_assignment()
    say(f"track {assignment['task_id']}, attempt {assignment['attempt']}: {assignment['scope']}")
    if assignment.get("last_failure"):
        say(f"the attempt before failed: {assignment['last_failure']}")
    time.sleep(pause)
    files = apply(AGENTS / "changes" / change, Path.cwd())
    context: dict[str, Any] = json.loads((AGENTS / "contexts" / f"{change}.json").read_text())
    if tests:
        results = run_tests(tests)
        if results is None:
            print(f"the change {change!r} fails its own tests in {tests.suite}", file=sys.stderr)
            return 1
        context["test_results"] = results
    write_context({"files_modified": files, **context})
    say(f"done, {len(files)} files")
    return 0


def say(line: str) -> None:
    """Print a line of progress at once."""
    print(line, flush=True)


def read_assignment() -> dict[str, Any]:
    """Read what is to be done; end with a sentence when this was not started as an agent."""
    path = os.environ.get("PLAIT_ASSIGNMENT")
    if not path or not os.environ.get("PLAIT_CONTEXT"):
        sys.exit("This is an agent: start it by `plait run`, or set PLAIT_ASSIGNMENT and PLAIT_CONTEXT to file paths.")
    return json.loads(Path(path).read_text())


def write_context(context: dict[str, Any]) -> None:
    """Leave what this agent knows."""
    Path(os.environ["PLAIT_CONTEXT"]).write_text(json.dumps(context, indent=2) + "\n")


def apply(change: Path, workspace: Path) -> list[str]:
    """Lay the prepared files over the workspace; return those that are new or differ, sorted."""
    changed = []
    for source in sorted(path for path in change.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        name = source.relative_to(change)
        target = workspace / name
        content = source.read_bytes()
        if target.is_file() and target.read_bytes() == content:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        changed.append(name.as_posix())
        say(f"wrote {name}")
    return sorted(changed)


def run_tests(tests: Tests) -> dict[str, Any] | None:
    """Run the agent's own tests with pytest; return what they said, or None if they failed."""
    argv = [sys.executable, "-m", "pytest", "-q", tests.suite]
    if tests.collect_only:
        argv.append("--collect-only")
    say(f"{'collecting' if tests.collect_only else 'running'} {tests.suite}")
    run = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    say(run.stdout.strip())
    if run.returncode:
        return None
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (passed|skipped|tests collected)", run.stdout)}
    if tests.collect_only:
        return {"suite": tests.suite, "status": "not run", "reason": tests.collect_only, **_renamed(counts)}
    return {"suite": tests.suite, "status": "passed", **_renamed(counts)}


def _renamed(counts: dict[str, int]) -> dict[str, int]:
    return {word.removeprefix("tests "): number for word, number in counts.items()}
