"""The spec's numeric success criteria, and the measured values and targets of later documents that speak of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast
from weakref import WeakKeyDictionary

from contexts.audit.documents import LONGEST_TEXT, DocumentSet, SourceDocument
from contexts.audit.findings import Source
from contexts.audit.measures import cells, choose, target_bounds
from contexts.audit.quantities import Bound, Measured, as_percent, as_quantity, read, statistic_name
from contexts.audit.words import plain, stem, subject
from contexts.contract.paths import endpoint_name, mentions
from contexts.contract.values import Path, at, mapping, number, sequence, text, walk

_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,9})?")
_COVERAGE_KINDS = {
    "line",
    "lines",
    "branch",
    "branches",
    "function",
    "functions",
    "statement",
    "statements",
    "mutation",
}
_TOTALS = {
    "total",
    "overall",
    "coverage",
    "test_coverage",
    "total_coverage",
    "total_test_coverage",
    "percent",
    "combined",
    "lines",
    "line",
    "branch",
    "branches",
    "line_coverage",
    "branch_coverage",
    "code_coverage",
    "average",
    "unit",
    "statements",
    "functions",
}
_RESPONSE = re.compile(r"respon|latenc|\bapi\b|request|endpoint|\bp\d\d\b", re.IGNORECASE)
_SPEED = re.compile(r"perform|latenc|respon|measure|benchmark|timing", re.IGNORECASE)
_TOPIC = {
    stem(w)
    for w in """response time latency api request endpoint coverage test tests unit percentile average mean median
    requests responses p50 p90 p95 p99 p75 avg""".split()  # noqa: SIM905 - a paragraph reads better
}
_DETAIL = re.compile(r"files|modules|by_file|per_file|packages")


@dataclass(frozen=True, slots=True)
class Criterion:
    """A success criterion with one number."""

    document: SourceDocument
    path: Path
    shown: str
    bound: Bound
    area: str
    identity: str = ""

    def source(self) -> Source:
        """Return where the criterion is written."""
        return self.document.source(self.path)


@dataclass(frozen=True, slots=True)
class Reported:
    """Values reported in one place of a document."""

    document: SourceDocument
    path: Path
    values: tuple[Measured, ...]
    bounds: tuple[Bound, ...]
    words: str = ""
    link: str = ""
    bound_path: Path = ()

    def chosen(self, bound: Bound) -> Measured | None:
        """Return the value a criterion speaks of."""
        return choose([m for m in self.values if m.quantity.dimension == bound.quantity.dimension], bound)

    def meets(self, bound: Bound) -> bool:
        """Tell whether the value meets a criterion; what the criterion does not speak of does."""
        chosen = self.chosen(bound)
        return chosen is None or bound.allows(chosen.quantity.base)

    def source(self) -> Source:
        """Return where the values are."""
        return self.document.source(self.path)


def criteria(documents: DocumentSet) -> Iterator[Criterion]:
    """Yield the numeric criteria of the earliest document that states any; nothing else is a criterion."""
    holder = documents.criteria_holder
    if holder is not None:
        yield from _criteria_of(holder)


def _criteria_of(holder: SourceDocument) -> Iterator[Criterion]:
    for path, value in walk(holder.data.get("success_criteria"), ("success_criteria",)):
        area = str(path[1]) if len(path) > 1 and isinstance(path[1], str) else ""
        if isinstance(value, dict) and "target" in value:
            yield from _structured_criterion(holder, path, mapping(cast("Any", value)), area)
        elif isinstance(value, str) and "target" not in mapping(_at_path(holder, path[:-1])):
            for bound in read(value).bounds:
                if bound.quantity.dimension not in {"count", "ratio"}:
                    yield Criterion(holder, path, value, bound, area)


def _structured_criterion(
    holder: SourceDocument, path: Path, members: Mapping[str, Any], area: str
) -> Iterator[Criterion]:
    named = " ".join(text(members.get(key)) for key in ("metric", "name", "criterion") if text(members.get(key)))
    identity = text(members.get("id")) or named
    for bound in bounds_of(members, named):
        shown = f"{named or identity} {bound}"
        yield Criterion(holder, (*path, "target"), shown, bound, area, identity)


def bounds_of(members: Mapping[str, Any], context: str) -> Iterator[Bound]:
    """Yield the target of an object with target, unit, operator and statistic members."""
    statistic = statistic_name(text(members.get("statistic")) or text(members.get("percentile")))
    operator = next(
        (
            text(members.get(k)).replace("≤", "<=").replace("≥", ">=")
            for k in ("op", "operator", "comparator")
            if members.get(k)
        ),
        "",
    )
    for bound in target_bounds(members.get("target"), text(members.get("unit")), context, operator):
        yield replace(bound, statistic=bound.statistic or statistic)


def _at_path(document: SourceDocument, path: Path) -> object:
    value: object = document.data
    for part in path:
        value = mapping(value).get(str(part)) if isinstance(value, dict) else sequence(value)[int(part)]
    return value


def _later(documents: DocumentSet, criterion: Criterion) -> list[list[SourceDocument]]:
    """Return where measured values are looked for, the latest word first."""
    verified = [d for d in documents.at_stage("verified") if d is not criterion.document]
    merged = [d for d in documents.at_stage("merged") if d is not criterion.document]
    return [list(reversed(verified)), list(reversed(merged)), list(documents.tracks)]


def measured_for(documents: DocumentSet, criterion: Criterion) -> Iterator[Reported]:
    """Yield the values the latest documents report for a criterion."""
    for group in _later(documents, criterion):
        hits = [r for d in group for r in _reported(d) if r.values and _speaks_of(documents, criterion, r)]
        if hits:
            yield from hits
            return


def relaxations(documents: DocumentSet, criterion: Criterion) -> Iterator[tuple[Bound, Source]]:
    """Yield targets of later documents for the same thing that accept what the criterion refuses."""
    for group in _later(documents, criterion):
        for document in group:
            for reported in _reported(document):
                if not reported.bounds or not _speaks_of(documents, criterion, reported):
                    continue
                for bound in reported.bounds:
                    same = not criterion.bound.statistic or bound.statistic in {"", criterion.bound.statistic}
                    if same and bound.looser_than(criterion.bound):
                        yield bound, document.source(reported.bound_path or reported.path)
    for document in documents.revisions:
        if document is not criterion.document:
            yield from _restated(document, criterion)


def _restated(document: SourceDocument, criterion: Criterion) -> Iterator[tuple[Bound, Source]]:
    """Yield a later document's own wording of a criterion, where it has the same words and a looser number."""
    own = [c for c in _criteria_of(document) if c.area == criterion.area]
    if any(c.shown == criterion.shown for c in own):
        return
    wanted = _NUMBER.sub("#", plain(criterion.shown))
    for other in own:
        alike = (
            other.identity == criterion.identity
            if criterion.identity
            else _NUMBER.sub("#", plain(other.shown)) == wanted
        )
        if alike and other.bound.looser_than(criterion.bound):
            yield other.bound, other.source()


def _reported(document: SourceDocument) -> tuple[Reported, ...]:
    """Return every place of a document that reports values or targets (read once a document)."""
    known = _READ.get(document)
    if known is None:
        known = _READ[document] = tuple(_read_reported(document))
    return known


_READ: WeakKeyDictionary[SourceDocument, tuple[Reported, ...]] = WeakKeyDictionary()


def _read_reported(document: SourceDocument) -> Iterator[Reported]:
    taken = set[Path]()
    for path, members in document.objects:
        if path[:1] != ("success_criteria",):
            for reported in _object_reported(document, path, members):
                taken.update({reported.path, reported.bound_path})
                yield reported
    for path, value in document.values:
        if (
            path in taken
            or path[:1] == ("success_criteria",)
            or not isinstance(value, str | int | float)
            or isinstance(value, bool)
        ):
            continue
        keys = "/".join(str(part) for part in path)
        if isinstance(value, str):
            if "|" in value and "\n" in value:
                for cell in cells(value[:LONGEST_TEXT]):
                    bounds = () if cell.bound is None else (cell.bound,)
                    yield Reported(document, path, (cell.measured,), bounds, words=cell.words)
            elif any(sign.isdigit() for sign in value[:400]) and (
                _SPEED.search(keys) or "coverage" in keys.lower() or path[0] in {"metrics", "verification_results"}
            ):
                reading = read(value[:400])
                if reading.measured or reading.bounds:
                    yield Reported(document, path, reading.measured, reading.bounds)
            continue
        unit, statistic = _unit_of(str(path[-1]) if path else "", keys)
        if unit:
            share = unit == "%" and "coverage" in keys.lower()
            quantity = as_percent(float(value)) if share else as_quantity(float(value), unit)
            yield Reported(document, path, (Measured(quantity, statistic),), ())


def _object_reported(document: SourceDocument, path: Path, members: Mapping[str, Any]) -> Iterator[Reported]:
    """Read an object that names its metric or criterion and holds a value, perhaps with a target."""
    key = next(
        (k for k in ("value", "measured", "actual", "observed") if isinstance(members.get(k), str | int | float)), None
    )
    link = next(
        (text(members.get(k)) for k in ("criterion", "criterion_id", "metric", "id", "name") if text(members.get(k))),
        "",
    )
    if key is None or not link or isinstance(members[key], bool):
        return
    unit, statistic = (
        text(members.get("unit")),
        statistic_name(text(members.get("statistic")) or text(members.get("percentile"))),
    )
    shown = number(members[key])
    values = (
        (Measured(as_quantity(shown, unit), statistic),) if shown is not None else read(text(members[key])).measured
    )
    words = " ".join(value for value in members.values() if isinstance(value, str))
    bounds = tuple(bounds_of(members, words)) if "target" in members else ()
    yield Reported(document, (*path, key), values, bounds, words, link, (*path, "target") if bounds else ())


def _unit_of(key: str, keys: str) -> tuple[str, str]:
    lower = key.lower()
    found = re.search(r"(?:^|_)(p\d{2,3}|avg|mean|median|max)(?:_|$)", lower)
    statistic = {"mean": "avg", "median": "p50"}.get(found.group(1), found.group(1)) if found else ""
    for suffix, unit in (
        ("_ms", "ms"),
        ("_seconds", "s"),
        ("_s", "s"),
        ("_percent", "%"),
        ("_pct", "%"),
        ("_rps", "rps"),
        ("_mb", "MB"),
        ("_kb", "KB"),
    ):
        if lower.endswith(suffix):
            return unit, statistic
    if lower in _TOTALS and "coverage" in keys.lower() and "count" not in keys.lower():
        return "%", statistic
    return "", statistic


def _speaks_of(documents: DocumentSet, criterion: Criterion, reported: Reported) -> bool:
    """Tell whether values are about what a criterion is about; in doubt they are not."""
    dimension = criterion.bound.quantity.dimension
    if not any(item.quantity.dimension == dimension for item in (*reported.values, *reported.bounds)):
        return False
    if reported.link and criterion.identity:
        return plain(reported.link) == plain(criterion.identity)
    keys = "/".join(str(part) for part in reported.path)
    if "coverage" in criterion.shown.lower():
        return _coverage_of(documents, criterion, reported, keys)
    if "coverage" in keys.lower():
        return False
    asked = set(mentions(criterion.shown))
    told_endpoint = next(
        (name for part in reported.path if isinstance(part, str) and (name := endpoint_name(part))), None
    )
    if asked:
        return told_endpoint in asked
    about = subject(criterion.shown).stems - _TOPIC
    # A URL's words name what was measured; the values' own text may, too.
    told = subject(keys.replace("/", " ").replace("_", " ")).stems | _words_of(reported)
    same_target = any(
        b.compare == criterion.bound.compare
        and b.quantity.base == criterion.bound.quantity.base
        and b.quantity.dimension == dimension
        for b in reported.bounds
    )
    if told_endpoint and same_target:
        return _of_area(documents, criterion, told_endpoint)
    if told_endpoint and not about and not _of_area(documents, criterion, told_endpoint):
        return False
    if dimension == "time" and _RESPONSE.search(criterion.shown):
        return bool(_SPEED.search(keys)) and about <= told
    return bool(about) and about <= told


def _of_area(documents: DocumentSet, criterion: Criterion, endpoint: tuple[str, str]) -> bool:
    """Tell whether an endpoint can be meant by a criterion of one area: it is not another track's."""
    owners = {contract.document for contract in documents.providers for e in contract.endpoints if e.key == endpoint}
    fitting = {t.name for t in documents.tracks if criterion.area and _belongs(criterion.area, t)}
    return not owners or not fitting or bool(owners & fitting)


def _words_of(reported: Reported) -> frozenset[str]:
    if reported.words:
        return subject(reported.words.replace("/", " ")).stems
    value = _at_path(reported.document, reported.path)
    beside = mapping(_at_path(reported.document, reported.path[:-1]))
    named = " ".join(text(beside.get(key)) for key in ("metric", "name", "endpoint", "operation"))
    return subject(f"{value if isinstance(value, str) else ''} {named}".replace("/", " ")).stems


def _coverage_of(documents: DocumentSet, criterion: Criterion, reported: Reported, keys: str) -> bool:
    last = str(reported.path[-1]).lower()
    if "coverage" not in keys.lower() or last not in _TOTALS or _DETAIL.search(keys.lower()):
        return False
    wanted = {word for word in _COVERAGE_KINDS if re.search(rf"\b{word}\b", criterion.shown.lower())}
    stated = {word for word in _COVERAGE_KINDS if word in last}
    beside = " ".join(mapping(_at_path(reported.document, reported.path[:-1])))
    if not stated and last in {"total", "percent", "overall", "coverage"}:
        stated = {word for word in _COVERAGE_KINDS if f"{word}_" in beside} or wanted
    if {w[:4] for w in wanted} != {w[:4] for w in stated} and (wanted or stated - {"line", "lines"}):
        return False
    owner = track_of(documents, reported)
    areas = [criterion.area, *sorted(subject(criterion.shown).stems - _TOPIC)]
    fitting = {t.task_id for area in areas if area for t in documents.tracks if _belongs(area, t)}
    if fitting:
        return owner in fitting
    unknown_area = bool(criterion.area) and bool(documents.named_tracks)
    return not owner and not unknown_area


def track_of(documents: DocumentSet, reported: Reported) -> str:
    """Return the task id of the track a place speaks of: its document's own, or the one its object names."""
    if reported.document.task_id:
        return reported.document.task_id
    value: object = reported.document.data
    for part in reported.path:
        value = mapping(value).get(str(part)) if isinstance(value, dict) else sequence(value)[int(part)]
        named = text(at(value, "task_id"))
        if named:
            return named
        if str(part) in documents.track:
            return str(part)
        matching = [t.task_id for t in documents.tracks if isinstance(part, str) and _belongs(part, t)]
        if len(matching) == 1:
            return matching[0]
    return ""


def _belongs(area: str, track: SourceDocument) -> bool:
    wanted = {stem(word) for word in re.findall(r"[a-z0-9]+", area.lower())} - {"test", "total", "coverag"}
    named = {
        stem(word) for word in re.findall(r"[a-z0-9]+", f"{track.task_id} {text(track.data.get('phase'))}".lower())
    }
    return bool(wanted) and wanted <= named
