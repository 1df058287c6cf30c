"""Read what an agent left, whatever it is: what fits a context is taken, the rest is kept as a claim.

A finished track is not thrown away for an odd document. So nothing here refuses: text that is no JSON, a list where an
object belongs, a word where a list does, numbers that other readers would change, all of it is kept under ``claims``,
and named once.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import ValidationError

from contexts.codec import LIMIT_BYTES, dump, migrate, pointer
from contexts.errors import DocumentError
from contexts.model.base import JsonObject

WHOLE = "context.json"
"""The claim that holds all of it, where it is no JSON object."""
MOST_TEXT = 64 * 1024
"""Characters that are kept of a text that is no JSON, and of a document beyond the limit."""
MOST_DEEP = 150
"""Levels of nesting; what is deeper is kept as text, as it would not survive being put into other documents."""

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Left:
    """What an agent left.

    Attributes:
        document: What can be a context, member by member not judged yet.
        claims: What cannot, by member or pointer.
        odd: Pointers of what is not as it was written, in the order it was met.
        whole: Whether it is an object at all.
    """

    document: JsonObject
    claims: JsonObject = field(default_factory=dict[str, Any])
    odd: tuple[str, ...] = ()
    whole: bool = True


class _Odd(str):
    """A number that JSON readers would change, as it was written."""

    __slots__ = ()


class _Doubled(dict[str, Any]):
    """An object in which a key stands twice; the last one counts, as for every reader."""

    earlier: list[tuple[str, Any]]


def read_leniently(raw: bytes, size: int | None = None) -> Left:
    """Return what bytes hold as a context.

    Args:
        raw: What was read; the file may have more.
        size: Bytes of the file.
    """
    text, is_text = _decoded(raw)
    complete = size is None or size <= len(raw)
    value = _parsed(text) if is_text and complete else _NO_JSON
    if value is _NO_JSON or _is_deep(value):
        return Left({}, {WHOLE: _cut(text, size or len(raw))}, ("",), whole=False)
    claims: JsonObject = {}
    odd: dict[str, None] = {}
    clean = _clean(value, (), claims, odd)
    if not isinstance(clean, dict):
        return Left({}, {WHOLE: clean}, ("",), whole=False)
    left = Left(cast("JsonObject", clean), claims, tuple(odd))
    return left if len(raw) <= LIMIT_BYTES else _bounded(left, text, len(raw))


def _decoded(raw: bytes) -> tuple[str, bool]:
    try:
        return raw.decode(json.detect_encoding(raw)), True
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace"), False


_NO_JSON = object()


def _parsed(text: str) -> Any:
    """Return the value of a JSON text, or that it is none."""
    try:
        return json.loads(
            text,
            object_pairs_hook=_pairs,
            parse_constant=_Odd,
            parse_int=_integer,
            parse_float=_float,
            strict=False,  # a line break within a text is often left as it is
        )
    except (ValueError, RecursionError):
        return _NO_JSON


def _cut(text: str, size: int) -> str:
    clean = _without_surrogates(text)
    if len(clean) <= MOST_TEXT:
        return clean
    from contexts.secrets import head_of  # noqa: PLC0415 whoever only reads does not pay for it

    return f"{head_of(clean, MOST_TEXT)}... ({size} bytes in all)"


def _bounded(left: Left, text: str, size: int) -> Left:
    """Keep the small members of a document beyond the limit, and of the whole its beginning."""
    kept: JsonObject = {}
    room = LIMIT_BYTES // 2
    sizes = sorted((len(dump(value)), key) for key, value in left.document.items())
    gone: list[str] = []
    for length, key in sizes:
        room -= length + len(key)
        if room >= 0:
            kept[key] = left.document[key]
        else:
            gone.append(pointer(key))
    document = {key: value for key, value in left.document.items() if key in kept}
    claims = {WHOLE: _cut(text, size)}
    if len(dump(left.claims)) <= LIMIT_BYTES // 4:
        claims |= left.claims
    return Left(document, claims, (*left.odd, *gone))


def _pairs(items: list[tuple[str, Any]]) -> JsonObject:
    found = dict(items)
    if len(found) == len(items):
        return found
    doubled = _Doubled(found)
    last = {key: number for number, (key, _) in enumerate(items)}
    doubled.earlier = [(key, value) for number, (key, value) in enumerate(items) if last[key] != number]
    return doubled


def _integer(text: str) -> int | str:
    if len(text) > 21:
        return _Odd(text)
    value = int(text)
    return value if -(2**63) <= value < 2**64 else _Odd(text)


def _float(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else _Odd(text)


def _is_deep(value: Any) -> bool:
    level: list[Any] = [value]
    for _ in range(MOST_DEEP):
        level = [
            inner
            for node in level
            if isinstance(node, dict | list)
            for inner in _children(node)  # pyright: ignore[reportUnknownArgumentType] JSON of unknown shape
        ]
        if not level:
            return False
    return True


def _children(node: dict[str, Any] | list[Any]) -> Iterable[Any]:
    if isinstance(node, _Doubled):
        return [*node.values(), *(value for _, value in node.earlier)]
    return node.values() if isinstance(node, dict) else node


def _clean(value: Any, path: Path, claims: JsonObject, odd: dict[str, None]) -> Any:
    """Return a value that a store can hold; what that changes is noted."""
    if isinstance(value, _Odd):
        odd.setdefault(pointer(*path))
        return str(value)
    if isinstance(value, str):
        clean = _without_surrogates(value)
        if clean != value:
            odd.setdefault(pointer(*path))
        return clean
    if isinstance(value, list):
        return [_clean(one, (*path, number), claims, odd) for number, one in enumerate(cast("list[Any]", value))]
    if isinstance(value, dict):
        if isinstance(value, _Doubled):
            for key, one in value.earlier:
                place = (*path, _without_surrogates(key))
                odd.setdefault(pointer(*place))
                keep(claims, place, _clean(one, place, claims, odd))
        found: JsonObject = {}
        for key, one in cast("JsonObject", value).items():
            name = _without_surrogates(key)
            found[name] = _clean(one, (*path, name), claims, odd)
        return found
    return value


def _without_surrogates(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def keep(claims: JsonObject, path: Path, value: Any) -> None:
    """Put a value among the claims: under its member's name, or under its pointer where it is a part of one."""
    name = str(path[0]) if len(path) == 1 else pointer(*path)
    number = 2
    while name in claims:
        name = f"{name.removesuffix(f' ({number - 1})')} ({number})"
        number += 1
    claims[name] = value


def fit(
    left: JsonObject, make: Callable[[JsonObject], JsonObject], most_rounds: int = 20
) -> tuple[JsonObject, dict[Path, Any]]:
    """Take as much of an agent's members as makes a valid document.

    Args:
        left: The agent's members; no member is changed.
        make: Makes the whole document of some of them.
        most_rounds: How often what was found wrong is taken out, before no member is taken at all.

    Returns:
        The document, and what was taken out, by its place in ``left``.
    """
    from contexts.model.document import Context  # noqa: PLC0415 most callers of this package need no models

    taken: set[Path] = set()
    for _ in range(most_rounds):
        document = make(_pruned(left, taken))
        try:
            Context.model_validate_json(dump(document))
        except ValidationError as error:
            found = {
                place
                for problem in error.errors(include_url=False, include_context=False, include_input=False)
                if (place := _place(left, taken, problem["loc"]))
            }
        else:
            break
        # Of a union every member complains: what is wrong inside an object says more than that it is no text.
        inner = {place for place in found if not any(place != one and one[: len(place)] == place for one in found)}
        if inner <= taken:
            taken = {(key,) for key in left}
        taken |= inner
    else:
        taken = {(key,) for key in left}
        document = make({})
    places = sorted(taken, key=_order)
    outer = [place for place in places if not any(place[:size] in taken for size in range(1, len(place)))]
    return document, {place: _at(left, place) for place in outer}


def _order(place: Path) -> list[tuple[bool, int, str]]:
    return [(isinstance(part, str), part if isinstance(part, int) else 0, str(part)) for part in place]


def _pruned(left: JsonObject, taken: set[Path]) -> JsonObject:
    """Return the members without what was taken out; only what lies around that is copied."""
    around = {place[:size] for place in taken for size in range(1, len(place))}

    def prune(value: Any, path: Path) -> Any:
        if path and path not in around:
            return value
        if isinstance(value, dict):
            members = cast("JsonObject", value).items()
            return {key: prune(one, (*path, key)) for key, one in members if (*path, key) not in taken}
        if isinstance(value, list):
            items = enumerate(cast("list[Any]", value))
            return [prune(one, (*path, number)) for number, one in items if (*path, number) not in taken]
        return value

    return prune(left, ())


def _place(left: JsonObject, taken: set[Path], path: tuple[str | int, ...]) -> Path:
    """Return where in the agent's members a validation error stands; empty where it is not in them."""
    place: Path = ()
    value: Any = left
    for part in path:
        if isinstance(value, dict) and part in value and (*place, part) not in taken:
            place = (*place, part)
        elif isinstance(value, list) and isinstance(part, int):
            items = cast("list[Any]", value)
            there = [number for number in range(len(items)) if (*place, number) not in taken]
            if part >= len(there):
                break
            place = (*place, there[part])
        elif not place:
            return ()  # a member that plait writes
        else:
            continue
        value = _at(left, place)
    return place


def _at(left: JsonObject, place: Path) -> Any:
    value: Any = left
    for part in place:
        value = value[part]
    return value


def can_be_read(version: Any) -> bool:
    """Say whether a document of a stated format version is one this program reads."""
    try:
        migrate({"version": version})
    except DocumentError:
        return False
    return True


def shown(places: Iterable[str], most: int = 5) -> str:
    """Return pointers for a sentence."""
    known = list(dict.fromkeys(place[:80] or "the whole of it" for place in places))
    more = f" and {len(known) - most} more" if len(known) > most else ""
    return ", ".join(known[:most]) + more


def claimed(claims: Mapping[str, Any]) -> JsonObject:
    """Return claims as a document may hold them: beyond the limit, the beginning of their text."""
    body = dump(claims)
    return dict(claims) if len(body) <= LIMIT_BYTES else {WHOLE: _cut(body.decode("utf-8", "replace"), len(body))}
