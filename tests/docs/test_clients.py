"""The wrappers of examples/agents with the real clients, against a scripted model on loopback."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.docs.scripted_model import ANSWER, Model, scripted_model
from tests.servers import ROOT, Server

pytestmark = [pytest.mark.clients, pytest.mark.timeout(300)]
CLIENTS = ROOT / ".cache" / "clients" / "node_modules" / ".bin"
PROVIDER = 'model_providers.scripted={{name="scripted",base_url="{url}/v1",env_key="CODEX_API_KEY",wire_api="responses"}}'


def run(server: Server, client: str, model: Model, folder: Path, *arguments: str) -> tuple[Any, Any]:
    """Run a spec of one track with a client; return what plait printed and the track's context document."""
    program = {"claude_code": "claude", "codex": "codex"}[client]
    if not (CLIENTS / program).exists():
        pytest.skip(f"{program} is not installed below .cache/clients: `make setup-clients` does it")
    shutil.copytree(ROOT / "examples" / "agents", folder / "agents")
    spec = {
        "workflow_id": "one-note",
        "agents": {
            "client": {
                "backend": "command",
                "argv": ["{python}", f"{{spec_dir}}/agents/{client}.py", *arguments],
                "env": {
                    "ANTHROPIC_API_KEY": "scripted",
                    "ANTHROPIC_BASE_URL": model.url,
                    "CLAUDE_CODE_MAX_RETRIES": "1",
                    "CODEX_API_KEY": "scripted",
                },
            }
        },
        "parallel_tasks": [{"task_id": "red", "agent": "client", "scope": "Write red.md", "owns": ["red.md"]}],
    }
    (folder / "spec.json").write_text(json.dumps(spec))
    store = folder / "store"
    environment = server.environment | {
        "PATH": f"{CLIENTS}:{server.environment['PATH']}",
        "PLAIT_STORE": str(store),
        "PLAIT_WORKSPACES": str(folder / "workspaces"),
    }
    plait = str(Path(sys.executable).parent / "plait")
    ran = subprocess.run(
        [plait, "run", "spec.json", "--json"],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert ran.stdout, ran.stderr
    shown = subprocess.run(
        [plait, "show", "one-note", "red", "--json"],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return json.loads(ran.stdout), json.loads(shown.stdout)


def arguments_for(client: str, model: Model) -> tuple[str, ...]:
    if client == "claude_code":
        return ()
    return ("-c", PROVIDER.format(url=model.url), "-c", 'model_provider="scripted"')


@pytest.mark.parametrize("client", ["claude_code", "codex"])
def test_the_client_writes_the_file_and_its_answer_becomes_the_context(
    client: str, prefect_server: Server, tmp_path: Path
) -> None:
    with scripted_model(Model("red.md")) as model:
        report, document = run(prefect_server, client, model, tmp_path, *arguments_for(client, model))
    assert report["tracks"][0]["status"] == "completed", document
    assert document["files_modified"] == ["red.md"]
    assert {key: document[key] for key in ANSWER} == ANSWER
    assert document["usage"]["input_tokens"] == 200
    assert document["usage"]["output_tokens"] == 40


def test_a_denied_tool_fails_the_track_and_is_named(prefect_server: Server, tmp_path: Path) -> None:
    with scripted_model(Model("red.md", tool="Bash")) as model:
        report, document = run(prefect_server, "claude_code", model, tmp_path)
    assert report["tracks"][0]["status"] == "failed"
    assert "denied Bash; allow it with --allowedTools" in document["execution"]["reason"]


@pytest.mark.parametrize("client", ["claude_code", "codex"])
def test_a_refused_request_fails_the_track_with_the_services_words(
    client: str, prefect_server: Server, tmp_path: Path
) -> None:
    with scripted_model(Model("red.md", fails=400)) as model:
        report, document = run(prefect_server, client, model, tmp_path, *arguments_for(client, model))
    assert report["tracks"][0]["status"] == "failed"
    assert "scripted refusal" in document["execution"]["reason"]
