"""Where documents state measured values and targets: in prose, in structured members, in tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from contexts.audit.prose.keys import TARGET, bounds_in, key_of, stated_bounds, values_in
from contexts.audit.prose.tables import cells
from contexts.audit.source_document import SourceDocument
from contexts.json.values import Path, mapping, text
from contexts.text.quantities import Bound, Measured, Reading, read, verdict

_SPOKEN_OF = re.compile(
    r"perform|measure|benchmark|latenc|result|metric|coverage|timing|verification|quality|load|slo|target",
    re.IGNORECASE,
)
_WISHES = re.compile(
    r"criteri|require|constraint|decision|pending|scope|scenario|assumption|prerequisite|goal|target", re.IGNORECASE
)
_WORD_OF_TARGET = re.compile(r"\b(?:targets?|goal|budget|threshold|slo|sla|objective)\b", re.IGNORECASE)

_NAMES_TARGET = re.compile("|".join(sorted(TARGET)), re.IGNORECASE)
# A value beside its target takes two numbers, and a sign or word that tells them apart.
_NUMBERS = re.compile(r"\d+")
_COMPARED = re.compile(
    r"[<>≤≥]|\b(?:under|below|less|fewer|most|more|up to|within|over|above|greater|least|targets?|goal|budget|limit"
    r"|threshold|slo|sla|requir|must|should|expected|allowed|criterion|need|objective|ceiling|cap|baseline)",
    re.IGNORECASE,
)


_TABLE = re.compile(r"\|")
_SIGNS = re.compile(r"[<>≤≥]")
_COMPARING = re.compile(
    r"[^a-z0-9_](?:under|below|less|fewer|mo(?:st|re)|up to|within|over|above|greater|least|target|goal|budget|limit"
    r"|threshold|slo|sla|requir|must|should|expected|allowed|criterion|need|objective|ceiling|cap|baseline)"
)


@lru_cache(maxsize=8_192)
def _names_target(key: str) -> bool:
    return _NAMES_TARGET.search(key) is not None


@dataclass(frozen=True, slots=True)
class Pair:
    """A measured value beside its target: where each is, and whether the author calls it met."""

    measured: Measured
    bound: Bound
    at: Path
    bound_at: Path
    ticked: bool | None


def pairs(document: SourceDocument) -> Iterator[Pair]:
    """Yield every measured value that a document puts beside a target."""
    for path, words in document.holding(_TABLE):
        if "\n" in words and _NUMBERS.search(words):
            for cell in cells(words):
                if cell.bound is not None:
                    yield Pair(cell.measured, cell.bound, path, path, cell.ticked)
            for line in words.splitlines():
                if "|" not in line:
                    yield from _prose(path, line)
    for path, words in document.holding(_COMPARING, _SIGNS):
        if "|" not in words or "\n" not in words:
            yield from _prose(path, words)
    for path, members in document.objects_with(_names_target):
        yield from _structured(path, members)
        yield from _objects_of_target(path, members)
        yield from _twins(path, members)


def _prose(path: Path, words: str) -> Iterator[Pair]:
    if len(_NUMBERS.findall(words)) < 2 or not _COMPARED.search(words):
        return  # reading every sentence to the end is what would take the time
    reading = read(words)
    if not reading.measured or not reading.bounds:
        return
    keys = " ".join(str(part) for part in path)
    told = reading.ticked is not None or _WORD_OF_TARGET.search(words) or any(m.statistic for m in reading.measured)
    if not told and not _SPOKEN_OF.search(keys):
        return
    if _WISHES.search(keys) and reading.ticked is None:
        return
    for bound, measured in matched(reading):
        yield Pair(measured, bound, path, path, reading.ticked)


def matched(reading: Reading) -> Iterator[tuple[Bound, Measured]]:
    """Put each target of a text with the value it is meant for: the nearest before it, else the nearest after it."""
    last = 0
    for index, bound in enumerate(reading.bounds):
        start = bound.quantity.start
        following = reading.bounds[index + 1].quantity.start if index + 1 < len(reading.bounds) else 10**9
        same = [m for m in reading.measured if m.quantity.dimension == bound.quantity.dimension]
        before = [m for m in same if last <= m.quantity.start < start]
        after = [m for m in same if start < m.quantity.start < following]
        chosen = choose(before, bound) or choose(after, bound)
        last = bound.quantity.end
        if chosen is not None:
            yield bound, chosen


def choose(values: Sequence[Measured], bound: Bound) -> Measured | None:
    """Return the value a target speaks of: its own statistic, else the highest percentile, else the only value."""
    if bound.statistic:
        exact = [m for m in values if m.statistic == bound.statistic]
        bare = [m for m in values if not m.statistic]
        return (exact or (bare if len(values) == 1 else []) or [None])[0]
    percentiles = [m for m in values if m.statistic[:1] == "p"]
    if percentiles:
        return max(percentiles, key=lambda m: float(m.statistic[1:]))
    usual = [m for m in values if m.statistic not in {"max", "min"}]
    return (usual or list(values) or [None])[-1]


def _structured(path: Path, members: Mapping[str, object]) -> Iterator[Pair]:
    """Read objects that hold a target member beside measured ones."""
    keys = {name: key_of(name) for name, value in members.items() if isinstance(value, str | int | float)}
    targets = [
        (name, key) for name, key in keys.items() if key.kind == "target" and not isinstance(members[name], bool)
    ]
    if not targets:
        return
    context = " ".join([*(str(part) for part in path), text(members.get("metric")), text(members.get("name"))])
    unit = text(members.get("unit"))
    ticked = verdict(f"{text(members.get('status'))} {text(members.get('result'))}")
    for name in ("met", "passed", "ok"):
        said = members.get(name)
        ticked = said if isinstance(said, bool) else ticked
    for name, key in targets:
        for bound in bounds_in(
            members[name], key, unit, f"{context} {name}", text(members.get("operator")) or text(members.get("op"))
        ):
            values = [
                (other, value)
                for other, its in keys.items()
                if other != name
                and (
                    its.kind == "measured"
                    or (its.statistic and not its.kind)
                    or (key.noun and its.noun == key.noun and not its.kind)
                )
                for value in values_in(members[other], its, unit or (key.unit if not its.unit else ""))
                if value.quantity.dimension == bound.quantity.dimension
                and (not key.noun or not its.noun or its.noun == key.noun)
            ]
            chosen = choose([value for _, value in values], bound)
            if chosen is not None:
                where = next(other for other, value in values if value is chosen)
                yield Pair(chosen, bound, (*path, where), (*path, name), ticked)


def _objects_of_target(path: Path, members: Mapping[str, object]) -> Iterator[Pair]:
    """Read ``{"p95_ms": 71, "target": {"metric": "p95_ms", "op": "<", "value": 60}}``."""
    for name, raw in members.items():
        if not isinstance(raw, dict) or key_of(name).kind != "target":
            continue
        metric = text(mapping(raw).get("metric"))
        figures = [k for k, v in members.items() if isinstance(v, int | float) and not isinstance(v, bool)]
        chosen = [metric] if metric in members else [k for k in figures if key_of(k) == key_of(metric)]
        chosen = chosen or (figures if not metric else [])
        if len(chosen) != 1:
            continue  # which of several figures is meant, is for their author to say
        for where, bound in stated_bounds(mapping(raw), key_of(metric or chosen[0])):
            for value in values_in(members[chosen[0]], key_of(chosen[0]), ""):
                if value.quantity.dimension == bound.quantity.dimension:
                    yield Pair(value, bound, (*path, chosen[0]), (*path, name, where), None)


def _twins(path: Path, members: Mapping[str, object]) -> Iterator[Pair]:
    """Read ``{"targets": {"p95_ms": 200}, "measured": {"p95_ms": 220}}``."""
    targets = [
        (name, mapping(value))
        for name, value in members.items()
        if isinstance(value, dict) and key_of(name).kind == "target"
    ]
    measured = [
        (name, mapping(value))
        for name, value in members.items()
        if isinstance(value, dict) and key_of(name).kind == "measured"
    ]
    for target_name, wanted in targets:
        for measured_name, had in measured:
            for name in wanted.keys() & had.keys():
                key, context = key_of(name), f"{' '.join(map(str, path))} {name}"
                for bound in bounds_in(wanted[name], key, "", context, ""):
                    values = [
                        v for v in values_in(had[name], key, "") if v.quantity.dimension == bound.quantity.dimension
                    ]
                    chosen = choose(values, bound)
                    if chosen is not None:
                        yield Pair(chosen, bound, (*path, measured_name, name), (*path, target_name, name), None)
