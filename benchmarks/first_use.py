"""What a person waits for first: set-up of a fresh clone, then the demo without a Prefect server and with one.

    make bench, or: PYTHONPATH=. python benchmarks/first_use.py

The clone is of the commit that is checked out, in a temporary folder; pip and uv use their caches where they have any.
Without a server the demo starts one of its own on a new database.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from table import show, verdict

ROOT = Path(__file__).resolve().parents[1]
SETUP, ALONE, SERVED = 90, 60, 30


def main() -> int:
    """Time all three and return 1 if one is above its limit."""
    with tempfile.TemporaryDirectory(prefix="plait-bench-") as name:
        folder = Path(name)
        clone = folder / "plait"
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "VIRTUAL_ENV"))
        }
        environment |= {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
        setup = timed(clone, "setup", environment)
        alone = timed(clone, "demo", environment | {"PREFECT_HOME": str(folder / "alone")})
        with server(clone, folder / "served", environment) as url:
            home = {"PREFECT_HOME": str(folder / "client"), "PREFECT_API_URL": url}
            served = timed(clone, "demo", environment | home)
    rows = [
        ("make setup", f"{setup:.1f}", SETUP, verdict(setup, SETUP)),
        ("make demo, no server, new database", f"{alone:.1f}", ALONE, verdict(alone, ALONE)),
        ("make demo, running server", f"{served:.1f}", SERVED, verdict(served, SERVED)),
    ]
    show("First use of a fresh clone", ("", "reached s", "asked s", ""), rows)
    return int(any(row[-1] != "ok" for row in rows))


def timed(clone: Path, target: str, environment: dict[str, str]) -> float:
    """Make a target and return the wall seconds; what it prints is shown if it fails."""
    started = time.monotonic()
    done = subprocess.run(
        ["make", target],
        cwd=clone,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"make {target} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.monotonic() - started


@contextmanager
def server(clone: Path, home: Path, environment: dict[str, str]) -> Iterator[str]:
    """Run a Prefect server on a free port and a new database."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    argv = [clone / ".venv/bin/python", "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(
        argv, env=environment | {"PREFECT_HOME": str(home)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            deadline = time.monotonic() + 120
            while not answers(f"http://127.0.0.1:{port}/api/health"):
                if process.poll() is not None or time.monotonic() > deadline:
                    sys.exit("the Prefect server did not start")
                time.sleep(0.25)
            yield f"http://127.0.0.1:{port}/api"
        finally:
            process.terminate()


def answers(url: str) -> bool:
    """Say whether something answers there with 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    sys.exit(main())
