"""A Prefect server that is slow, locked or away for a while costs another try, never a run, and never an agent twice."""

import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from prefect.client.orchestration import get_client
from prefect.concurrency.services import ConcurrencySlotAcquisitionService
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from contexts.spec.request import RunRequest
from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from flows import feature as feature_flow
from flows.deployments.concurrency import backend_tag
from flows.feature import feature
from flows.launch import launch
from flows.phases import tracks as schedule
from tasks.prefect_ui import ornaments
from tasks.run.progress import SERVER_LOGGER
from tests.flows.specs import LEAVE, write_spec
from tests.prefect_proxy import Proxy, Trouble, proxied
from tests.servers import Server

SLOTS = "/v2/concurrency_limits/"


@pytest.fixture(scope="module")
def before_server(prefect_api: Server) -> Iterator[Proxy]:
    """The session's server behind a proxy. Prefect's services keep the address they begin with: none is left over."""
    with proxied(prefect_api.url) as made:
        ConcurrencySlotAcquisitionService.drain_all()
        yield made
        ConcurrencySlotAcquisitionService.drain_all()


@pytest.fixture
def proxy(before_server: Proxy, workspaces: Path) -> Iterator[Proxy]:
    """The same, asked with no patience, so that trouble shows at once."""
    del workspaces
    before_server.asked.clear()
    before_server.troubled.clear()
    with temporary_settings({PREFECT_API_URL: before_server.url, PREFECT_CLIENT_MAX_RETRIES: 0}):
        yield before_server
    before_server.trouble = lambda _method, _path: None


@pytest.fixture
def deployed(prefect_api: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a run take itself for a deployed one, whose tracks ask the server for a slot."""
    with (
        temporary_settings({PREFECT_API_URL: prefect_api.url, PREFECT_CLIENT_MAX_RETRIES: 30}),
        get_client(sync_client=True) as client,
    ):
        client.create_concurrency_limit(tag=backend_tag("command"), concurrency_limit=4)
    monkeypatch.setenv("PREFECT__RUNTIME__DEPLOYMENT__ID", str(uuid4()))
    monkeypatch.setenv("PLAIT_ALLOWED_SPECS", str(tmp_path))
    monkeypatch.setenv("PLAIT_STORE", str(tmp_path / "store"))


def noting(folder: Path, name: str) -> str:
    """Return what an agent does: it notes that it ran, and leaves its context."""
    return f"open({str(folder / 'ran')!r}, 'a').write('{name}\\n'); {LEAVE}"


def ran(folder: Path) -> Counter[str]:
    return Counter((folder / "ran").read_text(encoding="utf-8").split())


@pytest.mark.parametrize("kind", ["locked", "unavailable", "cut"])
def test_a_slot_the_server_neither_gives_nor_takes_back_costs_another_try_and_no_agent_runs_twice(
    proxy: Proxy, deployed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Trouble
) -> None:
    monkeypatch.setattr(schedule, "PAUSE", 0.05)
    spec = write_spec(tmp_path, f"slots-{kind}", {name: noting(tmp_path, name) for name in ("a", "b")})

    def trouble(method: str, path: str) -> Trouble | None:
        del method
        gives = SLOTS in path and "increment" in path
        takes = SLOTS in path and "decrement" in path
        return kind if takes or (gives and proxy.count("increment") <= 2) else None

    proxy.trouble = trouble
    state = feature(spec=spec, return_state=True)
    assert state.is_completed(), state.message
    assert ran(tmp_path) == {"a": 1, "b": 1}
    assert sum("increment" in one for one in proxy.troubled) == 2
    assert sum("decrement" in one for one in proxy.troubled) >= 2


def test_a_track_that_failed_before_its_slot_could_be_given_back_is_not_tried_again_for_that(
    proxy: Proxy, deployed: None, tmp_path: Path
) -> None:
    failing = f"open({str(tmp_path / 'ran')!r}, 'a').write('a\\n'); raise SystemExit(3)"
    spec = write_spec(tmp_path, "slot-of-a-failure", {"a": failing, "b": noting(tmp_path, "b")})
    proxy.trouble = lambda _method, path: "locked" if SLOTS in path and "decrement" in path else None
    state = feature(spec=spec, return_state=True)
    assert state.is_failed()
    assert ran(tmp_path) == {"a": 1, "b": 1}
    tracks = ContextStore(LocalObjects(tmp_path / "store")).require("slot-of-a-failure")[1]["run"]["tracks"]
    assert {one["task_id"]: one["status"] for one in tracks} == {"a": "failed", "b": "completed"}


def is_tagging(proxy: Proxy, method: str, path: str) -> bool:
    """Say whether a request is plait's for the tags, not Prefect's for the name before the run begins."""
    return method == "PATCH" and "/flow_runs/" in path and proxy.count(f"{method} {path}") > 1


@pytest.mark.parametrize("kind", ["hangs", "locked", "unavailable"])
def test_what_is_only_shown_holds_no_run_up_and_is_complained_about_once(
    proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, kind: Trouble
) -> None:
    spec = write_spec(tmp_path, f"shown-{kind}", {"a": noting(tmp_path, "a")})
    monkeypatch.setattr(ornaments, "ANSWER_WITHIN", 0.2)
    proxy.trouble = lambda method, path: kind if "/artifacts" in path or is_tagging(proxy, method, path) else None
    with caplog.at_level(logging.WARNING, SERVER_LOGGER):
        state = feature(spec=spec, store=str(tmp_path / "store"), return_state=True)
    assert state.is_completed(), state.message
    assert proxy.troubled
    said = [one.getMessage() for one in caplog.records if one.name == SERVER_LOGGER]
    assert len(said) == 1, said
    assert "did not take" in said[0]
    assert Counter(proxy.troubled).most_common(1)[0][1] <= 12, proxy.troubled


def test_what_the_server_did_not_take_for_a_while_is_shown_when_it_does_again(proxy: Proxy, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    waiting = f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.05)\n{LEAVE}"
    spec = write_spec(tmp_path, "shown-late", {"a": waiting})

    def trouble(method: str, path: str) -> Trouble | None:
        if not is_tagging(proxy, method, path):
            return None
        if len(proxy.troubled) == 2:
            gate.touch()
            return None
        return "unavailable"

    proxy.trouble = trouble
    state = feature(spec=spec, store=str(tmp_path / "store"), return_state=True)
    assert state.is_completed(), state.message
    run_id = state.state_details.flow_run_id
    assert run_id
    with get_client(sync_client=True) as client:
        found = client.read_flow_run(run_id)
    assert "workflow:shown-late" in found.tags
    assert found.name == "shown-late"


def test_an_end_the_server_took_without_being_heard_is_the_end(proxy: Proxy, tmp_path: Path) -> None:
    """Prefect's client asks again, is told the state that is there, and has lost what belongs to it."""
    spec = write_spec(tmp_path, "unheard", {"a": noting(tmp_path, "a")})

    def trouble(method: str, path: str) -> Trouble | None:
        ends = method == "POST" and path.endswith("/set_state") and (tmp_path / "ran").exists()
        return "unheard" if ends and not any("set_state" in one for one in proxy.troubled) else None

    proxy.trouble = trouble
    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 3}):
        report = launch(RunRequest(spec=spec, store=str(tmp_path / "store")))
    assert (report.status, report.exit_code) == ("completed", 0)
    assert proxy.troubled


def test_ctrl_c_is_ctrl_c_also_where_the_server_does_not_take_the_end(
    proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        proxy.trouble = lambda _method, _path: "cut"
        raise KeyboardInterrupt

    monkeypatch.setattr(feature_flow, "run_tracks", interrupted)
    spec = write_spec(tmp_path, "ctrl-c", {"a": noting(tmp_path, "a")})
    with pytest.raises(KeyboardInterrupt):
        launch(RunRequest(spec=spec, store=str(tmp_path / "store")))
    assert proxy.troubled
