"""The wheel, in an environment of its own, used from an empty folder by somebody without a Prefect server."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.servers import ROOT, client_environment

UV = Path(sys.executable).parent / "uv"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel by way of the source distribution, as `uv build` does."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([UV, "build", "--quiet", "--out-dir", folder], cwd=ROOT, check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install it, and return the environment's programs."""
    venv = tmp_path_factory.mktemp("venv") / "venv"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, venv], check=True)
    subprocess.run([UV, "pip", "install", "--quiet", "--python", venv, wheel], check=True)
    return venv / "bin"


@pytest.fixture
def newcomer(installed: Path, tmp_path: Path) -> dict[str, str]:
    """Return the environment of somebody with a new home."""
    quiet = {name: value for name, value in client_environment(tmp_path / "prefect").items() if name not in os.environ}
    return quiet | {"HOME": str(tmp_path / "home"), "PATH": f"{installed}:{os.environ['PATH']}", "LANG": "C.UTF-8"}


def say(newcomer: dict[str, str], folder: Path, *argv: str, code: int = 0) -> str:
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        argv,
        cwd=folder,
        env=newcomer,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_wheel_holds_the_licence_the_templates_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert {"flows/cli/templates/minimal/plait.yaml", "flows/cli/templates/clients/agents/codex.py"} <= set(names)
    assert "tasks/report/templates/report.html.j2" in names
    tops = {name.split("/")[0].partition("-")[0] for name in names}
    assert tops == {"contexts", "tasks", "flows", "plait_start.py", "plait"}, (
        "the last is what the wheel says of itself"
    )


def test_its_metadata_is_whole(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (name,) = [name for name in archive.namelist() if name.endswith("METADATA")]
    head, _, description = archive.read(name).decode().partition("\n\n")
    for line in ("Name: plait", "License-Expression: Apache-2.0", "Requires-Python: >=3.11", "License-File: LICENSE"):
        assert line in head.splitlines()
    assert description.startswith("# plait")


@pytest.mark.parametrize(
    ("template", "files"),
    [("minimal", {"english.txt", "french.txt"}), pytest.param("parallel", {"words.py"}, marks=pytest.mark.soak)],
)
def test_a_template_runs_from_an_empty_folder_and_says_where_its_files_are(
    template: str, files: set[str], newcomer: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "empty"
    assert say(newcomer, folder, "plait", "--version").strip() == "0.1.0"
    say(newcomer, folder, "plait", "init", template)
    said = say(newcomer, folder, "plait", "run", "plait.yaml")
    (result,) = [Path(line.split(maxsplit=1)[1]) for line in said.splitlines() if line.startswith("  files ")]
    assert files <= {path.name for path in result.iterdir()}


def test_deploying_without_a_checkout_is_refused_with_a_sentence(newcomer: dict[str, str], tmp_path: Path) -> None:
    said = say(newcomer, tmp_path / "empty", "python", "-m", "flows.deployments.deploy_all", code=2)
    assert said.strip().startswith("plait: there is no")
    assert "run `make deploy` in a checkout of plait" in said
