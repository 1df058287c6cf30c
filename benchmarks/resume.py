"""What going on costs: resuming half a run, planning a resume of 1,000 tracks, and a no-op track beside plain Prefect.

    PYTHONPATH=. python benchmarks/resume.py [TRACKS] [--profile]

Starts a Prefect server and MiniStack of its own. Prints one line per figure with its limit; ends with 1 if one is
missed. ``--profile`` shows where the client's CPU goes.
"""

import argparse
import cProfile
import json
import os
import pstats
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from contexts.spec.load import load_spec
from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from contexts.store.objects import ObjectStore
from contexts.store.s3 import S3Objects
from contexts.store.s3.client import S3Settings, connect
from tasks.run.reuse import plan_reuse
from tests.contexts.stores import servers
from tests.servers import running_server

NOTHING = 'echo {} > "$PLAIT_CONTEXT"'
RUN = "import sys; from flows.cli import main; sys.exit(main(sys.argv[1:]))"
ROOT = Path(__file__).resolve().parents[1]
SLOW = 3.0
ROUNDS = 3


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
    """Kill runs with 10 of 24 tracks done, and resume each on the same host, beside a no-op run; medians count."""
    environment = {**os.environ, "PLAIT_STORE": str(folder / "store"), "PLAIT_WORKSPACES": str(folder / "workspaces")}
    store = ContextStore(LocalObjects(folder / "store"))
    resumed: list[float] = []
    nothing: list[float] = []
    redone = 0
    for number in range(ROUNDS):
        name, gate = f"half-{number}", folder / f"gate-{number}"
        wait = f"while [ ! -e {gate} ]; do sleep 0.1; done; sleep {SLOW}; {NOTHING}"
        spec = write_spec(folder / f"{name}.json", name, [NOTHING] * 10 + [wait] * 14, 24)
        run = start(spec, environment)
        while sum(document.startswith("tracks/") for document in store.revisions(name)) < 10:
            time.sleep(0.1)
        run.send_signal(signal.SIGKILL)
        run.communicate()
        gate.touch()
        took, reused = timed(spec, environment)
        resumed.append(took)
        redone += 10 - sum(reused.values())
        empty = f"nothing-{number}"
        nothing.append(timed(write_spec(folder / f"{empty}.json", empty, [NOTHING] * 24, 24), environment)[0])
    took, base = statistics.median(resumed), statistics.median(nothing)
    limit = SLOW + 1.3 * base
    each = ", ".join(f"{one:.2f} beside {other:.2f}" for one, other in zip(resumed, nothing, strict=True))
    print(f"resume 10 of 24: {redone} redone; {took:.2f} s, limit {SLOW:g} + 1.3 x {base:.2f} = {limit:.2f} s ({each})")
    return redone == 0 and took <= limit


def cost_per_track(folder: Path, count: int, *, profile: bool) -> Path:
    """Compare the client's CPU for no-op tracks with plain `task.map`; return the spec that was run."""
    from prefect import flow, task  # noqa: PLC0415 after the server's address is in the environment

    import flows.feature  # noqa: F401, PLC0415 importing is not what a track costs
    from contexts.spec.request import RunRequest  # noqa: PLC0415 same
    from flows.launch import launch  # noqa: PLC0415 same

    @task
    def nothing(number: int) -> int:
        return number

    @flow
    def plain(numbers: int) -> int:
        return len(nothing.map(range(numbers)).result())

    os.environ["PLAIT_WORKSPACES"] = str(folder / "workspaces")
    spec = write_spec(folder / "many.json", "many", [NOTHING] * count, 16)
    warm = write_spec(folder / "warm.json", "warm", [NOTHING] * 2, 16)
    plain(2)
    launch(RunRequest(spec=str(warm), store=str(folder / "store")))
    children = _children()
    with profiled(show=profile) as mine:
        ours = cpu(lambda: launch(RunRequest(spec=str(spec), store=str(folder / "store"))))
    agents = _children() - children
    with profiled(show=profile) as others:
        theirs = cpu(lambda: plain(count))
    again = cpu(lambda: launch(RunRequest(spec=str(spec), store=str(folder / "store"))))
    print(
        f"no-op track at N={count}: {1000 * ours / count:.2f} ms of client CPU, reused "
        f"{1000 * again / count:.2f} ms, plain task.map {1000 * theirs / count:.2f} ms: ratio {ours / theirs:.2f} "
        f"(reused {again / theirs:.2f}), goal 1.25; agents, their supervisors and git "
        f"{1000 * agents / count:.1f} ms more"
    )
    for name, found in (("plait", mine), ("plain task.map", others)):
        if found:
            print(f"--- {name}")
            pstats.Stats(*found).strip_dirs().sort_stats("tottime").print_stats(45).sort_stats("cumtime").print_stats(
                80
            )
    return spec


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU seconds this process spends on something."""
    before = time.process_time()
    work()
    return time.process_time() - before


@contextmanager
def profiled(*, show: bool) -> Iterator[list[cProfile.Profile]]:
    """Profile the CPU of every thread that begins in the block, and of this one."""
    profiles: list[cProfile.Profile] = []

    def begin(*_: Any) -> None:
        profiles.append(cProfile.Profile(time.thread_time))
        profiles[-1].enable()

    if not show:
        yield profiles
        return
    threading.setprofile(begin)
    begin()
    try:
        yield profiles
    finally:
        profiles[0].disable()
        threading.setprofile(None)  # pyright: ignore[reportArgumentType] the documented way to stop


def plan_resume(spec: Path, objects: ObjectStore, where: str, limit: float) -> bool:
    """Time what `plait plan` does before it prints, on a store that holds every track."""
    loaded = load_spec(spec)
    began = time.perf_counter()
    plan = plan_reuse(loaded, ContextStore(objects), loaded.spec.workflow_id)
    took = time.perf_counter() - began
    reused = sum(one.action == "reuse" for one in plan)
    print(f"planning a resume of {len(plan)} tracks on {where}: {took:.2f} s, limit {limit:g} s; {reused} reused")
    return took <= limit and reused == len(plan)


def plan_everywhere(spec: Path, folder: Path) -> list[bool]:
    """Plan on the folder the run left, and on a bucket with the same content."""
    local = LocalObjects(folder / "store")
    good = [plan_resume(spec, local, "a local folder", 1)]
    with servers.ministack() as server:
        session = boto3.Session(server.access_key, server.secret_key, region_name="us-east-1")
        settings = S3Settings(endpoint_url=server.endpoint, region="us-east-1", addressing="path")
        connect(settings, session).create_bucket(Bucket="bench")
        bucket = S3Objects("bench", "many", settings=settings, session=session)
        with ThreadPoolExecutor(16) as pool:
            for kind in ("documents", "blobs"):
                entries = local.list(f"{kind}/{load_spec(spec).spec.workflow_id}/")
                list(pool.map(lambda entry: bucket.create(entry.key, local.read(entry.key)), entries))
        good.append(plan_resume(spec, bucket, "MiniStack", 3))
    return good


def _children() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def main() -> int:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tracks", nargs="?", type=int, default=1000)
    parser.add_argument("--profile", action="store_true", help="show where the client's CPU goes")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the servers are ended then too
    with tempfile.TemporaryDirectory(prefix="plait-bench-") as name, running_server(Path(name) / "server") as server:
        os.environ.update(server.environment)
        folder = Path(name)
        good = [resume_half(folder)]
        spec = cost_per_track(folder, given.tracks, profile=given.profile)
        good += plan_everywhere(spec, folder)
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
