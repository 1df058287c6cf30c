"""What an agent left behind: its context.json, read as the untrusted file it is."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from contexts.codec import LIMIT_BYTES, check_size, parse_object
from contexts.errors import DocumentError, TooLarge
from contexts.model.base import JsonObject


def read_left(path: Path) -> JsonObject:
    """Return the JSON object an agent left.

    Raises:
        DocumentError: Missing, a link or no plain file, too large, not JSON, or no object.
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
        raw = file.read(LIMIT_BYTES * 20 + 1)
    if len(raw) > LIMIT_BYTES * 20:
        raise TooLarge(f"context.json has {status.st_size // 1024} KB; the limit is {LIMIT_BYTES // 1024} KB")
    document = parse_object(raw, "context.json")
    check_size(raw, document, "context.json")
    return document
