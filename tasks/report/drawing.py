"""Where the marks of the report's pictures go: pure geometry in pixels, drawn by the templates.

Every picture is laid out twice: wide, with names beside the bars, and narrow, with names above them, so that a phone
shows it at its own size instead of a shrunken one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contexts.text.amounts import duration, size
from contexts.text.ellipsis import brief
from contexts.text.visible import show_invisible
from tasks.report.data import Row, Size, Span, Timeline
from tasks.report.text import cut, noun

_LETTER = 7.3
"""Width of a letter at 13 px, wide enough for the usual sans-serif faces."""
_NOTE = 26
"""Letters of the words beside a bar."""
_COLUMN = 4
"""Width of a step of the area chart."""
_STEPS = (
    0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200,
    86400, 172800, 604800,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Frame:
    """How a picture is laid out.

    Attributes:
        width: Of the whole picture.
        left: Where the axis begins.
        right: Room kept beyond its end.
        row: Height of one row.
        above: Whether a row's name stands above its bars instead of beside them.
        ticks: About how many marks the axis gets.
    """

    name: str
    width: int
    left: int
    right: int
    row: int
    above: bool
    ticks: int


WIDE = Frame("wide", 1000, 190, 190, 26, above=False, ticks=7)
NARROW = Frame("narrow", 340, 1, 3, 44, above=True, ticks=4)


@dataclass(frozen=True, slots=True)
class Bar:
    """One rectangle of a row, with the words a pointer resting on it gets."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Words:
    """One piece of text: ``kind`` is its class, ``end`` says that it ends at ``x`` instead of beginning there."""

    x: float
    y: float
    text: str
    kind: str
    end: bool = False


@dataclass(frozen=True, slots=True)
class Tick:
    """One mark on an axis."""

    x: float
    text: str
    end: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """A laid out picture.

    Attributes:
        top: Where the lines of the axis begin.
        bottom: Where they end.
        area: Path of the area chart, empty if there is none.
    """

    name: str
    width: int
    height: float
    top: float
    bottom: float
    title: str
    bars: tuple[Bar, ...]
    words: tuple[Words, ...]
    ticks: tuple[Tick, ...]
    area: str = ""


def draw_timeline(timeline: Timeline, frame: Frame) -> Picture:
    """Return the timeline laid out."""
    bars: list[Bar] = []
    words: list[Words] = []
    axis = frame.width - frame.left - frame.right
    scale = axis / timeline.seconds if timeline.seconds else 0.0
    y = 30.0
    area = ""
    hidden = timeline.tracks.hidden
    named = f"Tracks ({len(timeline.tracks.shown)} of {timeline.tracks.total})" if hidden else "Tracks"
    for heading, rows in (
        ("Phases", timeline.phases),
        (named, timeline.tracks.shown),
        ("Checks", timeline.checks.shown),
    ):
        if not rows:
            continue
        y += 22
        words.append(Words(0, y, heading, "heading"))
        y += 10
        if timeline.running and heading == named:
            area, y = _area(timeline.running, frame, scale, y, words)
        for row in rows:
            _row(row, frame, scale, y, bars, words, phase=heading == "Phases")
            y += frame.row
        y += 8
    return Picture(
        frame.name, frame.width, y + 6, 30, y, _title(timeline), tuple(bars), tuple(words),
        tuple(_ticks(timeline.seconds, frame, scale)), area,
    )  # fmt: skip


def _title(timeline: Timeline) -> str:
    path = ", then ".join(show_invisible(cut(name, 60)) for name in timeline.critical[:12])
    count = timeline.tracks.total
    text = f"Timeline of {duration(timeline.seconds)} with {count} {noun('tracks', count)}"
    return f"{text}; critical path: {path}" if path else text


def _row(row: Row, frame: Frame, scale: float, y: float, bars: list[Bar], words: list[Words], *, phase: bool) -> None:
    middle = y + (28 if frame.above else frame.row / 2)
    height = 10
    note = brief(show_invisible(row.note), _NOTE)
    room = frame.left - 14 if not frame.above else frame.width - len(note) * _LETTER - 24
    short = brief(show_invisible(row.name), max(6, int(room / _LETTER) - (2 if row.critical else 0)))
    kind = "name critical" if row.critical else "name"
    words.append(Words(0, y + 15 if frame.above else middle + 4.5, ("◆ " if row.critical else "") + short, kind))
    for span in row.spans:
        x, width = frame.left + span.start * scale, max(2.0, span.seconds * scale)
        x = min(x, frame.width - frame.right - 2)
        bars.append(
            Bar(x, middle - height / 2, width, height, _bar_kind(row, span, phase=phase), _bar_title(row, span))
        )
    end = max((span.end for span in row.spans), default=0.0)
    if frame.above:
        words.append(Words(frame.width, y + 15, note, "note", end=True))
    else:
        words.append(Words(frame.left + end * scale + 8, middle + 4.5, note, "note"))


def _bar_kind(row: Row, span: Span, *, phase: bool) -> str:
    if phase:
        return "phase"
    return f"{span.kind} critical" if row.critical and span.kind == "work" else span.kind


def _bar_title(row: Row, span: Span) -> str:
    return f"{show_invisible(cut(row.name, 80))}: {span.kind} {duration(span.seconds)}, from {duration(span.start)}"


def _area(
    running: Sequence[tuple[float, int]], frame: Frame, scale: float, y: float, words: list[Words]
) -> tuple[str, float]:
    most = max((count for _, count in running), default=1) or 1
    height = 44.0
    top = y + (20 if frame.above else 4)
    base = top + height
    columns: dict[int, int] = {}
    for (second, count), (until, _) in zip(running, [*running[1:], running[-1]], strict=True):
        # What happens within one column is one step: the highest, so that no peak is lost.
        for column in range(int(second * scale / _COLUMN), int(until * scale / _COLUMN) + 1):
            columns[column] = max(columns.get(column, 0), count)
    points = [f"M{frame.left} {base:.1f}"]
    for column in range(max(columns) + 1):
        points += [f"V{base - height * columns.get(column, 0) / most:.1f}", f"h{_COLUMN}"]
    points.append(f"V{base:.1f}Z")
    words.append(Words(0, y + 13 if frame.above else top + 16, "at work", "name"))
    words.append(
        Words(
            frame.width if frame.above else 0,
            y + 13 if frame.above else top + 33,
            f"at most {most}",
            "note",
            end=frame.above,
        )
    )
    return "".join(points), base + 12


def _ticks(seconds: float, frame: Frame, scale: float) -> Iterable[Tick]:
    if not seconds:
        return
    step = next((one for one in _STEPS if seconds / one <= frame.ticks), seconds / frame.ticks)
    for index in range(int(seconds / step + 1e-9) + 1):
        x = frame.left + index * step * scale
        yield Tick(x, duration(index * step) if index else "0", end=frame.above and x > frame.width - 30)


def draw_sizes(sizes: Sequence[Size], frame: Frame) -> Picture:
    """Return bars of context sizes on one scale, in the order of the phases."""
    most = max((one.size for one in sizes), default=0) or 1
    room = frame.width - frame.left - (90 if not frame.above else 3)
    bars: list[Bar] = []
    words: list[Words] = []
    y = 4.0
    for one in sizes:
        middle = y + (28 if frame.above else frame.row / 2)
        note = size(one.size) + (f", {one.note}" if one.note else "")
        chars = int(((frame.left - 14) if not frame.above else frame.width - len(note) * _LETTER - 20) / _LETTER)
        words.append(
            Words(0, y + 15 if frame.above else middle + 4.5, brief(show_invisible(one.name), max(6, chars)), "name")
        )
        width = max(2.0, room * one.size / most)
        bars.append(Bar(frame.left, middle - 5, width, 10, "work", f"{show_invisible(cut(one.name, 80))}: {note}"))
        if frame.above:
            words.append(Words(frame.width, y + 15, note, "note", end=True))
        else:
            words.append(Words(frame.left + width + 8, middle + 4.5, note, "note"))
        y += frame.row
    title = "Sizes of the contexts: " + ", ".join(
        f"{show_invisible(cut(one.name, 40))} {size(one.size)}" for one in sizes[:12]
    )
    return Picture(frame.name, frame.width, y + 4, 0, 0, title, tuple(bars), tuple(words), ())
