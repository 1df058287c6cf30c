from collections import defaultdict
from collections.abc import Iterable

from .entries import Entry


def totals(entries: Iterable[Entry]) -> dict[str, int]:
    result: dict[str, int] = defaultdict(int)
    for entry in entries:
        result[entry.project] += entry.minutes
    return dict(sorted(result.items()))


def days(entries: Iterable[Entry]) -> dict[str, int]:
    result: dict[str, int] = defaultdict(int)
    for entry in entries:
        result[entry.day.isoformat()] += entry.minutes
    return dict(sorted(result.items()))
