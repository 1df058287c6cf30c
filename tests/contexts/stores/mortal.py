"""Save in real processes that die: each save is a fork that gets SIGKILL before a chosen system call.

A small process of its own does the forking, since the test process is large by now and slow to fork.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from contexts.errors import ObjectExists
from contexts.store.local import LocalObjects

ROOT = Path(__file__).resolve().parents[3]
CALLS = ("mkdir", "open", "write", "fsync", "link", "unlink")
_REFUSED = 7


class Mortals:
    """Runs saves in processes that may be killed, one or several at once; use it as a context manager."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.contexts.stores.mortal"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def save(self, root: Path, key: str, body: bytes, call: str = "", count: int = 0) -> str:
        """Save in a process killed before its ``count``-th such call; return ``saved``, ``refused`` or ``killed``."""
        return self.race(root, key, [body], call, count)[0]

    def race(self, root: Path, key: str, bodies: list[bytes], call: str = "", count: int = 0) -> list[str]:
        """Save each body in a process of its own, all at once; return how each ended."""
        order = {
            "root": str(root),
            "key": key,
            "bodies": [base64.b64encode(body).decode() for body in bodies],
            "call": call,
            "count": count,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        ended: list[str] = json.loads(self._process.stdout.readline())
        return ended


def _serve() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        pids = [_fork(order, base64.b64decode(body)) for body in order["bodies"]]
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
        names = {0: "saved", _REFUSED: "refused", -signal.SIGKILL: "killed"}
        print(json.dumps([names.get(code, f"ended with {code}") for code in codes]), flush=True)


def _fork(order: dict[str, Any], body: bytes) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        if order["call"]:
            setattr(os, order["call"], _dying(getattr(os, order["call"]), order["count"]))
        LocalObjects(Path(order["root"])).create(order["key"], body)
        code = 0
    except ObjectExists:
        code = _REFUSED
    finally:
        os._exit(code)


def _dying(real: Callable[..., Any], count: int) -> Callable[..., Any]:
    left = count

    def call(*args: object, **options: object) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **options)

    return call


if __name__ == "__main__":
    _serve()
