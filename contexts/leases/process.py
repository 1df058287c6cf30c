"""Tell which process this is, and whether another one of this host still runs."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class ProcessMark:
    """What names one process among all that ever ran.

    Attributes:
        host: The host's name, with the pid namespace: containers share a boot, not their pids.
        boot_id: Changes at every start of the machine.
        pid: The process id, which a later process may have again.
        started: The process's start in the kernel's own ticks since boot, which tells those two apart.
    """

    host: str
    boot_id: str
    pid: int
    started: str


def this_process() -> ProcessMark:
    """Return the mark of the running process."""
    return ProcessMark(host=_host(), boot_id=_boot_id(), pid=os.getpid(), started=_started(os.getpid()) or "")


def is_gone(mark: ProcessMark) -> bool:
    """Say whether the process is certainly dead: only ever true for one of this very host."""
    if mark.host != _host():
        return False
    if mark.boot_id != _boot_id():
        return True
    try:
        os.kill(mark.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # alive, and another user's
    except OverflowError:
        return True
    started = _started(mark.pid)
    return started is not None and bool(mark.started) and started != mark.started


def _started(pid: int) -> str | None:
    """Return the start time, an empty string for a zombie, or None where it may not be known."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        try:
            process = psutil.Process(pid)
            return "" if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
        except psutil.Error:
            return None
    # Fields 3 and 22 of proc_pid_stat(5), counted from after the command's closing parenthesis.
    return "" if fields[0] in {"Z", "X"} else fields[19]


@cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return f"{psutil.boot_time():.0f}"


def _host() -> str:
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink()).removeprefix("pid:")
    except OSError:
        namespace = ""
    return f"{socket.gethostname()}{namespace}"
