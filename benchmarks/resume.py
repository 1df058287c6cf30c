"""What going on costs: resuming half a run, planning a resume of 1,000 tracks, and a no-op track beside plain Prefect.

    python benchmarks/resume.py [TRACKS]

Needs a Prefect server in PREFECT_API_URL. Prints one line per figure with its limit; ends with 1 if one is missed.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NOTHING = 'echo {} > "$PLAIT_CONTEXT"'
RUN = "import sys; from flows.cli import main; sys.exit(main(sys.argv[1:]))"
ROOT = Path(__file__).resolve().parents[1]
SLOW = 3.0


def write_spec(path: Path, name: str, shells: list[str], width: int) -> Path:
    """Write a spec with a track for each line of shell."""
    spec = {
        "workflow_id": name,
        "agents": {f"a{n}": {"backend": "command", "argv": ["sh", "-c", line]} for n, line in enumerate(shells)},
        "parallel_tasks": [{"task_id": f"t{n}", "agent": f"a{n}"} for n in range(len(shells))],
        "max_parallel": width,
    }
    path.write_text(json.dumps(spec), encoding="utf-8")
    return path


def start(spec: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a run from a fresh interpreter."""
    return subprocess.Popen(
        [sys.executable, "-c", RUN, "run", str(spec), "--json"], env=environment, cwd=ROOT, stdout=subprocess.PIPE
    )


def timed(spec: Path, environment: dict[str, str]) -> tuple[float, dict[str, bool]]:
    """Run to the end; return the seconds and which tracks were reused."""
    began = time.perf_counter()
    out, _ = start(spec, environment).communicate()
    seconds = time.perf_counter() - began
    return seconds, {one["task_id"]: one["reused"] for one in json.loads(out.splitlines()[-1])["tracks"]}


def resume_half(folder: Path) -> bool:
    """Kill a run with 10 of 24 tracks done, and resume it on the same host."""
    from contexts.local import LocalObjects
    from contexts.store import ContextStore

    environment = {**os.environ, "PLAIT_STORE": str(folder / "store"), "PLAIT_WORKSPACES": str(folder / "workspaces")}
    gate = folder / "gate"
    wait = f'while [ ! -e {gate} ]; do sleep 0.1; done; sleep {SLOW}; {NOTHING}'
    spec = write_spec(folder / "half.json", "half", [NOTHING] * 10 + [wait] * 14, 24)
    store = ContextStore(LocalObjects(folder / "store"))
    run = start(spec, environment)
    while sum(name.startswith("tracks/") for name in store.revisions("half")) < 10:
        time.sleep(0.1)
    run.send_signal(signal.SIGKILL)
    run.wait()
    gate.touch()
    took, reused = timed(spec, environment)
    nothing, _ = timed(write_spec(folder / "nothing.json", "nothing", [NOTHING] * 24, 24), environment)
    limit = SLOW + 1.3 * nothing
    redone = 10 - sum(reused.values())
    print(f"resume 10 of 24: {redone} redone; {took:.2f} s, limit {SLOW:g} + 1.3 x {nothing:.2f} = {limit:.2f} s")
    return redone == 0 and took <= limit


def cost_per_track(folder: Path, count: int) -> bool:
    """Compare the client's CPU for no-op tracks with plain `task.map`, then plan what resuming them would do."""
    from prefect import flow, task

    from contexts.local import LocalObjects
    from contexts.model.request import RunRequest
    from contexts.specfile import load_spec
    from contexts.store import ContextStore
    import flows.feature  # noqa: F401 importing is not what a track costs
    from flows.launch import launch
    from tasks.reuse import plan_reuse

    @task
    def nothing(number: int) -> int:
        return number

    @flow
    def plain(numbers: int) -> int:
        return len(nothing.map(range(numbers)).result())

    os.environ["PLAIT_WORKSPACES"] = str(folder / "workspaces")
    spec = write_spec(folder / "many.json", "many", [NOTHING] * count, 16)
    store = folder / "store"
    plain(2)
    before, children = time.process_time(), _children()
    launch(RunRequest(spec=str(spec), store=str(store)))
    ours, agents = time.process_time() - before, _children() - children
    before = time.process_time()
    plain(count)
    theirs = time.process_time() - before
    print(
        f"no-op track at N={count}: {1000 * ours / count:.2f} ms of client CPU, plain task.map {1000 * theirs / count:.2f} ms: "
        f"ratio {ours / theirs:.2f}, goal 1.25; agents, their supervisors and git {1000 * agents / count:.1f} ms more"
    )
    began = time.perf_counter()
    plan = plan_reuse(load_spec(spec), ContextStore(LocalObjects(store)), "many")
    took = time.perf_counter() - began
    print(f"planning a resume of {count} tracks: {took:.2f} s, limit 1 s")
    return took <= 1 and all(one.action == "reuse" for one in plan)


def _children() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def main(count: int) -> int:
    """Measure everything."""
    with tempfile.TemporaryDirectory() as half, tempfile.TemporaryDirectory() as many:
        return 0 if [resume_half(Path(half)), cost_per_track(Path(many), count)] == [True, True] else 1


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
