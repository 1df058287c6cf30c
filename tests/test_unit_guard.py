"""A unit test starts no process and opens no socket; one that does fails, whatever it makes of the refusal."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONFTEST = """
import pytest
from tests.unit import Guard
def pytest_configure(config):
    config.addinivalue_line("markers", "unit: x")
    config.addinivalue_line("markers", "stores: x")
    config.pluginmanager.register(Guard())
@pytest.fixture
def outside(): pass
@pytest.fixture
def program(outside): pass
"""
SUITE = """
import asyncio, os, socket, subprocess, sys, threading
import pytest
def start(): subprocess.run([sys.executable, "-c", ""], check=True)
def test_unit(tmp_path): (tmp_path / "a").write_text("a"); asyncio.run(asyncio.sleep(0))
def test_starts(): start()
def test_forks():
    if os.fork() == 0: os._exit(0)
def test_opens(): socket.socket().close()
def test_looks_up(): socket.getaddrinfo("localhost", 80)
def test_starts_in_a_thread():
    thread = threading.Thread(target=lambda: pytest.raises(AssertionError, start)); thread.start(); thread.join()
def test_swallows_the_refusal():
    try: start()
    except BaseException: pass
def test_by_fixture(program): start()
@pytest.mark.usefixtures("outside")
def test_by_mark(): start(); socket.socket().close()
@pytest.mark.stores
def test_of_a_suite(): start()
"""


@pytest.mark.usefixtures("outside")
def test_only_what_stays_inside_is_a_unit_test_and_passes(tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_it.py").write_text(SUITE)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rA", "--tb=no", str(tmp_path)]

    def outcomes(*options: str) -> dict[str, set[str]]:
        done = subprocess.run(
            [*argv, *options], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        found: dict[str, set[str]] = {}
        for line in done.stdout.splitlines():
            if "test_it.py::" in line:
                outcome, _, rest = line.partition(" ")
                found.setdefault(outcome, set()).add(rest.partition("::test_")[2].partition(" ")[0])
        return found

    inside = {"unit"}
    told = {"by_fixture", "by_mark", "of_a_suite"}
    lying = {"starts", "forks", "opens", "looks_up", "starts_in_a_thread", "swallows_the_refusal"}
    everything = outcomes()
    assert everything["PASSED"] - lying == inside | told
    assert everything["FAILED"] | everything["ERROR"] == lying
    unit = outcomes("-m", "unit")
    assert unit["PASSED"] - lying == inside
    assert unit["FAILED"] | unit["ERROR"] == lying
