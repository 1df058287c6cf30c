"""A check's report files as they are read: what stood there before it ran, then what it left, and what that says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Literal, TypeVar

from contexts.documents.base import JsonObject
from contexts.documents.figures import Sarif, TestCounts
from contexts.spec.checks import Reports
from contexts.text.plural import counted
from tasks.checks.coverage.measured import Measured
from tasks.checks.coverage.read import join_coverage, read_coverage
from tasks.checks.junit import TestCase, cases_of, count_junit
from tasks.checks.junit_reader import read_junit
from tasks.checks.metrics_report import join_metrics, parse_metrics
from tasks.checks.report_file import ReportError, ReportFile, Shelf, Stamp
from tasks.checks.report_times import why_stale
from tasks.checks.sarif import SarifLog, join_sarif, parse_sarif

_Read = TypeVar("_Read")
_Kind = Literal["junit", "coverage", "sarif", "metrics"]
_STORED_AS: Mapping[str, str] = {"junit": "tests"}
_MEDIA: Mapping[bytes, str] = {b"{": "application/json", b"<": "text/xml"}


@dataclass(frozen=True, slots=True)
class Moment:
    """When a check began, and which zones a time without one may be of; None: this machine's."""

    began: datetime
    zones: tuple[tzinfo | None, ...]


@dataclass(slots=True)
class Said:
    """What a check's reports say.

    Attributes:
        cases: The tests one by one.
        raw: The files, by what they are stored as, each with its media type.
        unreadable: Why one could not be read, or is no evidence.
        notes: Files that count for nothing beside others that do.
    """

    tests: TestCounts | None = None
    cases: tuple[TestCase, ...] = ()
    coverage: Measured | None = None
    sarif: Sarif | None = None
    metrics: JsonObject | None = None
    raw: dict[str, tuple[bytes, str]] = field(default_factory=dict[str, tuple[bytes, str]])
    unreadable: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])


class Reader:
    """Reads the reports a check names; to be made before it runs."""

    def __init__(self, shelf: Shelf, named: Reports) -> None:
        self._shelf = shelf
        self._named: Mapping[str, str] = named.model_dump(exclude_none=True)
        self._before: dict[str, Mapping[str, Stamp]] = {}
        for kind, name in self._named.items():
            try:
                self._before[kind] = shelf.stamps(name)
            except ReportError:  # it is read, and told, after the check
                self._before[kind] = {}

    def read(self, moment: Moment) -> Said:
        """Return what the reports say, now that the check has run."""
        said = Said()
        if junit := self._each(said, "junit", read_junit, lambda one: one.times, moment):
            said.tests, said.cases = count_junit(junit), cases_of(junit)
        if coverage := self._each(said, "coverage", read_coverage, _times_of_coverage, moment):
            said.coverage = join_coverage(coverage)
        if logs := self._each(said, "sarif", parse_sarif, _times_of_sarif, moment):
            said.sarif = join_sarif(logs)
        if objects := self._each(said, "metrics", parse_metrics, lambda _: (), moment):
            try:
                said.metrics = join_metrics(objects)
            except ReportError as error:
                said.unreadable.append(str(error))
        return said

    def _each(
        self,
        said: Said,
        kind: _Kind,
        parse: Callable[[bytes], _Read],
        times: Callable[[_Read], Iterable[str | float]],
        moment: Moment,
    ) -> list[_Read]:
        """Return what every file of one report says; nothing where one of them cannot be read, or is of before."""
        name = self._named.get(kind)
        if name is None:
            return []
        try:
            files, stale = self._shelf.read_all(name, self._before[kind])
        except ReportError as error:
            said.unreadable.append(str(error))
            return []
        said.raw[_STORED_AS.get(kind, kind)] = _stored(files)
        if stale:
            were = counted(len(stale), "file of it stood", "files of it stood")
            said.notes.append(f"report {name}: {were} there before the check ran, and counts for nothing")
        read: list[_Read] = []
        for one in files:
            try:
                read.append(parse(one.raw))
                why = why_stale(one.name, times(read[-1]), moment.began, moment.zones)
            except ReportError as error:
                why = str(error) if len(files) == 1 else f"{one.name}: {error}"
            if why:
                said.unreadable.append(why)
                return []
        return read


def _times_of_coverage(measured: Measured) -> list[str | float]:
    return [one for one in (measured.told, measured.local) if one is not None]


def _times_of_sarif(log: SarifLog) -> Iterable[str]:
    return log.times


def _stored(files: list[ReportFile]) -> tuple[bytes, str]:
    """Return what is kept of a report: its file, or all of them as one text, each below its name."""
    if len(files) == 1:
        return files[0].raw, _MEDIA.get(files[0].raw.lstrip()[:1], "text/plain")
    return b"\n".join(b"==> %s <==\n%s" % (one.name.encode(), one.raw) for one in files), "text/plain"
