"""Two workers that share no folder, a server on Postgres, a store on S3: one machine dies, the other finishes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from contexts.leases.interrupted import STALE_AFTER
from contexts.leases.record import read_lease
from contexts.store.contexts import ContextStore
from tests.contexts.stores import servers
from tests.contexts.stores.conftest import s3_storage
from tests.deploy.conftest import deploy
from tests.deploy.machines import machine, why_not
from tests.deploy.running import finish, start, tasks_of, wait_for
from tests.flows.specs import LEAVE, git, make_repository, write_spec
from tests.postgres import NoPostgres, programs, running_postgres
from tests.servers import Server, free_port, running_server, started

WORKFLOW = "two-machines"
QUICK = ("api", "page")
CHECK = (
    "import pathlib, sys; sys.exit(0 if all(pathlib.Path(n + '.txt').exists() for n in ('api', 'page', 'slow')) else 1)"
)


def agent(name: str) -> str:
    """Write a file; the slow one comes to nothing on the first machine, which dies meanwhile."""
    waits = "import socket, time; time.sleep(600 if socket.gethostname() == 'machine-a' else 0); "
    return f"{waits if name == 'slow' else ''}open('{name}.txt', 'w').write('done'); {LEAVE}"


@dataclass(frozen=True)
class Site:
    """What both machines reach: the Prefect server, the bucket, the repository."""

    server: Server
    client: SyncPrefectClient
    store: ContextStore
    environment: dict[str, str]
    repository: Path
    repository_url: str


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """Run Postgres."""
    try:
        programs()
    except NoPostgres as error:
        pytest.skip(str(error))
    with running_postgres() as url:
        yield url


@pytest.fixture(scope="module")
def site(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Run everything but the machines."""
    folder = tmp_path_factory.mktemp("site")
    app = make_repository(folder / "app", readme__md="An application\n")
    git(folder, "clone", "--quiet", "--bare", str(app), "app.git")
    port = free_port()
    daemon = ["git", "daemon", "--listen=127.0.0.1", f"--port={port}", f"--base-path={folder}", "--export-all"]
    with (
        started(
            [*daemon, "--enable=receive-pack", str(folder)], {"PATH": "/usr/bin:/bin"}, folder / "git.log", cwd=folder
        ),
        servers.ministack() as s3,
        running_server(folder / "prefect", PREFECT_SERVER_DATABASE_CONNECTION_URL=database) as server,
        temporary_settings({PREFECT_API_URL: server.url}),
        get_client(sync_client=True) as client,
    ):
        objects = s3_storage(s3)()
        environment = {
            "PLAIT_STORE": f"{objects.identity.partition('?')[0]}?endpoint_url={s3.endpoint}&region=us-east-1&addressing=path",
            "AWS_ACCESS_KEY_ID": s3.access_key,
            "AWS_SECRET_ACCESS_KEY": s3.secret_key,
        }
        deploy(server)
        yield Site(
            server, client, ContextStore(objects), environment, folder / "app.git", f"git://127.0.0.1:{port}/app.git"
        )


@pytest.mark.soak
def test_what_one_machine_began_another_finishes_from_the_store_alone(
    site: Site, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if reason := why_not():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("machines")
    specs = folder / "specs"
    specs.mkdir()
    write_spec(
        specs,
        WORKFLOW,
        {name: agent(name) for name in (*QUICK, "slow")},
        tracks={"slow": {"timeout_minutes": 20}},
        repository={"path": site.repository_url, "base": "main"},
        verification={"checks": [{"id": "all-there", "argv": ["{python}", "-c", CHECK]}]},
    )
    home = folder / "home"
    with machine(site.server, "machine-a", home, specs, folder / "a.log", **site.environment) as first:
        began = start(site.client, "feature/feature", spec=str(home / "specs" / f"{WORKFLOW}.json"))
        done = {f"tracks/{name}" for name in QUICK}
        wait_for("the quick tracks", lambda: done <= set(site.store.revisions(WORKFLOW)), 90)
        lease = read_lease(site.store.objects, WORKFLOW)
        assert lease
        assert (lease.machine, lease.owner, lease.end_reason) == ("machine-a", str(began.id), None)
        first.pull_the_plug()
    assert not list(home.iterdir()), "nothing of the first machine is left"
    assert site.client.read_flow_run(began.id).state_name == "Running", "the server cannot know"

    (folder / "nothing").mkdir()
    (folder / "nothing" / "unrelated.txt").touch()
    with machine(site.server, "machine-b", home, folder / "nothing", folder / "b.log", **site.environment):
        wait_for("a minute of silence", lambda: silence_of_the_lease(site) > STALE_AFTER, 90)
        sweep = start(site.client, "resume-interrupted/resume-interrupted")
        assert finish(site.client, sweep.id, 120).name == "Completed"
        (again,) = (one for one in site.client.read_flow_runs() if "plait-restart" in one.tags)
        state = finish(site.client, again.id, 180)
        assert state.name == "Completed", state.message

    ran = [one for one in tasks_of(site.client, again.id) if one.task_key.startswith("run_track")]
    tracks = {one.name.split(" · ")[1]: one.state_name for one in ran}
    assert tracks == {"api": "Reused", "page": "Reused", "slow": "Completed"}
    assert {name: site.store.revisions(WORKFLOW)[f"tracks/{name}"] for name in QUICK} == {"api": (1,), "page": (1,)}
    final = site.store.require(WORKFLOW)[1]
    assert final["run"]["status"] == "verified"
    lease = read_lease(site.store.objects, WORKFLOW)
    assert lease
    assert (lease.machine, lease.end_reason) == ("machine-b", "finished")
    files = git(site.repository, "ls-tree", "--name-only", f"plait/{WORKFLOW}").splitlines()
    assert files == ["api.txt", "page.txt", "readme.md", "slow.txt"]
    dead = site.client.read_flow_run(began.id)
    assert dead.state_name == "Crashed", "a dead run holds no place in the queue"
    assert "no heartbeat from machine-a" in str(dead.state and dead.state.message)


def silence_of_the_lease(site: Site) -> float:
    """Return the seconds since the lease was renewed last."""
    lease = read_lease(site.store.objects, WORKFLOW)
    assert lease
    return (datetime.now(UTC) - lease.renewed).total_seconds()
