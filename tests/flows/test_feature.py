"""The feature flow in this process, on a real Prefect server."""
import json
from pathlib import Path

from flows.feature import feature


def test_quick(prefect_api, workspaces, tmp_path: Path) -> None:
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps({
        "workflow_id": "quick", "agents": {"a": {"backend": "command", "argv": ["{python}", "-c", "import os;open(os.environ['PLAIT_CONTEXT'],'w').write('{}')"]}},
        "parallel_tasks": [{"task_id": t, "agent": "a"} for t in ("x", "y", "z")]}))
    state = feature(spec=str(spec), store=str(tmp_path / "store"), return_state=True)
    assert state.is_completed(), state
