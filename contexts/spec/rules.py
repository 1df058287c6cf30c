"""Rules of a spec that span several places: names that must exist, names used twice, cycles, groups.

The model knows most of them too; here the very place in the file is known.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contexts.documents.version import FORMAT_VERSION, version_number
from contexts.errors import BadIdentifier
from contexts.identifiers import check_id
from contexts.json.values import is_object, items, mapping, section
from contexts.spec.spec_text import MAX_DEPTH, Path, show


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong, and where.

    Attributes:
        path: The value it is about.
        message: A sentence without file and line.
        at_key: The place is that of the key, not of the value.
        of_whole: It is about a whole list or the whole spec; a problem with a closer place is better.
    """

    path: Path
    message: str
    at_key: bool = False
    of_whole: bool = False


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a half sentence that names the closest known name, or nothing."""
    close = difflib.get_close_matches(name[:80], sorted(set(known)), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def spec_problems(value: Any) -> list[Problem]:
    """Check what spans several places; values of the wrong type are the model's business and passed over."""
    if not isinstance(value, dict):
        return []
    spec = mapping(value)
    tracks = _mappings(spec.get("parallel_tasks"))
    ids = {index: name for index, track in tracks if isinstance(name := track.get("task_id"), str)}
    problems = [*_head(spec), *_twice(ids), *_needs(tracks, ids), *_plain(spec)]
    if not problems:
        problems += _cycle(tracks, ids)
    problems += _owns(tracks)
    return problems + list(_groups(spec.get("groups"), set(ids.values())))


def _mappings(value: Any) -> list[tuple[int, Mapping[str, object]]]:
    return [(index, item) for index, item in enumerate(items(value)) if is_object(item)]


def _texts(value: Any) -> list[tuple[int, str]]:
    return [(index, item) for index, item in enumerate(items(value)) if isinstance(item, str)]


def _head(spec: Mapping[str, object]) -> Iterator[Problem]:
    template = spec.get("workflow_id")
    if isinstance(template, str) and template:
        try:
            check_id(template.replace("{date}", "20250115").replace("{time}", "090000"), "workflow_id")
        except BadIdentifier as error:
            yield Problem(("workflow_id",), error.message)
    version = spec.get("version")
    if isinstance(version, str):
        try:
            newer = version_number(version)[0] > version_number(FORMAT_VERSION)[0]
        except ValueError as error:
            yield Problem(("version",), str(error))
        else:
            if newer:
                yield Problem(
                    ("version",), f"version {version} is newer than this plait knows ({FORMAT_VERSION}); update plait"
                )


def _plain(spec: Mapping[str, object]) -> Iterator[Problem]:
    """Check what becomes an argument of git."""
    repository = section(spec, "repository")
    for name in ("path", "base"):
        text = repository.get(name)
        if isinstance(text, str) and (text.startswith("-") or re.search(r"[\n\r\t]", text)):
            yield Problem(
                ("repository", name), f"repository.{name} must not begin with '-' or hold tabs or line breaks"
            )


MAX_GLOB = 1_000


def _owns(tracks: Sequence[tuple[int, Mapping[str, object]]]) -> Iterator[Problem]:
    """Refuse globs so long that comparing them would take seconds."""
    for index, track in tracks:
        for position, glob in _texts(track.get("owns")):
            if len(glob) > MAX_GLOB:
                path = ("parallel_tasks", index, "owns", position)
                yield Problem(path, f"{show(path)} has {len(glob):,} characters; a glob may have {MAX_GLOB:,}")


def _twice(ids: dict[int, str]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, task_id in ids.items():
        if task_id in first:
            yield Problem(
                ("parallel_tasks", index, "task_id"),
                f"task_id {task_id[:80]!r} is given to parallel_tasks[{first[task_id]}] and "
                f"parallel_tasks[{index}]; every track needs its own",
            )
        first.setdefault(task_id, index)


def _needs(tracks: Sequence[tuple[int, Mapping[str, object]]], ids: dict[int, str]) -> Iterator[Problem]:
    known = set(ids.values())
    for index, track in tracks:
        for position, need in _texts(track.get("needs")):
            path = ("parallel_tasks", index, "needs", position)
            if need not in known:
                yield Problem(
                    path,
                    f"track {ids.get(index)!r} needs {need[:80]!r}, which no track is called{nearest(need, known)}",
                )


def _cycle(tracks: Sequence[tuple[int, Mapping[str, object]]], ids: dict[int, str]) -> Iterator[Problem]:
    """Find a cycle of needs by a depth-first walk without recursion, and show it."""
    needs = {ids[index]: [need for _, need in _texts(track.get("needs"))] for index, track in tracks if index in ids}
    place = {task_id: index for index, task_id in ids.items()}
    done: set[str] = set()
    for start in needs:
        trail: list[str] = []
        on_trail: set[str] = set()
        stack: list[tuple[str, Iterator[str]]] = []

        def enter(task_id: str, trail: list[str] = trail, on_trail: set[str] = on_trail, stack: Any = stack) -> None:
            trail.append(task_id)
            on_trail.add(task_id)
            stack.append((task_id, iter(needs.get(task_id, ()))))

        if start not in done:
            enter(start)
        while stack:
            task_id, rest = stack[-1]
            following = next((need for need in rest if need not in done), None)
            if following is None:
                done.add(task_id)
                on_trail.discard(task_id)
                trail.pop()
                stack.pop()
            elif following in on_trail:
                cycle = [*trail[trail.index(following) :], following]
                shown = " -> ".join(cycle if len(cycle) <= 12 else [*cycle[:6], "...", *cycle[-5:]])
                yield Problem(
                    ("parallel_tasks", place[following], "needs"), f"tracks need each other in a cycle: {shown}; cut it"
                )
                return
            else:
                enter(following)


def _groups(groups: Any, known: set[str]) -> Iterator[Problem]:
    """Check that group ids differ, tracks exist, and every track is in at most one group."""
    ids: dict[str, Path] = {}
    members: dict[str, Path] = {}
    stack: list[tuple[Path, Mapping[str, object], int]] = [
        (("groups", index), group, 1) for index, group in reversed(_mappings(groups))
    ]
    while stack:
        path, group, depth = stack.pop()
        if depth > MAX_DEPTH // 2:
            yield Problem(path, f"groups are nested deeper than {MAX_DEPTH // 2} levels")
            continue
        name = group.get("id")
        if isinstance(name, str):
            if name in ids:
                yield Problem((*path, "id"), f"group id {name[:80]!r} is already that of {show(ids[name])}")
            ids.setdefault(name, path)
        for position, task_id in _texts(group.get("tracks")):
            here = (*path, "tracks", position)
            if task_id not in known:
                near = nearest(task_id, known)
                yield Problem(here, f"group {name!r} holds {task_id[:80]!r}, which no track is called{near}")
            elif task_id in members:
                yield Problem(here, f"track {task_id!r} is already in {show(members[task_id][:-2])}")
            members.setdefault(task_id, here)
        inner = _mappings(group.get("groups"))
        stack.extend(((*path, "groups", index), item, depth + 1) for index, item in reversed(inner))
