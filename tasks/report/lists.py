"""The lists of a report: merged items with their sources, concerns, findings, criteria, numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from contexts.documents.base import JsonObject
from contexts.json.values import items, mapping
from tasks.report.bounds import listed
from tasks.report.data import CriterionRow, Matter, Measure, Quote, Sourced
from tasks.report.decided import Settled, decision, settled_items, settlement, sides, waived_badge
from tasks.report.text import plain
from tasks.report.values import Listed, status

_SEVERITY = {"blocking": 0, "waived": 1, "warning": 2, "note": 3}
_MEASURES = {
    "sequential_sum": "Tracks one after another",
    "tracks_wall": "Tracks side by side",
    "critical_path": "Critical path",
    "speedup": "Speedup",
    "efficiency": "Efficiency",
    "saved": "Saved",
}
_STATUS = {"unmet": 0, "unverified": 1, "waived": 2, "met": 3}


def merged_list(document: JsonObject, name: str) -> Listed[Sourced]:
    """Return a merged list (``decisions``, ``pending_actions``), each item with where it came from."""
    given = items(document.get(name))
    sources = items(mapping(document.get("provenance")).get(name))
    paired = [(one, sources[place] if place < len(sources) else None) for place, one in enumerate(given)]
    settled: Mapping[str, Settled] = settled_items(document) if name == "decisions" else {}

    def make(pair: tuple[Any, Any]) -> Sourced:
        made = _sourced(pair[0], items(pair[1]))
        what = next((settled[str(one)] for one in items(pair[1]) if str(one) in settled), None)
        return replace(made, status=what.status, note=what.note) if what else made

    return listed(paired, make, most=2_500, budget=900_000)


def _sourced(item: Any, sources: Sequence[Any]) -> Sourced:
    said = tuple(plain(one, 200) for one in sources[:8])
    if isinstance(item, str):
        return Sourced(item, "", None, said)
    one = mapping(item)
    if "topic" in one:
        return Sourced(f"{plain(one['topic'])}: {plain(one.get('choice'))}", plain(one.get("rationale")), None, said)
    if "action" in one:
        subject = plain(one.get("subject"))
        word = plain(one.get("status"), 80)
        text = plain(one["action"]) + (f": {subject}" if subject else "")
        return Sourced(text, "", status(word) if word else None, said)
    return Sourced(plain(item), "", None, said)


def concerns(document: JsonObject) -> Listed[Matter]:
    """Return what the merge could not settle alone."""
    return listed(items(document.get("integration_concerns")), _concern, most=1_000, budget=400_000)


def _concern(item: Any) -> Matter:
    one = mapping(item) or {"concern": item}
    kind = plain(one.get("kind"), 80)
    made, before = settlement(one)
    quotes = _quotes(one.get("sources"))
    return Matter(
        kind.replace("-", " "),
        status(plain(one.get("status"), 80) or "open"),
        plain(one.get("concern")),
        _texts(one.get("tracks")),
        _texts(one.get("files")),
        tuple(replace(quote, status=side) for quote, side in zip(quotes, sides(one), strict=False)),
        decision=made,
        before=before,
    )


def findings(document: JsonObject) -> Listed[Matter]:
    """Return what the audit says is wrong: what blocks, what would but is waived, then the rest."""
    given = [mapping(one) for one in items(document.get("findings"))]
    ordered = sorted(
        given, key=lambda one: _SEVERITY.get("waived" if one.get("waived") else plain(one.get("severity")), 4)
    )
    return listed(ordered, _finding, most=1_000, budget=500_000)


def _finding(one: JsonObject) -> Matter:
    severity = plain(one.get("severity"), 80)
    made = decision(one.get("waived"))
    return Matter(
        plain(one.get("rule"), 120),
        waived_badge(made) if made else status(severity),
        plain(one.get("message")),
        (),
        (),
        _quotes(one.get("sources")),
        severity=severity if made else "",
        decision=made,
    )


def _quotes(value: Any) -> tuple[Quote, ...]:
    return tuple(
        Quote(plain(one.get("document"), 200), plain(one.get("pointer"), 300), plain(one.get("quote"), 1_000))
        for one in map(mapping, items(value)[:12])
    )


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(plain(one, 200) for one in items(value)[:20])


def criteria(document: JsonObject) -> Listed[CriterionRow]:
    """Return how every success criterion ended, those that are not met first."""
    given = [mapping(one) for one in items(document.get("criteria"))]
    ordered = sorted(given, key=lambda one: _STATUS.get(plain(one.get("status")), 1))
    return listed(ordered, _criterion, most=1_000, budget=400_000)


def _criterion(one: JsonObject) -> CriterionRow:
    return CriterionRow(
        name=plain(one.get("id"), 120),
        area=plain(one.get("area"), 120),
        text=plain(one.get("text")),
        required=one.get("required") is not False,
        status=status(plain(one.get("status"), 80)),
        reason=plain(one.get("reason")),
        evidence=_texts(one.get("evidence")),
    )


def measures(document: JsonObject) -> tuple[Measure, ...]:
    """Return the numbers that compare the run with doing its tracks one after another, where they were computed."""
    computed = {
        plain(one.get("name"), 80): one for one in map(mapping, items(mapping(document.get("metrics")).get("metrics")))
    }
    return tuple(
        Measure(label, plain(one.get("display"), 80), plain(one.get("formula"), 500), plain(one.get("note"), 500))
        for name, label in _MEASURES.items()
        if (one := computed.get(name))
    )
