"""JSON specs: RFC 8259 without duplicate keys and without numbers that other readers would mangle."""

from __future__ import annotations

import bisect
import json
import re
from dataclasses import dataclass
from typing import NoReturn

from contexts.spec.spec_text import MAX_DEPTH, Path, Place, SpecText, clip, located, number_of


@dataclass(slots=True)
class _Frame:
    """A collection that the walk is in.

    Attributes:
        mapping: Whether it is an object.
        path: Where it is.
        key: The entry of an object that is being read.
        index: The element of an array that is being read.
    """

    mapping: bool
    path: Path
    key: str | None = None
    index: int = 0


_OPEN, _MAPPING, _CLOSE = frozenset("{["), frozenset("{"), frozenset("}]")
_NEXT, _IS = frozenset(","), frozenset(":")
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}:,]|[^\s\[\]{}:,"]+', re.DOTALL)


def read_json(text: str, name: str) -> SpecText:
    """Read JSON; a second walk over the tokens of what is now known to be valid finds places and what is refused."""
    spec_text = SpecText(name, None)
    try:
        spec_text.value = json.loads(text, parse_int=lambda digits: int(digits) if len(digits) < 100 else 0)
    except json.JSONDecodeError as error:
        if not text.strip():
            return spec_text
        message = f"not valid JSON: {error.msg[0].lower()}{error.msg[1:]}"
        raise located(name, (error.lineno, error.colno), message) from error
    except RecursionError as error:
        raise located(name, None, f"is nested deeper than {MAX_DEPTH} levels") from error
    _walk_json(spec_text, text)
    return spec_text


def _walk_json(spec_text: SpecText, text: str) -> None:
    newlines = [-1, *(match.start() for match in re.finditer("\n", text))]
    stack: list[_Frame] = []
    for match in _TOKEN.finditer(text):
        token = match.group()
        line = bisect.bisect_left(newlines, match.start())
        place = (line, match.start() - newlines[line - 1])
        frame = stack[-1] if stack else None
        if token in _CLOSE:
            stack.pop()
        elif token in _NEXT:
            stack[-1].key = None
            stack[-1].index += 1
        elif token in _IS:
            continue
        elif frame and frame.mapping and frame.key is None:
            frame.key = str(json.loads(token))
            path = (*frame.path, frame.key)
            if path in spec_text.keys:
                first, column = spec_text.keys[path]
                message = f"the key {clip(frame.key)} stands twice in one mapping (first at {first}:{column})"
                raise located(spec_text.name, place, message)
            spec_text.keys[path] = place
        else:
            path = () if frame is None else (*frame.path, frame.index if frame.key is None else frame.key)
            spec_text.values[path] = place
            if token in _OPEN:
                if len(stack) >= MAX_DEPTH:
                    raise located(spec_text.name, place, f"is nested deeper than {MAX_DEPTH} levels")
                stack.append(_Frame(token in _MAPPING, path))
            elif token[0] != '"' and token not in {"true", "false", "null"}:
                _check_number(token, spec_text.name, place)


def _check_number(token: str, name: str, place: Place) -> None:
    def refuse(message: str) -> NoReturn:
        raise located(name, place, message)

    if token in {"NaN", "Infinity", "-Infinity"}:
        refuse(f"{token} is not a number JSON can hold")
    number_of(token, refuse)
