"""A spec file as read: its plain value, where every node of it stands, and how problems name places."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from contexts.errors import SpecError

MAX_DEPTH = 100

Path = tuple[str | int, ...]
Place = tuple[int, int]
"""Line and column, both from 1."""


@dataclass(slots=True)
class SpecText:
    """A file's plain value, and where in the text each key and value stands.

    Attributes:
        name: The file, for messages.
        value: Dicts, lists, strings, numbers, booleans and None.
        keys: Where the key of a mapping's entry stands, by the entry's path.
        values: Where a value stands, by its path.
    """

    name: str
    value: Any
    keys: dict[Path, Place] = field(default_factory=dict[Path, Place])
    values: dict[Path, Place] = field(default_factory=dict[Path, Place])

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Return where a path stands; for one that is not there, the nearest node around it."""
        if key and path in self.keys:
            return self.keys[path]
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, (1, 1))

    def error(self, path: Path, message: str) -> SpecError:
        """Build the error for a problem at a path."""
        line, column = self.place(path)
        return located(self.name, (line, column), message, at=show(path))


def located(name: str, place: Place | None, message: str, *, at: str | None = None) -> SpecError:
    """Build a SpecError that names file, line and column; ``at`` is the place in the spec."""
    if place is None:
        return SpecError(f"{name}: {message}", path=name, place=at)
    line, column = place
    return SpecError(f"{name}, line {line}, column {column}: {message}", path=name, line=line, column=column, place=at)


def show(path: Path) -> str:
    """Write a path as people read it: ``parallel_tasks[2].needs``."""
    shown = ""
    for part in path:
        if isinstance(part, int):
            shown += f"[{part}]"
        elif re.fullmatch(r"[\w-]{1,80}", part):
            shown += f".{part}" if shown else part
        else:
            shown += f"[{clip(part)}]"
    return shown or "the spec"


def clip(text: str) -> str:
    """Quote a text for a message, at most 60 characters of it."""
    return repr(text if len(text) <= 60 else text[:60] + "...")


_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")


def number_of(text: str, refuse: Callable[[str], NoReturn]) -> int | float:
    """Return a number as written, or call ``refuse`` for one that would not survive other readers."""
    if _INT.fullmatch(text):
        if len(text) > 21 or not -(2**63) <= int(text) < 2**64:
            refuse(f"the number {text[:24]}{'...' if len(text) > 24 else ''} is beyond 64 bits; put it in quotes")
        return int(text)
    number = float(text)
    if not math.isfinite(number):
        refuse(f"the number {text[:24]} is too large; put it in quotes")
    return number
