"""Let a run outlive whoever reads what it prints.

A worker reads its runs' output through pipes, and passes it on. When it is killed, the next line that anything writes
meets a broken pipe; rich ends the process for that. So what is written goes through pipes of the run's own, for every
writer in the process and below it: a thread carries it on for as long as somebody reads, and then throws it away.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
from typing import IO

_LAST_WORDS = 5.0
"""Seconds the process's end waits for its last lines: one of its children may hold the pipe open."""
_AT_A_TIME = 65536

_carried: list[_Carrier] = []


def outlive_readers() -> None:
    """Make standard output and standard error of this process ones that never break; again does nothing more."""
    if not _carried:
        _carried.extend((_Carrier(1, sys.stdout), _Carrier(2, sys.stderr)))


class _Carrier:
    """Carries what is written to one file descriptor to where it led before."""

    def __init__(self, number: int, stream: IO[str] | None) -> None:
        self._number = number
        self._stream = stream
        self._outlet = os.dup(number)
        self._inlet, writing = os.pipe()
        os.dup2(writing, number)
        os.close(writing)
        self._broken = False
        self._thread = threading.Thread(target=self._carry, name=f"plait-output-{number}", daemon=True)
        self._thread.start()
        atexit.register(self._end)

    def _carry(self) -> None:
        while chunk := os.read(self._inlet, _AT_A_TIME):
            rest = memoryview(chunk)
            while rest and not self._broken:
                try:
                    rest = rest[os.write(self._outlet, rest) :]
                except OSError:
                    self._broken = True

    def _end(self) -> None:
        """Let what was written arrive, and what is still to come go where it went before, if anybody is there."""
        if self._stream is not None:
            with contextlib.suppress(ValueError):  # closed already
                self._stream.flush()
        target = os.open(os.devnull, os.O_WRONLY) if self._broken else self._outlet
        os.dup2(target, self._number)
        self._thread.join(_LAST_WORDS)
