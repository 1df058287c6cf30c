"""See and signal a process's descendants; standard library only, because the warden starts with it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 1, 4, 36


def descendants(root: int) -> dict[int, int]:
    """Map every living descendant of a process to its parent (Linux; elsewhere none are found)."""
    if not os.access("/proc/thread-self/children", os.F_OK):
        return _descendants_by_scan(root)
    found: dict[int, int] = {}
    queue = [root]
    while queue:
        parent = queue.pop()
        for child in _children(parent):
            if child not in found and child != root:
                found[child] = parent
                queue.append(child)
    return {pid: parent for pid, parent in found.items() if _stat(pid)[:1] not in ([], ["Z"], ["X"])}


def _descendants_by_scan(root: int) -> dict[int, int]:
    """Find descendants by everybody's parent, for kernels built without lists of children."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()] if sys.platform == "linux" else []  # noqa: PTH208
    parents = {pid: int(words[1]) for pid in pids if (words := _stat(pid)) and words[0] not in {"Z", "X"}}
    found: dict[int, int] = {}
    while more := {p: q for p, q in parents.items() if (q == root or q in found) and p not in found}:
        found |= more
    return found


def _children(pid: int) -> list[int]:
    children: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - pathlib costs 8 ms
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:  # noqa: PTH123 - pathlib costs 8 ms
                children += [int(word) for word in file.read().split()]
    except (OSError, ValueError):
        return children
    return children


def _stat(pid: int) -> list[str]:
    """Return state, parent and so on: the words after the program's name, none for a process that is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - pathlib costs 8 ms
            return file.read().rpartition(")")[2].split()
    except OSError:
        return []


def send(pid: int, parent: int, number: int) -> None:
    """Signal a descendant, and never a stranger that got its number since; one that has ended is no error here."""
    try:
        if sys.platform != "linux":
            os.kill(pid, number)
            return
        handle = os.pidfd_open(pid)
    except (ProcessLookupError, PermissionError):
        return
    try:
        if _stat(pid)[1:2] in ([str(parent)], [str(os.getpid())]):
            signal.pidfd_send_signal(handle, number)
    except (ProcessLookupError, PermissionError):
        return
    finally:
        os.close(handle)


def set_process_option(option: int, value: int) -> None:
    """Call Linux's prctl, which Python does not wrap; elsewhere do nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)
