"""What a worker keeps of a run that has left for a process of its own: it hears of its end, and passes requests on."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flows.deployments import engine, own_process, relay
from tests.servers import ROOT
from tests.waiting import PATIENCE

pytestmark = pytest.mark.usefixtures("outside")

START = """
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {15, 2, 1})
run = os.fork()
if run == 0:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(5))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {15, 2, 1})
    DEED
    os._exit(1)
os.execv(sys.executable, [sys.executable, "-I", "-S", RELAY, str(run)])
"""


def start(deed: str) -> subprocess.Popen[str]:
    program = START.replace("DEED", deed).replace("RELAY", repr(relay.__file__))
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    ("deed", "code"), [("os._exit(7)", 7), ("os._exit(0)", 0), ("os.kill(os.getpid(), signal.SIGKILL)", -9)]
)
def test_it_ends_as_its_run_ended(deed: str, code: int) -> None:
    with start(deed) as process:
        assert process.wait(60) == code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_request_to_end_reaches_the_run_as_sigterm_however_early_it_comes(number: signal.Signals) -> None:
    with start("print('ready', flush=True); signal.pause()") as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.wait(60) == 5


PARTING = """
import os, signal, subprocess, sys, threading
from flows.deployments import engine, own_process, relay
from prefect.logging.handlers import APILogHandler
def asked(*_):
    raise SystemExit("a request cut the parting off")
signal.signal(signal.SIGTERM, asked)
ready = threading.Event()
threading.Thread(target=threading.Event().wait, daemon=True).start()  # takes the signal that the main thread blocks
own_process._is_engine = lambda: True
APILogHandler.flush = lambda *_: None
engine.__file__ = CHILD
start = subprocess.Popen
def interrupted(*given, **more):
    if WHEN == "before":
        os.kill(os.getpid(), signal.SIGTERM)
    process = start(*given, **more)
    if WHEN == "after":
        os.kill(os.getpid(), signal.SIGTERM)
    return process
subprocess.Popen = interrupted
own_process.move_out()
"""
CHILD = """
import os, signal, sys
from flows.deployments import engine, relay
signal.signal(signal.SIGTERM, lambda *_: os._exit(5))
signal.pthread_sigmask(signal.SIG_UNBLOCK, relay.REQUESTS)
engine._end_after(int(sys.argv[1]))
signal.pause()
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_request_that_arrives_while_the_run_moves_reaches_it_whichever_thread_takes_it(
    tmp_path: Path, when: str
) -> None:
    child = tmp_path / "child.py"
    child.write_text(CHILD, encoding="utf-8")
    program = PARTING.replace("CHILD", repr(str(child))).replace("WHEN", repr(when))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", program], env=environment) as process:
        assert process.wait(PATIENCE) == 5


def test_the_runs_own_process_knows_itself_also_where_its_code_is_reached_by_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    current = tmp_path / "current"
    current.symlink_to(ROOT)
    place = Path(engine.__file__).relative_to(ROOT)
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(current / place), raising=False)
    assert own_process.has_moved()
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(current / place.with_name("relay.py")))
    assert not own_process.has_moved()
