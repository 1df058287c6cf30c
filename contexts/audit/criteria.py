"""The spec's numeric success criteria, and the measured values and targets of later documents that speak of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from contexts.audit.documents import DocumentSet, SourceDocument
from contexts.audit.findings import Source
from contexts.audit.measures import choose
from contexts.audit.quantities import Bound, Measured, as_quantity, read
from contexts.audit.words import plain, stem, subject
from contexts.contract.values import Path, at, mapping, number, sequence, text, walk

_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,9})?")
_COVERAGE_KINDS = {"line", "lines", "branch", "branches", "function", "functions", "statement", "statements", "mutation"}
_TOTALS = {
    "total", "overall", "coverage", "test_coverage", "total_coverage", "total_test_coverage", "percent", "combined", "lines", "line",
    "branch", "branches", "line_coverage", "branch_coverage", "code_coverage", "average", "unit", "statements", "functions",
}  # fmt: skip
_RESPONSE = re.compile(r"respon|latenc|\bapi\b|request|endpoint|\bp\d\d\b", re.IGNORECASE)
_SPEED = re.compile(r"perform|latenc|respon|measure|benchmark|timing", re.IGNORECASE)
_TOPIC = {stem(w) for w in "response time latency api request endpoint coverage test tests unit percentile average mean median requests responses p50 p90 p95 p99 p75 avg".split()}
_DETAIL = re.compile(r"files|modules|by_file|per_file|packages")


@dataclass(frozen=True, slots=True)
class Criterion:
    """A success criterion with one number."""

    document: SourceDocument
    path: Path
    shown: str
    bound: Bound
    area: str

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
    """Yield the numeric criteria of the earliest document that states any: nothing is a criterion that it does not say."""
    holder = documents.criteria_holder
    if holder is not None:
        yield from _criteria_of(holder)


def _criteria_of(holder: SourceDocument) -> Iterator[Criterion]:
    for path, value in walk(holder.data.get("success_criteria"), ("success_criteria",)):
        area = str(path[1]) if len(path) > 1 and isinstance(path[1], str) else ""
        if isinstance(value, str):
            parent = mapping(_at_path(holder, path[:-1]))
            if "target" in parent and path[-1] != "target":
                continue
            metric = " ".join(text(parent.get(key)) for key in ("metric", "name", "criterion")).strip()
            reading = read(value, bare_is="target" if path[-1] == "target" else "measured")
            for bound in reading.bounds:
                if bound.quantity.dimension not in {"count", "ratio"}:
                    yield Criterion(holder, path, f"{metric} {value}".strip(), bound, area)


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
                if not _speaks_of(documents, criterion, reported):
                    continue
                for bound in reported.bounds:
                    same = not criterion.bound.statistic or bound.statistic in {"", criterion.bound.statistic}
                    if same and bound.looser_than(criterion.bound):
                        yield bound, reported.source()
    wanted = _NUMBER.sub("#", plain(criterion.shown))
    for document in documents.revisions:
        if document is criterion.document:
            continue
        for other in _criteria_of(document):
            if _NUMBER.sub("#", plain(other.shown)) == wanted and other.bound.looser_than(criterion.bound):
                yield other.bound, other.source()


def _reported(document: SourceDocument) -> Iterator[Reported]:
    for path, value in document.values:
        if path[:1] == ("success_criteria",) or not isinstance(value, str | int | float) or isinstance(value, bool):
            continue
        key = str(path[-1]) if path else ""
        keys = "/".join(str(part) for part in path)
        if isinstance(value, str):
            if any(sign.isdigit() for sign in value[:400]) and (_SPEED.search(keys) or "coverage" in keys.lower() or path[0] in {"metrics", "verification_results"}):
                reading = read(value[:400])
                if reading.measured or reading.bounds:
                    yield Reported(document, path, reading.measured, reading.bounds)
            continue
        plain_number = number(value)
        if plain_number is None:
            continue
        unit, statistic = _unit_of(key, keys)
        if unit:
            quantity = as_quantity(plain_number, unit)
            if "target" in key.lower() or "threshold" in key.lower():
                compare = ">=" if unit == "%" else "<="
                yield Reported(document, path, (), (Bound(compare, quantity, statistic),))
            else:
                yield Reported(document, path, (Measured(quantity, statistic),), ())


def _unit_of(key: str, keys: str) -> tuple[str, str]:
    lower = key.lower()
    found = re.search(r"(?:^|_)(p\d{2,3}|avg|mean|median|max)(?:_|$)", lower)
    statistic = {"mean": "avg", "median": "p50"}.get(found.group(1), found.group(1)) if found else ""
    for suffix, unit in (("_ms", "ms"), ("_seconds", "s"), ("_s", "s"), ("_percent", "%"), ("_pct", "%"), ("_rps", "rps"), ("_mb", "MB"), ("_kb", "KB")):
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
    keys = "/".join(str(part) for part in reported.path)
    if "coverage" in criterion.shown.lower():
        return _coverage_of(documents, criterion, reported, keys)
    if "coverage" in keys.lower():
        return False
    about = subject(criterion.shown).stems - _TOPIC
    # A URL's words name what was measured; the values' own text may, too.
    told = subject(keys.replace("/", " ").replace("_", " ")).stems | _words_of(reported)
    if dimension == "time" and _RESPONSE.search(criterion.shown):
        return bool(_SPEED.search(keys)) and about <= told
    return bool(about) and about <= told


def _words_of(reported: Reported) -> frozenset[str]:
    value = _at_path(reported.document, reported.path)
    beside = mapping(_at_path(reported.document, reported.path[:-1])) if reported.path else {}
    named = " ".join(text(beside.get(key)) for key in ("metric", "name", "endpoint", "operation"))
    return subject(f"{value if isinstance(value, str) else ''} {named}".replace("/", " ")).stems


def _coverage_of(documents: DocumentSet, criterion: Criterion, reported: Reported, keys: str) -> bool:
    last = str(reported.path[-1]).lower()
    if "coverage" not in keys.lower() or last not in _TOTALS or _DETAIL.search(keys.lower()):
        return False
    wanted = {word for word in _COVERAGE_KINDS if re.search(rf"\b{word}\b", criterion.shown.lower())}
    stated = {word for word in _COVERAGE_KINDS if word in last}
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
    named = {stem(word) for word in re.findall(r"[a-z0-9]+", f"{track.task_id} {text(track.data.get('phase'))}".lower())}
    return bool(wanted) and wanted <= named


