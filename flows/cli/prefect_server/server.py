"""The Prefect server a run reports to: the configured one, one that already runs on this machine, or a new one.

What runs here is found by what Prefect itself keeps, `server.pid` below PREFECT_HOME: `prefect server stop` ends what
plait started, and what `prefect server start --background` started is found. Nothing here imports Prefect: that takes
seconds, and its settings are read once.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import psutil

from contexts.errors import ServerUnreachable
from flows.cli.startup import prepare_for_prefect

PID_FILE = "server.pid"
"""Prefect's own name for it, and its own contents: a process id in decimal."""
LOG_FILE = "plait-server.log"
_LOCK_FILE = "plait-server.lock"
_PORT = 4200
_START_SECONDS = 180.0
_STOP_SECONDS = 15.0
_REFUSED_SECONDS = 5.0
"""How long a server that refuses connections is given to come back before a run gives up."""
_SILENT_SECONDS = 10.0
"""How long a server may take to begin an answer to the smallest question there is."""
_ADVICE = "start one with `prefect server start` and name it in PREFECT_API_URL, or unset that; `plait doctor` checks"


def configured() -> str | None:
    """Return the API address PREFECT_API_URL or Prefect's active profile names, if any."""
    return os.environ.get("PREFECT_API_URL") or _url_of_profile()


def check_answers(url: str) -> None:
    """Refuse early where nobody answers at the configured address; any answer is left to Prefect to judge.

    Raises:
        ServerUnreachable: Connections are refused, and went on being refused for five seconds; or nothing came for ten.
    """
    deadline = time.monotonic() + _REFUSED_SECONDS
    while url.startswith(("http://", "https://")):
        try:
            with urlopen(Request(f"{url.rstrip('/')}/health"), timeout=_SILENT_SECONDS):  # noqa: S310 the scheme is checked
                return
        except URLError as error:
            if isinstance(error.reason, TimeoutError):
                raise _silent(url) from error
            if not isinstance(error.reason, ConnectionRefusedError):
                return
            if time.monotonic() > deadline:
                raise ServerUnreachable(f"the Prefect server cannot be reached at {url}; {_ADVICE}") from error
        except TimeoutError as error:
            raise _silent(url) from error
        except (OSError, HTTPException):
            return
        time.sleep(0.25)


def _silent(url: str) -> ServerUnreachable:
    return ServerUnreachable(f"the Prefect server at {url} has said nothing for {_SILENT_SECONDS:g} s; {_ADVICE}")


def find_before_prefect(*, debug: bool) -> bool:
    """Let Prefect ask the right server about a block: the configured one or the one here, else one of its own.

    Args:
        debug: Leave Prefect its log, of which the quick commands show nothing.

    Returns:
        Whether there is one, or there was time to start one already.

    Raises:
        ServerUnreachable: The configured one is not there.
    """
    if "prefect" in sys.modules:
        return True  # it has its server, as in a run
    prepare_for_prefect()
    if not debug:
        os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    url = configured()
    if url:
        check_answers(url)
    elif url := running_here():
        os.environ["PREFECT_API_URL"] = url
    return bool(url)


def running_here() -> str | None:
    """Return the API address of the server of this PREFECT_HOME that already runs in the background, if it answers."""
    process = _recorded()
    port = _port_of(process) if process else None
    url = f"http://127.0.0.1:{port}/api"
    return url if port and _healthy(url) else None


def start_or_reuse(starting: Callable[[], None] = lambda: None) -> tuple[str, bool]:
    """Return the API address of a server on this machine, and whether it was started for this.

    The new one has its data below PREFECT_HOME, where runs without a server keep theirs too; it outlives this process
    until `prefect server stop`. Of several callers at once, one starts it.

    Args:
        starting: Called before a new one is started, which takes some 20 s.

    Raises:
        ServerUnreachable: It did not come up; nothing of it is left.
    """
    folder = home()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / _LOCK_FILE).open("a")
    except OSError as error:
        raise ServerUnreachable(f"no Prefect server can be started: {folder} cannot be written ({error})") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = _recorded()
        if process:
            # Somebody may have started it a moment ago.
            return _address_of(process), False
        found = _at_usual_port()
        if found:
            return found, False
        starting()
        return _start(folder), True


def _start(folder: Path) -> str:
    port = _free_port()
    url = f"http://127.0.0.1:{port}/api"
    log = folder / LOG_FILE
    argv = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    record = folder / PID_FILE
    process: subprocess.Popen[bytes] | None = None
    try:
        with log.open("wb") as output, interrupts_held():
            # A session of its own: neither Ctrl-C nor the end of the terminal is meant for it.
            process = subprocess.Popen(
                argv,
                cwd=folder,
                # Its pages would ask port 4200, whatever port they were served from.
                env={**os.environ, "PREFECT_UI_API_URL": url},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            record.write_text(str(process.pid), encoding="ascii")
        deadline = time.monotonic() + _START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            if _healthy(url):
                return url
            time.sleep(0.2)
    except BaseException:
        _end(process, record)
        raise
    _end(process, record)
    raise ServerUnreachable(f"the Prefect server did not start: {_last_line(log)}; its log is {log}")


@contextlib.contextmanager
def interrupts_held() -> Generator[None]:
    """Hold back what would interrupt us until the child that is being started is known, so that it can be ended.

    The child never hears SIGINT and SIGHUP, which a terminal sends to the whole process group; SIGTERM it hears, or it
    could only be killed.
    """
    asked: list[int] = []
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    # The mask is this thread's, and the child's; another thread may be given the signal, whose answer is the process's.
    heard = (
        (signal.SIGINT, signal.SIGHUP, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
    )
    answers = {one: signal.signal(one, lambda number, _: asked.append(number)) for one in heard}
    try:
        yield
    finally:
        for one, answer in answers.items():
            signal.signal(one, answer)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    for number in asked[:1]:
        signal.raise_signal(number)


def _end(process: subprocess.Popen[bytes] | None, record: Path) -> None:
    if process is None:
        return
    record.unlink(missing_ok=True)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _address_of(process: psutil.Process) -> str:
    deadline = time.monotonic() + _START_SECONDS
    while process.is_running() and time.monotonic() < deadline:
        port = _port_of(process)
        if port and _healthy(url := f"http://127.0.0.1:{port}/api"):
            return url
        time.sleep(0.2)
    raise ServerUnreachable(
        f"the Prefect server that runs here (process {process.pid}) does not answer; stop it with `prefect server stop`"
    )


def _recorded() -> psutil.Process | None:
    """Return the process `server.pid` names, if it is alive and a Prefect server; a stale record is removed."""
    record = home() / PID_FILE
    try:
        process = psutil.Process(int(record.read_text(encoding="ascii")))
        if _serves_prefect(process):
            return process
    except FileNotFoundError:
        return None
    except (OSError, ValueError, psutil.Error):
        pass
    with contextlib.suppress(OSError):
        record.unlink()
    return None


def _serves_prefect(process: psutil.Process) -> bool:
    line = " ".join(process.cmdline())
    return process.status() != psutil.STATUS_ZOMBIE and "prefect" in line and "server" in line


def _port_of(process: psutil.Process) -> int | None:
    try:
        listening = [one for one in process.net_connections("tcp") if one.status == psutil.CONN_LISTEN]
    except psutil.Error:
        return None
    return int(listening[0].laddr.port) if listening else None


def _at_usual_port() -> str | None:
    """Return the address of a server that we ourselves run at Prefect's usual port, say in another terminal."""
    port = _usual_port()
    for process in psutil.process_iter():
        try:
            ours = process.uids().real == os.getuid() and _serves_prefect(process)
        except psutil.Error:
            continue
        if ours and _port_of(process) == port and _healthy(url := f"http://127.0.0.1:{port}/api"):
            return url
    return None


def _usual_port() -> int:
    named = os.environ.get("PREFECT_SERVER_API_PORT", "")
    return int(named) if named.isdecimal() else _PORT


def _free_port() -> int:
    for port in (_usual_port(), 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise ServerUnreachable("no Prefect server can be started: no port of 127.0.0.1 is free")


def _healthy(url: str) -> bool:
    try:
        with urlopen(Request(f"{url}/health"), timeout=2) as answer:  # noqa: S310 it is http to 127.0.0.1
            return bool(answer.status == 200)
    except (HTTPError, OSError, HTTPException):
        return False


def _last_line(log: Path) -> str:
    from contexts.redaction import head_of

    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((head_of(line.strip(), 300) for line in reversed(lines) if line.strip()), "it said nothing")


def home() -> Path:
    """Return the folder Prefect keeps its data in."""
    return Path(os.environ.get("PREFECT_HOME") or Path.home() / ".prefect").expanduser()


def _url_of_profile() -> str | None:
    """Return the server of Prefect's active profile, read without importing Prefect."""
    import tomllib

    path = Path(os.environ.get("PREFECT_PROFILES_PATH") or home() / "profiles.toml")
    try:
        profiles = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        # Prefect itself will say what is wrong with its file; the question here is only whether a server is named.
        return None
    active = os.environ.get("PREFECT_PROFILE") or profiles.get("active")
    url = profiles.get("profiles", {}).get(active, {}).get("PREFECT_API_URL")
    return url if isinstance(url, str) else None
