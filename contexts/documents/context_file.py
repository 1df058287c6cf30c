"""Read a file that somebody names, to a limit and no further: devices and pipes may never end."""

from __future__ import annotations

from pathlib import Path

from contexts.errors import InputError, TooLarge

MOST_BYTES = 100_000_000
"""What a context file may have: merged documents with all their tracks in them are larger than what a store takes."""


def read_context_file(path: Path) -> bytes:
    """Return what a file holds.

    Raises:
        InputError: It cannot be read.
        TooLarge: It has more than 100 MB.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}", path=str(path)) from error
    if len(data) > MOST_BYTES:
        raise TooLarge(
            f"{path} has more than {MOST_BYTES // 1_000_000} MB, which no context file has; name another file",
            path=str(path),
        )
    return data
