"""Put the work pool, its queues and limits, and all deployments of prefect.yaml on the server; clear what is gone.

    python -m flows.deployments.deploy_all

Doing it again changes nothing. A deployment or schedule that was removed from prefect.yaml is removed from the server:
among the deployments in the pool that carry the tag, only what the file names stays.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags, WorkPoolFilter, WorkPoolFilterName
from prefect.client.schemas.objects import WorkPool
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound
from prefect.settings import get_current_settings
from pydantic import BaseModel, ConfigDict

from flows.deployments.concurrency import BACKENDS, backend_tag

POOL = "plait"
TAG = "plait"
QUEUES: Mapping[str, int | None] = {"features": 4, "upkeep": 2, "sweep": None}
"""Queues of the pool and how many runs each may have at a time; upkeep never waits for features.

The sweep has no limit: it gives back the places of runs that nobody works on, its own and those of upkeep too.
"""


class DeclaredSchedule(BaseModel):
    """A schedule as prefect.yaml names it."""

    slug: str


class DeclaredDeployment(BaseModel):
    """A deployment as prefect.yaml names it; the rest of it is for Prefect."""

    name: str
    schedules: tuple[DeclaredSchedule, ...] | None = None


class Declared(BaseModel):
    """What prefect.yaml says there is to be."""

    deployments: tuple[DeclaredDeployment, ...]


class Cleared(BaseModel):
    """What was removed from the server because prefect.yaml no longer has it."""

    model_config = ConfigDict(frozen=True)

    deployments: tuple[str, ...]
    schedules: tuple[str, ...]


def prepare_pool(client: SyncPrefectClient, wanted: dict[str, Any]) -> None:
    """Make the work pool, its queues and the limits per backend; what a person has set differently since stays.

    The pool's template is always put back: it is what keeps a run from choosing its own command and environment.

    Args:
        client: The server.
        wanted: The pool's template, as read.
    """
    try:
        found: WorkPool = client.read_work_pool(POOL)
    except ObjectNotFound:
        client.create_work_pool(
            WorkPoolCreate(name=POOL, type="process", base_job_template=wanted, description="Runs of plait")
        )
    else:
        if found.base_job_template != wanted:
            client.update_work_pool(POOL, WorkPoolUpdate(base_job_template=wanted))
    queues = {queue.name for queue in client.read_work_queues(work_pool_name=POOL)}
    for name, limit in QUEUES.items():
        if name not in queues:
            queue = client.create_work_queue(name=name, work_pool_name=POOL)
            if limit is not None:
                client.update_work_queue(queue.id, concurrency_limit=limit)
    limits = {limit.tag for limit in client.read_concurrency_limits(limit=200, offset=0)}
    for backend, limit in BACKENDS.items():
        if backend_tag(backend) not in limits:
            client.create_concurrency_limit(tag=backend_tag(backend), concurrency_limit=limit)


def clear_removed(client: SyncPrefectClient, declared: Declared) -> Cleared:
    """Remove deployments and schedules that are on the server but no longer in the file.

    Args:
        client: The server.
        declared: What prefect.yaml says.
    """
    wanted = {one.name: one for one in declared.deployments}
    deployments: list[str] = []
    schedules: list[str] = []
    for found in _ours(client):
        if found.name not in wanted:
            client.delete_deployment(found.id)
            deployments.append(found.name)
            continue
        slugs = {one.slug for one in wanted[found.name].schedules or ()}
        for schedule in client.read_deployment_schedules(found.id):
            if schedule.slug not in slugs:
                client.delete_deployment_schedule(found.id, schedule.id)
                schedules.append(f"{found.name}/{schedule.slug or schedule.id}")
    return Cleared(deployments=tuple(deployments), schedules=tuple(schedules))


def _ours(client: SyncPrefectClient) -> list[DeploymentResponse]:
    found: list[DeploymentResponse] = []
    while True:
        page = client.read_deployments(
            deployment_filter=DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG])),
            work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[POOL])),
            limit=100,
            offset=len(found),
        )
        found += page
        if len(page) < 100:
            return found


def main() -> int:
    """Deploy everything, and say what was cleared.

    Returns:
        0; 2 where a file cannot be used, 6 where there is no server, or what `prefect deploy` ended with.
    """
    parser = argparse.ArgumentParser(description="Deploy everything in prefect.yaml; clear what it no longer has.")
    parser.add_argument("--prefect-file", type=Path, default=Path("prefect.yaml"), metavar="FILE")
    parser.add_argument("--work-pool", type=Path, default=Path("work-pool.json"), metavar="FILE")
    parser.add_argument(
        "--wait", type=float, default=180.0, metavar="SECONDS", help="How long a server may take to start."
    )
    given = parser.parse_args()
    if not given.prefect_file.is_file():
        # A deployment names the folder its code is in, so there is none to make from an installed wheel.
        return _failed(f"there is no {given.prefect_file.absolute()}: run `make deploy` in a checkout of plait", 2)
    url = get_current_settings().api.url
    if not url:
        # Without one Prefect would start a server for this moment, and deploy to that.
        return _failed(
            "no Prefect server is named: start one with `prefect server start`, and set PREFECT_API_URL, "
            "for example to http://127.0.0.1:4200/api",
            2,
        )
    try:
        declared = Declared.model_validate(yaml.safe_load(given.prefect_file.read_text(encoding="utf-8")))
        template = json.loads(given.work_pool.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        return _failed(f"{given.prefect_file} or {given.work_pool} cannot be read: {error}", 2)
    try:
        return _deploy(given.prefect_file, declared, template, given.wait)
    except (httpx.HTTPError, RuntimeError) as error:
        return _failed(
            f"the Prefect server at {url} does not answer ({error}): start it with `prefect server start`, or set "
            "PREFECT_API_URL to the one that runs",
            6,
        )


def _deploy(file: Path, declared: Declared, template: dict[str, Any], wait: float) -> int:
    with get_client(sync_client=True) as client:
        _await_server(client, wait)
        prepare_pool(client, template)
        argv = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(file)]
        # Prefect draws boxes and gives the same hints for each of them; they matter only where something went wrong.
        done = subprocess.run(argv, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            print(done.stdout, end="", file=sys.stderr)  # noqa: T201 this is a command
            return done.returncode
        cleared = clear_removed(client, declared)
        url = str(client.api_url).rstrip("/")
    for name in (*cleared.deployments, *cleared.schedules):
        print(f"Removed {name}: prefect.yaml no longer has it.")  # noqa: T201 this is a command
    names = ", ".join(one.name for one in declared.deployments)
    print(  # noqa: T201 this is a command
        f"Deployed {names} to the work pool {POOL} at {url}; `prefect worker start --pool {POOL}` runs them, and "
        f"{get_current_settings().ui_url or url} shows them"
    )
    return 0


def _await_server(client: SyncPrefectClient, seconds: float) -> None:
    """Wait until the server answers: one may be started at the same time, and takes half a minute.

    Raises:
        Exception: What the server, or nobody, said last.
    """
    deadline = time.monotonic() + seconds
    told = False
    while problem := client.api_healthcheck():
        if time.monotonic() > deadline:
            raise problem
        if not told:
            print(f"waiting for the Prefect server at {client.api_url}", file=sys.stderr)  # noqa: T201 this is a command
            told = True
        time.sleep(0.5)


def _failed(sentence: str, code: int) -> int:
    print(f"plait: {sentence}", file=sys.stderr)  # noqa: T201 this is a command
    return code


if __name__ == "__main__":
    sys.exit(main())
