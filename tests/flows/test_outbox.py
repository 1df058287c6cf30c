"""What the outbox of this machine holds is saved by the next run if it is still wanted, and told if it is not."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from contexts.documents.base import JsonObject
from contexts.leases.record import read_lease
from contexts.spec.load import load_spec
from contexts.spec.request import RunRequest
from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from contexts.store.outbox import Outbox
from flows.launch import RunReport, launch
from tasks.run.progress import LOGGER
from tasks.run.reuse import outbox_folder, plan_reuse
from tasks.run.workspaces import workspace_root
from tests.flows.specs import LEAVE, make_repository, write_spec

pytestmark = [pytest.mark.usefixtures("prefect_api", "workspaces")]


class Workflow:
    """Two tracks that write a file each and note that they ran; ``web`` needs ``api``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = folder / "ledger"
        self.repository = make_repository(folder / "app", page="one\n")
        self.store = ContextStore(LocalObjects(folder / "store"))
        self.write()

    def write(self, **web: object) -> None:
        programs = {
            name: f"open({name!r}, 'w').write('x'); open({str(self.ledger)!r}, 'a').write('{name} '); {LEAVE}"
            for name in ("api", "web")
        }
        self.spec = write_spec(
            self.folder, "shop", programs, tracks={"web": {"needs": ["api"], **web}},
            repository={"path": str(self.repository)},
            verification={"checks": [{"id": "there", "argv": ["test", "-s", "api", "-a", "-s", "web"]}]},
        )  # fmt: skip

    def run(self) -> RunReport:
        return launch(RunRequest.model_validate({"spec": self.spec, "store": str(self.folder / "store")}))

    def planned(self) -> dict[str, str]:
        return {one.task_id: one.action for one in plan_reuse(load_spec(Path(self.spec)), self.store, "shop")}

    @property
    def ran(self) -> list[str]:
        return self.ledger.read_text(encoding="utf-8").split()

    @property
    def outbox(self) -> Outbox:
        return Outbox(outbox_folder(workspace_root(self.store, "shop")), self.store, "shop")

    def take_out(self, *task_ids: str) -> None:
        """Put finished tracks into the outbox, as if of their last attempts the store had only the beginning."""
        for task_id in task_ids:
            name = f"tracks/{task_id}"
            ref, document = self.store.require("shop", name)
            execution: JsonObject = document["execution"]
            blobs = [execution["bundle"], *(one["log"] for one in execution["attempts"] if one.get("log"))]
            keys = [f"blobs/shop/{one['sha256']}" for one in blobs]
            self.store.save({**document, "status": "running"}, workflow_id="shop", name=name, after=ref.revision)
            self.outbox.keep(task_id, document, ref.revision + 2, {key: self.store.objects.read(key) for key in keys})


@pytest.fixture
def workflow(tmp_path: Path) -> Workflow:
    made = Workflow(tmp_path)
    assert made.run().exit_code == 0
    made.take_out("api", "web")
    return made


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger=LOGGER)
    return caplog


def test_the_next_run_saves_what_was_finished_under_its_lease_and_runs_no_agent(
    workflow: Workflow, told: pytest.LogCaptureFixture
) -> None:
    assert workflow.planned() == {"api": "reuse", "web": "reuse"}
    report = workflow.run()
    assert (report.exit_code, [track.reused for track in report.tracks]) == (0, [True, True])
    assert workflow.ran == ["api", "web"], "as in the first run"
    assert workflow.outbox.entries() == ()
    assert told.text.count("saved from the outbox") == 2
    lease = read_lease(workflow.store.objects, "shop")
    assert lease is not None
    assert (lease.epoch, lease.end_reason) == (2, "finished")
    assert workflow.run().exit_code == 0, "from the store alone"
    assert workflow.ran == ["api", "web"]


def test_what_was_made_from_other_inputs_is_told_and_stays_until_it_is_wanted_again(
    workflow: Workflow, told: pytest.LogCaptureFixture
) -> None:
    workflow.write(scope="otherwise")
    assert workflow.planned() == {"api": "reuse", "web": "run"}
    assert [track.reused for track in workflow.run().tracks] == [True, False]
    assert workflow.ran == ["api", "web", "web"]
    assert told.text.count("of track web is not used: its inputs changed since") == 1
    assert [one.task_id for one in workflow.outbox.entries()] == ["web"]
    workflow.write()
    assert workflow.planned() == {"api": "reuse", "web": "reuse"}
    assert [track.reused for track in workflow.run().tracks] == [True, True]
    assert workflow.ran == ["api", "web", "web"]
    assert workflow.outbox.entries() == ()


def test_a_damaged_result_is_told_and_its_track_runs_again(workflow: Workflow, told: pytest.LogCaptureFixture) -> None:
    (kept,) = workflow.outbox.entries("api")
    assert kept.manifest is not None
    document = kept.folder / kept.manifest.objects["documents/shop/tracks/api/000003.json"]
    document.write_bytes(document.read_bytes().replace(b"completed", b"complete!"))
    report = workflow.run()
    assert (report.exit_code, [track.reused for track in report.tracks]) == (0, [False, True])
    assert workflow.ran == ["api", "web", "api"]
    assert told.text.count("of track api is damaged") == 1


def test_what_somebody_has_saved_meanwhile_is_not_saved_once_more(workflow: Workflow) -> None:
    for kept in workflow.outbox.entries():
        document, _ = workflow.outbox.open(kept)
        workflow.store.save(document, workflow_id="shop", name=f"tracks/{kept.task_id}", after=2)
    assert [track.reused for track in workflow.run().tracks] == [True, True]
    assert {name: len(numbers) for name, numbers in workflow.store.revisions("shop").items() if "/" in name} == {
        "tracks/api": 3, "tracks/web": 3,
    }  # fmt: skip
    assert workflow.outbox.entries() == ()
