"""Read coverage reports of any known form, and say what they mean for a tree and its tracks."""

from __future__ import annotations

import json
import os
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from contexts.documents.figures import Coverage, FileCoverage, TrackShare
from contexts.json.values import mapping
from tasks.checks.coverage.json_formats import read_json
from tasks.checks.coverage.lcov import is_lcov, read_lcov
from tasks.checks.coverage.measured import FileCounts, Measured, both, share, total_of
from tasks.checks.coverage.xml_formats import read_xml
from tasks.checks.report_file import ReportError

_MOST_FILES = 200_000
_LEAST_SHARED = 2
"""Segments of a path that an absolute name elsewhere must share with a file of the tree to be taken for it."""


def read_coverage(raw: bytes) -> Measured:
    """Return what a coverage report says, its form told by its content.

    Raises:
        ReportError: It is of no known form, or cannot be read.
    """
    start = raw[:400].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith((b"<", b"\xff\xfe", b"\xfe\xff")):
        return read_xml(raw)
    if start.startswith(b"{"):
        try:
            value: Any = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise ReportError(f"the coverage report is not JSON: {error}") from error
        return read_json(mapping(value))
    if is_lcov(raw):
        return read_lcov(raw)
    raise ReportError(
        "the coverage report is of no known form: coverage.py's JSON, lcov, Cobertura XML, JaCoCo XML, or istanbul's "
        "coverage-final.json or coverage-summary.json"
    )


def join_coverage(each: Sequence[Measured]) -> Measured:
    """Return what several files that are one report say together; at least one."""
    if len(each) == 1:
        return each[0]
    files: dict[str, FileCounts] = {}
    for one in each:
        for name, counts in one.files.items():
            files[name] = files[name].joined(counts) if name in files else counts
    return Measured(files)


def parse_coverage(raw: bytes) -> Coverage:
    """Return line and branch coverage in percent, and per file, of one report.

    Raises:
        ReportError: As `read_coverage`.
    """
    return coverage_of(read_coverage(raw))


def coverage_of(measured: Measured) -> Coverage:
    """Return the figures of what was measured."""
    counts = total_of(measured.files.values()) if measured.total is None else measured.total
    return Coverage(
        percent=both(counts) if measured.percent is None else measured.percent,
        line_percent=share(counts.lines),
        branch_percent=share(counts.branches),
        lines=counts.lines,
        branches=counts.branches,
        files={
            name: FileCoverage(
                percent=measured.file_percent[name] if name in measured.file_percent else both(one) or 0.0,
                lines=one.lines.total,
            )
            for name, one in measured.files.items()
        },
    ).compact()


def placed(measured: Measured, tree: Path) -> Measured:
    """Return the same with names relative to a tree, where they are of its files; others stay as they are.

    A name may be relative to the tree, to a folder that the report tells, or absolute; one that is none of these, as
    JaCoCo's package and file, is taken for the only file of the tree whose path ends with it.

    Args:
        measured: What was read.
        tree: Where the check ran.
    """
    ends: dict[str, list[str]] = {}
    files: dict[str, FileCounts] = {}
    names: dict[str, str] = {}
    for name, counts in measured.files.items():
        path = _directly(name, counts.folders, tree)
        if path is None:
            ends = ends or _by_basename(tree)
            path = _by_end(name, ends.get(posixpath.basename(name), ()))
        names[name] = path
        files[path] = files[path].joined(counts) if path in files else counts
    percents = {names[name]: percent for name, percent in measured.file_percent.items() if name in names}
    return replace(measured, files=files, file_percent=percents)


def _directly(name: str, folders: Sequence[str], tree: Path) -> str | None:
    """Return a name's path below the tree, where it is a file there; a name with NUL is no path."""
    if "\0" in name or any("\0" in folder for folder in folders):
        return name
    name = name.replace("\\", "/")
    for start in (tree, *(tree / folder for folder in folders)):
        for path in dict.fromkeys((Path(os.path.normpath(start / name)), Path(os.path.realpath(start / name)))):
            for root in dict.fromkeys((tree, Path(os.path.realpath(tree)))):
                if path.is_relative_to(root) and path.is_file():
                    return path.relative_to(root).as_posix()
    return None


def _by_basename(tree: Path) -> dict[str, list[str]]:
    """Return the paths of a tree's files by their last segment; not those that packages brought."""
    found: dict[str, list[str]] = {"": []}
    count = 0
    for folder, folders, files in os.walk(tree):
        folders[:] = sorted(one for one in folders if one not in {".git", "node_modules", ".venv", "venv"})
        count += len(files)
        if count > _MOST_FILES:
            break
        for file in files:
            found.setdefault(file, []).append(Path(folder, file).relative_to(tree).as_posix())
    return found


def _by_end(name: str, candidates: Sequence[str]) -> str:
    name = name.replace("\\", "/")
    if name.startswith("/") or name[1:2] == ":":
        fits = [one for one in candidates if name.endswith(f"/{one}") and one.count("/") + 1 >= _LEAST_SHARED]
    else:
        fits = [one for one in candidates if f"/{one}".endswith(f"/{name.removeprefix('./')}")]
    return fits[0] if len(fits) == 1 else name


def track_coverage(measured: Measured, changed_by: Mapping[str, Sequence[str]]) -> dict[str, TrackShare]:
    """Return the coverage of the files each track changed, where any of them was measured.

    ``unmeasured`` names code of a track that lies among measured files and is in no report: nothing ever loaded it.

    Args:
        measured: What `placed` gave.
        changed_by: Changed files by task_id, relative to the tree.
    """
    tracks: dict[str, TrackShare] = {}
    for task_id, files in changed_by.items():
        own = [measured.files[path] for path in files if path in measured.files]
        total = total_of(own)
        percent = both(total)
        if not total.lines.total or percent is None:
            continue
        unmeasured = [path for path in files if path not in measured.files and _lies_among(path, measured.files)]
        tracks[task_id] = TrackShare(
            percent=percent,
            line_percent=share(total.lines),
            branch_percent=share(total.branches),
            lines=total.lines,
            branches=total.branches,
            measured=len(own),
            unmeasured=tuple(unmeasured) or None,
        ).compact()
    return tracks


def _lies_among(path: str, measured: Iterable[str]) -> bool:
    """Say whether a file is code of the same kind, in the same folder, as files that were measured."""
    folder, _, ending = posixpath.dirname(path), *posixpath.splitext(path)
    return any(posixpath.dirname(one) == folder and one.endswith(ending or "\0") for one in measured)
