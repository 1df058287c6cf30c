"""Figures that a check reports of its own: a JSON object with numbers at any depth."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from contexts.documents.base import JsonObject
from contexts.json.values import is_list, is_object
from tasks.checks.report_file import ReportError

_DEEPEST = 20
_MOST = 10_000


def parse_metrics(raw: bytes) -> JsonObject:
    """Return the numbers of a JSON object as one of the same form; items of lists by their position.

    Raises:
        ReportError: Not a JSON object, without a number, too deep, or with too many.
    """
    try:
        value: Any = json.loads(raw.removeprefix(b"\xef\xbb\xbf"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ReportError(f"the metrics report is not JSON: {error}") from error
    if not is_object(value):
        raise ReportError("the metrics report is not a JSON object")
    found: JsonObject = {}
    for count, (path, number) in enumerate(_numbers(value, ()), 1):
        if count > _MOST:
            raise ReportError(f"the metrics report has more than {_MOST:,} numbers")
        _put(found, path, number)
    if not found:
        raise ReportError("the metrics report has no number")
    return found


def join_metrics(objects: Sequence[JsonObject]) -> JsonObject:
    """Return what several files that are one report say together.

    Raises:
        ReportError: Two of them have a number of the same name.
    """
    found: JsonObject = {}
    for one in objects:
        for path, number in _numbers(one, ()):
            _put(found, path, number)
    return found


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def _numbers(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int | float]]:
    if len(path) > _DEEPEST:
        raise ReportError("the metrics report is nested too deep")
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not math.isfinite(value) or abs(value) >= 2**63:
            raise ReportError(f"the metrics report has a number that is too large at {'.'.join(path)[:200]}")
        yield path, value
    elif is_object(value):
        for key, item in value.items():
            yield from _numbers(item, (*path, key))
    elif is_list(value):
        for at, item in enumerate(value):
            yield from _numbers(item, (*path, str(at)))


def _put(found: JsonObject, path: tuple[str, ...], number: float) -> None:
    place = found
    for part in path[:-1]:
        inner: Any = place.setdefault(part, {})
        if not is_object(inner):
            raise ReportError(f"two files of the metrics report have {'.'.join(path)[:200]}")
        place = inner
    if path[-1] in place:
        raise ReportError(f"two files of the metrics report have {'.'.join(path)[:200]}")
    place[path[-1]] = number
