"""The application as its users meet it: a process on loopback, on a new database."""

import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

PROJECT = Path(__file__).resolve().parents[1]
PATIENCE_SECONDS = 30


def choose_port() -> int:
    """Take the port that was given to us, or any free one."""
    given = os.environ.get("PLAIT_PORTS", "").replace(",", " ").split()
    if given:
        return int(given[0])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start the application, wait until it is healthy, and stop it in the end."""
    data, port = tmp_path_factory.mktemp("data"), choose_port()
    command = [sys.executable, "tools/serve.py", "--port", str(port), "--data", str(data)]
    log = data / "server.log"
    with log.open("wb") as output:
        environment = os.environ | {"MEMBERS_PASSWORD_ROUNDS": "1000"}
        server = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=output, stderr=output)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_healthy(url, server, log)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=PATIENCE_SECONDS)


def wait_until_healthy(url: str, server: subprocess.Popen, log: Path) -> None:
    """Ask until the answer is good; a server that ended, or takes too long, fails with its log."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx.get(f"{url}/health", timeout=1).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail(f"the application did not start:\n{log.read_text()}")


@pytest.fixture(scope="session")
def visitor(base_url: str) -> Iterator[httpx.Client]:
    """Somebody who has not signed in."""
    with httpx.Client(base_url=base_url, timeout=10) as client:
        yield client


@pytest.fixture
def join(visitor: httpx.Client) -> Iterator[Callable[..., httpx.Client]]:
    """Register and sign in: clients that carry their token and know their ``profile`` URL and ``email``."""
    clients: list[httpx.Client] = []

    def register_and_sign_in(name: str = "Test Member", *, is_public: bool = False) -> httpx.Client:
        account = {"email": f"{uuid.uuid4().hex}@example.org", "password": uuid.uuid4().hex}
        visitor.post("/api/auth/register", json={**account, "name": name, "is_public": is_public}).raise_for_status()
        token = visitor.post("/api/auth/token", json=account).raise_for_status().json()
        client = httpx.Client(
            base_url=visitor.base_url, headers={"Authorization": f"Bearer {token['access_token']}"}, timeout=10
        )
        client.profile = f"/api/profile/{token['user_id']}"
        client.email = account["email"]
        clients.append(client)
        return client

    yield register_and_sign_in
    for client in clients:
        client.close()
