"""A full disk, whoever meets it first: this program, git, or a server beside it."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable
from pathlib import Path

from contexts.errors import StoreError

_NO_ROOM = 256 * 1024
"""Bytes below which a disk counts as full: a program that was refused a larger piece leaves as much."""
_SAID = re.compile(r"(: |\()(No space left on device|Disk quota exceeded)\)?$|error\. Out of diskspace$")
_ENDS_WITH_A_NAME = ("remote:", "fatal: Unable to process path")
"""What git says of another machine's disk, and what it ends with a name, which an agent may have chosen."""


def is_full(error: OSError) -> bool:
    """Say whether the disk is full, or this user's share of it."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT}


def says_full(said: str) -> bool:
    """Say whether a program's last words, in English, are that this machine's disk is full; not the remote's."""
    return any(_SAID.search(line) for line in said.splitlines() if not line.startswith(_ENDS_WITH_A_NAME))


def without_room(places: Iterable[Path]) -> Path | None:
    """Return the first of these places whose disk takes nothing more; what does not exist counts as its folder."""
    for place in places:
        try:
            found = next(one for one in (place, *place.parents) if one.exists())
            room = os.statvfs(found)
        except (OSError, StopIteration):
            continue
        # A file system without a fixed number of files says that it has none at all.
        if room.f_bavail * room.f_frsize < _NO_ROOM or (room.f_files and not room.f_favail):
            return place
    return None


def full(places: Iterable[Path], what: str = "") -> StoreError:
    """Return the error for a disk that took nothing more.

    Args:
        places: Where was written, the most likely first; named is the one that has no room.
        what: What was not done for it, as the end of a sentence.
    """
    known = list(places)
    place = without_room(known) or known[0]
    return StoreError(
        f"the disk of {place} is full: make room and run again{f'; {what}' if what else ''}", path=str(place)
    )
