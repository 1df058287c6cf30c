"""Percentiles of one measurement: read from members, and put in order."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from contexts.json.values import number, text
from contexts.text.quantities import (
    Measured,
    as_quantity,
    read,
)


def disordered(values: Sequence[Measured]) -> bool:
    """Tell whether each percentile occurs once, and a lower one is greater than a higher one."""
    ranks = {m.statistic: m.quantity for m in values if re.fullmatch(r"p\d{2}", m.statistic)}
    count = sum(m.statistic in ranks for m in values)
    ordered = [ranks[name] for name in sorted(ranks)]
    alike = len({quantity.dimension for quantity in ordered}) == 1 and ordered[0].dimension in {"time", "size"}
    return alike and count == len(ranks) and any(a.base > b.base for a, b in itertools.pairwise(ordered))


_RANK = re.compile(r"(p\d{2})(?:_(ms|s|seconds|us))?")


@lru_cache(maxsize=8_192)
def is_rank(key: str) -> bool:
    """Tell whether a member is named after a percentile."""
    return _RANK.fullmatch(key.lower()) is not None


def percentile(name: str, value: Any) -> Measured | None:
    """Read a member that is named after a percentile and its unit, or holds the unit, such as ``p95_ms`` or ``p95``."""
    match = _RANK.fullmatch(name.lower())
    shown = number(value)
    if match is None or (shown is None and not isinstance(value, str)):
        return None
    if shown is not None:
        return Measured(as_quantity(shown, match.group(2) or "ms"), match.group(1))
    values = read(text(value)[:60]).measured
    return replace(values[0], statistic=match.group(1)) if len(values) == 1 else None
