"""What coverage reports say of files, whatever tool wrote them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from contexts.documents.figures import Covered


@dataclass(frozen=True, slots=True)
class FileCounts:
    """What was measured of one file.

    Attributes:
        lines: How many lines there are, and how many of them were run.
        branches: The same of branches; None where they were not measured.
        by_line: Whether each line was run, where the report says it line by line.
        branches_by_line: Covered and all branches of each line, where the report says it.
        folders: Folders the name may be relative to, as the report says.
    """

    lines: Covered
    branches: Covered | None = None
    by_line: Mapping[int, bool] = field(default_factory=dict[int, bool])
    branches_by_line: Mapping[int, tuple[int, int]] = field(default_factory=dict[int, tuple[int, int]])
    folders: tuple[str, ...] = ()

    @classmethod
    def of_lines(
        cls,
        by_line: Mapping[int, bool],
        branches: Mapping[int, tuple[int, int]],
        *,
        measured: bool,
        folders: tuple[str, ...] = (),
    ) -> Self:
        """Count lines and branches that a report lists.

        Args:
            by_line: Whether each line was run.
            branches: Covered and all branches of each line.
            measured: Whether the report measures branches at all.
            folders: As the attribute.
        """
        counts = _covered(branches.values()) if measured else None
        return cls(Covered(covered=sum(by_line.values()), total=len(by_line)), counts, by_line, branches, folders)

    def joined(self, other: FileCounts) -> FileCounts:
        """Return what two reports of one file say together; never more than was covered."""
        if self.by_line and other.by_line:
            lines = {**self.by_line}
            for number, run in other.by_line.items():
                lines[number] = lines.get(number, False) or run
            branches = {**self.branches_by_line}
            for number, (covered, total) in other.branches_by_line.items():
                before = branches.get(number, (0, 0))
                branches[number] = (max(covered, before[0]), max(total, before[1]))
            measured = self.branches is not None or other.branches is not None
            return FileCounts.of_lines(lines, branches, measured=measured, folders=(*self.folders, *other.folders))
        return max(self, other, key=lambda one: one.lines.covered)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a report measured.

    Attributes:
        files: By name, as the report writes it.
        total: All of them together, where the report counts that itself.
        percent: Lines and branches together, where the report says that itself.
        file_percent: The same by file.
        told: When it was made, as the report says: seconds since 1970.
        local: The same as a date and time without a time zone.
    """

    files: Mapping[str, FileCounts]
    total: FileCounts | None = None
    percent: float | None = None
    file_percent: Mapping[str, float] = field(default_factory=dict[str, float])
    told: float | None = None
    local: str | None = None


def total_of(files: Iterable[FileCounts]) -> FileCounts:
    """Return what several files say together; no branches where none has any."""
    lines, branches, measured = [0, 0], [0, 0], False
    for one in files:
        lines[0] += one.lines.covered
        lines[1] += one.lines.total
        if one.branches is not None:
            measured = True
            branches[0] += one.branches.covered
            branches[1] += one.branches.total
    both = Covered(covered=branches[0], total=branches[1]) if measured and branches[1] else None
    return FileCounts(Covered(covered=lines[0], total=lines[1]), both)


def share(counts: Covered | None) -> float | None:
    """Return counts in percent; None where nothing was counted."""
    return 100 * counts.covered / counts.total if counts and counts.total else None


def both(counts: FileCounts) -> float | None:
    """Return lines and branches together, in percent."""
    return share(_covered((one.covered, one.total) for one in (counts.lines, counts.branches) if one))


def _covered(pairs: Iterable[tuple[int, int]]) -> Covered:
    covered, total = 0, 0
    for some, each in pairs:
        covered += some
        total += each
    return Covered(covered=covered, total=total)
