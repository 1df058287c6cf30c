"""The deployed flow on a bucket named by a block: another machine goes on from the bucket alone."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect_aws import AwsCredentials
from pydantic import SecretStr

from contexts.leases.record import read_lease
from contexts.store.blocks import S3Contexts
from contexts.store.contexts import ContextStore
from contexts.store.s3 import S3Objects
from tests.contexts.stores import servers
from tests.contexts.stores.conftest import bucket_for
from tests.deploy.running import finish, start, tasks_of, wait_for, write_spec
from tests.flows.specs import git, make_repository
from tests.servers import ROOT, Server, running_server, running_worker

BLOCK = "block:s3-contexts/shared"
SECRET = "hush-hush-this-is-the-secret"
CODE = (
    "contexts",
    "tasks",
    "flows",
    "plait_start.py",
    "examples",
    "prefect.yaml",
    "work-pool.json",
    "pyproject.toml",
    "README.md",
)


@pytest.fixture(scope="module")
def ministack() -> Iterator[servers.Server]:
    with servers.ministack() as server:
        yield server


def save_block(server: servers.Server) -> ContextStore:
    """Save the block on the Prefect server in use, as the form in its UI does, and return its store."""
    credentials = AwsCredentials(
        aws_access_key_id="test", aws_secret_access_key=SecretStr(SECRET), region_name="us-east-1"
    )
    block = S3Contexts(
        bucket=bucket_for(server),
        prefix="deployed",
        endpoint_url=server.endpoint,
        addressing="path",
        credentials=credentials,
    )
    block.save("shared", overwrite=True)
    return ContextStore(block.open())


def copy_of_the_code(folder: Path) -> Path:
    """Return another clone of the project: what a second machine has."""
    folder.mkdir()
    for name in CODE:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy2
        copy(source, folder / name)
    return folder


def deploy_from(folder: Path, server: Server) -> None:
    """Deploy what is in a folder."""
    done = subprocess.run(
        [sys.executable, "-m", "flows.deployments.deploy_all"],
        cwd=folder,
        env=server.environment | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def states_of(client: SyncPrefectClient, run_id: object) -> dict[str, str]:
    return {one.name.split(" · ")[1]: str(one.state_name) for one in tasks_of(client, run_id) if " · " in one.name}


def test_a_run_killed_on_one_machine_goes_on_on_another_from_the_bucket_alone(
    deployed: Server, client: SyncPrefectClient, ministack: servers.Server, tmp_path: Path
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    store = save_block(ministack)
    repository = make_repository(here / "repository", README="An empty feature.\n")
    go = tmp_path / "go"
    waits = f"import pathlib, time\nwhile not pathlib.Path({str(go)!r}).exists(): time.sleep(0.2)"
    writes = "import pathlib; pathlib.Path('made.txt').write_text('made once')"
    spec = write_spec(here, "travels", writes, waits, repository={"path": str(repository)})
    mine = {"HOME": str(here), "PLAIT_WORKSPACES": str(here / "workspaces"), "PLAIT_ALLOWED_STORES": BLOCK}
    with running_worker(deployed, tmp_path / "worker-here", PLAIT_ALLOWED_SPECS=str(here), **mine) as worker:
        first = start(client, "feature/feature", spec=str(spec), store=BLOCK)
        wait_for("the quick track", lambda: "tracks/track-1" in store.revisions("travels"))
        lease = read_lease(store.objects, "travels")
        assert lease is not None
        assert lease.owner == str(first.id)
        os.kill(lease.pid, signal.SIGKILL)
        assert finish(client, first.id).is_crashed()
        said = worker.log.read_text(encoding="utf-8", errors="replace")
    clone = there / "clone"
    git(there, "clone", "--quiet", str(repository), str(clone))
    shutil.rmtree(here)
    go.touch()

    code = copy_of_the_code(there / "plait")
    theirs = {"HOME": str(there), "PLAIT_WORKSPACES": str(there / "workspaces"), "PLAIT_ALLOWED_STORES": BLOCK}
    with running_server(there / "prefect") as other, temporary_settings(updates={PREFECT_API_URL: other.url}):
        deploy_from(code, other)
        save_block(ministack)
        with (
            get_client(sync_client=True) as asked,
            running_worker(
                other, tmp_path / "worker-there", PLAIT_ALLOWED_SPECS=str(there), PYTHONPATH=str(code), **theirs
            ) as worker,
        ):
            second = start(asked, "feature/feature", workflow_id="travels", repository=str(clone), store=BLOCK)
            state = finish(asked, second.id, 120)
            assert state.name == "Completed", state.message
            assert states_of(asked, second.id) == {"track-1": "Reused", "track-2": "Completed"}
            said += worker.log.read_text(encoding="utf-8", errors="replace")
    _, final = store.require("travels")
    assert final["files_modified"] == ["made.txt"]
    assert git(clone, "show", "plait/travels:made.txt") == "made once"
    results = [entry.key for entry in store.objects.list("results/")]
    assert len(results) == 1, "the merge, and nothing but the merge, is cached beside the contexts"
    assert SECRET not in said
    assert_nowhere_in(store, SECRET)


def assert_nowhere_in(store: ContextStore, secret: str) -> None:
    """The secret of the credentials is in no object of the store."""
    assert isinstance(store.objects, S3Objects)
    keys = [entry.key for entry in store.objects.list("")]
    assert len(keys) > 5
    for key in keys:
        assert secret.encode() not in store.objects.read(key), key
