"""A check that must run alone has the machine to itself, whichever flow runs it."""

import sys
from pathlib import Path
from typing import Any

import pytest

from flows.feature import feature
from flows.upkeep.reverify import reverify
from tests.flows.specs import LEAVE, make_repository, write_spec
from tests.servers import Server

# Writes when it begins and ends. One that runs beside others waits for its companion's beginning, and a while longer:
# whatever else were to begin meanwhile would be seen between.
NOTE = """
import os, pathlib, sys, time
log, name, *companions = sys.argv[1:]
def note(word):
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{word} {name}\\n".encode())
    os.close(file)
def running(other):
    said = pathlib.Path(log).read_text().splitlines()
    return said.count(f"start {other}") >= said.count(f"start {name}")
note("start")
end = time.monotonic() + 60
while not all(running(other) for other in companions):
    if time.monotonic() > end:
        sys.exit(f"{companions} did not begin beside {name}")
    time.sleep(0.02)
time.sleep(1)
note("end")
"""


def check(log: Path, name: str, *companions: str) -> dict[str, Any]:
    program = log.with_name("note.py")
    program.write_text(NOTE)
    argv = [sys.executable, str(program), str(log), name, *companions]
    return {"id": name, "argv": argv, "parallel": bool(companions)}


@pytest.mark.usefixtures("workspaces")
def test_a_check_that_must_run_alone_never_runs_beside_another_in_verification_on_staging_or_verified_again(
    prefect_api: Server, tmp_path: Path
) -> None:
    del prefect_api
    log, store = tmp_path / "log", str(tmp_path / "store")
    make_repository(tmp_path / "app", readme__md="An application\n")
    checks = [check(log, "first", "second"), check(log, "alone"), check(log, "second", "first")]
    spec = write_spec(
        tmp_path,
        "quiet",
        {"add": f"open('a.txt', 'w').write('a'); {LEAVE}"},
        repository={"path": "app", "base": "main"},
        verification={"checks": checks},
        deployment={"staging": {"argv": ["true"], "checks": [one["id"] for one in checks]}},
    )
    state: Any = feature(spec=spec, store=store, return_state=True)
    assert state.is_completed(), state.message
    state = reverify(workflows=["quiet"], store=store, return_state=True)
    assert state.is_completed(), state.message
    written = log.read_text().splitlines()
    assert len(written) == 18, written
    for at, way in enumerate(("verification", "staging", "again")):
        lines = written[6 * at : 6 * at + 6]
        assert set(lines[:2]) == {"start first", "start second"}, way
        assert set(lines[2:4]) == {"end first", "end second"}, way
        assert lines[4:] == ["start alone", "end alone"], way
