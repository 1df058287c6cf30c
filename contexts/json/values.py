"""Look at parsed JSON with types: an object, a list, a text, or the empty one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard

Path = tuple[str | int, ...]


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Tell whether parsed JSON is an object: its keys are texts then, and its values JSON."""
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Tell whether parsed JSON is a list."""
    return isinstance(value, list)


def is_sequence(value: Any) -> TypeGuard[Sequence[Any]]:
    """Tell whether parsed JSON is a list, or a model's tuple that stands for one."""
    return isinstance(value, list | tuple)


def mapping(value: Any) -> dict[str, Any]:
    """Return a JSON object, or an empty one for anything else."""
    return value if is_object(value) else {}


def sequence(value: Any) -> Sequence[Any]:
    """Return a JSON list, or an empty one for anything else."""
    return value if is_sequence(value) else ()


def section(document: Mapping[str, object], key: str) -> dict[str, Any]:
    """Return the object under a key of plain JSON; an empty one where there is none."""
    return mapping(document.get(key))


def items(value: Any) -> list[Any]:
    """Return a JSON list as it was read, or an empty one for anything else."""
    return value if is_list(value) else []


def entries(document: Mapping[str, object], key: str) -> list[Any]:
    """Return the list under a key of plain JSON; an empty one where there is none."""
    return items(document.get(key))


def text(value: Any) -> str:
    """Return a JSON string, or the empty one for anything else."""
    return value if isinstance(value, str) else ""


def number(value: Any) -> float | None:
    """Return a JSON number (never a boolean), or None."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def whole(value: Any) -> int | None:
    """Return a JSON integer (never a boolean), or None."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def at(data: Any, *path: str) -> Any:
    """Return the value under nested object keys, or None where a key is missing."""
    value = data
    for key in path:
        value = mapping(value).get(key)
    return value


def walk(data: Any, start: Path = (), deepest: int = 64) -> Iterator[tuple[Path, Any]]:
    """Yield every value below and including ``data`` with its path, in document order, without recursion.

    Values nested deeper than ``deepest`` levels are not entered; reading files refuses such documents already.
    """
    stack: list[tuple[Path, Any]] = [(start, data)]
    limit = len(start) + deepest
    while stack:
        entry = stack.pop()
        yield entry
        path, value = entry
        if not isinstance(value, dict | list | tuple) or len(path) >= limit:
            continue
        if is_object(value):
            inner = [((*path, key), child) for key, child in value.items()]
        else:
            inner = [((*path, index), child) for index, child in enumerate(sequence(value))]
        inner.reverse()
        stack += inner
