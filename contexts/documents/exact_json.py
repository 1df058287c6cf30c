"""The one reader of JSON that is not sure to be harmless: what readers would change without a word is met here."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from typing import Any

from contexts.json.values import is_object, items

_WIDEST_UNSIGNED = 2**64 - 1
_WIDEST_SIGNED = -(2**63)
_MOST_DIGITS = 20


class Odd(str):
    """A number that JSON readers would change, as it was written: beyond 64 bits, NaN, or an infinity."""

    __slots__ = ()

    @property
    def is_integer(self) -> bool:
        """Whether it is an integer."""
        return self.removeprefix("-").isdigit()

    @property
    def is_word(self) -> bool:
        """Whether it is NaN or an infinity by name, which is no JSON."""
        return self in {"NaN", "Infinity", "-Infinity"}


class Doubled(dict[str, Any]):
    """An object in which a key stands twice; the last one counts, as for every reader.

    Attributes:
        key: The first key that came again.
        earlier: The values that do not count, with their keys.
    """

    def __init__(self, items: list[tuple[str, Any]]) -> None:
        super().__init__(items)
        seen = set[str]()
        self.key = next(key for key, _ in items if key in seen or seen.add(key))
        last = {key: number for number, (key, _) in enumerate(items)}
        self.earlier = [(key, value) for number, (key, value) in enumerate(items) if last[key] != number]


def _kept(met: Odd | Doubled) -> Any:
    return met


def read_exactly(text: str | bytes, met: Callable[[Odd | Doubled], Any] = _kept, *, strict: bool = True) -> Any:
    """Return the value of a JSON text.

    Args:
        text: The text.
        met: Is given what readers would change, to refuse it or to return what stands for it.
        strict: Whether control characters in strings are refused.

    Raises:
        ValueError: Not JSON.
        RecursionError: Nested too deeply.
    """

    def pairs(items: list[tuple[str, Any]]) -> Any:
        found = dict(items)
        return found if len(found) == len(items) else met(Doubled(items))

    def integer(digits: str) -> Any:
        value = int(digits) if len(digits) <= _MOST_DIGITS else _WIDEST_UNSIGNED + 1
        return value if _WIDEST_SIGNED <= value <= _WIDEST_UNSIGNED else met(Odd(digits))

    def fraction(digits: str) -> Any:
        value = float(digits)
        return value if math.isfinite(value) else met(Odd(digits))

    def constant(word: str) -> Any:
        return met(Odd(word))

    return json.loads(
        text, object_pairs_hook=pairs, parse_int=integer, parse_float=fraction, parse_constant=constant, strict=strict
    )


def is_deeper(value: Any, levels: int) -> bool:
    """Tell whether values are nested more than so many levels below one, without recursion."""
    level: list[Any] = [value]
    for _ in range(levels + 1):
        level = [inner for node in level for inner in _children(node)]
        if not level:
            return False
    return True


def _children(node: Any) -> Iterable[Any]:
    if isinstance(node, Doubled):
        return [*node.values(), *(value for _, value in node.earlier)]
    return node.values() if is_object(node) else items(node)
