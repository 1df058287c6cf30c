"""What has the form of a token and is none: placeholders, examples of documentation, and words that look alike."""

from __future__ import annotations

import re
from itertools import pairwise

_PARTS = re.compile(r"[A-Za-z0-9]+")
_WORD = re.compile(r"(?:[A-Z]?[a-z]{1,16}|[A-Z]{2,16})\Z")
_FEWEST_WORDS = 4
_MOST_FEW = 5
_ORDERED = 0.8
_NEXT = {"9": "0a", "f": "0", "z": "a0"}


def is_made_up(token: str) -> bool:
    """Say whether the random part of a token was not drawn at random.

    That part is looked for in the second half, whoever found the token: it has few different characters (``XXXX``),
    goes up in order (``0123456789abcdef``), or all of the token are words (``glpat-prefix-of-the-token``).
    """
    parts = _PARTS.findall(token)
    if len(parts) >= _FEWEST_WORDS and all(_WORD.match(part) for part in parts):
        return True
    drawn = "".join(_PARTS.findall(token[len(token) // 2 :])).lower()
    if len(set(drawn)) <= max(2, min(_MOST_FEW, len(drawn) // 5)):
        return True
    pairs = list(pairwise(drawn))
    return sum(map(_follows, pairs)) >= _ORDERED * len(pairs)


def _follows(pair: tuple[str, str]) -> bool:
    first, second = pair
    return ord(second) - ord(first) in {0, 1} or second in _NEXT.get(first, "")
