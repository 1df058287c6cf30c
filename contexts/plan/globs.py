"""The globs of ``owns``: whether two patterns can match the same path.

``**`` as a whole segment stands for any number of folders, and at the end for everything inside; ``*`` for any text
within a segment, ``?`` for one character of it. Everything else is literal. A pattern without any of them, or that ends
in ``/``, means the file or the folder of that name with all that is in it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

ANY = "**"
MOST_WORK = 20_000_000
"""Steps that comparing all globs of a spec with one another may take: some five seconds."""
_LOOK, _COMPARISON = 4, 16
"""Steps that a look at two patterns takes, and the comparison of a segment with another; one for each character."""
_Part = TypeVar("_Part")
_Outline = tuple[str, str, int, float]
"""Plain text a pattern's last segment begins and ends with; fewest and most segments of what the pattern matches."""


@lru_cache(maxsize=4096)
def segments(pattern: str) -> tuple[str, ...]:
    """Return a pattern's segments in the form they are compared in.

    ``**`` is any number of segments, none included; so ``a/**`` becomes ``a``, ``**``, ``*``: something inside ``a``.
    """
    parts = [re.sub(r"\*+", "*", part) if part != ANY else ANY for part in pattern.split("/") if part not in {"", "."}]
    literal = not any("*" in part or "?" in part for part in parts)
    if literal or pattern.endswith("/"):
        parts.append(ANY)
    elif parts[-1] == ANY:
        parts.append("*")
    return tuple(part for number, part in enumerate(parts) if part != ANY or number == 0 or parts[number - 1] != ANY)


def _outline(pattern: str) -> _Outline:
    parts = segments(pattern)
    least = sum(part != ANY for part in parts)
    last = re.split(r"[*?]", parts[-1] if parts[-1] != ANY else "*")
    return last[0], last[-1], least, math.inf if ANY in parts else least


def _may_meet(one: _Outline, other: _Outline) -> bool:
    """Tell whether the outlines allow that two patterns meet, which most of one folder's do not."""
    return (
        one[2] <= other[3]
        and other[2] <= one[3]
        and (one[0].startswith(other[0]) or other[0].startswith(one[0]))
        and (one[1].endswith(other[1]) or other[1].endswith(one[1]))
    )


@lru_cache(maxsize=65536)
def _segments_meet(one: str, other: str) -> bool:
    if not set(one + other) & set("*?"):
        return one == other
    return _meet(one, other, "*", lambda left, right: left in "*?" or left == right or right in "*?")


def _meet(left: Sequence[_Part], right: Sequence[_Part], star: _Part, fits: Callable[[_Part, _Part], bool]) -> bool:
    """Walk two sequences with stars at once; both must end together.

    The places of ``right`` that a part of ``left`` can be at are the bits of one number: no backtracking, and one step
    for each part of ``left``.
    """
    places: dict[_Part, int] = {}
    for number, part in enumerate(right):
        places[part] = places.get(part, 0) | 1 << number
    stars = places.pop(star, 0)
    fitting: dict[_Part, int] = {}
    reached = 1 | (stars & 1) << 1
    for part in left:
        if part == star:
            # Everything from the lowest place on.
            reached = (2 << len(right)) - (reached & -reached)
            continue
        if part not in fitting:
            fitting[part] = sum(where for other, where in places.items() if fits(part, other))
        reached = (reached & fitting[part]) << 1 | reached & stars
        reached |= (reached & stars) << 1
        if not reached:
            return False
    return bool(reached >> len(right) & 1)


@dataclass(frozen=True)
class Meetings:
    """Which of several patterns can match the same path.

    Attributes:
        pairs: Those that can, each once, always in the same order.
        undecided: The first pair that was not compared any more, because the work would have become too much; None
            where all were.
    """

    pairs: tuple[tuple[str, str], ...]
    undecided: tuple[str, str] | None = None


def meeting_pairs(patterns: Iterable[str], *, most_work: int = MOST_WORK) -> Meetings:
    """Return every pair of different patterns that can match the same path.

    Two patterns can meet only where the literal folders at the beginning of one begin the other's, so only those pairs
    are compared: a thousand tracks in folders of their own cost a thousand look-ups.

    Args:
        patterns: The patterns.
        most_work: After so many steps nothing is compared any more. It is counted, not timed: the same patterns always
            give the same.
    """
    split = {pattern: segments(pattern) for pattern in sorted(set(patterns))}
    outlines = {pattern: _outline(pattern) for pattern in split}
    found: list[tuple[str, str]] = []
    left_to_do = most_work
    for one, other in _candidates(split):
        left, right = split[one], split[other]
        left_to_do -= _LOOK
        meet = _may_meet(outlines[one], outlines[other])
        if meet:
            left_to_do -= len(one) + len(other) + _COMPARISON * len(set(left)) * len(set(right))
        if left_to_do < 0:
            return Meetings(tuple(found), (one, other))
        if meet and _meet(left, right, ANY, _segments_meet):
            found.append((one, other))
    return Meetings(tuple(found))


def _candidates(split: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    """Yield the pairs of patterns of which the literal folders of one begin those of the other."""
    by_folder: dict[tuple[str, ...], list[str]] = {}
    for pattern, parts in split.items():
        by_folder.setdefault(_literal_folders(parts), []).append(pattern)
    for pattern, parts in split.items():
        folders = _literal_folders(parts)
        for length in range(len(folders) + 1):
            for other in by_folder.get(folders[:length], ()):
                if length < len(folders) or other > pattern:
                    yield (pattern, other) if pattern < other else (other, pattern)


def _literal_folders(parts: tuple[str, ...]) -> tuple[str, ...]:
    wild = next((number for number, part in enumerate(parts) if "*" in part or "?" in part), len(parts))
    return parts[:wild]
