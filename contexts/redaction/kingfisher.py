"""Tokens by the rules of Kingfisher, MongoDB's scanner: what has a form of its own that little else has.

Only its rules of high confidence are asked, which is what makes a hit certain. Nothing is verified over the network,
and no comment in a text (``gitleaks:allow``) keeps a token in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kingfisher_sdk import Scanner

PIECE, OVERLAP = 65_536, 4_096
"""Characters looked at in one go, and how many of them again: some rules take the square of what they are given.

No token is longer than the second; private keys, which may be, are found by a shape of our own."""
_DOCUMENTED = ("EXAMPLE", "EXAMPLEKEY")
_WORDS = re.compile(r"[a-z0-9]+")


def token_spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and kind of every token."""
    scanner = _scanner()
    for begin in range(0, max(1, len(text) - OVERLAP), PIECE - OVERLAP):
        piece = text[begin : begin + PIECE]
        for start, end, kind in _in_piece(scanner, piece):
            yield begin + start, begin + end, kind


def _in_piece(scanner: Scanner, piece: str) -> Iterator[tuple[int, int, str]]:
    data = piece.encode("utf-8", "replace") if _has_surrogates(piece) else piece.encode()
    for finding in scanner.scan(data):
        if not finding.visible:
            continue
        place = finding.location
        start, end = int(place["start_offset"]), int(place["end_offset"])
        if not piece.isascii():
            start = len(data[:start].decode("utf-8", "replace"))
            end = start + len(finding.secret)
        if piece[start:end] == finding.secret and not finding.secret.endswith(_DOCUMENTED):
            yield start, end, _kind(finding.rule_id)


def _has_surrogates(text: str) -> bool:
    return re.search("[\ud800-\udfff]", text) is not None


@cache
def _scanner() -> Scanner:
    """Return the scanner; the first call on a machine compiles the rules and keeps them in the user's cache folder."""
    from kingfisher_sdk import Rules, Scanner  # noqa: PLC0415 35 MB of rules and engine: whoever only reads does without

    return Scanner(Rules(confidence="high"), base64=False)


@cache
def _kind(rule: str) -> str:
    return "-".join(_WORDS.findall(rule.rpartition(".")[2].lower())) or "token"
