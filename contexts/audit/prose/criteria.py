"""The spec's numeric success criteria, and the measured values and targets of later documents that speak of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from weakref import WeakKeyDictionary

from contexts.audit.documents import DocumentSet
from contexts.audit.prose.keys import key_of, stated_bounds
from contexts.audit.prose.reported import SPEAKS_OF_SPEED, TOTALS, Reported, bounds_of, reports
from contexts.audit.source_document import SourceDocument
from contexts.contracts.paths import endpoint_name, mentions
from contexts.documents.findings import Source
from contexts.json.values import Path, at, mapping, sequence, text, walk
from contexts.text.quantities import Bound, read
from contexts.text.subjects import plain, stem, subject

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
_RESPONSE = re.compile(r"respon|latenc|\bapi\b|request|endpoint|\bp\d\d\b", re.IGNORECASE)
_TOPIC = {
    stem(w)
    for w in """response time latency api request endpoint coverage test tests unit percentile average mean median
    requests responses p50 p90 p95 p99 p75 avg second seconds millisecond milliseconds minute minutes percent
    sustain sustains stay stays keep keeps take takes serve serves reach reaches remain remains respond responds
    ms sec secs msec us min mins rps qps tps req kb mb gb kib mib gib bytes pct""".split()  # noqa: SIM905 - a paragraph reads better
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


def criteria(documents: DocumentSet) -> tuple[Criterion, ...]:
    """Return the numeric criteria of the earliest document that states any; nothing else is a criterion."""
    known = _KNOWN.get(documents)
    if known is None:
        holder = documents.criteria_holder
        known = _KNOWN[documents] = tuple(_criteria_of(holder)) if holder is not None else ()
    return known


_KNOWN: WeakKeyDictionary[DocumentSet, tuple[Criterion, ...]] = WeakKeyDictionary()


def _criteria_of(holder: SourceDocument) -> Iterator[Criterion]:
    for path, value in walk(holder.data.get("success_criteria"), ("success_criteria",)):
        area = str(path[1]) if len(path) > 1 and isinstance(path[1], str) else ""
        if isinstance(value, dict) and _is_structured(mapping(value)):
            yield from _structured_criterion(holder, path, mapping(value), area)
        elif isinstance(value, str) and not _is_structured(mapping(_at_path(holder, path[:-1]))):
            for bound in read(value).bounds:
                score = bound.quantity.dimension == "count" and re.search(r"\bscore\b", value, re.IGNORECASE)
                if bound.quantity.dimension not in {"count", "ratio"} or score:
                    yield Criterion(holder, path, value, bound, area)


def _is_structured(members: Mapping[str, object]) -> bool:
    named = any(text(members.get(key)) for key in ("metric", "name", "criterion"))
    return "target" in members or (named and any(True for _ in stated_bounds(members, key_of(""))))


def _structured_criterion(
    holder: SourceDocument, path: Path, members: Mapping[str, object], area: str
) -> Iterator[Criterion]:
    words = ("endpoint", "metric", "name", "criterion")
    named = " ".join(text(members.get(key)) for key in words if text(members.get(key)))
    identity = text(members.get("id")) or named
    where = "target" if "target" in members else next((k for k, _ in stated_bounds(members, key_of(""))), "")
    for bound in bounds_of(members, named):
        said = (named or identity).replace("_", " ")
        shown = f"{said} {bound.compare}{bound.quantity}" if bound.statistic in said.lower() else f"{said} {bound}"
        yield Criterion(holder, (*path, where), shown, bound, area, identity)


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
        hits = [r for d in group for r in reports(d) if r.values and _speaks_of(documents, criterion, r)]
        if hits:
            yield from hits
            return


def relaxations(documents: DocumentSet, criterion: Criterion) -> Iterator[tuple[Bound, Source]]:
    """Yield targets of later documents for the same thing that accept what the criterion refuses."""
    for group in _later(documents, criterion):
        for document in group:
            for reported in reports(document):
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


def _speaks_of(documents: DocumentSet, criterion: Criterion, reported: Reported) -> bool:
    """Tell whether values are about what a criterion is about; in doubt they are not."""
    dimension = criterion.bound.quantity.dimension
    if not any(item.quantity.dimension == dimension for item in (*reported.values, *reported.bounds)):
        return False
    if reported.link and criterion.identity:
        return plain(reported.link) == plain(criterion.identity)
    if _is_of_an_absent_track(documents, criterion, reported) or _is_anothers(documents, criterion, reported):
        return False
    keys = "/".join(str(part) for part in reported.path)
    if re.search(r"coverage|\bcovered\b", criterion.shown, re.IGNORECASE) and dimension == "percent":
        return _coverage_of(documents, criterion, reported, keys)
    if "coverage" in keys.lower():
        return False
    asked = set(mentions(criterion.shown))
    told_endpoint = next(
        (name for part in reported.path if isinstance(part, str) and (name := endpoint_name(part))), None
    ) or next(iter(mentions(reported.words)), None)
    if told_endpoint is None:
        beside = mapping(_at_path(reported.document, reported.path[:-1]))
        told_endpoint = next(
            (
                n
                for k in ("endpoint", "route", "name", "metric", "operation")
                if (n := endpoint_name(text(beside.get(k))))
            ),
            None,
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
    if dimension == "time" and not about and _RESPONSE.search(criterion.shown):
        return bool(SPEAKS_OF_SPEED.search(keys)) and about <= told and not _HOW_LONG_IT_RAN.search(keys)
    return bool(about) and about <= told


# How long a load test or a command went on is no response time.
_HOW_LONG_IT_RAN = re.compile(
    r"(?:\b|_)(?:duration|elapsed|runtime|timeout|argv)(?:_[a-z]+)?(?:/\d+)?\Z", re.IGNORECASE
)


def _is_of_an_absent_track(documents: DocumentSet, criterion: Criterion, reported: Reported) -> bool:
    """Tell whether a criterion is of a planned track that is not among the documents, and the values are another's.

    They are in another track's document, or beside a target of their own.
    """
    own = reported.document.task_id
    elsewhere = own or any(b.quantity.base != criterion.bound.quantity.base for b in reported.bounds)
    if not elsewhere or not criterion.area or _tracks_of(criterion.area, documents):
        return False
    wanted = set(re.findall(r"[a-z0-9]+", criterion.area.lower()))
    return any(wanted <= set(re.findall(r"[a-z0-9]+", name.lower())) for name in documents.absent_tracks)


def _is_anothers(documents: DocumentSet, criterion: Criterion, reported: Reported) -> bool:
    """Tell whether the target beside a value is not this criterion's, but exactly that of another area."""
    if not reported.bounds:
        return False
    targets = {(b.compare, b.quantity.base) for b in reported.bounds}
    mine = (criterion.bound.compare, criterion.bound.quantity.base)
    return mine not in targets and any(
        (other.bound.compare, other.bound.quantity.base) in targets and other.area != criterion.area
        for other in criteria(documents)
    )


def _of_area(documents: DocumentSet, criterion: Criterion, endpoint: tuple[str, str]) -> bool:
    """Tell whether an endpoint can be meant by a criterion of one area: it is not another track's."""
    owners = documents.offered_by.get(endpoint, frozenset[str]())
    fitting = {track.name for track in _tracks_of(criterion.area, documents)}
    return not owners or not fitting or bool(owners & fitting)


def _words_of(reported: Reported) -> frozenset[str]:
    if reported.words:
        return subject(reported.words.replace("/", " ")).stems
    value = _at_path(reported.document, reported.path)
    beside = mapping(_at_path(reported.document, reported.path[:-1]))
    named = " ".join(text(beside.get(key)) for key in ("metric", "name", "endpoint", "operation"))
    return subject(f"{value if isinstance(value, str) else ''} {named}".replace("/", " ")).stems


@lru_cache(maxsize=1_024)
def _coverage_kinds(shown: str) -> frozenset[str]:
    return frozenset(word for word in _COVERAGE_KINDS if re.search(rf"\b{word}\b", shown.lower()))


def _coverage_of(documents: DocumentSet, criterion: Criterion, reported: Reported, keys: str) -> bool:
    last = re.sub(r"_(?:percent|pct)\Z", "", str(reported.path[-1]).lower())
    if "coverage" not in keys.lower() or _DETAIL.search(keys.lower()):
        return False
    if last not in TOTALS and str(reported.path[-1]) not in documents.track:
        return False
    wanted = _coverage_kinds(criterion.shown)
    stated = {word for word in _COVERAGE_KINDS if word in last}
    beside = " ".join(mapping(_at_path(reported.document, reported.path[:-1])))
    if not stated and last in {"total", "percent", "overall", "coverage"}:
        stated = {word for word in _COVERAGE_KINDS if f"{word}_" in beside} or wanted
    plain_lines = not stated and wanted <= {"line", "lines"}
    if (
        not plain_lines
        and {w[:4] for w in wanted} != {w[:4] for w in stated}
        and (wanted or stated - {"line", "lines"})
    ):
        return False
    owner = track_of(documents, reported)
    areas = [criterion.area, *sorted(subject(criterion.shown).stems - _TOPIC)]
    fitting = {track.task_id for area in areas for track in _tracks_of(area, documents)}
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
        matching = _tracks_of(part, documents) if isinstance(part, str) else ()
        if len(matching) == 1:
            return matching[0].task_id
    return ""


def _tracks_of(area: str, documents: DocumentSet) -> tuple[SourceDocument, ...]:
    """Return the tracks whose id or phase has all the words of an area's name."""
    wanted = {stem(word) for word in re.findall(r"[a-z0-9]+", area.lower())} - {"test", "total", "coverag"}
    if not wanted:
        return ()
    named = documents.tracks_by_word
    fewest = min((named.get(word, ()) for word in wanted), key=len)
    return tuple(t for t in fewest if all(t in named[word] for word in wanted))
