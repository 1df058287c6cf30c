"""Say in one plain sentence each what a disk meant by its error."""

from __future__ import annotations

import errno
from pathlib import Path

from contexts.errors import StoreDenied, StoreError, StoreUnreachable, StoreUnsuitable
from contexts.full_disk import is_full


def explain(error: OSError, root: Path, key: str) -> StoreError:
    """Return the error to raise for what the disk said about a key below a root."""
    what = f"{root}/{key}" if key else str(root)
    if is_full(error):
        return StoreError(
            f"the disk of {root} is full: make room and run again; {key or 'nothing'} was not saved", path=what
        )
    if error.errno == errno.EROFS:
        return StoreUnsuitable(f"{root} is on a read-only file system: name another folder with --store", path=what)
    if error.errno in {errno.EACCES, errno.EPERM}:
        return StoreDenied(
            f"no permission for {what}: give this user read and write permission on {root}, or name another folder",
            path=what,
        )
    if error.errno in {errno.ELOOP, errno.ENOTDIR, errno.EISDIR}:
        return StoreUnsuitable(
            f"{what} leads through a symbolic link or a file where a folder belongs: remove it from the store",
            path=what,
        )
    if error.errno in {errno.EOPNOTSUPP, errno.EXDEV, errno.EMLINK, errno.ENOSYS}:
        return StoreUnsuitable(f"the file system of {root} has no hard links: name a folder on another one", path=what)
    if error.errno == errno.ENAMETOOLONG:
        return StoreUnsuitable(f"{what} is longer than this file system allows: use a shorter root", path=what)
    return StoreUnreachable(f"{root} does not answer ({error.strerror}): check the disk, then run again", path=what)
