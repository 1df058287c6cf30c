"""What came of a run: a table of its tracks, the reasons, and where to look next."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from contexts.text.amounts import clock
from contexts.text.plural import and_more, counted
from flows.cli.terminal.tables import STYLES, print_table, styled

if TYPE_CHECKING:
    from flows.launch import RunReport

_MOST_ROWS = 60
_MOST_REMARKS = 10
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
                clock(track.seconds),
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
        console.print(f"{and_more(len(tracks) - most)} ({counted}), all of them in `plait show --full`", style="dim")
    console.print()
    line = Text.assemble((report.workflow_id, "bold"), "  ", styled(report.status))
    console.print(line, soft_wrap=True)
    for reason in report.reasons:
        _print_indented(console, Text(reason, STYLES.get(report.status, "")), 2)
    if report.checks:
        ended = ", ".join(f"{count} {status}" for status, count in report.checks)
        _print_indented(console, Text(f"checks: {ended}"), 2)
    for remark in report.remarks[:_MOST_REMARKS]:
        _print_indented(console, Text(remark, STYLES.get("warning", "")), 2)
    if more := and_more(len(report.remarks) - _MOST_REMARKS, "remark"):
        _print_indented(console, Text(f"{more}, all of them in the report"), 2)
    for name, value in _pointers(report, f" --store {shlex.quote(store_url)}" if store_url else ""):
        _print_pointer(console, name, value)


def _pointers(report: RunReport, option: str) -> Iterable[tuple[str, str]]:
    """Return where to look next, and what to decide, each with its name."""
    edit = f"plait edit {report.workflow_id}"
    if report.blocking:
        yield "to waive", f"{edit} waive {report.blocking[0]} --by NAME --why TEXT{option}"
    found = [counted(len(report.blocking), "blocking finding")] if len(report.blocking) > 1 else []
    found += [counted(report.concerns, "concern")] if report.concerns else []
    if found:
        yield "open", f"{', '.join(found)}: {edit} list{option}"
    if report.context:
        yield "context", f"plait show {report.workflow_id}{option}"
        yield "history", f"plait history {report.workflow_id}{option}"
    places = {"report": report.report, "run": report.address, "branch": report.branch, "files": report.result}
    yield from ((name, place) for name, place in places.items() if place)
    if report.exit_code and report.workspace_root:
        yield "workspaces", report.workspace_root


def _print_pointer(console: Console, name: str, value: str) -> None:
    label = f"  {name:<11}"
    if console.is_terminal and len(label) + cell_len(value) > console.width:
        console.print(Text(label.rstrip()))
        if " " not in value:
            # A path or an address is whole at least on a line of its own, and left to the terminal where even that is
            # too short, so that it can still be copied.
            console.print(Text(value), soft_wrap=True)
        else:
            _print_indented(console, Text(value), 4)
    else:
        console.print(Text(f"{label}{value}"), soft_wrap=True)


def _print_indented(console: Console, text: Text, indent: int) -> None:
    """Print a paragraph broken between words to fit the terminal; elsewhere it is one line, for whoever searches it."""
    if console.is_terminal:
        console.print(Padding(text, (0, 0, 0, indent)))
    else:
        console.print(Text(" " * indent).append_text(text), soft_wrap=True)
