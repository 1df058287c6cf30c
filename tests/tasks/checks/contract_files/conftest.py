"""Read contract files for real, in a tree of a test's own."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from contexts.spec.model import Spec
from tasks.checks.bench import Bench
from tasks.checks.contract_files.named import named_files
from tasks.checks.contract_files.read import ReadFiles, read_files
from tests.servers import ROOT
from tests.tasks.checks.conftest import write

TYPESCRIPT = ROOT / ".cache" / "typescript" / "node_modules"

Tracks = Mapping[str, Mapping[str, list[Any]]]
"""By task_id, by side, the entries of ``files``."""
Read = Callable[..., ReadFiles]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "check" / "tree"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def typescript(tree: Path) -> Path:
    """A tree in which the TypeScript compiler is installed."""
    if not (TYPESCRIPT / "typescript" / "package.json").is_file():
        pytest.skip("not run: no TypeScript compiler is installed below .cache; `make setup-typescript` does it")
    (tree / "node_modules").symlink_to(TYPESCRIPT)
    return tree


@pytest.fixture
def read(outside: None, tree: Path, tmp_path: Path) -> Read:
    """Write files into the tree and read those that tracks name."""
    del outside

    def run(files: Mapping[str, str], tracks: Tracks, *, seconds: float = 100) -> ReadFiles:
        write(tree, files)
        documents = {
            name: {"contracts": {side: {"files": entries} for side, entries in sides.items()}}
            for name, sides in tracks.items()
        }
        spec = Spec.model_validate_json('{"workflow_id": "w", "parallel_tasks": [{"task_id": "api", "agent": "a"}]}')
        bench = Bench(tree, tree.parent, tmp_path, threading.Event(), seconds)
        return read_files(named_files(documents, spec), bench, lambda: None)

    return run


def only(told: ReadFiles) -> Any:
    """What was read of the one file."""
    (file,) = told.report.files
    return file.read


def said(told: ReadFiles) -> list[tuple[str, str]]:
    """Rules and sentences of the findings."""
    return [(one.rule, one.message) for one in told.findings]
