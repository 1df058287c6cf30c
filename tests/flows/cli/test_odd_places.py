"""The quick commands as processes from places nobody thought of: no HOME, locale C, odd names, a folder not writable."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.flows.cli.documents import parent, track

pytestmark = pytest.mark.usefixtures("outside")

PLAIT = Path(sys.executable).parent / "plait"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a space and letters beyond ASCII in its name, with context files in the layout of a project."""
    folder = tmp_path / "mein Projekt ü"
    context = folder / ".claude" / "context"
    context.mkdir(parents=True)
    (context / "shop.json").write_text(json.dumps(parent("cart-impl", "pay-impl")), encoding="utf-8")
    for task_id in ("cart-impl", "pay-impl"):
        name = f"shop-{task_id.removesuffix('-impl')}.json"
        (context / name).write_text(json.dumps(track(task_id, notes="größer")), encoding="utf-8")
    return folder


def plait(cwd: Path, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Call plait with PATH, locale C, and nothing else in its environment: no HOME, no identity for git, no user."""
    return subprocess.run(
        [PLAIT, *(str(argument) for argument in arguments)],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C", **environment},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def value(done: subprocess.CompletedProcess[str]) -> Any:
    """Return the JSON that is all there is on stdout."""
    assert done.stderr == "", done.stderr
    return json.loads(done.stdout)


def test_the_road_of_a_projects_context_files_by_relative_paths(place: Path, tmp_path: Path) -> None:
    here = tmp_path / "elsewhere"
    here.mkdir(mode=0o500)
    away = f"../{place.name}"
    store = ("--store", f"{away}/st öre", "--json")
    assert value(plait(here, "import", away, *store))
    assert [one["workflow_id"] for one in value(plait(here, "list", *store))["workflows"]] == ["shop"]
    assert value(plait(here, "show", "shop", *store))["workflow_id"] == "shop"
    assert value(plait(here, "show", "shop", "tracks/cart-impl", *store))["notes"] == "größer"
    assert value(plait(here, "history", "shop", *store))["revisions"]
    assert value(plait(here, "export", "shop", f"{away}/out", *store))
    exported = place / "out" / "shop-cart.json"
    assert json.loads(exported.read_bytes())["notes"] == "größer"
    files = [f"{away}/out/shop.json", f"{away}/out/shop-cart.json", f"{away}/out/shop-pay.json"]
    merged = value(plait(here, "merge", *files, "--json"))
    assert merged["decisions"] == ["decide cart-impl", "decide pay-impl"]
    assert value(plait(here, "init", "minimal", f"{away}/new spec", "--json"))
    planned = value(plait(here, "plan", f"{away}/new spec/plait.yaml", *store))
    assert planned["order"] == ["english", "french"]
    assert value(plait(here, "schema", "--json"))["properties"]["parallel_tasks"]
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    "command",
    [
        ("show", "nobody"), ("history", "nobody"), ("diff", "nobody", "1", "2"), ("export", "nobody", "out"),
        ("import", "nowhere"), ("merge", "nowhere.json", "nothing.json"), ("plan", "nowhere.yaml"), ("run", "nowhere.yaml"),
        ("resume", "nobody"), ("clean", "nobody"), ("schema", "nothing"), ("init", "nothing"), ("audit", "nowhere"),
        ("report", "nobody"),
    ],
    ids=lambda command: command[0],
)  # fmt: skip
def test_what_is_not_there_is_one_sentence_and_nothing_on_stdout(tmp_path: Path, command: tuple[str, ...]) -> None:
    done = plait(tmp_path, *command, "--store", "store", "--json")
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_doctor_answers_without_a_home(tmp_path: Path) -> None:
    done = plait(tmp_path, "doctor", "--store", tmp_path / "store", "--json", PREFECT_HOME=str(tmp_path / "prefect"))
    answers = {one["name"]: one["status"] for one in json.loads(done.stdout)["answers"]}
    assert {answers[name] for name in ("python", "git", "store")} == {"ok"}
