"""Cut a text so that no secret is halved: half of one is found by nobody, and tells nearly as much as the whole."""

from __future__ import annotations

import re

from contexts.redaction.known_values import longest_known
from contexts.redaction.redact import find_secrets

LONGEST_TOKEN = 4_096
"""Characters that no token has; private keys, which may have more, are looked for from `_BEHIND` characters earlier."""
_BEHIND = 20_480
_DRESS = 3
"""How much longer a form is when it is escaped or broken over lines."""


def margin() -> int:
    """Return how many characters beside a cut a secret that goes over it may begin or end, at most."""
    return max(LONGEST_TOKEN, _DRESS * longest_known())


def head_of(text: str, most: int) -> str:
    """Return the beginning of a text, at most ``most`` characters; a secret that goes on behind them is left out."""
    return text if len(text) <= most else text[: _around(text, most)[0]]


def tail_of(text: str, most: int) -> str:
    """Return the end of a text, at most ``most`` characters; a secret that began before them is left out."""
    return text if len(text) <= most else text[_around(text, len(text) - most)[1] :]


def clean_edges(head: str, tail: str) -> tuple[str, str]:
    """Return what stands on both sides of a place where text is gone, without what may be half a secret."""
    room = margin()
    head, tail = head_of(head, max(0, len(head) - room)), tail_of(tail, max(0, len(tail) - room))
    # Between words where there are any: a secret need not be one that is known.
    last = re.search(r"[ \n][^ \n]*\Z", head[-room:])
    first = re.search(r"[ \n]", tail[:room])
    return head[: len(head[:-room]) + last.start() + 1] if last else head, tail[first.end() :] if first else tail


def _around(text: str, at: int) -> tuple[int, int]:
    """Return where the secret that goes over a place begins and ends; the place itself where none does."""
    room = margin()
    begin = max(0, at - max(_BEHIND, room))
    for start, end, _, _ in find_secrets(text[begin : at + room]):
        if begin + start < at < begin + end:
            return begin + start, begin + end
    return at, at
