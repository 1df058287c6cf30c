"""Read what an agent left, whatever it is: what fits a context is taken, the rest is kept as a claim.

A finished track is not thrown away for an odd document. So nothing here refuses: text that is no JSON, a list where an
object belongs, a word where a list does, numbers that other readers would change, all of it is kept under ``claims``,
and named once.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from contexts.documents.base import JsonObject
from contexts.documents.codec import LIMIT_BYTES, check_version, dump
from contexts.documents.exact_json import Doubled, Odd, is_deeper, read_exactly
from contexts.errors import DocumentError
from contexts.json.pointer import pointer
from contexts.json.values import is_list, is_object
from contexts.text.plural import and_more, first_of

WHOLE = "context.json"
"""The claim that holds all of it, where it is no JSON object."""
MOST_TEXT = 64 * 1024
"""Characters that are kept of a text that is no JSON, and of a document beyond the limit."""
MOST_DEEP = 150
"""Levels of nesting; what is deeper is kept as text, as it would not survive being put into other documents."""

MOST_EARLIER = 10
"""Values that are kept of one key that stands again and again in its object, beside the last one."""
AROUND = "what stands around its object"
"""What is odd of a context that is a fence, a list or a text around one object."""

Path = tuple[str | int, ...]

_FENCED = re.compile(r"\s*(`{3,})[ \t]*(?:\w+[ \t]*)?\r?\n(.*?)\n[ \t]*\1\s*\Z", re.DOTALL)


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
    claims: dict[str, object] = field(default_factory=dict[str, object])
    odd: tuple[str, ...] = ()
    whole: bool = True


def read_leniently(raw: bytes, size: int | None = None) -> Left:
    """Return what bytes hold as a context.

    Args:
        raw: What was read; the file may have more.
        size: Bytes of the file.
    """
    text, is_text = _decoded(raw)
    complete = size is None or size <= len(raw)
    value = _parsed(text) if is_text and complete else _NO_JSON
    wrapped = _unwrapped(value, text) if is_text and complete and not isinstance(value, dict) else None
    if wrapped is not None:
        value = wrapped
    if value is _NO_JSON or is_deeper(value, MOST_DEEP - 1):
        return Left({}, {WHOLE: _cut(text, size or len(raw))}, ("",), whole=False)
    cleaning = _Cleaning()
    clean = cleaning.clean(value, ())
    if not is_object(clean):
        return Left({}, {WHOLE: clean}, ("",), whole=False)
    cleaning.finish()
    if wrapped is not None:
        cleaning.odd.setdefault(AROUND)
        keep(cleaning.claims, (WHOLE,), _cut(text, len(raw)))
    left = Left(clean, cleaning.claims, tuple(cleaning.odd))
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
        return read_exactly(text, strict=False)  # a line break within a text is often left as it is
    except (ValueError, RecursionError):
        return _NO_JSON


def _unwrapped(value: Any, text: str) -> Any:
    """Return the object that a fence of code, a list of one or a text is around, and nothing else; None if none is."""
    if value is _NO_JSON:
        fenced = _FENCED.match(text)
        value = _parsed(fenced[2]) if fenced else None
    for _ in range(3):
        if is_list(value) and len(value) == 1:
            value = value[0]
        elif isinstance(value, str) and not isinstance(value, Odd):
            value = _parsed(value)
    return value if is_object(value) else None


def _cut(text: str, size: int) -> str:
    clean = _without_surrogates(text)
    if len(clean) <= MOST_TEXT:
        return clean
    from contexts.redaction import head_of  # noqa: PLC0415 whoever only reads does not pay for it

    return f"{head_of(clean, MOST_TEXT)}... ({size} bytes in all)"


def _bounded(left: Left, text: str, size: int) -> Left:
    """Keep the small members of a document beyond the limit, and of the whole its beginning."""
    kept: dict[str, object] = {}
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
    claims: dict[str, object] = {WHOLE: _cut(text, size)}
    if len(dump(left.claims)) <= LIMIT_BYTES // 4:
        claims |= left.claims
    return Left(document, claims, (*left.odd, *gone))


class _Cleaning:
    """Makes a value one that a store can hold; what that changes is noted.

    Attributes:
        claims: Earlier values of keys that stand more than once.
        odd: Pointers of what was changed.
    """

    def __init__(self) -> None:
        self.claims: dict[str, object] = {}
        self.odd: dict[str, None] = {}
        self.earlier: Counter[Path] = Counter()

    def clean(self, value: Any, path: Path) -> Any:
        """Return a value as a store can hold it."""
        if isinstance(value, Odd):
            self.odd.setdefault(pointer(*path))
            return str(value)
        if isinstance(value, str):
            clean = _without_surrogates(value)
            if clean != value:
                self.odd.setdefault(pointer(*path))
            return clean
        if is_list(value):
            return [self.clean(one, (*path, number)) for number, one in enumerate(value)]
        if is_object(value):
            if isinstance(value, Doubled):
                self._keep_earlier(value.earlier, path)
            found: dict[str, object] = {}
            for key, one in value.items():
                name = _without_surrogates(key)
                found[name] = self.clean(one, (*path, name))
            return found
        return value

    def _keep_earlier(self, items: list[tuple[str, Any]], path: Path) -> None:
        for key, one in items:
            place = (*path, _without_surrogates(key))
            self.odd.setdefault(pointer(*place))
            self.earlier[place] += 1
            if self.earlier[place] <= MOST_EARLIER:
                keep(self.claims, place, self.clean(one, place))

    def finish(self) -> None:
        """Say of how many earlier values nothing was kept."""
        for place, count in self.earlier.items():
            if count > MOST_EARLIER:
                keep(self.claims, place, and_more(count - MOST_EARLIER))


def _without_surrogates(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def keep(claims: MutableMapping[str, object], path: Path, value: object) -> None:
    """Put a value among the claims: under its member's name, or under its pointer where it is a part of one."""
    name = str(path[0]) if len(path) == 1 else pointer(*path)
    free, number = name, 2
    while free in claims:
        free = f"{name} ({number})"
        number += 1
    claims[free] = value


def can_be_read(version: Any) -> bool:
    """Say whether a document of a stated format version is one this program reads."""
    try:
        check_version(version)
    except DocumentError:
        return False
    return True


def shown(places: Iterable[str], most: int = 5) -> str:
    """Return pointers for a sentence."""
    return first_of(list(dict.fromkeys(place[:80] or "the whole of it" for place in places)), most)


def claimed(claims: Mapping[str, object]) -> dict[str, object]:
    """Return claims as a document may hold them: beyond the limit, the beginning of their text."""
    body = dump(claims)
    return dict(claims) if len(body) <= LIMIT_BYTES else {WHOLE: _cut(body.decode("utf-8", "replace"), len(body))}
