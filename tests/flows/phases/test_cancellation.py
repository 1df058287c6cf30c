"""How a run notices that a person stopped its flow run, and that looking for it never becomes a trouble of its own."""

import contextlib
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import UUID

import httpx
import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.server.api.server import SubprocessASGIServer
from prefect.settings import PREFECT_API_URL, PREFECT_SERVER_ALLOW_EPHEMERAL_MODE, temporary_settings
from prefect.states import Cancelling, Running, Suspended

from flows.phases import cancellation as stopping
from flows.phases.cancellation import watch_cancellation
from tests.servers import Server
from tests.waiting import PATIENCE, wait_until

EVERY = 0.1


@flow
def nothing() -> None:
    """Name the flow runs of these tests."""


def looker() -> threading.Thread | None:
    return next((one for one in threading.enumerate() if one.name == "plait-heed"), None)


def until(what: str, probe: Callable[[], object], seconds: float = PATIENCE) -> None:
    wait_until(what, probe, seconds, every=0.02)


@pytest.fixture
def client(prefect_api: Server) -> Iterator[SyncPrefectClient]:
    with get_client(sync_client=True) as made:
        yield made


@pytest.fixture
def run_id(client: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch) -> UUID:
    """A flow run that is at work, and is this process's own as far as Prefect's runtime knows."""
    made = client.create_flow_run(nothing, state=Running())
    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", str(made.id))
    return made.id


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[httpx.URL]:
    """The addresses of the servers that were asked, one for each look that has begun."""
    asked: list[httpx.URL] = []
    read = SyncPrefectClient.read_flow_run

    def noted(self: SyncPrefectClient, wanted: UUID) -> FlowRun:
        asked.append(self.api_url)
        return read(self, wanted)

    monkeypatch.setattr(SyncPrefectClient, "read_flow_run", noted)
    return asked


def until_more(looks: list[httpx.URL], count: int) -> None:
    """Wait until so many more looks have ended: the one that follows has begun."""
    before = len(looks)
    until(f"{count} more looks", lambda: len(looks) > before + count)


@pytest.mark.parametrize(("state", "reason"), [(Suspended(), "suspended"), (Cancelling(), "cancelled")])
def test_a_person_who_stops_the_flow_run_is_heard_once(
    client: SyncPrefectClient, run_id: UUID, looks: list[httpx.URL], state: State, reason: str
) -> None:
    reasons: list[str] = []
    with watch_cancellation(reasons.append, every=EVERY):
        until_more(looks, 3)
        assert reasons == []
        client.set_flow_run_state(run_id, state, force=True)
        until("the reason", lambda: reasons)
        until("no more looks", lambda: not looker())
    assert reasons == [reason]


def test_nobody_looks_any_more_when_the_run_is_over(run_id: UUID) -> None:
    with watch_cancellation(pytest.fail, every=EVERY):
        assert looker()
    assert not looker()


def test_looking_asks_the_server_of_the_run_and_starts_none_of_its_own(
    prefect_api: Server, run_id: UUID, looks: list[httpx.URL], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prefect would start a temporary server for a thread that does not know the settings of the run."""
    started: list[object] = []
    monkeypatch.setattr(SubprocessASGIServer, "start", lambda *given: started.append(given))
    with (
        temporary_settings({PREFECT_SERVER_ALLOW_EPHEMERAL_MODE: True}),
        watch_cancellation(pytest.fail, every=EVERY),
    ):
        until("a look", lambda: looks)
    assert started == []
    assert str(looks[0]).rstrip("/") == prefect_api.url


def test_a_person_who_deletes_the_flow_run_stops_the_run(
    client: SyncPrefectClient, run_id: UUID, looks: list[httpx.URL]
) -> None:
    reasons: list[str] = []
    with watch_cancellation(reasons.append, every=EVERY):
        until_more(looks, 3)
        client.delete_flow_run(run_id)
        until("the reason", lambda: reasons)
        until("no more looks", lambda: not looker())
    assert reasons == ["deleted"]


@contextlib.contextmanager
def serving(handler: type[BaseHTTPRequestHandler], port: int = 0) -> Generator[int]:
    """Serve HTTP on a port, and let go of it at the end."""
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_server_that_goes_away_stops_nothing_and_is_asked_again_when_it_is_back(
    prefect_api: Server, client: SyncPrefectClient, run_id: UUID, looks: list[httpx.URL]
) -> None:
    class Relay(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = httpx.get(prefect_api.url.removesuffix("/api") + self.path)
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *given: object) -> None:
            """Say nothing."""

    reasons: list[str] = []
    with contextlib.ExitStack() as here:
        there = contextlib.ExitStack()
        port = there.enter_context(serving(Relay))
        here.enter_context(temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{port}/api"}))
        here.enter_context(watch_cancellation(reasons.append, every=EVERY))
        until_more(looks, 5)
        there.close()
        until_more(looks, 5)
        assert looker()
        client.set_flow_run_state(run_id, Suspended(), force=True)
        assert reasons == []
        with serving(Relay, port):
            until("the reason", lambda: reasons)
    assert reasons == ["suspended"]


class Nonsense(BaseHTTPRequestHandler):
    """Answers every question with the next of a few answers that no Prefect server gives."""

    answers = (b"", b"<html>Please log in</html>", b"[]", b'{"id": 1}', b'{"state": {"type": "NEW"}}')
    status = 200
    asked = 0

    def do_GET(self) -> None:
        kind = type(self)
        body = self.answers[kind.asked % len(self.answers)]
        kind.asked += 1
        self.send_response(kind.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *given: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize("status", [200, 404])
def test_what_is_no_answer_of_prefect_stops_nothing(run_id: UUID, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    """A proxy whose server is being started says "not found", too."""
    monkeypatch.setattr(Nonsense, "status", status)
    monkeypatch.setattr(Nonsense, "asked", 0)
    with (
        serving(Nonsense) as port,
        temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{port}/api"}),
        watch_cancellation(pytest.fail, every=0.02),
    ):
        until("many looks", lambda: Nonsense.asked > 2 * len(Nonsense.answers))
        assert looker()


def test_a_server_that_never_answers_holds_up_the_end_for_no_longer_than_a_look_may_take(
    run_id: UUID, looks: list[httpx.URL], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "_ANSWER_WITHIN", 0.5)
    monkeypatch.setattr(stopping, "_END_WITHIN", 3600.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/api"
        with temporary_settings({PREFECT_API_URL: url}), watch_cancellation(pytest.fail, every=0.02):
            until("a look has begun", lambda: looks)
    until("no more looks", lambda: not looker())


def test_outside_a_flow_run_nobody_is_asked() -> None:
    with watch_cancellation(pytest.fail, every=EVERY):
        assert not looker()
