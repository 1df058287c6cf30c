"""Take as much of what an agent left as makes a valid document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from contexts.documents.base import JsonObject
from contexts.documents.codec import dump
from contexts.documents.context import Context
from contexts.documents.lenient import Path
from contexts.json.values import is_list, is_object

MOST_PARTS = 100
"""Parts that are taken out of one member; where more of it is wrong, it is taken out whole."""
_MOST_ROUNDS = 20
"""How often what was found wrong is taken out, before no member is taken at all."""


def fit(left: Mapping[str, object], make: Callable[[JsonObject], JsonObject]) -> tuple[Context, dict[Path, Any]]:
    """Take as much of an agent's members as makes a valid document.

    Args:
        left: The agent's members; no member is changed.
        make: Makes the whole document of some of them.

    Returns:
        The document, and what was taken out, by its place in ``left``.
    """
    taken: set[Path] = set()
    for _ in range(_MOST_ROUNDS):
        try:
            context = Context.model_validate_json(dump(make(_pruned(left, taken))))
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
        else:
            break
        places = _Places(left, taken)
        found = {place for problem in problems if (place := places.of(problem["loc"]))}
        # Of a union every member complains: what is wrong inside an object says more than that it is no text.
        inner = found - {place[:size] for place in found for size in range(1, len(place))}
        taken = _without_parts(taken | inner) if not inner <= taken else {(key,) for key in left}
    else:
        taken = {(key,) for key in left}
        context = Context.model_validate_json(dump(make({})))
    outer = [
        place for place in sorted(taken, key=_order) if not any(place[:size] in taken for size in range(1, len(place)))
    ]
    return context, {place: _at(left, place) for place in outer}


def _order(place: Path) -> list[tuple[bool, int, str]]:
    return [(isinstance(part, str), part if isinstance(part, int) else 0, str(part)) for part in place]


def _pruned(left: Mapping[str, object], taken: set[Path]) -> JsonObject:
    """Return the members without what was taken out; only what lies around that is copied."""
    around = {place[:size] for place in taken for size in range(1, len(place))}

    def prune(value: Any, path: Path) -> Any:
        if path and path not in around:
            return value
        if is_object(value):
            return {key: prune(one, (*path, key)) for key, one in value.items() if (*path, key) not in taken}
        if is_list(value):
            return [prune(one, (*path, number)) for number, one in enumerate(value) if (*path, number) not in taken]
        return value

    return prune(left, ())


class _Places:
    """Where validation errors of the members without what was taken out stand in the members with it."""

    def __init__(self, left: Mapping[str, object], taken: set[Path]) -> None:
        self.left = left
        self.taken = taken
        self.around = {place[:-1] for place in taken}
        self.rest: dict[Path, list[int]] = {}

    def of(self, path: tuple[str | int, ...]) -> Path:
        """Return the place of an error in the agent's members; empty where it is not in them."""
        place: Path = ()
        value: Any = self.left
        for part in path:
            if isinstance(value, dict) and part in value and (*place, part) not in self.taken:
                place = (*place, part)
            elif is_list(value) and isinstance(part, int):
                rest = self._rest(value, place)
                if part >= len(rest):
                    break
                place = (*place, rest[part])
            elif not place:
                return ()  # a member that plait writes
            else:
                continue
            value = _member(value, place[-1])
        return place

    def _rest(self, items: list[Any], place: Path) -> Sequence[int]:
        """Return the numbers of a list's items that are not taken out, made once for all errors in it."""
        if place not in self.around:
            return range(len(items))
        if place not in self.rest:
            self.rest[place] = [number for number in range(len(items)) if (*place, number) not in self.taken]
        return self.rest[place]


def _without_parts(taken: set[Path]) -> set[Path]:
    """Return places to take out, with a whole member in place of more than a hundred parts of it."""
    parts = Counter(place[0] for place in taken)
    return {place if parts[place[0]] <= MOST_PARTS else place[:1] for place in taken}


def _at(left: Mapping[str, object], place: Path) -> Any:
    value: Any = left
    for part in place:
        value = _member(value, part)
    return value


def _member(value: Any, part: str | int) -> Any:
    return value[part]
