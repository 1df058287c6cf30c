"""A real Postgres of one's own on 127.0.0.1: `initdb` into a fresh folder, never as root, and surely stopped.

``python tests/postgres.py`` says where its programs are, and ends with 1 where there are none.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

SECONDS = 180.0
USERS = ("postgres", "nobody")
"""Who runs it where these tests run as root, which initdb refuses to be: the first that there is."""


class NoPostgres(Exception):
    """There are no programs of Postgres on this machine."""


def programs() -> Path:
    """Return the folder with initdb and postgres: of Debian's newest version, or on PATH.

    Raises:
        NoPostgres: There are none.
    """
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[-3]))
    found = str(debian[-1]) if debian else shutil.which("initdb")
    if not found:
        raise NoPostgres("there is no Postgres on this machine: apt-get install postgresql")
    return Path(found).resolve().parent


def _user() -> str | None:
    if os.geteuid() != 0:
        return None
    known = {one.pw_name for one in pwd.getpwall()}
    return next(name for name in USERS if name in known)


@contextlib.contextmanager
def running_postgres() -> Iterator[str]:
    """Run Postgres with an empty database, and yield the address Prefect's server takes."""
    folder, user = Path(tempfile.mkdtemp(prefix="plait-postgres-")), _user()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    if user:
        shutil.chown(folder, user)
    try:
        # Not in the folder these tests run in, which that user may not even enter.
        subprocess.run(
            [programs() / "initdb", "--auth=trust", "--username=prefect", "--no-sync", "--pgdata", folder / "data"],
            user=user, cwd=folder, check=True, capture_output=True, timeout=SECONDS,
        )  # fmt: skip
        argv = [programs() / "postgres", "-D", folder / "data", "-p", str(port), "-c", "listen_addresses=127.0.0.1"]
        with (folder / "postgres.log").open("wb") as log:
            process = subprocess.Popen(
                [*argv, "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"],
                user=user, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        try:
            _wait(process, port, folder / "postgres.log")
            yield f"postgresql+asyncpg://prefect@127.0.0.1:{port}/postgres"
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(20)
    finally:
        shutil.rmtree(folder)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while "ready to accept connections" not in (said := log.read_text(encoding="utf-8", errors="replace")):
        assert process.poll() is None, f"Postgres ended: {said[-2000:]}"
        assert time.monotonic() < deadline, f"Postgres did not start on port {port}: {said[-2000:]}"
        time.sleep(0.1)


if __name__ == "__main__":
    try:
        print(programs())
    except NoPostgres as error:
        print(error, file=sys.stderr)
        sys.exit(1)
