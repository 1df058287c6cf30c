"""Call the command line in this process, on stores and files of a test's own."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from flows.cli import main
from tests.flows.cli.documents import head, parent, track


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


Call = Callable[..., Result]


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAIT_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("PLAIT_WORKSPACES", str(tmp_path / "workspaces"))
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    for name in ("PREFECT_API_URL", "PREFECT_PROFILE", "PREFECT_PROFILES_PATH", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Call:
    def run(*arguments: object) -> Result:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Result(code, captured.out, captured.err)

    return run


@pytest.fixture
def contexts(tmp_path: Path) -> ContextStore:
    return ContextStore(LocalObjects(tmp_path / "store"))


@pytest.fixture
def shop(contexts: ContextStore) -> ContextStore:
    """A store with one workflow: two tracks, a merge that refers to them, a log, and a list too long for a document."""
    refs = {}
    for task_id in ("cart-impl", "pay-impl"):
        document = track(task_id, implementation_details={"lines": 10})
        refs[task_id] = contexts.save(document, workflow_id="shop", name=f"tracks/{task_id}", after=0)
    contexts.save(parent("cart-impl", "pay-impl"), workflow_id="shop", name="context", after=0)
    log = contexts.put_blob("shop", b"all went well\n", "text/plain")
    merged = head(
        timestamp="2026-03-01T11:00:00Z",
        phase="parallel-complete-merge",
        track_contexts={
            task_id: {"ref": ref.model_dump(), "sha256": ref.sha256, "status": "completed"}
            for task_id, ref in refs.items()
        },
        evidence=[
            {
                "check": "unit",
                "kind": "tests",
                "status": "passed",
                "argv": ["true"],
                "seconds": 1,
                "log": log.model_dump(),
            }
        ],
        conversation_history=[f"turn {number}: " + "word " * 20 for number in range(1000)],
    )
    contexts.save(merged, workflow_id="shop", name="context", after=1)
    return contexts
