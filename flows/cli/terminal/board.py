"""What a running workflow looks like: state fed by progress records, drawn to fit the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from rich.console import Group, RenderableType
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from contexts.text.amounts import clock
from flows.cli.terminal.tables import STYLES
from tasks.run.progress import Progress

_SIGNS = {
    "pending": "·", "running": "▸", "completed": "✓", "done": "✓", "passed": "✓", "reused": "↺", "failed": "✗",
    "blocked": "■", "cancelled": "■", "out-of-budget": "$", "unverified": "?",
}  # fmt: skip
_ENDED_BADLY = ("failed", "blocked", "cancelled", "out-of-budget")


@dataclass(slots=True)
class Row:
    """One phase, track or check.

    Attributes:
        since: When it began to run, on the board's clock.
        order: When it last changed status, as a count.
    """

    name: str
    status: str = "pending"
    message: str = ""
    since: float | None = None
    seconds: float | None = None
    order: int = 0

    def elapsed(self, now: float) -> float | None:
        """Return how long it took, or has taken so far."""
        if self.seconds is not None:
            return self.seconds
        return now - self.since if self.since is not None and self.status == "running" else None


@dataclass(slots=True)
class Board:
    """The state of a run.

    Attributes:
        starting: What is said until the first phase begins.
        address: The run's page in the Prefect UI, where there is one.
        notice: What is to be known about the store.
        changes: How often a status has changed.
    """

    title: str
    began: float
    phases: dict[str, Row] = field(default_factory=dict[str, Row])
    tracks: dict[str, Row] = field(default_factory=dict[str, Row])
    checks: dict[str, Row] = field(default_factory=dict[str, Row])
    workflow_id: str = ""
    starting: str = "starting"
    address: str = ""
    notice: str = ""
    stopping: bool = False
    changes: int = 0

    def expect(self, task_ids: Iterable[str]) -> None:
        """Show these tracks as pending before anything is heard of them."""
        for task_id in task_ids:
            self.tracks.setdefault(task_id, Row(task_id))

    def take(self, progress: Progress, now: float) -> bool:
        """Note what happened; return whether a status changed."""
        if progress.kind == "run":
            self.address = progress.subject
            return True
        self.workflow_id = progress.workflow_id
        if progress.kind == "store":
            self.notice = progress.message
            return True
        kinds = {"track": self.tracks, "line": self.tracks, "check": self.checks}
        rows = kinds.get(progress.kind, self.phases)
        if progress.kind == "line" and progress.subject in self.checks:
            rows = self.checks
        row = rows.setdefault(progress.subject, Row(progress.subject))
        if progress.message:
            row.message = progress.message.replace("\t", " ").strip()
        if progress.kind == "line":
            return False
        changed = row.status != progress.status or progress.seconds is not None
        if progress.status == "running" and row.status != "running":
            row.since, row.seconds = now, None
        elif progress.status != "running" and row.since is not None and row.seconds is None:
            row.seconds = now - row.since
        if progress.seconds is not None:
            row.seconds = progress.seconds
        row.status = progress.status
        self.changes += 1
        row.order = self.changes
        return changed

    def draw(self, height: int, now: float) -> RenderableType:
        """Return the picture, at most ``height`` lines."""
        head = Text.assemble((self.title, "bold"), f"  {clock(now - self.began)}")
        if len(self.tracks) > 1 and self.phases:
            ended = sum(row.status not in {"pending", "running"} for row in self.tracks.values())
            head.append(f"  {ended} of {len(self.tracks)} tracks ended", style="dim")
        if self.stopping:
            head.append("  stopping; what is finished is kept", style="yellow")
        phases = Text("  ").join([_brief(row, now) for row in self.phases.values()])
        if not self.phases:
            phases = Text(self.starting, style="dim")
        heading = [_one_line(head), *([_one_line(Text(self.address, style="dim"))] if self.address else ())]
        if self.notice:
            heading.append(_one_line(Text(self.notice, style="yellow")))
        checks = [row for row in self.checks.values() if row.status != "pending"]
        room = max(1, height - len(heading) - 2 - min(len(checks), 4))
        rows, rest = self._visible(room)
        table = Table.grid(padding=(0, 1))
        table.add_column(width=1)
        table.add_column(no_wrap=True, overflow="ellipsis", max_width=32)
        table.add_column(no_wrap=True, width=13)
        table.add_column(no_wrap=True, justify="right", width=9)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        for row in [*rows, *checks[-4:]]:
            sign = Spinner("dots", style="yellow") if row.status == "running" else _sign(row)
            style = STYLES.get(row.status, "")
            table.add_row(
                sign,
                Text(row.name),
                Text(row.status, style),
                clock(row.elapsed(now)),
                Text(row.message, style="dim"),
            )
        table.expand = True
        parts: list[RenderableType] = [*heading, _one_line(phases), table]
        if rest:
            parts.append(_one_line(Text(f"  and {rest}", style="dim")))
        return Group(*parts)

    def _visible(self, room: int) -> tuple[list[Row], str]:
        """Return the tracks worth a line, in spec order, and a summary of the others.

        What runs comes first, then what went wrong, then what finished last, then what is next.
        """
        every = list(self.tracks.values())
        if len(every) <= room:
            return every, ""
        weight = {"running": 0, **dict.fromkeys(_ENDED_BADLY, 1), "pending": 3}
        best = sorted(range(len(every)), key=lambda at: (weight.get(every[at].status, 2), -every[at].order, at))
        chosen = set(best[: max(1, room - 1)])
        counts = Counter(row.status for at, row in enumerate(every) if at not in chosen)
        return (
            [row for at, row in enumerate(every) if at in chosen],
            ", ".join(f"{count} {status}" for status, count in sorted(counts.items())),
        )


def _one_line(text: Text) -> Text:
    text.no_wrap = True
    text.overflow = "ellipsis"
    return text


def _sign(row: Row) -> Text:
    return Text(_SIGNS.get(row.status, "·"), STYLES.get(row.status, ""))


def _brief(row: Row, now: float) -> Text:
    text = _sign(row)
    text.append(f" {row.name}")
    spent = row.elapsed(now)
    if spent is not None:
        text.append(f" {clock(spent)}", style="dim")
    return text
