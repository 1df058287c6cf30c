"""plait beside other packages called flows, tasks and contexts: each process gets its own."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import ROOT, Server

pytestmark = pytest.mark.usefixtures("outside")
PLAIT = Path(sys.executable).with_name("plait")
RAISES = "raise RuntimeError('somebody else is called so, too')\n"


@pytest.fixture
def crowded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a folder flows, a module tasks.py and a package contexts, first on PYTHONPATH."""
    folder = tmp_path / "project"
    for name in ("flows", "contexts"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(RAISES)
    (folder / "tasks.py").write_text("WHOSE = 'the project'\n")
    (folder / "plait.py").write_text(RAISES)
    monkeypatch.setenv("PYTHONPATH", ".")
    monkeypatch.chdir(folder)
    return folder


def plait(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PLAIT, *arguments], cwd=folder, capture_output=True, text=True, check=False)


def test_a_run_in_a_project_with_such_packages_is_plaits_and_its_checks_and_agents_get_the_projects(
    crowded: Path, prefect_api: Server, workspaces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", prefect_api.url)
    asks = [sys.executable, "-c", "import tasks; assert tasks.WHOSE == 'the project'"]
    left = "import os, pathlib; pathlib.Path(os.environ['PLAIT_ASSIGNMENT']).with_name('context.json').write_text('{}')"
    for arguments in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=u", "-c", "user.email=u@e.invalid", "commit", "-qm", "a"],
    ):
        subprocess.run(["git", *arguments], cwd=crowded, check=True)
    suite = crowded.parent / "test_tasks.py"
    suite.write_text("import tasks\n\ndef test_whose():\n    assert tasks.WHOSE == 'the project'\n")
    spec = crowded.parent / "plait.json"
    spec.write_text(
        json.dumps(
            {
                "workflow_id": "crowded",
                "repository": {"path": str(crowded)},
                "agents": {"asker": {"backend": "command", "argv": [*asks[:2], f"{asks[2]}; {left}"]}},
                "parallel_tasks": [{"task_id": "asking", "agent": "asker"}],
                "verification": {
                    "checks": [
                        {"id": "asks", "argv": asks},
                        {"id": "pytest", "argv": [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", ".", str(suite)]},
                    ]
                },
            }
        )
    )  # fmt: skip
    done = plait("run", str(spec), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "verified"


def test_packages_that_are_installed_over_plaits_are_told_in_one_sentence(tmp_path: Path) -> None:
    site = tmp_path / "site"
    for name in ("contexts", "tasks", "flows"):
        shutil.copytree(ROOT / name, site / name)
    shutil.copyfile(ROOT / "plait_start.py", site / "plait_start.py")
    (site / "tasks" / "__init__.py").write_text(RAISES)
    metadata = site / "crowd-2.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: crowd\nVersion: 2.0\n")
    (metadata / "RECORD").write_text("tasks/__init__.py,,\n")
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(site)!r}); import plait_start; sys.exit(plait_start.main())", "--version"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == (
        "plait: its packages contexts, tasks, flows cannot be loaded (crowd is installed over them): "
        "install plait apart, with `uv tool install` or `pipx install`\n"
    )
