"""When a report was made, as it says itself: what was surely made before the check began is no evidence of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

_TOLERANCE = timedelta(seconds=5)
"""For times in whole seconds, and clocks that differ a little."""
_UNKNOWN_BEFORE = datetime(1980, 1, 2, tzinfo=UTC)
"""Tools write the beginning of their time for one they do not know."""


def zones_of(variable: str | None) -> tuple[tzinfo | None, ...]:
    """Return the zones a time without one may be of: UTC, this machine's, and that of the check's own ``TZ``."""
    zones: tuple[tzinfo | None, ...] = (UTC, None)
    if variable:
        try:
            return (*zones, ZoneInfo(variable.removeprefix(":")))
        except (ValueError, OSError, LookupError):
            return zones
    return zones


def why_stale(what: str, told: Iterable[str | float], began: datetime, zones: Iterable[tzinfo | None]) -> str:
    """Say that a report was made before its check began; empty where any reading of any of its times allows more.

    Args:
        what: Name of the report, for the sentence.
        told: Its times: ISO 8601, or seconds since 1970; what is neither tells nothing.
        began: When the check began.
        zones: Zones that times without one may be of; None: this machine's.
    """
    latest = max((moment for one in told for moment in _readings(one, zones)), default=None)
    if latest is None or latest < _UNKNOWN_BEFORE or latest >= began - _TOLERANCE:
        return ""
    shown = latest.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"{what} says that it was made at {shown}, before the check began: it is no evidence of it"


def _readings(told: str | float, zones: Iterable[tzinfo | None]) -> list[datetime]:
    try:
        if not isinstance(told, str):
            return [datetime.fromtimestamp(told, UTC)]
        moment = datetime.fromisoformat(told.strip())
        if moment.tzinfo is not None:
            return [moment.astimezone(UTC)]
        return [moment.replace(tzinfo=zone).astimezone(UTC) for zone in zones]
    except (ValueError, OverflowError, OSError):
        return []
