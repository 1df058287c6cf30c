"""`make server`: the server PREFECT_API_URL names, which outlives what it has to say and whoever started it."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.running import wait_for
from tests.servers import ROOT, answers, client_environment, free_port

COMMAND = [sys.executable, "-m", "flows.cli.prefect_server.start_command"]
NOBODY = "http://127.0.0.1:9"
"""Where nobody listens: what the server would send outside ends here, as on a machine without a way out."""


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Return the environment of a machine without a way out; stop the server that was started in it."""
    named = client_environment(tmp_path / "prefect") | {
        "PREFECT_API_URL": f"http://127.0.0.1:{free_port()}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "true",
        "DO_NOT_TRACK": "0",
        **dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"), NOBODY),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost"),
    }
    yield named
    if (tmp_path / "prefect" / "server.pid").exists():
        stop = [sys.executable, "-m", "prefect", "server", "stop"]
        subprocess.run(stop, env=named, cwd=ROOT, check=True, capture_output=True)


def started(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(COMMAND, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_server_answers_at_the_named_address_and_outlives_the_errors_it_logs(
    environment: dict[str, str], tmp_path: Path
) -> None:
    url, log = environment["PREFECT_API_URL"], tmp_path / "prefect" / "plait-server.log"
    first = started(environment)
    assert first.returncode == 0, first.stderr
    assert url.removesuffix("/api") in first.stdout
    assert "starting a Prefect server" in first.stdout
    assert answers(url)
    # What it would send ends nowhere, or it does not get as far because its database is busy: it says either.
    errors = re.compile("Failed to send telemetry|^Traceback", re.MULTILINE)
    wait_for("an error in its log", lambda: errors.search(log.read_text(encoding="utf-8")), 60)
    again = started(environment)
    assert (again.returncode, again.stderr) == (0, "")
    assert "it ran already" in again.stdout
    assert "starting" not in again.stdout
    assert answers(url)


@pytest.mark.parametrize("url", ["http://192.0.2.1:4200/api", "http://127.0.0.1:port/api"])
def test_an_address_that_is_not_on_this_machine_or_none_is_one_sentence_and_two(
    environment: dict[str, str], url: str
) -> None:
    done = started(environment | {"PREFECT_API_URL": url})
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert url in done.stderr
