"""Staging, the gate and production, run in this process on a real Prefect server."""

import pkgutil
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from uuid import uuid4

import pytest
from prefect.client.orchestration import get_client
from prefect.states import Cancelling, Suspended

from contexts.errors import RunStopped, SpecError
from contexts.leases.record import read_lease
from contexts.spec.request import RunRequest
from contexts.store.contexts import ContextStore
from contexts.store.integrity import check_store
from contexts.store.local import LocalObjects
from contexts.verification.rulings import waive
from contexts.verification.save_ruling import amend
from flows.feature import feature
from flows.launch import launch
from tasks import deploy as deploying
from tasks.run.run import Run
from tests.contexts.building import unknown_members
from tests.deploy.running import wait_for
from tests.flows.gate import Place
from tests.flows.specs import write_spec

pytestmark = pytest.mark.usefixtures("prefect_api", "workspaces")


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_a_run_waits_at_the_gate_and_the_next_one_deploys_what_was_approved_once(place):
    first = place.run()
    assert (first.status, first.exit_code) == ("waiting-for-approval", 5)
    assert "plait approve shop go" in first.reasons[0]
    assert (place.times("staging"), place.times("production")) == (1, 0)
    assert place.newest()["phase"] == "integration-verified-ready-for-deployment"
    place.answer("approve", "told")
    second = place.run()
    assert (second.status, second.exit_code) == ("deployed", 0)
    assert all(track.reused for track in second.tracks)
    assert (place.run().status, place.times("staging"), place.times("production")) == ("deployed", 1, 1)
    readiness = place.newest()["deployment_readiness"]
    assert readiness["staging"]["validation"] == "1 of 1 check passed on staging: smoke"
    assert readiness["production"]["status"] == "deployed"
    assert readiness["production"]["approval"]["by"] == "Ann"
    assert [(one["status"], one.get("by")) for one in readiness["production"]["prerequisites"]] == [
        ("met", None), ("met", "Ann"),
    ]  # fmt: skip
    log = readiness["production"]["evidence"]
    assert (log["exit_code"], log["log"]["media_type"]) == (0, "text/plain")
    assert check_store(place.store.objects).troubles == ()
    saved = [
        place.store.load_revision("shop", name, number).context
        for name, numbers in place.store.revisions("shop").items()
        for number in numbers
    ]
    assert len(saved) > len(second.tracks)
    assert [unknown_members(one) for one in saved] == [[] for _ in saved]


def test_a_rejected_gate_ends_the_run_with_the_reason(place):
    place.run()
    place.answer("reject")
    report = place.run()
    assert (report.status, report.exit_code) == ("rejected", 1)
    assert report.reasons == ("gate go rejected by Ann: looked",)
    assert place.times("production") == 0


def test_work_that_is_not_verified_is_deployed_nowhere(tmp_path):
    place = Place(tmp_path, verification={"checks": [{"id": "unit", "argv": ["false"]}]})
    place.spec = place.write(verification={"checks": [{"id": "unit", "argv": ["false"]}]})
    report = place.run()
    assert (report.status, report.exit_code) == ("verification-failed", 1)
    assert place.times("staging") == 0
    assert "deployment_readiness" not in place.newest()


@pytest.mark.parametrize(("code", "status", "ended"), [(0, "deployed", "done"), (4, "deployment-failed", "failed")])
def test_a_refused_log_is_withheld_and_how_production_ended_is_known_all_the_same(tmp_path, code, status, ended):
    token = "ghp_" + "x7Kq2Lm9Rt4Vw8Yz1Bc5" + "Df3Gh6Jn0PsA2eQu"
    words = tmp_path / "words"
    words.write_text(token)
    place = Place(tmp_path)
    production = {"argv": place.note("production", f"cat {words}; exit {code}"), "gate": "go"}
    place.spec = place.write(deployment={"production": production}, secrets="refuse")
    assert place.run().status == "waiting-for-approval"
    place.answer("approve")
    assert place.run().status == status
    attempt = place.newest()["deployment_readiness"]["production"]["evidence"]
    assert (attempt["status"], attempt["exit_code"]) == (ended, code)
    assert "its log is withheld" in attempt["reason"]
    assert "log" not in attempt
    objects = place.store.objects
    assert not any(token.encode() in objects.read(entry.key) for entry in objects.list(""))
    place.run()
    assert place.times("production") == 1


def test_a_suspend_during_production_lets_it_finish_and_the_next_run_knows_of_it(place, tmp_path):
    go_on = tmp_path / "go-on"
    production = {"argv": place.note("production", f"while [ ! -e {go_on} ]; do sleep 0.05; done"), "gate": "go"}
    place.spec = place.write(deployment={"production": production})
    place.run()
    place.answer("approve")

    def suspend() -> None:
        wait_for("production has begun", lambda: place.times("production"))
        with get_client(sync_client=True) as client:
            mine = next(
                one
                for one in client.read_flow_runs()
                if one.state_name == "Running" and one.parameters.get("spec") == place.spec
            )
            client.set_flow_run_state(mine.id, Suspended(), force=True)
        wait_for("the run has heard it", lambda: not any(one.name == "plait-heed" for one in threading.enumerate()))
        go_on.touch()

    with ThreadPoolExecutor(1) as person:
        suspended = person.submit(copy_context().run, suspend)
        with pytest.raises(RunStopped):
            place.run()
        suspended.result(1)
    attempt = place.newest()["deployments"][-1]
    assert (attempt["environment"], attempt["status"], attempt["exit_code"]) == ("production", "done", 0)
    assert (place.run().status, place.times("production")) == ("deployed", 1)


def test_a_run_that_goes_on_after_its_gate_hears_that_it_is_cancelled(place, tmp_path, monkeypatch):
    go_on = tmp_path / "go-on"
    production = {"argv": place.note("production", f"while [ ! -e {go_on} ]; do sleep 0.05; done"), "gate": "go"}
    place.spec = place.write(deployment={"production": production})
    for name, value in {
        # As a deployed run, which alone asks a person and goes on.
        "PREFECT__RUNTIME__DEPLOYMENT__ID": str(uuid4()),
        "PLAIT_ALLOWED_SPECS": str(tmp_path),
        "PLAIT_STORE": str(tmp_path / "store"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("flows.phases.through_gate.ask", lambda *_: place.answer("approve"))

    def cancel():
        wait_for("production has begun", lambda: place.times("production"), 180)
        with get_client(sync_client=True) as client:
            mine = next(one for one in client.read_flow_runs() if one.parameters.get("spec") == place.spec)
            client.set_flow_run_state(mine.id, Cancelling(), force=True)
        wait_for("the run has heard it", lambda: not any(one.name == "plait-heed" for one in threading.enumerate()))
        go_on.touch()

    with ThreadPoolExecutor(1) as person:
        cancelled = person.submit(copy_context().run, cancel)
        state = feature(spec=place.spec, return_state=True)
        cancelled.result(1)
    assert state.is_cancelled(), state
    assert state.message == "shop was cancelled; what was finished is kept, and the next run goes on from it"
    assert place.newest()["deployments"][-1]["status"] == "done"
    lease = read_lease(place.store.objects, "shop")
    assert (lease and lease.end_reason) == "cancelled"


@pytest.mark.parametrize("where", ["check_out", "begin", "_save"])
def test_a_run_that_was_stopped_before_production_began_does_not_begin_it(tmp_path, monkeypatch, where):
    place = Place(tmp_path)
    place.spec = place.write(deployment={"production": {"argv": place.note("production"), "gate": "go"}})
    place.run()
    place.answer("approve")
    real = getattr(deploying, where)

    def stopped_meanwhile(run, *rest):
        run.stop("suspended")
        return real(run, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(deploying, where, stopped_meanwhile)
        with pytest.raises(RunStopped):
            place.run()
    assert place.times("production") == 0
    assert [one for one in place.newest().get("deployments", []) if one["environment"] == "production"] == []
    assert (place.run().status, place.times("production")) == ("deployed", 1)


@pytest.mark.parametrize(
    ("where", "staged"), [("feature.verify", 0), ("phases.deploy.deploy_staging", 1), ("phases.deploy.run_checks", 1),
                          ("feature.publish", 1)]
)  # fmt: skip
def test_a_run_that_is_cancelled_on_its_way_to_the_gate_is_stopped_there_and_has_begun_nothing_after(
    place, monkeypatch, where, staged
):
    real = pkgutil.resolve_name(f"flows.{where}")

    def cancelled_meanwhile(*given, **more):
        result = real(*given, **more)
        run = next(one for one in given if isinstance(one, Run))
        run.stop("cancelled")
        return result

    with monkeypatch.context() as patch:
        patch.setattr(f"flows.{where}", cancelled_meanwhile)
        with pytest.raises(KeyboardInterrupt):
            place.run()
    lease = read_lease(place.store.objects, "shop")
    assert (lease and lease.end_reason) == "cancelled"
    newest = place.newest()
    assert ("deployment_readiness" in newest) == (where == "feature.publish")
    assert [one["status"] for one in newest.get("deployments", [])] == ["done"] * staged
    assert (place.run().status, place.times("staging")) == ("waiting-for-approval", 1)


def test_production_is_not_deployed_with_an_argument_that_was_taken_out(tmp_path):
    token = "ghp_" + "x7Kq2Lm9Rt4Vw8Yz1Bc5" + "Df3Gh6Jn0PsA2eQu"
    place = Place(tmp_path)
    production = {"argv": [*place.note("production", "echo $0"), token], "gate": "go"}
    place.spec = place.write(deployment={"production": production})
    place.run()
    place.answer("approve")
    with pytest.raises(
        SpecError, match=r"lacks the secret value at /deployment/production/argv/3.*run it with its spec"
    ):
        launch(RunRequest(workflow_id="shop", store=str(tmp_path / "store")))
    assert place.times("production") == 0
    assert place.run().status == "deployed"


def test_the_next_run_honours_a_waiver_and_decisions_that_differ_ask_nobody(tmp_path):
    checks = {"checks": [{"id": "unit", "argv": ["false"]}]}
    criteria = {"all": [{"id": "works", "text": "it works", "check": "unit"}]}
    decision = (
        "import json, os; json.dump({'decisions': [{'topic': 'cache', 'choice': os.environ['PLAIT_CONTEXT'][-30:]}]},"
        " open(os.environ['PLAIT_CONTEXT'], 'w'))"
    )
    both = {"api": decision.replace("os.environ['PLAIT_CONTEXT'][-30:]", "'redis'"), "page": decision}
    spec = write_spec(tmp_path, "shop", both, verification=checks, success_criteria=criteria)
    store = ContextStore(LocalObjects(tmp_path / "store"))
    request = RunRequest(spec=spec, store=str(tmp_path / "store"))
    assert launch(request).status == "verification-failed"
    made = {"by": "Ann", "why": "known"}
    for target in ("works", "unit"):
        amend(store, "shop", lambda context, at, target=target: waive(context, target, at=at, **made))
    (concern,) = store.require("shop")[1]["integration_concerns"]
    assert concern["kind"] == "differing-decisions"
    report = launch(request)
    assert (report.status, report.exit_code) == ("verified", 0)
    final = store.require("shop")[1]
    assert [one["status"] for one in final["criteria"]] == ["waived"]
    assert final["integration_concerns"] == [concern]
    assert launch(request).status == "verified", "a decision outlives the run after it"
