"""The first five commands of docs/guides/deploying.md, as they stand there, in a clean clone."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.deploy.running import wait_for
from tests.servers import ROOT, answers, client_environment, free_port, started, wait_for_start

PAGE = (ROOT / "docs" / "guides" / "deploying.md").read_text(encoding="utf-8")
BLOCKS = [block.splitlines() for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)]
FIRST, NOW = BLOCKS[0], BLOCKS[1]
MINUTES = 10


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clone what is committed, as a newcomer does."""
    if not (ROOT / ".git").exists():
        pytest.skip("this copy of the project is no git repository, so there is nothing to clone")
    folder = tmp_path_factory.mktemp("newcomer") / "plait"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def api(clone: Path) -> Iterator[str]:
    """Type the five commands, with another port than the page's, which may be taken; yield the server's address."""
    assert len(FIRST) <= 5
    home, port = clone.parent, free_port()
    environment = without_venv(client_environment(home / "prefect")) | {
        "HOME": str(home),
        "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR") or str(Path.home() / ".cache" / "uv"),
        "PREFECT_SERVER_API_PORT": str(port),
    }
    script = "set -e\n" + "\n".join(line.replace(":4200", f":{port}") for line in FIRST)
    url = f"http://127.0.0.1:{port}/api"
    log = home / "typed.log"
    try:
        with started(["bash", "-c", script], environment, log, cwd=clone) as typed:
            wait_for_start(
                typed, log, "what the commands start", lambda: "started!" in log.read_text("utf-8", "replace")
            )
            yield url
    finally:
        if (clone / ".venv" / "bin" / "prefect").exists():
            subprocess.run([".venv/bin/prefect", "server", "stop"], cwd=clone, env=environment, check=True)
    wait_for("the server to be gone", lambda: not answers(url))


def without_venv(environment: dict[str, str]) -> dict[str, str]:
    """Return an environment in which nothing of this project's own .venv is found."""
    path = [one for one in environment["PATH"].split(":") if not Path(one).is_relative_to(ROOT)]
    kept = {
        name: value for name, value in environment.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH", "MAKEFLAGS"}
    }
    return kept | {"PATH": ":".join(path)}


def test_after_five_commands_a_scheduled_run_is_seen_in_the_ui_and_one_started_by_hand_completes(
    clone: Path, api: str
) -> None:
    page = httpx.get(api.removesuffix("/api"), follow_redirects=True)
    assert page.status_code == 200
    assert "<div id=" in page.text, "the UI"

    def upcoming() -> list[dict[str, Any]]:
        wanted = {
            "deployments": {"name": {"any_": ["feature-scheduled"]}},
            "limit": 5,
            "sort": "EXPECTED_START_TIME_ASC",
        }
        return httpx.post(f"{api}/flow_runs/filter", json=wanted).json()

    run = wait_for("the scheduled run", upcoming)[0]
    assert (run["state_type"], run["auto_scheduled"]) == ("SCHEDULED", True)
    (command,) = NOW
    environment = client_environment(clone.parent / "prefect") | {"PREFECT_API_URL": api, "HOME": str(clone.parent)}
    done = subprocess.run(
        ["bash", "-c", f". .venv/bin/activate && {command}"],
        cwd=clone, env=without_venv(environment), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "finished successfully" in " ".join(done.stdout.split())


def test_the_readme_shows_the_same_commands() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    if "make deploy" not in readme:
        pytest.skip("README.md does not say how to deploy")
    assert "\n".join(FIRST) in readme
