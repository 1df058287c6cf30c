"""How long the quick commands take to start, as a multiple of an interpreter that imports pydantic, orjson and yaml.

    python benchmarks/cli.py [ROUNDS]

Rounds are interleaved, so that a busy machine slows all of them alike; the median counts, and each limit is told.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from table import show, verdict

LIMITS = {"--help": 3.5, "plan": 4.1, "show": 3.5, "merge": 3.5}
BASE = [sys.executable, "-c", "import pydantic, orjson, yaml"]
PLAIT = str(Path(sys.executable).parent / "plait")


def commands(folder: Path) -> dict[str, list[str]]:
    """Make a small store, spec and files, and return the commands to time."""
    store = str(folder / "store")
    head = {"version": "1.0", "timestamp": "2026-01-01T00:00:00Z", "current_agent": "a", "phase": "p"}
    names = [f"track-{number}" for number in range(5)]
    parent = {**head, "workflow_id": "bench", "parallel_tasks": [{"task_id": name, "agent": "a"} for name in names]}
    files = folder / "files"
    files.mkdir()
    (files / "bench.json").write_text(json.dumps(parent))
    for name in names:
        track = {**head, "workflow_id": f"bench-{name}", "parent_workflow_id": "bench", "task_id": name}
        (files / f"bench-{name}.json").write_text(json.dumps({**track, "decisions": ["d" * 80] * 50}))
    subprocess.run([PLAIT, "import", files, "--store", store], check=True, capture_output=True)
    subprocess.run([PLAIT, "init", "parallel", folder / "spec"], check=True, capture_output=True)
    tracks = [str(files / f"bench-{name}.json") for name in names]
    return {
        "--help": [PLAIT, "--help"],
        "plan": [PLAIT, "plan", str(folder / "spec" / "plait.yaml"), "--store", store],
        "show": [PLAIT, "show", "bench", "--store", store],
        "merge": [PLAIT, "merge", str(files / "bench.json"), *tracks],
    }


def seconds(argv: list[str]) -> float:
    """Return the wall time of one call."""
    started = time.perf_counter()
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""})
    return time.perf_counter() - started


def main(rounds: int) -> int:
    """Time every command and return 1 if one is above the limit."""
    with tempfile.TemporaryDirectory() as folder:
        timed = {"base": BASE, **commands(Path(folder))}
        for argv in timed.values():
            seconds(argv)  # compiles the modules
        taken: dict[str, list[float]] = {name: [] for name in timed}
        for _ in range(rounds):
            for name, argv in timed.items():
                taken[name].append(seconds(argv))
    median = {name: statistics.median(times) for name, times in taken.items()}
    missed = False
    rows: list[tuple[str, str, str, str]] = []
    for name, value in median.items():
        ratio = value / median["base"]
        limit = LIMITS.get(name, 1.0)
        missed = missed or ratio > limit
        rows.append((name, f"{value * 1000:.0f}", f"{ratio:.2f}", f"{limit:g} {verdict(ratio, limit)}"))
    show("Start of the quick commands, in times of the base", ("command", "ms", "ratio", "at most"), rows)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 11))
