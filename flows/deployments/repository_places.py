"""Where a repository of this machine leads: every place that git reads when it reads the repository.

A repository is not only its folder. A ``.git`` that is a file leads to a git dir elsewhere, ``commondir`` to the one
it shares, ``objects/info/alternates`` to other objects, and links anywhere. All of these but the first can be
committed, as files of a bare repository inside a working tree, by somebody who has no access to the machine.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from contexts.errors import RepositoryError

_MOST = 4096
"""Bytes that are read of a file which names one path."""


def places_of(folder: Path) -> Iterator[Path]:
    """Yield the folder and every other place that git reads with it, links resolved; one may be yielded twice.

    Hooks are left out, because plait runs none.

    Args:
        folder: Top folder of a repository, or a bare one; absolute.

    Raises:
        RepositoryError: It leads somewhere in a way that is not followed here, or may have come with a commit.
        OSError: Something of it cannot be read.
    """
    yield folder
    git_dir = _git_dir(folder)
    yield git_dir
    if not os.path.lexists(git_dir / "HEAD"):
        return  # no repository, which git will say, too
    if git_dir == folder:
        _refuse_committed(folder)
    yield from _links(git_dir)
    common = git_dir
    if (git_dir / "commondir").exists():
        common = _named(git_dir, _read(git_dir / "commondir"))
        yield common
    if common != git_dir:
        yield from _links(common)
    yield from _alternates(common / "objects", set())


def _git_dir(folder: Path) -> Path:
    entry = folder / ".git"
    if entry.is_file():
        word, mark, named = _read(entry).partition(": ")
        if word != "gitdir" or not mark:
            raise RepositoryError(f"{folder} is no git repository; give the top folder of one", path=str(folder))
        found = _named(folder, named)
    else:
        found = (entry if entry.exists() else folder).resolve()
    return found


def _refuse_committed(bare: Path) -> None:
    """Refuse a bare repository in a working tree: its configuration may have come with a commit."""
    for above in bare.parents:
        # Git takes nothing below a .git into a commit.
        if (above / ".git").exists() and not bare.is_relative_to(above / ".git"):
            raise RepositoryError(
                f"{bare} is a bare repository inside the working tree {above}, and so may have come with a commit",
                path=str(bare),
            )


def _links(git_dir: Path) -> Iterator[Path]:
    for above, folders, files in os.walk(git_dir, onerror=_refuse):
        if above == str(git_dir):
            folders[:] = [name for name in folders if name != "hooks"]
        yield from (Path(above, name).resolve() for name in (*folders, *files) if Path(above, name).is_symlink())


def _refuse(error: OSError) -> None:
    raise error


def _alternates(objects: Path, seen: set[Path]) -> Iterator[Path]:
    listed = objects / "info" / "alternates"
    if objects in seen or not listed.exists():
        return
    seen.add(objects)
    for line in listed.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith('"'):
            raise RepositoryError(f"{listed} names a path in quotes, which is not followed", path=str(listed))
        other = _named(objects, line)
        yield other
        yield from _links(other)
        yield from _alternates(other, seen)


def _named(start: Path, text: str) -> Path:
    return (start / text.rstrip("\r\n")).resolve()


def _read(file: Path) -> str:
    with file.open("rb") as opened:
        return os.fsdecode(opened.read(_MOST)).rstrip("\r\n")
