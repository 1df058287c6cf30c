"""Apply a regular expression that somebody else wrote, without trusting it: only bounded ones are ever run."""

from __future__ import annotations

import re
from functools import lru_cache

_LONGEST_TEXT = 200
# Literals, classes, single groups and counted repeats of at most two digits; no star, no plus, no repeated group, so
# that the number of ways to match is bounded.
_SAFE = re.compile(r"\^?(?:[\w :.,/@#%-]|\\[dws.\-/+]|\[[^\[\]\\]{1,40}\]|\{\d{1,2}(?:,\d{1,2})?\}|\|){1,80}\$?")


@lru_cache(maxsize=500)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    if len(pattern) > 100 or pattern.count("{") > 4 or not _SAFE.fullmatch(pattern):
        return None
    try:
        return re.compile(pattern)
    except re.error:
        return None


def matches(pattern: str, value: str) -> bool:
    """Tell whether a text matches as JSON Schema has it (anywhere unless anchored); what may not be run matches."""
    compiled = _compiled(pattern)
    if compiled is None or len(value) > _LONGEST_TEXT:
        return True
    return compiled.search(value) is not None
