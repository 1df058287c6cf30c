"""No test says how fast a machine must be: none holds a clock against a bound, and every wait has a generous end.

How fast something is belongs to benchmarks/, as a ratio. A test asks for a condition, an order or a count.
"""

import ast
import os
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from flows.cli import startup
from flows.cli.prefect_server import server
from tests.waiting import PATIENCE

HERE = Path(__file__).parent
FILES = sorted(file for file in HERE.rglob("*.py") if "agents" not in file.parts)
CLOCKS = {"monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time", "thread_time", "times"}
CORES = {"cpu_count", "process_cpu_count", "sched_getaffinity", "getloadavg"}
WAITS = {"run", "communicate", "check_call", "check_output", "get", "post", "request", "result", "join"}
"""Calls whose `timeout` ends a test that is only slow."""


def those_with(*words: str) -> list[Path]:
    """Return the files that have one of some words; the others need not be parsed."""
    any_of = re.compile(rf"\b(?:{'|'.join(words)})\b")
    return [file for file in FILES if any_of.search(file.read_text(encoding="utf-8"))]


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def called(node: ast.AST) -> str:
    """Return the name of what a call calls."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def reads_clock(node: ast.AST) -> bool:
    return any(called(inner) in CLOCKS for inner in ast.walk(node))


def differences(node: ast.AST) -> Iterator[ast.BinOp]:
    """Yield what is taken from a clock's reading, or a clock's reading is taken from: a duration."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Sub) and reads_clock(inner):
            yield inner


def complaints(tree: ast.AST) -> Iterator[str]:
    """Yield what a file asks of the machine it runs on."""
    measured = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and any(differences(node.value))
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Assert):
            names = {inner.id for inner in ast.walk(node.test) if isinstance(inner, ast.Name)}
            if any(differences(node.test)) or names & measured:
                yield f"{line}: an assertion about how long something took"
        elif called(node) in CORES:
            yield f"{line}: it asks for the cores or the load of the machine"
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and reads_clock(node):
            if isinstance(node.right, ast.Constant) and node.right.value < PATIENCE:
                yield f"{line}: a wait of {node.right.value} s; tests/waiting.py has one that is long enough"
        elif called(node) in WAITS and isinstance(node, ast.Call):
            for keyword in node.keywords:
                short = isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, int | float)
                if keyword.arg == "timeout" and short and keyword.value.value < PATIENCE:
                    yield f"{line}: timeout={keyword.value.value}; leave it to pytest's own, or use PATIENCE"


def test_no_file_of_tests_asks_for_a_speed_of_the_machine():
    found = {
        str(file.relative_to(HERE)): list(complaints(parsed(file))) for file in those_with(*CLOCKS, *CORES, "timeout")
    }
    assert {file: what for file, what in found.items() if what} == {}


@pytest.mark.parametrize(
    "wrong",
    [
        "began = time.monotonic()\nassert time.monotonic() - began < 5",
        "took = time.perf_counter() - began\nassert 0 < took < 3",
        "assert os.cpu_count() > 1",
        "deadline = time.monotonic() + 20",
        "subprocess.run(['true'], timeout=60)",
    ],
)
def test_what_asks_for_speed_is_found(wrong):
    assert len(list(complaints(ast.parse(wrong)))) == 1


def test_a_hanging_test_is_ended_late_and_by_one_setting():
    settings = tomllib.loads((HERE.parent / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]["ini_options"]
    assert settings["timeout"] >= 5 * PATIENCE
    for file in those_with("timeout"):
        for node in ast.walk(parsed(file)):
            if called(node) == "timeout" and isinstance(node, ast.Call) and isinstance(node.args[0], ast.Constant):
                assert node.args[0].value >= settings["timeout"], f"{file}:{node.lineno}"


def test_plait_itself_waits_as_long_for_a_server_to_start_as_its_tests_do(monkeypatch):
    monkeypatch.setattr(os, "environ", {})
    startup.prepare_for_prefect()
    assert float(os.environ["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"]) >= PATIENCE
    assert server._START_SECONDS >= PATIENCE
