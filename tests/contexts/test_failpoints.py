"""The points at which tests kill the process: each is in the code, and none is in the code alone."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from contexts.failpoints import POINTS, failpoint

ROOT = Path(__file__).parents[2]


def reached() -> list[str]:
    """Return every name the code reaches, as often as it does."""
    names: list[str] = []
    for package in ("contexts", "tasks", "flows"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "failpoint":
                    (name,) = node.args
                    assert isinstance(name, ast.Constant), f"{path}:{node.lineno}: the name must be written out"
                    names.append(str(name.value))
    return names


def test_every_point_is_reached_once_and_every_reached_point_is_known() -> None:
    assert sorted(reached()) == sorted(POINTS)


def saves() -> Iterator[tuple[str, list[str], list[str]]]:
    """Return where the phases save a document, with the points reached before and after it in the same function."""
    for path in sorted((ROOT / "tasks").rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.FunctionDef) or function.name == "save":
                continue
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            points = [
                (node.lineno, str(node.args[0].value))
                for node in calls
                if isinstance(node.func, ast.Name)
                and node.func.id == "failpoint"
                and isinstance(node.args[0], ast.Constant)
            ]
            for call in calls:
                if isinstance(call.func, ast.Attribute) and call.func.attr == "save":
                    end = call.end_lineno or call.lineno
                    before = [name for line, name in points if line < call.lineno]
                    after = [name for line, name in points if line > end]
                    yield f"{path.name}:{call.lineno}", before, after


def test_every_phase_names_a_point_before_and_after_each_of_its_saves() -> None:
    found = list(saves())
    assert len(found) >= 7
    for where, before, after in found:
        assert before, f"{where}: no point before the save"
        assert after, f"{where}: no point after the save"
        assert before[-1].split(".")[0] == after[0].split(".")[0], where


def test_nothing_happens_unless_a_test_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLAIT_KILL_AT", raising=False)
    failpoint("lease.taken")
    failpoint("no such point, and nobody looks")


def test_an_unknown_point_is_an_error_where_tests_are_killing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAIT_KILL_AT", "lease.taken")
    with pytest.raises(ValueError, match=r"lease\.nowhere"):
        failpoint("lease.nowhere")


@pytest.mark.usefixtures("outside")
def test_the_process_ends_as_by_kill_9_at_the_time_that_was_asked_for() -> None:
    code = "from contexts.failpoints import failpoint\nfor n in range(5):\n    failpoint('lease.taken'); print(n, flush=True)"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PLAIT_KILL_AT": "lease.taken:3"}, cwd=ROOT, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (-9, b"0\n1\n")
