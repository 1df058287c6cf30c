"""A small project with tests, specs whose tracks write files into it, and what came of their runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prefect.client.schemas.objects import State

from contexts.documents.base import JsonObject
from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from flows.feature import feature
from tests.flows.specs import LEAVE, git, make_repository, write_spec

JUNIT = "--junitxml={reports}/junit.xml"
PYTEST = ["{python}", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "tests", JUNIT]
UNIT: JsonObject = {"id": "unit", "kind": "tests", "argv": PYTEST, "reports": {"junit": "junit.xml"}}
TEST = "from app import add\ndef test_add(): assert add(1, 2) == 3\n"
PYPROJECT = '[tool.pytest.ini_options]\npythonpath = ["."]\naddopts = ["--disable-plugin-autoload"]\n'


class Workflow:
    """A small project, a spec with tracks that write files, and what came of a run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = ContextStore(LocalObjects(folder / "store"))
        self.repository = make_repository(
            folder / "app", app__py="def add(a, b):\n    return a + b\n", pyproject__toml=PYPROJECT
        )
        (self.repository / "tests").mkdir()
        (self.repository / "tests" / "test_app.py").write_text(TEST)
        (self.repository / "Makefile").write_text("test:\n\ttest $$(cat VERSION) = 1\n")
        (self.repository / "VERSION").write_text("1\n")
        git(self.repository, "add", "--all")
        git(self.repository, "commit", "--quiet", "-m", "Tests")

    def spec(self, workflow_id: str, tracks: dict[str, dict[str, str | None]], *checks: JsonObject, **more: Any) -> str:
        """Write a spec whose tracks write (or, with None, remove) files."""
        programs = {name: f"{writes(files)}; {LEAVE}" for name, files in tracks.items()}
        given = {"repository": {"path": str(self.repository), "base": "main"}, "verification": {"checks": list(checks)}}
        return write_spec(self.folder, workflow_id, programs, **given, **more)

    def commit(self, files: Mapping[str, str]) -> None:
        """Commit files to the base."""
        for name, text in files.items():
            (self.repository / name).parent.mkdir(parents=True, exist_ok=True)
            (self.repository / name).write_text(text)
        git(self.repository, "add", "--all")
        git(self.repository, "commit", "--quiet", "-m", "More")

    def run(self, spec: str) -> State[Any]:
        """Run to the end."""
        return feature(spec=spec, store=str(self.folder / "store"), return_state=True)

    def final(self, workflow_id: str) -> JsonObject:
        """The newest context."""
        return self.store.require(workflow_id)[1]

    def rules(self, workflow_id: str) -> set[str]:
        """The rules of findings that are not waived."""
        return {str(one["rule"]) for one in self.final(workflow_id)["findings"] if not one.get("waived")}


def writes(files: dict[str, str | None]) -> str:
    """Return Python that writes files, and removes those of None."""
    lines = ["import pathlib"]
    for name, text in files.items():
        lines.append(f"p = pathlib.Path({name!r}); p.parent.mkdir(parents=True, exist_ok=True)")
        lines.append("p.unlink()" if text is None else f"p.write_text({text!r})")
    return "; ".join(lines)
