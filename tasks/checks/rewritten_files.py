"""Whether a check left the files of its tree as they were."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

Stamps = Mapping[str, tuple[int, ...]]


def stamps(tree: Path) -> Stamps:
    """Return what the file system says of every file of a tree, without reading any.

    The time of the last change of status cannot be set back by a program, unlike that of the last write.
    """
    return dict(_walk(str(tree), ""))


def _walk(folder: str, prefix: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            name = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                if prefix or entry.name != ".git":
                    yield from _walk(entry.path, name + "/")
            else:
                status = entry.stat(follow_symlinks=False)
                yield name, (status.st_ino, status.st_size, status.st_ctime_ns, status.st_mode)


def rewritten(tree: Path, before: Stamps, content: Callable[[str], bytes | None]) -> tuple[str, ...]:
    """Return the files of a tree that are gone or hold something else than before, sorted.

    Args:
        tree: The folder.
        before: Its stamps before.
        content: What a file held, None for one that nobody keeps; asked only for files whose stamp differs.
    """
    after = stamps(tree)
    differing = (path for path, stamp in before.items() if after.get(path) != stamp)
    return tuple(sorted(path for path in differing if not _same(tree / path, content(path))))


def _same(file: Path, held: bytes | None) -> bool:
    if held is None:
        return True
    if file.is_symlink():
        return os.fsencode(file.readlink()) == held
    return file.is_file() and file.read_bytes() == held
