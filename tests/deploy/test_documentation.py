"""The commands of docs/deploying.md, as they stand there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.servers import ROOT, Server

PAGE = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


def run(server: Server, command: str) -> str:
    """Run a command of the page with this project's programs on PATH."""
    path = f"{Path(sys.executable).parent}:{server.environment['PATH']}"
    done = subprocess.run(
        shlex.split(command),
        cwd=ROOT,
        env=server.environment | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_first_run_of_the_page_completes(worker: Server) -> None:
    command = next(line for line in COMMANDS if line.startswith("prefect deployment run"))
    assert "finished successfully" in " ".join(run(worker, command).split())


def test_make_deploy_is_what_the_other_tests_run(prefect_api: Server) -> None:
    assert "make deploy" in COMMANDS
    assert "python -m flows.deployments" in run(prefect_api, "make --dry-run deploy")


def test_the_settings_of_the_page_are_those_the_worker_reads() -> None:
    told = set(re.findall(r"`(PLAIT_ALLOW\w+)`", PAGE))
    read = set(re.findall(r'"(PLAIT_ALLOW\w+)"', (ROOT / "contexts" / "permissions.py").read_text(encoding="utf-8")))
    assert told == read
