"""Coverage in lcov's tracefile format: a line of text for each thing."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tasks.checks.coverage.measured import FileCounts, Measured
from tasks.checks.report_file import ReportError

_LINE = re.compile(r"DA:(\d{1,9}),(-?\d{1,18})(?:,.*)?\Z")
_BRANCH = re.compile(r"BRDA:(\d{1,9}),(.{0,200}),(-|\d{1,18})\Z")
_LIKELY = re.compile(rb"\A\s{0,100}(?:#[^\n]*\n\s*){0,100}(?:TN:|SF:|VER:)")


def is_lcov(raw: bytes) -> bool:
    """Say whether a report begins as a tracefile does."""
    return bool(_LIKELY.match(raw[:10_000].removeprefix(b"\xef\xbb\xbf")))


def read_lcov(raw: bytes) -> Measured:
    """Return what a tracefile says.

    Raises:
        ReportError: A record does not end, as in a file that was cut.
    """
    files: dict[str, FileCounts] = {}
    name: str | None = None
    lines: dict[int, bool] = {}
    branches: dict[tuple[int, str], bool] = {}
    for line in raw.decode("utf-8-sig", "replace").splitlines():
        if line.startswith("SF:"):
            name, lines, branches = line[3:].strip(), {}, {}
        elif line.strip() == "end_of_record" and name is not None:
            counts = FileCounts.of_lines(lines, _by_line(branches.items()), measured=bool(branches))
            files[name] = files[name].joined(counts) if name in files else counts
            name = None
        elif found := _LINE.match(line.strip()):
            number = int(found[1])
            lines[number] = lines.get(number, False) or int(found[2]) > 0
        elif found := _BRANCH.match(line.strip()):
            key = int(found[1]), found[2]
            branches[key] = branches.get(key, False) or found[3] not in {"-", "0"}
    if name is not None:
        raise ReportError(f"the coverage report ends within the record of {name[:200]}")
    return Measured(files)


def _by_line(branches: Iterable[tuple[tuple[int, str], bool]]) -> dict[int, tuple[int, int]]:
    counts: dict[int, tuple[int, int]] = {}
    for (line, _), taken in branches:
        covered, total = counts.get(line, (0, 0))
        counts[line] = covered + taken, total + 1
    return counts
