"""The report files that a check left: found by name, folder or glob, their bytes, or why there are none to read.

They come from programs that tracks wrote: no symbolic link is followed, nothing outside the two folders is read, and
number and size are bounded.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import ValidationError

from contexts.spec.checks import IN_TREE
from contexts.text.plural import counted

MAX_REPORT_BYTES = 50_000_000
"""Of one file, and of all files that are one report."""
MAX_REPORT_FILES = 5_000
_MOST_LOOKED_AT = 200_000
_GLOB = frozenset("*?")

Stamp = tuple[int, int, int]
"""Tells whether a file is still the one it was: inode, size, time of its last change."""


class ReportError(Exception):
    """A report that is missing or cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class ReportFile:
    """One file of a report.

    Attributes:
        name: Its path below the folder it was looked for in.
    """

    name: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where a check's reports are looked for.

    Attributes:
        reports: Its report folder.
        tree: The tree it runs in, for names that begin with ``{tree}/``.
    """

    reports: Path
    tree: Path

    def stamps(self, name: str) -> dict[str, Stamp]:
        """Return the files of a name that are there now; to be taken before the check runs.

        Raises:
            ReportError: As `read_all`, but for a name that has no file.
        """
        return dict(_find(*self._place(name)))

    def read_all(self, name: str, before: Mapping[str, Stamp]) -> tuple[list[ReportFile], list[str]]:
        """Return the files of a name that the check left, and the names of those that only stood there before it.

        Args:
            name: A file, a folder or a glob, as the spec writes it.
            before: What `stamps` gave before the check ran.

        Raises:
            ReportError: There is none, all of them stood there before, one is no plain file, or they are too many or
                too large.
        """
        root, pattern = self._place(name)
        found = dict(_find(root, pattern))
        if not found:
            raise ReportError(f"the check left no report {name}")
        stale = sorted(one for one, mark in found.items() if before.get(one) == mark)
        fresh = sorted(found.keys() - set(stale))
        if not fresh:
            were = f"{stale[0]} stood" if len(stale) == 1 else f"the {len(stale)} files of {name} stood"
            raise ReportError(
                f"the check wrote no report {name}: {were} there before it ran, so it is no evidence of it"
            )
        if sum(found[one][1] for one in fresh) > MAX_REPORT_BYTES:
            raise ReportError(f"report {name} is larger than {MAX_REPORT_BYTES // 1_000_000} MB")
        return [ReportFile(one, read_report(root / one)) for one in fresh], stale

    def _place(self, name: str) -> tuple[Path, str]:
        return (self.tree, name.removeprefix(IN_TREE)) if name.startswith(IN_TREE) else (self.reports, name)


def read_report(path: Path) -> bytes:
    """Return a report's bytes.

    Raises:
        ReportError: Missing, no plain file, or larger than 50 MB.
    """
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:  # noqa: PTH123 - no link
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ReportError(f"report {path.name} is no plain file")
            raw = file.read(MAX_REPORT_BYTES + 1)
    except OSError as error:
        raise ReportError(f"the check left no report {path.name} that can be read: {error.strerror}") from error
    if len(raw) > MAX_REPORT_BYTES:
        raise ReportError(f"report {path.name} is larger than {MAX_REPORT_BYTES // 1_000_000} MB")
    return raw


def _find(root: Path, pattern: str) -> Iterator[tuple[str, Stamp]]:
    """Find the files of a name below a folder, each once; none where there is none."""
    parts = [part for part in pattern.split("/") if part not in {"", "."}]
    plain = next((at for at, part in enumerate(parts) if set(part) & _GLOB), len(parts))
    start = root
    for part in parts[:plain]:
        start /= part
        if start.is_symlink():
            raise ReportError(f"report {pattern}: {part} is a symbolic link, which is not followed")
    if plain == len(parts) and not start.is_dir():
        if os.path.lexists(start):
            yield start.relative_to(root).as_posix(), _stamp(start, pattern)
        return
    # Of a folder that is named whole, only what looks like a report: a tool may write others beside it.
    fits = _compiled("/".join(parts)) if plain < len(parts) else re.compile(r".*\.(?:xml|json|info|sarif)\Z", re.DOTALL)
    looked, count = 0, 0
    for folder, folders, files in os.walk(start):
        folders.sort()
        looked += len(folders) + len(files)
        if looked > _MOST_LOOKED_AT:
            raise ReportError(
                f"report {pattern}: more than {_MOST_LOOKED_AT:,} files lie there; name a narrower folder"
            )
        for file in files:
            path = Path(folder, file)
            name = path.relative_to(root).as_posix()
            if not fits.match(name):
                continue
            count += 1
            if count > MAX_REPORT_FILES:
                raise ReportError(f"report {pattern} has more than {counted(MAX_REPORT_FILES, 'file')}")
            yield name, _stamp(path, pattern)


def _stamp(path: Path, pattern: str) -> Stamp:
    known = path.lstat()
    if not stat.S_ISREG(known.st_mode):
        what = "a symbolic link, which is not followed" if stat.S_ISLNK(known.st_mode) else "no plain file"
        raise ReportError(f"report {pattern}: {path.name} is {what}")
    return known.st_ino, known.st_size, known.st_mtime_ns


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Return a glob as a regular expression: ``**`` any folders, ``*`` and ``?`` within a name."""
    text = ""
    parts = pattern.split("/")
    for at, part in enumerate(parts):
        if part == "**":
            text += "(?:[^/]+/)*" if at + 1 < len(parts) else ".*"
            continue
        pieces = re.sub(r"\*+", "*", part)
        text += "".join("[^/]*" if each == "*" else "[^/]" if each == "?" else re.escape(each) for each in pieces)
        text += "/" if at + 1 < len(parts) else ""
    return re.compile(text + r"\Z", re.DOTALL)


def problem_of(error: ValidationError) -> str:
    """Return what is wrong with a report that is not of its format: the first thing, and where."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]
