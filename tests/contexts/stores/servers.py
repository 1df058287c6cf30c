"""Real S3 servers on 127.0.0.1 for the store tests: MiniStack, moto_server, and Cloudflare's R2 simulator.

``python tests/contexts/stores/servers.py NAME...`` installs what is missing below ``.cache`` and ends with 0; the
fixtures call the same function, so that a fresh clone needs no other step.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
CACHE = ROOT / ".cache"
MINISTACK = "ministack==1.5.33"
WRANGLER = ("node@24.21.0", "wrangler@4.164.0")


class Unavailable(Exception):
    """A server cannot be had on this machine; the message says why."""


@dataclass(frozen=True)
class Server:
    """A running S3 service.

    Attributes:
        name: Which.
        endpoint: Its URL.
        access_key, secret_key: What it takes.
        buckets: Buckets it was started with; empty where they are made by request.
    """

    name: str
    endpoint: str
    access_key: str = "test"
    secret_key: str = "test"
    buckets: tuple[str, ...] = ()
    checks_signatures: bool = False


def install(name: str) -> Path:
    """Install a server's program below ``.cache`` unless it is there; return its folder.

    Several processes may ask at once: one installs, the others wait.
    """
    steps: dict[str, tuple[str, Callable[[Path], None]]] = {
        "ministack": (MINISTACK, _install_ministack),
        "r2": (" ".join(WRANGLER), _install_r2),
        "moto": ("", lambda _folder: None),
    }
    wanted, step = steps[name]
    folder = CACHE / name
    folder.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = folder / ".installed"
        if not stamp.exists() or stamp.read_text() != wanted:
            step(folder)
            stamp.write_text(wanted)
    return folder


def _install_ministack(folder: Path) -> None:
    uv = ROOT / ".venv" / "bin" / "uv"
    if not uv.exists():
        raise Unavailable("uv is not in .venv: run make setup")
    # Its own environment: it pins another botocore than plait's.
    _run([str(uv), "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)])
    _run([str(uv), "pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), MINISTACK])


def _install_r2(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise Unavailable("npm is not installed, and the R2 simulator comes from it")
    (folder / "package.json").write_text('{"private": true}')
    _run([npm, "install", "--no-audit", "--no-fund", "--loglevel=error", *WRANGLER], folder)


def _run(argv: list[str], cwd: Path | None = None) -> None:
    done = subprocess.run(
        argv, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, check=False
    )
    if done.returncode:
        raise Unavailable(f"{Path(argv[0]).name} {argv[1]} failed: {done.stderr.strip()[-300:]}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def ministack() -> Iterator[Server]:
    """Run MiniStack: honours both preconditions, checks no signatures."""
    folder = install("ministack")
    port = free_port()
    environment = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "LOG_LEVEL": "WARNING", "SERVICES": "s3"}
    with _running([str(folder / "bin" / "ministack")], port, environment):
        yield Server("ministack", f"http://127.0.0.1:{port}")


@contextlib.contextmanager
def moto() -> Iterator[Server]:
    """Run moto_server from the development environment."""
    port = free_port()
    argv = [
        sys.executable,
        "-W",
        "ignore",
        "-c",
        "from moto.server import main; main()",
        "-H",
        "127.0.0.1",
        "-p",
        str(port),
    ]
    with _running(argv, port, {}):
        yield Server("moto", f"http://127.0.0.1:{port}")


@contextlib.contextmanager
def r2() -> Iterator[Server]:
    """Run Cloudflare's R2 simulator with the S3 endpoint of wrangler; it checks signatures."""
    folder = install("r2")
    port = free_port()
    server = Server(
        "r2",
        f"http://127.0.0.1:{port}/cdn-cgi/local/r2/s3",
        "plait-test-key",
        "plait-test-secret",
        ("contexts", "empty"),
        checks_signatures=True,
    )
    credentials = {"accessKeyId": server.access_key, "secretAccessKey": server.secret_key}
    with tempfile.TemporaryDirectory() as work:
        (Path(work) / "worker.js").write_text("export default {fetch() {return new Response('up')}}")
        configuration = {
            "name": "stores",
            "main": "worker.js",
            "compatibility_date": "2026-01-01",
            "r2_buckets": [
                {
                    "binding": bucket.upper(),
                    "bucket_name": bucket,
                    "local_dev": {"experimental_s3_credentials": credentials},
                }
                for bucket in server.buckets
            ],
        }
        (Path(work) / "wrangler.jsonc").write_text(json.dumps(configuration))
        node = folder / "node_modules" / ".bin" / "node"
        argv = [str(node), str(folder / "node_modules" / "wrangler" / "bin" / "wrangler.js")]
        argv += ["dev", "--ip", "127.0.0.1", "--port", str(port), "--inspector-port", str(free_port())]
        environment = {
            "WRANGLER_SEND_METRICS": "false",
            "CI": "true",
            "HOME": work,
            "WRANGLER_SEND_ERROR_REPORTS": "false",
        }
        with _running(argv, port, environment, work):
            yield server


@contextlib.contextmanager
def _running(argv: list[str], port: int, environment: dict[str, str], cwd: str | None = None) -> Iterator[None]:
    """Start a server in a session of its own, wait until it answers, and end the whole session afterwards."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            argv,
            cwd=cwd,
            env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/tmp"), **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait(port, process)
            yield
        except Unavailable as error:
            log.seek(0)
            said = log.read().decode(errors="replace")[-2000:]
            raise RuntimeError(f"{error}\n{said}") from error
        finally:
            _end(process)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Unavailable(f"the server ended with {process.returncode} before it answered")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2):
                return
        except urllib.error.HTTPError as error:
            error.close()
            return
        except (OSError, urllib.error.URLError):
            time.sleep(0.1)
    raise Unavailable("the server did not answer within 180 s")


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


if __name__ == "__main__":
    missing: list[str] = []
    for each in sys.argv[1:] or ["ministack"]:
        try:
            print(f"{each}: {install(each)}")
        except Unavailable as error:
            print(f"{each}: {error}; its tests will be skipped")
            missing.append(each)
    sys.exit("ministack" in missing)
