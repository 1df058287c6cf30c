"""Runs in the real Prefect UI, as somebody meets them who has a browser and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import expect
from prefect.client.schemas.objects import FlowRun

from tests.deploy.running import finish, start, wait_for
from tests.flows.specs import TRACKS, write_spec
from tests.ui.conftest import Office
from tests.ui.person import SECONDS, Person

HOSTILE = "<script>alert('x')</script><img src=http://192.0.2.1/seen onerror=alert(1)> ![](http://192.0.2.1/md)"
CONTEXT = {
    "context_summary": f"Done. {HOSTILE}",
    "decisions": ["Keep it small"],
    "pending_actions": [f"Look at {HOSTILE}"],
}
PROGRAM = f"import os; open(os.environ['PLAIT_CONTEXT'], 'w').write({json.dumps(CONTEXT)!r})"
CHECKS = {"checks": [{"id": "unit", "argv": ["{python}", "-c", "print('all is well')"]}]}
CRITERIA = {"api": [{"text": "It can be used", "check": "unit"}]}


def write(office: Office, workflow_id: str, **more: Any) -> str:
    programs = dict.fromkeys(TRACKS, PROGRAM)
    return write_spec(
        office.specs, workflow_id, programs, verification=CHECKS, success_criteria=CRITERIA, **more
    )  # fmt: skip


@pytest.fixture(scope="module")
def finished(office: Office) -> FlowRun:
    """Return a run of three tracks that has ended well."""
    run = start(office.client, "feature/feature", spec=write(office, "shop"))
    assert finish(office.client, run.id, 120).name == "Completed"
    return office.client.read_flow_run(run.id)


@pytest.fixture
def dialogs(person: Person) -> Iterator[list[str]]:
    """Collect what pages pop up; nothing may."""
    seen: list[str] = []
    person.page.on("dialog", lambda dialog: (seen.append(dialog.message), dialog.dismiss()))
    yield seen
    assert seen == []


def see_tracks_and_merge(person: Person, workflow_id: str) -> None:
    tasks = person.run_tab("Task Runs")
    for name in (*(f"{workflow_id} · {track} · {track}" for track in TRACKS), f"merge {workflow_id}"):
        expect(tasks.get_by_role("link", name=name, exact=True)).to_be_visible()


def test_somebody_who_has_read_nothing_starts_a_run_from_the_form(office: Office, person: Person):
    # A name no other run of the server has: the list may show those.
    workflow_id = f"first-{uuid4().hex[:8]}"
    spec = write(office, workflow_id)
    person.fill_run_form("feature", Spec_file=spec)
    form = person.page.get_by_role("main")
    for words in (
        "Path of the spec file, YAML or JSON", "already in the store: go on with it", "A whole spec as an object",
        "Where contexts are kept", "Do not use what is already in the store", "Names of tracks to run again",
    ):  # fmt: skip
        person.see(re.compile(words), within=form)
    person.submit_run_form()
    # The list of the deployment's runs; a run has its workflow's name as soon as it has begun.
    mine = person.page.get_by_role("main").get_by_role("link", name=workflow_id, exact=True)
    expect(mine).to_be_visible(timeout=SECONDS * 1000)
    mine.click()
    person.see_state("Completed", 120)
    see_tracks_and_merge(person, workflow_id)
    assert office.store.require(workflow_id)[1]["run"]["status"] == "verified"


def test_the_run_page_shows_three_tracks_that_lead_into_the_merge(office: Office, person: Person, finished: FlowRun):
    person.open(f"/runs/flow-run/{finished.id}")
    person.see_state("Completed")
    expect(person.page.get_by_role("main").locator("canvas")).to_be_visible()
    see_tracks_and_merge(person, "shop")
    # The picture is drawn on a canvas; what it is drawn from says who leads where.
    nodes = [node for _, node in office.client.request("GET", f"/flow_runs/{finished.id}/graph-v2").json()["nodes"]]
    names = {node["id"]: node["label"] for node in nodes}
    merge = next(node for node in nodes if node["label"] == "merge shop")
    assert {f"shop · {track} · {track}" for track in TRACKS} <= {names[one["id"]] for one in merge["parents"]}


def test_its_artifacts_render_and_what_agents_wrote_stays_text(person: Person, finished: FlowRun, dialogs: list[str]):
    person.open(f"/runs/flow-run/{finished.id}")
    shown = person.run_tab("Artifacts")
    for name in ("overview", "tracks", "findings", "criteria", "documents", "timeline", "progress", "context"):
        expect(shown.get_by_role("heading", name=f"plait-shop-{name}")).to_be_visible()

    overview = person.read_artifact("plait-shop-overview")
    for heading in ("shop: verified", "Tracks", "Time Comparison", "Checks", "Criteria", "Pending actions"):
        expect(overview.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    person.see(re.compile(re.escape("<script>alert('x')</script><img src=http")))
    for key, cells in (
        ("tracks", [*TRACKS, "completed", "shop/tracks/api@1"]),
        ("criteria", ["It can be used", "met"]),
        ("documents", ["tracks/page"]),
    ):
        table = person.read_artifact(f"plait-shop-{key}").get_by_role("table")
        for cell in cells:
            expect(table.get_by_role("cell", name=cell, exact=True).first).to_be_visible()
    person.see("shop/context@", within=person.read_artifact("plait-shop-context"))
    picture = person.read_artifact("plait-shop-timeline").get_by_role("img", name="artifact-image")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 300
    assert not [url for url in person.turned_away if "192.0.2.1" in url]


def test_a_person_ticks_what_holds_and_approves_and_the_run_finishes(office: Office, person: Person):
    mark = office.specs / "deployed"
    production = {
        "argv": ["sh", "-c", f"echo done >> {mark}"],
        "gate": "go",
        "prerequisites": [
            {"id": "tested", "text": "Tests pass", "check": "unit"},
            {"id": "told", "text": "Users were told", "manual": True},
            {"id": "saved", "text": "A backup was made", "manual": True},
        ],
    }
    spec = write(office, "gated", deployment={"production": production})
    run = start(office.client, "feature/feature", spec=spec)
    wait_for("the gate", lambda: office.client.read_flow_run(run.id).state_name == "Suspended", 120)
    person.open(f"/runs/flow-run/{run.id}")
    person.see_state("Suspended")

    form = person.resume()
    for words in ("waits at gate", "met: Tests pass", "pending: Users were told", "As trustworthy as the login"):
        person.see(re.compile(words), within=form)
    form.get_by_label(re.compile("^Who decides")).fill("Ann")
    form.get_by_role("button", name="Select Decision").click()
    person.page.get_by_role("option", name="approve").click()
    form.get_by_label(re.compile("^Note")).fill("The window is open")
    for text in ("Users were told", "A backup was made"):
        form.get_by_role("switch", name=re.compile(f"^{text}")).click()
    form.get_by_role("button", name="Resume").click()

    expect(form).to_be_hidden()
    person.see_state("Completed", 120)
    assert mark.read_text().splitlines() == ["done"]
    _, document = office.store.require("gated")
    (approval,) = document["approvals"]
    assert (approval["by"], approval["decision"], approval["note"]) == ("Ann", "approved", "The window is open")
    assert document["run"]["status"] == "deployed"


def test_the_address_that_is_printed_leads_to_the_run(person: Person, office: Office, finished: FlowRun):
    person.page.goto(f"{person.base}/runs/flow-run/{finished.id}")
    person.see("shop", within=person.page.locator("body"), seconds=SECONDS)
    expect(person.page.get_by_text("merge shop").or_(person.page.get_by_role("tab", name="Task Runs"))).to_be_visible()


def test_the_last_line_of_a_failed_track_is_text_and_fetches_nothing(
    office: Office, person: Person, dialogs: list[str]
):
    words = f"{HOSTILE} \x1b[31mred https://evil.example/x www.evil.example # a | b"
    programs = {"api": PROGRAM, "page": f"import sys; print({words!r}); sys.exit(3)"}
    run = start(office.client, "feature/feature", spec=write_spec(office.specs, "hostile-words", programs))
    assert finish(office.client, run.id, 120).is_failed()
    for name in ("tracks", "overview"):
        shown = person.read_artifact(f"plait-hostile-words-{name}")
        person.see(re.compile(re.escape("![](http://192.0.2.1/md)")), within=shown)
        person.see(re.compile(re.escape("https://evil.example/x")), within=shown)
        assert (
            shown.locator("img[src*='192.0.2.1'], a[href*='evil.example'], a[href*='192.0.2.1'], script").count() == 0
        )
        assert "\x1b" not in shown.inner_text()
    assert not [url for url in person.turned_away if "192.0.2.1" in url or "evil.example" in url]
