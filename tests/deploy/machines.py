"""Workers as if each were on a machine of its own: another host name, other processes, and folders no other sees.

Linux namespaces make them; what both see is the software and the network. Killing one is pulling its plug: every
process of it is gone at once, and so is everything it had written.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from tests.deploy.running import wait_for
from tests.servers import Server, started

INSIDE = (
    'hostname "$0" && mount -t tmpfs tmpfs "$HOME" && mkdir "$HOME/tmp" "$HOME/specs" "$HOME/work" && '
    'cp "$1"/* "$HOME/specs" && cd "$HOME/work" && shift && exec "$@"'
)
NAMESPACES = ["--uts", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child"]


def namespaces() -> list[str]:
    """Return the command that makes the namespaces."""
    return ["unshare", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), *NAMESPACES]


def why_not() -> str | None:
    """Say why no such machine can be made here; None where it can."""
    if shutil.which("unshare") is None:
        return "there is no unshare on this machine"
    done = subprocess.run(
        [*namespaces(), "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, text=True, check=False
    )
    return f"namespaces cannot be made here: {done.stderr.strip()}" if done.returncode else None


@dataclass(frozen=True)
class Machine:
    """A worker and all that runs with it.

    Attributes:
        home: Its only folder, at the same path on every machine, with other content on each.
    """

    home: Path
    process: subprocess.Popen[bytes]

    def pull_the_plug(self) -> None:
        """End everything on it, as by kill -9."""
        self.process.kill()
        self.process.wait(20)


@contextlib.contextmanager
def machine(server: Server, name: str, home: Path, specs: Path, log: Path, **environment: str) -> Generator[Machine]:
    """Run a worker of the pool `plait` on a machine of its own that got copies of some spec files."""
    home.mkdir(exist_ok=True)
    worker = [sys.executable, "-m", "prefect", "worker", "start", "--pool", "plait", "--name", name]
    own = {
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "PREFECT_HOME": str(home / "prefect"),
        "PLAIT_WORKSPACES": str(home / "workspaces"),
        "PLAIT_ALLOWED_SPECS": str(home / "specs"),
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "PREFECT_WORKER_PREFETCH_SECONDS": "1",
    }
    argv = [*namespaces(), "sh", "-c", INSIDE, name, str(specs), *worker]
    with started(argv, server.environment | own | environment, log, cwd=home.parent) as process:
        wait_for(f"the worker on {name}", lambda: "started!" in log.read_text(encoding="utf-8", errors="replace"), 90)
        yield Machine(home, process)
