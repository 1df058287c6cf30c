"""Find and kill a program's processes when its warden is gone: by mark, by session, by descent.

Only a second line. The warden, as subreaper, loses nothing; without it a process can be found only while it keeps the
mark plait put into its environment, stays in a session it was seen in, or has a parent that was found. One that started
a session of its own, was orphaned and cleared its environment cannot be told from a stranger's.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

MARK = "PLAIT_SUPERVISED"
_GIVE_UP = 5.0


def kill_orphans(mark: str, session: int | None) -> int:
    """Kill every process that belongs to a lost program, until none is found; return how many there were.

    Args:
        mark: The value of ``PLAIT_SUPERVISED`` in the program's environment.
        session: The program's session, which is also its process id; None if it never started.
    """
    killed: set[int] = set()
    sessions: set[int] = set() if session is None else {session}
    give_up = time.monotonic() + _GIVE_UP
    while time.monotonic() < give_up:
        found = _belonging(mark, sessions, killed)
        if not found:
            return len(killed)
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
        killed |= found
        time.sleep(0.02)
    return len(killed)


def _belonging(mark: str, sessions: set[int], known: set[int]) -> set[int]:
    """Return living processes that carry the mark, are in one of the sessions, or descend from one that is."""
    needle = f"{MARK}={mark}".encode()
    parents: dict[int, int] = {}
    found: set[int] = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            words = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
            environment = (entry / "environ").read_bytes().split(b"\0")
        except (OSError, ValueError):
            continue  # ended, or another user's
        if words[0] in {"Z", "X"}:
            continue
        pid = int(entry.name)
        parents[pid] = int(words[1])
        if needle in environment or int(words[3]) in sessions:
            found.add(pid)
            sessions.add(int(words[3]))
    while more := {pid for pid, parent in parents.items() if parent in found | known and pid not in found}:
        found |= more
    return found
