"""Text somebody else wrote, for Prefect's UI, which takes for Markdown what artifacts and descriptions hold.

One function makes the text of every cell, and its result says by its type that it was made. States, events, names and
log lines are not read as Markdown: there it is enough that nothing in them is unseen (`words`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from contexts.text.ellipsis import brief
from contexts.text.visible import show_invisible

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!~&$^=])")
_BLOCK = re.compile(r"[-+:]|\d+[.)]")
"""What begins a list, a rule, an underline or a definition at the start of a line."""
_LINK = re.compile(r"//|www\.|mailto:|xmpp:|@[^@]*\.|\w\.[^\W\d_]{2,}", re.IGNORECASE)
"""What one or another reader of Markdown makes a link of, without being told to: URLs, addresses, names of hosts."""


class Cell(str):
    """Markdown on one line that renders as the words it was made of, and as nothing else; `cell` makes it."""

    __slots__ = ()


def cell(value: object, most: int = 300) -> Cell:
    """Return a value as Markdown that renders as itself, on one line, whatever an agent wrote.

    A word that would become a link by itself is set as code, where nothing is: a backslash would not help, because
    some readers look for links after they have taken the backslashes away.

    Args:
        value: Anything; a cell is returned as it is.
        most: Characters that are shown.
    """
    if isinstance(value, Cell):
        return value
    text = words(value, most)
    parts = [_code(word) if _LINK.search(word) else _SPECIAL.sub(r"\\\1", word) for word in text.split(" ")]
    escaped = " ".join(parts)
    if begin := _BLOCK.match(escaped):
        at = begin.end() - 1
        escaped = f"{escaped[:at]}\\{escaped[at:]}"
    return Cell(escaped)


Row = Mapping[str, Cell | int | float]
"""A row of a table, by column."""


def row(values: Mapping[str, object]) -> Row:
    """Return a table's row with every text as a cell; numbers stay numbers, and nothing is an empty text."""
    given = {name: "" if value is None else value for name, value in values.items()}
    return {name: value if isinstance(value, int | float) else cell(value) for name, value in given.items()}


def words(value: object, most: int = 2_000) -> str:
    """Return a value as plain text on one line, for what Prefect shows as it is: nothing in it is unseen."""
    return brief(show_invisible(" ".join(str(value).split())), most)


def _code(word: str) -> str:
    """Set a word as code; what would end the code or the table's cell stands between, escaped."""
    return "".join(f"\\{part}" if part in {"`", "|"} else f"`{part}`" for part in re.split(r"([`|])", word) if part)
