"""Measure what checks cost beyond the commands they run: trees, walls, logs, records, and their Prefect tasks.

A repository of 300 files, one track, then five checks one after another, three seconds each. What the phase took above
the sum of its commands' own seconds is the checks' own time.

    make bench, or: python benchmarks/checks.py

Takes the Prefect server of PREFECT_API_URL; without one a run starts its own, which is not counted.
"""

import json
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from table import show, verdict

FILES = 300
CHECKS = 5
SECONDS = 3.0
GOAL = 0.05
LEAVE = "import os; open('made.txt', 'w').write('made'); open(os.environ['PLAIT_CONTEXT'], 'w').write('{}')"


def main() -> int:
    """Run once and print the share; exit 1 above the goal."""
    with tempfile.TemporaryDirectory(prefix="plait-bench-") as name:
        final = run(Path(name))
    phase = next(one for one in final["run"]["phases"] if one["name"] == "checks")
    wall = (moment(phase["completed_at"]) - moment(phase["started_at"])).total_seconds()
    commands = [one["seconds"] for one in final["evidence"]]
    assert [one["status"] for one in final["evidence"]] == ["passed"] * CHECKS
    own = wall - sum(commands)
    share = own / sum(commands)
    show(
        f"{CHECKS} checks of {SECONDS:g} s on {FILES} files, one after another",
        ("phase", "commands", "own", "own per check", "share", f"goal {GOAL:.0%}"),
        [
            (
                f"{wall:.2f} s", f"{sum(commands):.2f} s", f"{own:.2f} s", f"{1000 * own / CHECKS:.0f} ms",
                f"{share:.1%}", verdict(share, GOAL),
            )
        ],
    )  # fmt: skip
    return 0 if share <= GOAL else 1


def run(folder: Path) -> dict:
    """Run the workflow and return its final context."""
    repository = folder / "repository"
    for number in range(FILES):
        file = repository / f"package_{number % 20}" / f"module_{number}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"VALUE = {number}\n" * 100)
    who = ("-c", "user.name=Bench", "-c", "user.email=bench@example.org")
    for command in (("init", "-q", "-b", "main"), ("add", "-A"), (*who, "commit", "-q", "-m", "Begin")):
        subprocess.run(["git", *command], cwd=repository, check=True)
    wait = ["{python}", "-I", "-S", "-c", f"import time; time.sleep({SECONDS})"]
    spec = {
        "workflow_id": "checks",
        "repository": {"path": str(repository), "base": "main"},
        "agents": {"maker": {"backend": "command", "argv": ["{python}", "-c", LEAVE]}},
        "parallel_tasks": [{"task_id": "make", "agent": "maker"}],
        "verification": {"checks": [{"id": f"check-{number}", "argv": wait} for number in range(CHECKS)]},
    }
    (folder / "spec.json").write_text(json.dumps(spec))
    plait = Path(sys.executable).parent / "plait"
    store = ["--store", str(folder / "store")]
    subprocess.run([plait, "run", folder / "spec.json", *store, "--json"], check=True, stdout=subprocess.DEVNULL)
    shown = subprocess.run([plait, "show", "checks", *store], check=True, capture_output=True).stdout
    return json.loads(shown)


def moment(text: str) -> datetime:
    """Return an instant as documents write it."""
    return datetime.fromisoformat(text)


if __name__ == "__main__":
    sys.exit(main())
