"""What came of a run: a table of its tracks, the reasons, and where to look next."""

from __future__ import annotations

import shlex
from collections import Counter
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from flows.cli.screen import STYLES, print_table, seconds, styled

if TYPE_CHECKING:
    from flows.launch import RunReport

_MOST_ROWS = 60
_OTHER_LINES = 14
"""What is printed beside the rows of tracks, give or take."""


def print_summary(console: Console, report: RunReport, *, store_url: str | None) -> None:
    """Print the end of a run for people.

    Tracks beyond sixty, or beyond what fits the screen, are counted, those that did not complete first of all shown.
    """
    most = min(_MOST_ROWS, max(8, console.height - _OTHER_LINES)) if console.is_terminal else _MOST_ROWS
    tracks = (
        sorted(report.tracks, key=lambda track: track.status == "completed")
        if len(report.tracks) > most
        else list(report.tracks)
    )
    with_reason = any(track.reason for track in tracks)
    columns = ("track", "status", "reused", "attempts", "time", *(("reason",) if with_reason else ()))
    print_table(
        console,
        columns,
        [
            (
                track.task_id,
                track.status,
                "yes" if track.reused else "",
                str(track.attempts),
                seconds(track.seconds),
                *((track.reason or "",) if with_reason else ()),
            )
            for track in tracks[:most]
        ],
        right=("attempts", "time"),
        fold=("reason",),
    )
    if len(tracks) > most:
        rest = Counter(track.status for track in tracks[most:])
        counted = ", ".join(f"{count} {status}" for status, count in sorted(rest.items()))
        console.print(f"and {len(tracks) - most} more ({counted}), all of them in `plait show --full`", style="dim")
    console.print()
    line = Text.assemble((report.workflow_id, "bold"), "  ", styled(report.status))
    console.print(line, soft_wrap=True)
    for reason in report.reasons:
        console.print(Text(f"  {reason}", STYLES.get(report.status, "")), soft_wrap=True)
    if report.checks:
        ended = ", ".join(f"{count} {status}" for status, count in report.checks)
        console.print(Text(f"  checks: {ended}"), soft_wrap=True)
    option = f" --store {shlex.quote(store_url)}" if store_url else ""
    pointers: list[tuple[str, str]] = []
    if report.context:
        pointers.append(("context", f"plait show {report.workflow_id}{option}"))
        pointers.append(("history", f"plait history {report.workflow_id}{option}"))
    if report.report:
        pointers.append(("report", report.report))
    if report.address:
        pointers.append(("run", report.address))
    if report.branch:
        pointers.append(("branch", report.branch))
    if report.result:
        pointers.append(("files", report.result))
    if report.exit_code and report.workspace_root:
        pointers.append(("workspaces", report.workspace_root))
    for name, value in pointers:
        console.print(Text(f"  {name:<11}{value}"), soft_wrap=True)
