"""The wrappers `plait init clients` writes, run as agents with the real clients, against a scripted model on loopback."""

import os
import subprocess
import threading
from pathlib import Path

import pytest

from contexts.documents.assignment import Assignment
from contexts.spec.policy import CommandAgent
from tasks.agents.backend import Delivery, Job
from tasks.agents.command import CommandBackend
from tests.docs.scripted_model import ANSWER, Model, scripted_model
from tests.servers import ROOT

pytestmark = pytest.mark.clients
CLIENTS = ROOT / ".cache" / "clients" / "node_modules" / ".bin"
TEMPLATE = ROOT / "flows" / "cli" / "templates" / "clients"
PROGRAMS = {"claude_code": "claude", "codex": "codex"}
PROVIDER = (
    'model_providers.scripted={{name="scripted",base_url="{url}/v1",env_key="CODEX_API_KEY",wire_api="responses"}}'
)


def run(client: str, model: Model, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Delivery, Path]:
    """Have a client do a track in the sandbox; return what came of it, and the workspace."""
    if not (CLIENTS / PROGRAMS[client]).exists():
        pytest.skip(f"{PROGRAMS[client]} is not installed below .cache/clients: `make setup-clients` does it")
    monkeypatch.setenv("PATH", f"{CLIENTS}:{os.environ['PATH']}")
    workspace, exchange = folder / "work", folder / "exchange"
    for made in (workspace, exchange):
        made.mkdir()
    subprocess.run(["git", "init", "--quiet", workspace], check=True)
    provider = ("-c", PROVIDER.format(url=model.url), "-c", 'model_provider="scripted"') if client == "codex" else ()
    agent = CommandAgent(
        backend="command",
        argv=("{python}", f"{{spec_dir}}/agents/{client}.py", *provider),
        env={
            "ANTHROPIC_API_KEY": "scripted",
            "ANTHROPIC_BASE_URL": model.url,
            "CLAUDE_CODE_MAX_RETRIES": "1",
            "CODEX_API_KEY": "scripted",
        },
    )
    assignment = Assignment(
        workflow_id="notes", task_id="red", agent="client", attempt=1, scope="Write red.md", feature={}, requirements=[],
        constraints=[], integration_requirements=[], criteria={}, owns=["red.md"], prerequisites={}, contracts={},
        last_failure=None, checkpoint=None, ports=[],
    )  # fmt: skip
    job = Job(assignment, workspace, exchange, folder / "log", 250, threading.Event(), lambda _: None)
    return CommandBackend(agent, TEMPLATE).run(job), workspace


@pytest.mark.parametrize("client", PROGRAMS)
def test_the_client_writes_the_file_and_its_answer_becomes_the_context(
    client: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scripted_model(Model("red.md")) as model:
        delivery, workspace = run(client, model, tmp_path, monkeypatch)
    assert delivery.context, delivery.reason
    assert (workspace / "red.md").read_text() == "A note.\n"
    usage = delivery.context.pop("usage")
    assert delivery.context == ANSWER
    assert (usage["input_tokens"], usage["output_tokens"]) == (200, 40)


def test_a_denied_tool_fails_the_track_and_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted_model(Model("red.md", tool="Bash")) as model:
        delivery, _ = run("claude_code", model, tmp_path, monkeypatch)
    assert delivery.context is None
    assert "denied Bash; allow it with --allowedTools" in delivery.reason


@pytest.mark.parametrize("client", PROGRAMS)
def test_a_refused_request_fails_the_track_with_the_services_words(
    client: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scripted_model(Model("red.md", fails=400)) as model:
        delivery, _ = run(client, model, tmp_path, monkeypatch)
    assert delivery.context is None
    assert "scripted refusal" in delivery.reason


@pytest.mark.parametrize("client", PROGRAMS)
def test_a_client_that_is_not_there_is_said(client: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.docs.test_clients.PROGRAMS", {client: "."})
    monkeypatch.setattr("tests.docs.test_clients.CLIENTS", tmp_path)
    with scripted_model(Model("red.md")) as model:
        delivery, _ = run(client, model, tmp_path, monkeypatch)
    assert "is not on PATH: install it where plait runs" in delivery.reason
