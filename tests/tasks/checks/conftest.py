"""Run one check for real, in a tree of a test's own."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
from pydantic import TypeAdapter

from contexts.spec.checks import Check
from tasks.checks.bench import Bench, lend_ports_for
from tasks.checks.results import CheckRun
from tasks.checks.run import run_on

RunCheck = Callable[..., CheckRun]


def make_check(**fields: Any) -> Any:
    """A check as a spec gives it."""
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
    return TypeAdapter(Check).validate_python({"id": "this", **given})


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files below a folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "check" / "tree"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def run_check(outside: None, tree: Path, tmp_path: Path) -> Iterator[RunCheck]:
    """Run a check of these settings in the tree; afterwards nothing of it may be left running."""
    before = {one.pid for one in psutil.Process().children(recursive=True)}

    def run(
        *,
        seconds: float = 100,
        base: Path | None = None,
        changed_by: Mapping[str, Sequence[str]] | None = None,
        consumers: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> CheckRun:
        check = make_check(**fields)
        with lend_ports_for(check) as lent:
            bench = Bench(
                tree=tree,
                place=tree.parent,
                folder=tmp_path,
                cancel=threading.Event(),
                seconds=seconds,
                base=(lambda: base) if base else None,
                changed_by=changed_by or {},
                consumers=consumers or {},
                env=check.env,
                ports=lent.ports,
            )
            return run_on(check, bench)

    yield run
    left = [one for one in psutil.Process().children(recursive=True) if one.pid not in before and _runs(one)]
    assert not left


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
