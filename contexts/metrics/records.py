"""What a run records for its metrics, and what a metric is: value, unit, formula, inputs, and a text for people."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from contexts.documents.base import Instant, parse_instant

TRACKS_PHASE = "tracks"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TrackTimes(_Frozen):
    """What was recorded of one track.

    Attributes:
        seconds: How long it took by a steady clock, all attempts; none: completed minus started.
        reused: Its result is from an earlier run, and so are its times.
        context_bytes: Size of its document.
        files: How many files it modified.
    """

    task_id: str
    started_at: Instant | None = None
    completed_at: Instant | None = None
    seconds: float | None = Field(default=None, ge=0)
    attempts: int = 1
    reused: bool = False
    needs: tuple[str, ...] = ()
    context_bytes: int | None = None
    files: int | None = None


class PhaseTimes(_Frozen):
    """What was recorded of one phase; ``tracks`` is the phase in which the tracks ran."""

    name: str
    started_at: Instant | None = None
    completed_at: Instant | None = None
    context_bytes: int | None = None
    files: int | None = None


class TrackCoverage(_Frozen):
    """Tests and coverage of one track.

    Attributes:
        percent: Covered share, 0 to 100.
        statements: How much code that is a share of, as weight.
        tests: How many tests, by kind: unit, integration, e2e.
    """

    task_id: str
    percent: float = Field(ge=0, le=100)
    statements: int | None = Field(default=None, ge=0)
    tests: Mapping[str, int] = {}


class Metric(_Frozen):
    """One number.

    Attributes:
        value: Exactly as computed.
        unit: ``s``, ``bytes``, ``files``, ``%``, ``x`` (a ratio) or ``tracks``.
        formula: How it follows from ``inputs``.
        inputs: The recorded values it was computed from, by name.
        display: For people; rounded.
        note: What a reader must know, such as which tracks were reused.
    """

    name: str
    value: float
    unit: str
    formula: str
    inputs: Mapping[str, float]
    display: str
    note: str | None = None


class Absent(_Frozen):
    """A number that could not be computed, and why."""

    name: str
    reason: str


class Metrics(_Frozen):
    """All numbers of a run, and those that are missing."""

    metrics: tuple[Metric, ...]
    absent: tuple[Absent, ...]

    def get(self, name: str) -> Metric | None:
        """Return the metric of that name, or nothing where it is absent."""
        return next((metric for metric in self.metrics if metric.name == name), None)


def show(value: float, unit: str) -> str:
    """Write a number for people: rounded, with its unit."""
    if unit == "s":
        return show_seconds(value)
    if unit == "bytes":
        return f"{value:,.0f} B" if value < 1000 else f"{value / 1000:,.1f} KB"
    if unit == "x":
        return f"{value:.2f}x"
    if unit == "%":
        return f"{value:.1f}%"
    return f"{value:g} {unit}"


def show_seconds(value: float) -> str:
    """Write a duration for people: ``4.52 s``, ``2 min 5 s``, ``1 h 20 min``."""
    if value < 0:
        return "-" + show_seconds(-value)
    if round(value, 2) < 60:
        return f"{value:.2f} s"
    seconds = round(value)
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s" if seconds % 60 else f"{seconds // 60} min"
    minutes = round(value / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def elapsed(started_at: str | None, completed_at: str | None) -> float | str:
    """Return the seconds between two instants, or why there is no such number."""
    if started_at is None or completed_at is None:
        return "its start was not recorded" if started_at is None else "its end was not recorded"
    seconds = (parse_instant(completed_at) - parse_instant(started_at)).total_seconds()
    return seconds if seconds >= 0 else f"it ends ({completed_at}) before it starts ({started_at})"


def duration(track: TrackTimes) -> float | str:
    """Return how long a track took in seconds, or why that is not known."""
    return track.seconds if track.seconds is not None else elapsed(track.started_at, track.completed_at)
