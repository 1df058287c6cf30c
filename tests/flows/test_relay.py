"""What a worker keeps of a run that has left for a process of its own: it hears of its end, and passes requests on."""

import signal
import subprocess
import sys

import pytest

from flows import relay

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
