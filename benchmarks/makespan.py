"""Measure how close a run's wall time is to its critical path.

Half a second of preparation, then three tracks of 4.5, 6.0 and 5.0 seconds side by side, then a check of 1.5 seconds:
at best 8 seconds in all.

    make bench, or: python benchmarks/makespan.py

Takes the Prefect server of PREFECT_API_URL; without one a run starts its own. That start is not counted, as the phases
are timed inside the run.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

AGENT = """import json, os, sys, time
time.sleep(float(sys.argv[1]))
if "PLAIT_CONTEXT" in os.environ:
    json.dump({}, open(os.environ["PLAIT_CONTEXT"], "w"))
"""
BEFORE = 0.5
SECONDS = {"frontend": 4.5, "backend": 6.0, "tests": 5.0}
AFTER = 1.5
CRITICAL = BEFORE + max(SECONDS.values()) + AFTER
GOAL = 1.15


def main() -> int:
    """Run once and print the ratio; exit 1 above the goal."""
    with tempfile.TemporaryDirectory(prefix="plait-bench-") as name:
        folder = Path(name)
        (folder / "agent.py").write_text(AGENT)
        spec = {
            "workflow_id": "makespan",
            "agents": {
                task: {"backend": "command", "argv": ["{python}", "{spec_dir}/agent.py", str(seconds)]}
                for task, seconds in {"preparation": BEFORE, **SECONDS}.items()
            },
            "parallel_tasks": [
                {"task_id": "preparation", "agent": "preparation"},
                *({"task_id": task, "agent": task, "needs": ["preparation"]} for task in SECONDS),
            ],
            "verification": {"checks": [{"id": "after", "argv": ["{python}", "{spec_dir}/agent.py", str(AFTER)]}]},
        }
        (folder / "spec.json").write_text(json.dumps(spec))
        plait = Path(sys.executable).parent / "plait"
        command = [plait, "run", folder / "spec.json", "--store", folder / "store", "--json"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        shown = subprocess.run(
            [plait, "show", "makespan", "--store", folder / "store"], check=True, capture_output=True
        ).stdout
    metrics = {one["name"]: one["value"] for one in json.loads(shown)["metrics"]["metrics"]}
    ratio = metrics["wall"] / CRITICAL
    print(f"wall {metrics['wall']:.2f} s over a critical path of {CRITICAL:.1f} s = {ratio:.3f} (goal at most {GOAL})")
    return 0 if ratio <= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
