"""Text somebody else wrote, for the report and the terminal: no character in it does anything unseen."""

from __future__ import annotations

import unicodedata

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""General categories of what is not seen: controls, formats, lone surrogates, separators of lines and paragraphs."""
_IGNORABLE = frozenset(
    {
        0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), *range(0x2060, 0x2070), 0x3164,
        *range(0xFE00, 0xFE10), 0xFFA0, *range(0xFFF0, 0xFFF9), *range(0xE0000, 0xE1000),
    }
)  # fmt: skip
"""Unicode's Default_Ignorable_Code_Point beyond these categories, which Python does not tell: fillers, joiners of
graphemes, variation selectors, tags, and what is reserved for more of them."""
_BLANK = frozenset({0x2800, 0xFFFE, 0xFFFF})
"""The pattern of no dots, and what is no character of XML."""
_SEEN = frozenset(
    {
        0x09, 0x0A, *range(0x0600, 0x0606), 0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x110BD, 0x110CD,
        0x200C, 0x200D, 0xFE0F,
    }
)  # fmt: skip
"""What stays: tabs and line feeds; signs around numbers, which are formats and are drawn; the joiners, which scripts
and emoji need, and the selector of emoji."""


class _Signs(dict[int, int | str]):
    """What to print for a character, decided when it is first met: a table of them all would take long to make."""

    def __missing__(self, code: int) -> int | str:
        unseen = unicodedata.category(chr(code)) in _UNSEEN or code in _IGNORABLE or code in _BLANK
        self[code] = f"\u2039U+{code:04X}\u203a" if unseen and code not in _SEEN else code
        return self[code]


_VISIBLE = _Signs()


def show_invisible(text: str) -> str:
    """Return text with every character that is not seen replaced by a sign that names it.

    Line feeds and tabs stay. The result is legal in HTML, in attributes and in XML.
    """
    return text if text.isascii() and text.isprintable() else text.translate(_VISIBLE)
