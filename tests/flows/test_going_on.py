"""Going on with a stored workflow from anywhere: what is finished needs no program, and what must run needs its own."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.client.schemas.objects import State

from contexts.errors import InputError, SpecError
from contexts.spec.load import load_spec
from contexts.spec.request import RunRequest
from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from contexts.verification.rulings import answer_gate
from contexts.verification.save_ruling import amend
from flows.launch import RunReport, launch
from flows.upkeep.reverify import reverify
from tasks.run.preflight import FOLDER_HINT, check_early, load_request
from tasks.run.reuse import plan_reuse
from tests.flows.specs import git, make_repository

pytestmark = pytest.mark.usefixtures("prefect_api", "workspaces")

AGENT = """
import os, pathlib, sys
name = os.environ["PLAIT_TASK_ID"]
with open({seen!r}, "a") as seen:
    seen.write(name + "\\n")
pathlib.Path(name + ".txt").write_text("made\\n")
pathlib.Path(os.environ["PLAIT_CONTEXT"]).write_text("{{}}")
sys.exit({code})
"""
CHECK = "import pathlib, sys; sys.exit(0 if pathlib.Path('one.txt').exists() else 1)\n"
SHIP = "import pathlib; pathlib.Path({shipped!r}).write_text('shipped')\n"


class Away:
    """A spec in a folder of its own, with its programs; run there, and gone on with from elsewhere."""

    def __init__(self, folder: Path, **more: Any) -> None:
        self.folder = folder
        self.home = folder / "a"
        self.seen = folder / "seen"
        self.store_path = folder / "store"
        self.store = ContextStore(LocalObjects(self.store_path))
        (self.home / "agents").mkdir(parents=True)
        for name in ("one", "two"):
            self.agent(name)
        (self.home / "check.py").write_text(CHECK)
        make_repository(folder / "app", readme__md="An application\n")
        spec = {
            "workflow_id": "far",
            "repository": {"path": str(folder / "app"), "base": "main"},
            "agents": {
                name: {"backend": "command", "argv": ["{python}", f"{{spec_dir}}/agents/{name}.py"]}
                for name in ("one", "two")
            },
            "parallel_tasks": [{"task_id": name, "agent": name, "timeout_minutes": 1} for name in ("one", "two")],
            "verification": {"checks": [{"id": "there", "argv": ["{python}", "{spec_dir}/check.py"]}]},
            **more,
        }
        (self.home / "spec.json").write_text(json.dumps(spec))

    def agent(self, name: str, code: int = 0, folder: Path | None = None) -> None:
        program = AGENT.format(seen=str(self.seen), code=code)
        ((folder or self.home) / "agents" / f"{name}.py").write_text(program)

    def build(self) -> RunReport:
        return launch(RunRequest(spec=str(self.home / "spec.json"), store=str(self.store_path)))

    def resume(self, **more: Any) -> RunReport:
        return launch(self.request(**more))

    def request(self, **more: Any) -> RunRequest:
        return RunRequest(workflow_id="far", store=str(self.store_path), **more)

    @property
    def ran(self) -> list[str]:
        return self.seen.read_text().split() if self.seen.exists() else []

    def bytes(self) -> dict[str, bytes]:
        """Everything there is in the store."""
        return {str(path.relative_to(self.store_path)): path.read_bytes() for path in _files(self.store_path)}

    def on_another_machine(self, monkeypatch: pytest.MonkeyPatch) -> Path:
        root = self.folder / "other-machine"
        monkeypatch.setenv("PLAIT_WORKSPACES", str(root))
        return root


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.fixture
def away(tmp_path: Path) -> Away:
    return Away(tmp_path)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, which holds other files of the same names."""
    folder = tmp_path / "elsewhere"
    (folder / "agents").mkdir(parents=True)
    for name in ("agents/one.py", "agents/two.py", "check.py", "ship.py"):
        (folder / name).write_text("raise SystemExit('never to be run')\n")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.usefixtures("elsewhere")
def test_a_verified_workflow_stays_verified_wherever_it_is_gone_on_with(
    away: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert away.build().status == "verified"

    def goes_on() -> None:
        report = away.resume()
        assert (report.status, report.exit_code) == ("verified", 0)
        assert [track.reused for track in report.tracks] == [True, True]
        assert sorted(away.ran) == ["one", "two"]

    goes_on()
    away.agent("one", code=7)  # what stands there now is not what the workflow was built with
    goes_on()
    shutil.rmtree(away.home)
    goes_on()
    away.on_another_machine(monkeypatch)
    goes_on()
    goes_on()  # and what this machine's run left is no worse


@pytest.mark.usefixtures("elsewhere")
def test_where_a_track_must_run_without_its_program_nothing_is_written_until_its_folder_is_named(
    away: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    away.agent("two", code=1)
    assert away.build().status == "partial"
    copy = away.folder / "copy"
    shutil.copytree(away.home, copy)
    shutil.rmtree(away.home)
    before = away.bytes()
    root = away.on_another_machine(monkeypatch)
    for call in (check_early, launch):
        with pytest.raises(InputError, match=r"(?s)track two.*agents/two\.py.*--spec-dir") as refused:
            call(away.request())
        assert refused.value.exit_code == 2
    (copy / "agents" / "two.py").unlink()
    with pytest.raises(InputError, match=r"(?s)track two.*copy/agents/two\.py.*--spec-dir"):
        launch(away.request(spec_dir=str(copy)))
    with pytest.raises(SpecError, match="no folder"):
        launch(away.request(spec_dir=str(copy / "nowhere")))
    assert away.bytes() == before
    assert not root.exists()
    away.agent("two", folder=copy)
    report = away.resume(spec_dir=str(copy))
    assert (report.status, [track.reused for track in report.tracks]) == ("verified", [True, False])
    assert sorted(away.ran) == ["one", "two", "two"]
    assert away.resume().status == "verified"


@pytest.mark.usefixtures("elsewhere")
def test_what_the_run_left_on_this_machine_is_taken_only_where_it_is_still_the_same(away: Away) -> None:
    away.agent("two", code=75)
    assert away.build().status == "partial"
    assert away.resume().status == "partial"
    assert away.ran.count("two") == 2
    away.agent("two")
    before = away.bytes()
    with pytest.raises(InputError, match=r"(?s)track two.*agents/two\.py is not what it was.*--spec-dir"):
        away.resume()
    assert away.bytes() == before
    assert away.resume(spec_dir=str(away.home)).status == "verified"
    assert (away.ran.count("one"), away.ran.count("two")) == (1, 3)


@pytest.mark.usefixtures("elsewhere")
def test_a_plan_of_a_stored_workflow_says_what_its_run_does(away: Away, monkeypatch: pytest.MonkeyPatch) -> None:
    away.build()
    away.on_another_machine(monkeypatch)
    loaded = load_request(away.request(), away.store)
    assert [one.action for one in plan_reuse(loaded, away.store, "far")] == ["reuse", "reuse"]
    there = load_request(away.request(spec_dir=str(away.home)), away.store)
    assert plan_reuse(there, away.store, "far") == plan_reuse(load_spec(away.home / "spec.json"), away.store, "far")


@pytest.mark.usefixtures("elsewhere")
def test_a_check_that_must_run_needs_its_program_and_one_that_passed_does_not(
    away: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    (away.home / "check.py").write_text("raise SystemExit(1)\n")
    assert away.build().status == "verification-failed"
    away.on_another_machine(monkeypatch)
    before = away.bytes()
    with pytest.raises(InputError, match=r"(?s)check there.*check\.py.*--spec-dir"):
        away.resume()
    assert away.bytes() == before
    (away.home / "check.py").write_text(CHECK)
    report = away.resume(spec_dir=str(away.home))
    assert (report.status, len(away.ran)) == ("verified", 2)


@pytest.mark.usefixtures("elsewhere")
def test_verifying_again_runs_the_spec_s_own_check_or_none(away: Away, monkeypatch: pytest.MonkeyPatch) -> None:
    def verified_again(**more: Any) -> State[Any]:
        return reverify(workflows=["far"], store=str(away.store_path), return_state=True, **more)

    away.build()
    git(away.folder / "app", "merge", "--quiet", "plait/far")
    shutil.rmtree(away.home / "agents")  # a check needs no agent
    assert verified_again().is_completed()
    away.on_another_machine(monkeypatch)
    before = away.bytes()
    state = verified_again()
    assert state.is_failed()
    assert re.search(r"check there.*check\.py.*--spec-dir", str(state.message))
    assert away.bytes() == before
    assert verified_again(spec_dir=str(away.home)).is_completed()


@pytest.mark.usefixtures("elsewhere")
def test_what_was_approved_is_deployed_by_its_own_program_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "shipped"
    production = {"argv": ["{python}", "{spec_dir}/ship.py"], "gate": "go"}
    away = Away(tmp_path, deployment={"production": production})
    (away.home / "ship.py").write_text(SHIP.format(shipped=str(shipped)))
    assert away.build().status == "waiting-for-approval"
    away.on_another_machine(monkeypatch)
    assert away.resume().status == "waiting-for-approval"
    amend(away.store, "far", lambda newest, at: answer_gate(newest, "go", answer="approve", by="Ann", note="ok", at=at))
    before = away.bytes()
    with pytest.raises(InputError, match=r"(?s)deployment\.production.*ship\.py.*--spec-dir"):
        away.resume()
    assert away.bytes() == before
    assert not shipped.exists()
    assert away.resume(spec_dir=str(away.home)).status == "deployed"
    assert shipped.read_text() == "shipped"
    shutil.rmtree(away.home)
    away.on_another_machine(monkeypatch)
    assert away.resume().status == "deployed"


def test_a_stored_workflow_whose_folder_nobody_remembers_asks_for_it(
    away: Away, workspaces: Path, elsewhere: Path
) -> None:
    away.build()
    ref, newest = away.store.require("far")
    newest["run"].pop("programs")  # as a run of an earlier version left it
    newest.pop("_checksum")
    away.store.save(newest, workflow_id="far", name="context", after=ref.revision)
    assert away.resume().status == "verified"
    ref, newest = away.store.require("far")
    newest["run"].pop("programs")
    newest.pop("_checksum")
    away.store.save(newest, workflow_id="far", name="context", after=ref.revision)
    next(workspaces.glob(f"far-*/{FOLDER_HINT}")).unlink()
    before = away.bytes()
    with pytest.raises(InputError, match="--spec-dir"):
        away.resume()
    assert away.bytes() == before
    assert (elsewhere / "agents" / "one.py").exists()
    assert away.resume(spec_dir=str(away.home)).status == "verified"
    assert len(away.ran) == 2
