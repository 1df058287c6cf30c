"""What a run shows while it runs; how soon it begins is measured by benchmarks/starting.py."""

import subprocess
import sys
from pathlib import Path

from tests.flows.specs import LEAVE
from tests.flows.specs import write_spec as write_local_spec
from tests.servers import Server


def test_plait_run_shows_its_first_phase_while_its_agent_is_still_at_work(prefect_api: Server, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    waits = f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.05)\n"
    spec = write_local_spec(tmp_path, "quick", {"api": waits + LEAVE})
    environment = prefect_api.environment | {
        "PLAIT_WORKSPACES": str(tmp_path / "workspaces"), "PLAIT_STORE": str(tmp_path / "store"),
    }  # fmt: skip
    argv = [str(Path(sys.executable).with_name("plait")), "run", spec]
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout
        assert any("phase initialize" in line for line in run.stdout)
        gate.touch()
        rest = run.stdout.read()
    assert run.returncode == 0
    assert "api" in rest
