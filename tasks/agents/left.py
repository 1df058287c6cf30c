"""What an agent left behind: its context.json, read as the untrusted file it is."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from contexts.documents.codec import LIMIT_BYTES
from contexts.documents.lenient import Left, read_leniently
from contexts.errors import DocumentError


def read_left(path: Path) -> Left:
    """Return what an agent left, whatever it holds.

    Raises:
        DocumentError: It left nothing: there is none, or a link, a pipe or a folder in its place.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise DocumentError("the agent left no context.json (it must write at least {} to $PLAIT_CONTEXT)") from error
    except OSError as error:
        raise DocumentError(f"context.json cannot be read: {error.strerror}") from error
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)  # before it is opened as a file, which a folder cannot be
        raise DocumentError("context.json is not a plain file")
    with os.fdopen(handle, "rb") as file:
        raw = file.read(LIMIT_BYTES * 20)
        more = bool(file.read(1))
    return read_leniently(raw, max(status.st_size, len(raw) + 1) if more else None)
