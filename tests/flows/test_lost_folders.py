"""A workflow's folder on this machine is a convenience: cleared or damaged, it is made anew from the store."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from contexts.errors import InputError
from contexts.spec.request import RunRequest
from contexts.store.contexts import ContextStore
from contexts.store.integrity import check_store
from contexts.store.local import LocalObjects
from flows.launch import RunReport, launch
from tasks.run.workspaces import workspace_root
from tests.flows.gate import Place
from tests.flows.specs import LEAVE, git, make_repository, write_spec

pytestmark = pytest.mark.usefixtures("prefect_api", "workspaces")


class Workflow:
    """Two tracks that write a file each, on a repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repository = make_repository(folder / "app", page="one\n")
        self.store = ContextStore(LocalObjects(folder / "store"))
        programs = {name: f"open({name!r}, 'w').write('x'); {LEAVE}" for name in ("api", "web")}
        tracks = {"web": {"needs": ["api"]}}
        self.spec = write_spec(
            folder, "shop", programs, tracks=tracks, repository={"path": str(self.repository)},
            verification={"checks": [{"id": "there", "argv": ["test", "-s", "api", "-a", "-s", "web"]}]},
        )  # fmt: skip

    def run(self, **named: object) -> RunReport:
        named = named or {"spec": self.spec}
        return launch(RunRequest.model_validate({**named, "store": str(self.folder / "store")}))

    @property
    def root(self) -> Path:
        return workspace_root(self.store, "shop")


@pytest.fixture
def workflow(tmp_path: Path) -> Workflow:
    return Workflow(tmp_path)


def clear(root: Path) -> None:
    shutil.rmtree(root)


def lose_refs(root: Path) -> None:
    shutil.rmtree(root / "trusted.git" / "refs")


def lose_objects(root: Path) -> None:
    shutil.rmtree(root / "trusted.git" / "objects")
    (root / "trusted.git" / "objects").mkdir()


@pytest.mark.parametrize("harm", [clear, lose_refs, lose_objects])
def test_a_run_after_its_folder_was_harmed_reuses_all_and_delivers_the_same(
    workflow: Workflow, harm: Callable[[Path], None]
) -> None:
    assert workflow.run().exit_code == 0
    assert check_store(workflow.store.objects).troubles == (), "nothing is left over either"
    delivered = git(workflow.repository, "rev-parse", "plait/shop")
    git(workflow.repository, "branch", "-D", "plait/shop")
    harm(workflow.root)
    report = workflow.run()
    assert (report.exit_code, [track.reused for track in report.tracks]) == (0, [True, True])
    assert git(workflow.repository, "rev-parse", "plait/shop") == delivered


def test_what_was_approved_is_deployed_although_the_folder_was_cleared_meanwhile(tmp_path: Path) -> None:
    place = Place(tmp_path)
    assert place.run().exit_code == 5
    place.answer("approve", "told")
    shutil.rmtree(workspace_root(place.store, "shop"))
    report = launch(RunRequest(workflow_id="shop", store=str(tmp_path / "store")))
    assert (report.status, place.times("production")) == ("deployed", 1)


def test_files_of_a_track_that_are_nowhere_are_made_again_when_asked(workflow: Workflow) -> None:
    workflow.run()
    git(workflow.repository, "branch", "-D", "plait/shop")
    _, api = workflow.store.require("shop", "tracks/api")
    blob = api["execution"]["bundle"]["sha256"]
    (next(workflow.folder.glob(f"store/blobs/shop/{blob}*"))).unlink()
    shutil.rmtree(workflow.root)
    with pytest.raises(InputError, match=r"files of track api are lost .*--rerun api"):
        workflow.run(workflow_id="shop")
    assert workflow.run(workflow_id="shop", rerun=("api",)).exit_code == 0
    assert git(workflow.repository, "show", "plait/shop:api") == "x"


def test_a_workflow_whose_spec_is_lost_runs_with_its_file(workflow: Workflow) -> None:
    workflow.run()
    _, document = workflow.store.require("shop")
    (next(workflow.folder.glob(f"store/blobs/shop/{document['spec']['sha256']}*"))).unlink()
    with pytest.raises(InputError, match=r"the spec of shop is lost .*run it with its spec file"):
        workflow.run(workflow_id="shop")
    assert all(track.reused for track in workflow.run().tracks)


def test_a_source_that_cannot_be_fetched_costs_nothing_of_what_is_here(workflow: Workflow) -> None:
    workflow.run()
    tip = git(workflow.repository, "rev-parse", "main")
    broken = workflow.repository / ".git" / "refs" / "heads" / "broken"
    broken.write_text("1" * 40 + "\n")
    with pytest.raises(InputError, match="git fetch failed"):
        workflow.run()
    broken.unlink()
    trusted = workflow.root / "trusted.git"
    assert git(trusted, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/plait/tracks") == "tracks/api\ntracks/web"
    assert git(trusted, "rev-parse", "refs/source/heads/main") == tip
    assert all(track.reused for track in workflow.run().tracks)
