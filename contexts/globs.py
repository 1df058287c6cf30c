"""The globs of ``owns``: what a pattern matches, and whether two patterns can match the same path.

``**`` as a whole segment stands for any number of folders, and at the end for everything inside; ``*`` for any text
within a segment, ``?`` for one character of it. Everything else is literal. A pattern without any of them, or that ends
in ``/``, means the file or the folder of that name with all that is in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TypeVar

ANY = "**"
_Part = TypeVar("_Part")


@lru_cache(maxsize=4096)
def segments(pattern: str) -> tuple[str, ...]:
    """Return a pattern's segments in the form both matching and intersection work on.

    ``**`` is any number of segments, none included; so ``a/**`` becomes ``a``, ``**``, ``*``: something inside ``a``.
    """
    parts = [re.sub(r"\*+", "*", part) if part != ANY else ANY for part in pattern.split("/") if part not in {"", "."}]
    literal = not any("*" in part or "?" in part for part in parts)
    if literal or pattern.endswith("/"):
        parts.append(ANY)
        return tuple(parts)
    if parts[-1] == ANY:
        parts.append("*")
    return tuple(part for number, part in enumerate(parts) if part != ANY or number == 0 or parts[number - 1] != ANY)


def matches(pattern: str, path: str) -> bool:
    """Return whether a pattern matches a relative path."""
    return _meet(segments(pattern), tuple(path.split("/")), ANY, lambda one, other: _meet_in_segment(one, other, False))


def intersect(one: str, other: str) -> bool:
    """Return whether some path matches both patterns: decided exactly, by walking both at once."""
    return _meet(segments(one), segments(other), ANY, lambda left, right: _meet_in_segment(left, right, True))


@lru_cache(maxsize=65536)
def _meet_in_segment(one: str, other: str, other_is_pattern: bool) -> bool:
    if "*" not in one and "?" not in one and (not other_is_pattern or ("*" not in other and "?" not in other)):
        return one == other

    def fits(left: str, right: str) -> bool:
        return left in "*?" or left == right or (other_is_pattern and right in "*?")

    return _meet(one, other, "*", fits, right_star=other_is_pattern)


def _meet(
    left: Sequence[_Part],
    right: Sequence[_Part],
    star: _Part,
    fits: Callable[[_Part, _Part], bool],
    *,
    right_star: bool = True,
) -> bool:
    """Walk two sequences with stars at once; both must end together. States are visited once: no backtracking."""
    seen = {(0, 0)}
    todo = [(0, 0)]
    while todo:
        i, j = todo.pop()
        if i == len(left) and j == len(right):
            return True
        left_star = i < len(left) and left[i] == star
        other_star = right_star and j < len(right) and right[j] == star
        following: list[tuple[int, int]] = []
        if left_star:
            following.append((i + 1, j))
        if other_star:
            following.append((i, j + 1))
        if i < len(left) and j < len(right) and (left_star or other_star or fits(left[i], right[j])):
            following.append((i if left_star else i + 1, j if other_star else j + 1))
        for state in following:
            if state not in seen:
                seen.add(state)
                todo.append(state)
    return False


def meeting_pairs(patterns: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield every pair of different patterns that can match the same path.

    Two patterns can meet only where the literal folders at the beginning of one begin the other's, so only those pairs
    are compared: a thousand tracks in folders of their own cost a thousand look-ups.
    """
    by_folder: dict[tuple[str, ...], list[str]] = {}
    distinct = sorted(set(patterns))
    for pattern in distinct:
        by_folder.setdefault(_literal_folders(pattern), []).append(pattern)
    for pattern in distinct:
        folders = _literal_folders(pattern)
        for length in range(len(folders) + 1):
            for other in by_folder.get(folders[:length], ()):
                if (length < len(folders) or other > pattern) and intersect(pattern, other):
                    yield (pattern, other) if pattern < other else (other, pattern)


def _literal_folders(pattern: str) -> tuple[str, ...]:
    parts = segments(pattern)
    wild = next((number for number, part in enumerate(parts) if "*" in part or "?" in part), len(parts))
    return parts[:wild]
