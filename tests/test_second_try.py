"""What `.ci/run` makes of tests that failed: run again alone, and green only where that says something."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.session_record import FOLDER

ROOT = Path(__file__).parents[1]
SESSION = {"finished": True, "exit_code": 1, "passed": 5, "failed": [], "not_collected": [], "environment": {}}


def load_second_try() -> ModuleType:
    spec = importlib.util.spec_from_file_location("second_try", ROOT / ".ci" / "second_try.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["second_try"] = module  # where its dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


second_try = load_second_try()


def step(*failed: str, name: str = "test", exit_code: int = 2, pytests: int = 1, **session: object):
    return second_try.Step(name, exit_code, pytests, ({**SESSION, "failed": list(failed), **session},))


def always(_):
    return True


def never(_):
    return False


def test_where_nothing_failed_nothing_is_tried_and_it_is_green():
    assert second_try.judge([], [], never) == ([], [])


def test_three_tests_that_pass_by_themselves_are_told_and_green():
    steps = [step("t.py::a", "t.py::b"), step("u.py::c", name="test-ui")]
    assert second_try.judge(steps, ["t.py::other"], always) == (["t.py::a", "t.py::b", "u.py::c"], [])


def test_four_of_them_in_one_run_are_red():
    tried, reasons = second_try.judge([step("a", "b", "c", "d")], [], always)
    assert tried == ["a", "b", "c", "d"]
    assert reasons == ["4 tests needed a second try; at most 3 may in one run"]


def test_a_test_that_fails_again_is_red():
    tried, reasons = second_try.judge([step("a", "b")], [], lambda one: one.nodeid == "b")
    assert (tried, reasons) == (["b"], ["failed twice: a"])


def test_a_test_that_had_a_second_try_in_an_earlier_run_is_red():
    assert second_try.judge([step("a")], ["a"], always) == (["a"], ["needed a second try in an earlier run too: a"])


def test_too_many_failures_are_not_tried_at_all():
    asked = []
    tried, reasons = second_try.judge([step(*(f"t{n}" for n in range(21)))], [], asked.append)
    assert (tried, asked) == ([], [])
    assert reasons == ["21 tests failed, too many for a second try"]


@pytest.mark.parametrize(
    ("red", "why"),
    [
        (step("a", finished=False), "did not come to its end"),
        (step("a", exit_code=124), "time-out"),
        (step("a", exit_code=137), "time-out"),
        (step("a", pytests=2), "1 of 2 pytest processes began"),
        (step(not_collected=["t.py"]), "t.py could not be collected"),
        (second_try.Step("test", 2, 1, ({**SESSION, "exit_code": 3, "failed": ["a"]},)), "ended with 3"),
        (step(), "no test failed in it"),
        (second_try.Step("check", 2, 0, ()), "it runs no tests"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_step_that_failed_in_another_way_is_red_even_where_its_failed_tests_pass_now(red, why):
    _, reasons = second_try.judge([red], [], always)
    assert len(reasons) == 1
    assert why in reasons[0]


SUITE = """
import os
from pathlib import Path
import pytest

HERE = Path(__file__).parent

def once(name):
    mark = HERE / name
    if not mark.exists():
        mark.touch()
        raise AssertionError("the first time")

def test_good(): pass
@pytest.mark.parametrize("word", ["a b", "[x]::y"])
def test_flaky(word): once("seen-" + word[0])
def test_bad(): assert os.environ.get("GOOD")
@pytest.fixture
def teardown():
    yield
    once("torn")
def test_flaky_teardown(teardown): pass
def test_kill(): os.kill(os.getpid(), 9)
def test_skipped_then():
    once("skips")
    pytest.skip("not today")
def test_like_the_first_time(): assert os.environ.get("PLAIT_TEST_ROUNDS") == "50"; once("rounds")
"""


@pytest.fixture
def clone(outside, tmp_path, monkeypatch):
    """A small project with a suite of its own that writes down what it ran as plait's does."""
    folder = tmp_path / "clone"
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "conftest.py").write_text(
        "from tests.session_record import record_session\ndef pytest_configure(config): record_session(config)\n"
    )
    (folder / "test_it.py").write_text(SUITE)
    monkeypatch.setattr(second_try, "ROOT", folder)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # each costs every start something
    monkeypatch.setenv("PLAIT_SECOND_TRIES", str(tmp_path / "state" / "second-tries"))
    return folder


def run_step(clone: Path, name: str, chosen: str, *options: str) -> str:
    """Run a step's pytest as `.ci/run` does, and say how it ended."""
    sessions = clone.parent / f"{name}.sessions"
    sessions.mkdir()
    (clone.parent / f"{name}.pytests").write_text("1\n")
    argv = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-k", chosen, *options, str(clone)]
    environment = {**os.environ, FOLDER: str(sessions), "PLAIT_TEST_ROUNDS": "50"}
    code = subprocess.run(argv, cwd=clone, env=environment, capture_output=True, check=False).returncode
    return f"{name}:{abs(code)}"


def test_failures_are_found_run_again_alone_and_remembered(clone, capfd):
    failed = run_step(clone, "test", "good or flaky or like_the_first", "-p", "xdist", "-n", "2")
    tried = ["test_flaky[a b]", "test_flaky[[x]::y]", "test_flaky_teardown", "test_like_the_first_time"]
    (record,) = (clone.parent / "test.sessions").iterdir()
    assert sorted(json.loads(record.read_text())["failed"]) == sorted(f"test_it.py::{name}" for name in tried)
    assert second_try.main([str(clone.parent), failed]) == 1
    said = capfd.readouterr().out.splitlines()
    assert {line for line in said if line.startswith("second try: ")} == {f"second try: test_it.py::{n}" for n in tried}
    assert [line for line in said if line.startswith("red: ")] == [
        "red: 4 tests needed a second try; at most 3 may in one run"
    ]
    remembered = (clone.parent / "state" / "second-tries").read_text().splitlines()
    assert sorted(remembered) == sorted(f"test_it.py::{name}" for name in tried)


def test_one_flaky_test_is_green_once_and_red_in_the_next_run(clone, capfd):
    assert second_try.main([str(clone.parent), run_step(clone, "test", "flaky_teardown or good")]) == 0
    assert "second try: test_it.py::test_flaky_teardown" in capfd.readouterr().out.splitlines()
    (clone / "torn").unlink()
    assert second_try.main([str(clone.parent), run_step(clone, "test-ui", "flaky_teardown or good")]) == 1
    assert "red: needed a second try in an earlier run too: test_it.py::test_flaky_teardown" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("chosen", "why"),
    [
        ("bad or good", "failed twice: test_it.py::test_bad"),
        ("skipped_then or good", "failed twice: test_it.py::test_skipped_then"),
        ("kill or good", "did not come to its end"),
        ("nothing_at_all", "ended with 5"),
    ],
)
def test_what_no_second_try_mends_is_red(clone, capfd, chosen, why):
    assert second_try.main([str(clone.parent), run_step(clone, "test", chosen)]) == 1
    assert why in capfd.readouterr().out


def test_a_file_that_cannot_be_read_is_red(clone, capfd):
    (clone / "test_broken.py").write_text("import nothing_of_this_name\n")
    assert second_try.main([str(clone.parent), run_step(clone, "test", "good")]) == 1
    assert "test_broken.py could not be collected" in capfd.readouterr().out


@pytest.mark.usefixtures("outside")
def test_the_script_counts_every_pytest_process_of_a_target():
    """Two at a time in one target: a process that never began would be missed otherwise."""
    script = (ROOT / ".ci" / "run").read_text()
    pattern = "no-sync pytest "
    assert f"grep -o '{pattern}'" in script
    counts = {"check": 0, "test": 1, "test-deploy": 1, "test-chaos": 2, "test-ui": 1, "test-reference": 1}
    for target, count in counts.items():
        argv = ["make", "--dry-run", "--always-make", target]
        recipe = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        assert recipe.count(pattern) == count, target


STEPS = "setup check test-ui test-stores test-deploy test-chaos test-clients"
MAKEFILE = f"""
.PHONY: {STEPS} test-reference test
{STEPS}:
\t@echo {{word}} $@
test-reference:
\t@if false; then .venv/bin/uv run --frozen --no-sync pytest -q; else echo "{{said}}"; fi
test:
\t@setsid sleep 3600 >/dev/null 2>&1 &
\t.venv/bin/uv run --frozen --no-sync pytest -k "good or teardown"
"""
UV = '#!/bin/sh\nshift 3\nexec "$(dirname "$0")/python" -m "$@"\n'


def test_the_whole_script_tells_a_second_try_and_what_was_left_running(clone):
    (clone / ".ci").mkdir()
    (clone / ".venv" / "bin").mkdir(parents=True)
    for name in ("run", "second_try.py"):
        (clone / ".ci" / name).write_bytes((ROOT / ".ci" / name).read_bytes())
    (clone / ".venv" / "bin" / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (clone / ".venv" / "bin" / "python").chmod(0o755)
    (clone / ".venv" / "bin" / "uv").write_text(UV)
    (clone / ".venv" / "bin" / "uv").chmod(0o755)
    absent = "not run: there are no documents"
    (clone / "Makefile").write_text(MAKEFILE.format(word="made", said=absent))
    done = subprocess.run(["bash", ".ci/run"], cwd=clone, capture_output=True, text=True, check=False)
    told = done.stdout[done.stdout.index("=== in all") :].splitlines()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "second try: test_it.py::test_flaky_teardown" in told
    assert any("2 passed" in line and "1 error" in line for line in told), "pytest's own last line"
    assert absent in told, "a step that says by itself why no pytest process began is green"
    assert told[-1].startswith("all steps passed in ")
    assert "=== left running after test: " in done.stdout
    assert "sleep 3600" in done.stdout
    # The same test again: remembered outside the clone.
    (clone / "torn").unlink()
    again = subprocess.run(["bash", ".ci/run"], cwd=clone, capture_output=True, text=True, check=False)
    assert again.returncode == 1
    assert again.stdout.splitlines()[-1] == "failed: test"
    assert "red: needed a second try in an earlier run too: test_it.py::test_flaky_teardown" in again.stdout
    # A step without tests that fails is not tried again; one that passes without its pytest process is red.
    (clone / "Makefile").write_text(MAKEFILE.format(word="made; false", said="well"))
    broken = subprocess.run(["bash", ".ci/run"], cwd=clone, capture_output=True, text=True, check=False)
    assert broken.returncode == 1
    assert "red: check: it runs no tests" in broken.stdout
    assert "red: test-reference: 0 of 1 pytest processes began" in broken.stdout
