"""The standard streams where something is wrong with them: closed by the caller, full, or read by nobody any more."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TextIO


class LossyStream:
    """A stream for what must go on without it: what cannot be written is forgotten, and the first error kept.

    Attributes:
        error: Why nothing is written any more; None while all is well.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.encoding = stream.encoding
        self.error: OSError | None = None

    def write(self, text: str) -> int:
        """Write, or forget; return the number of characters."""
        if self.error is None:
            try:
                return self._stream.write(text)
            except OSError as error:
                self._give_up(error)
        return len(text)

    def flush(self) -> None:
        """Flush what is still written."""
        if self.error is None:
            try:
                self._stream.flush()
            except OSError as error:
                self._give_up(error)

    def isatty(self) -> bool:
        """Say whether it is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the descriptor of the stream."""
        return self._stream.fileno()

    def _give_up(self, error: OSError) -> None:
        self.error = error
        with contextlib.suppress(OSError, ValueError):
            give_up(self._stream.fileno())


def give_up(number: int) -> None:
    """Send to nowhere what is still written to a descriptor.

    The interpreter flushes its streams once more at exit; on a closed pipe that would print a second complaint, and on
    stderr turn the exit code into 120.
    """
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 a descriptor is wanted
        os.dup2(nowhere.fileno(), number)


def open_closed_streams() -> None:
    """Send to nowhere what goes to a stream the caller closed; else the next file opened would get its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8"))  # noqa: PTH123, SIM115 it stays open
