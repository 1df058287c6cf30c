"""The report of 1,000 tracks: built within 3 s, at most 5 MB; and how both grow with the tracks."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from table import show, verdict

from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from tasks.report import build_report
from tests.tasks.report.stored import put_wide_run

SECONDS = 3.0
MEGABYTES = 5.0
ROUNDS = 3
DETAILS = 4_000
"""Bytes beside what every track document has, so that one is of about 5 KB."""


def main() -> None:
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        rows = [measure(Path(folder) / str(count), count) for count in (10, 100, 1000)]
    show(f"Report, best of {ROUNDS}", ("tracks", "seconds", "limit", "", "MB", "limit", ""), rows)


def measure(folder: Path, count: int) -> tuple[object, ...]:
    """Build the report of a run of so many tracks from a local store."""
    store = ContextStore(LocalObjects(folder))
    final = put_wide_run(store, count, details=DETAILS)
    taken: list[float] = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        html = build_report(store, final)
        taken.append(time.perf_counter() - started)
    size = len(html) / 1e6
    return (
        count,
        f"{min(taken):.2f}",
        SECONDS,
        verdict(min(taken), SECONDS),
        f"{size:.2f}",
        MEGABYTES,
        verdict(size, MEGABYTES),
    )


if __name__ == "__main__":
    main()
