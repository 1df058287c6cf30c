"""Text somebody else wrote, for the report and the terminal: no character in it does anything unseen."""

from __future__ import annotations

_INVISIBLE = (
    *range(0x80, 0xA0), 0x00AD, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x200B, 0x200E, 0x200F,
    *range(0x2028, 0x202F), *range(0x2060, 0x2070), 0x3164, 0xFEFF, 0xFFA0, *range(0xFFF9, 0xFFFC), 0xFFFE, 0xFFFF,
    *range(0xD800, 0xE000), *range(0xE0000, 0xE0080),
)  # fmt: skip
"""Characters that change how text reads without being seen: C1 controls, bidi marks, overrides and isolates, zero width
spaces, line separators, fillers, lone surrogates, tags. Joiners (200C, 200D) stay: scripts and emoji need them."""

_VISIBLE: dict[int, str] = {
    code: f"\u2039U+{code:04X}\u203a" for code in (*range(0x09), *range(0x0B, 0x20), 0x7F, *_INVISIBLE)
}


def visible(text: str) -> str:
    """Return text with every control character and bidi override replaced by a sign that names it.

    Line feeds and tabs stay. The result is legal in HTML, in attributes and in XML.
    """
    return text if text.isascii() and text.isprintable() else text.translate(_VISIBLE)
