"""The lists of a report: merged items with their sources, concerns, findings, criteria, numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from contexts.documents.context import Context
from contexts.documents.findings import Finding, Source
from contexts.documents.merged import Concern
from contexts.documents.parts import Decision, DecisionRecord, PendingAction
from contexts.documents.verification import ComparedClaim, CriterionResult
from contexts.json.values import items, mapping
from tasks.report.bounds import listed
from tasks.report.data import ClaimRow, CriterionRow, Matter, Measure, Quote, Sourced
from tasks.report.rulings import Settled, decision, settled_items, settlement, sides, waived_badge
from tasks.report.text import plain
from tasks.report.values import Listed, Status, status

_SEVERITY = {"blocking": 0, "waived": 1, "warning": 2, "note": 3}
_MEASURES = {
    "sequential_sum": "Tracks one after another",
    "tracks_wall": "Tracks side by side",
    "critical_path": "Critical path",
    "speedup": "Speedup",
    "efficiency": "Efficiency",
    "saved": "Saved",
}
_CLAIMED = {True: Status("agrees", "good"), False: Status("differs", "warn"), None: Status("claimed")}
_STATUS = {"unmet": 0, "unverified": 1, "waived": 2, "met": 3}


def merged_list(context: Context, name: Literal["decisions", "pending_actions"]) -> Listed[Sourced]:
    """Return a merged list, each item with where it came from."""
    given: Sequence[Decision | PendingAction] = (
        context.decisions if name == "decisions" else context.pending_actions
    ) or ()
    sources = (context.provenance or {}).get(name, [])
    paired = [(one, sources[place] if place < len(sources) else []) for place, one in enumerate(given)]
    left_out = context.left_out or {}
    settled: Mapping[str, Settled] = settled_items(context) if name == "decisions" else {}

    def make(pair: tuple[Decision | PendingAction, Sequence[str]]) -> Sourced:
        made = _sourced(*pair)
        what = next((settled[one] for one in pair[1] if one in settled), None)
        if what:
            return replace(made, status=what.status, note=what.note)
        gone = sorted({one.partition("#")[0] for one in pair[1]} & left_out.keys()) if name == "decisions" else []
        if gone:
            said = f"The branch of track {plain(gone[0], 80)} was left out; the merged tree does not hold it"
            return replace(made, status=Status("left out", "warn"), note=said)
        return made

    return listed(paired, make, most=2_500, budget=900_000)


def _sourced(item: Decision | PendingAction, sources: Sequence[str]) -> Sourced:
    said = tuple(plain(one, 200) for one in sources[:8])
    if isinstance(item, str):
        return Sourced(item, "", None, said)
    if isinstance(item, DecisionRecord):
        return Sourced(f"{plain(item.topic)}: {plain(item.choice)}", plain(item.rationale), None, said)
    subject = plain(item.subject)
    word = plain(item.status, 80)
    text = plain(item.action) + (f": {subject}" if subject else "")
    return Sourced(text, "", status(word) if word else None, said)


def concerns(context: Context) -> Listed[Matter]:
    """Return what the merge could not settle alone."""
    return listed(context.integration_concerns or [], _concern, most=1_000, budget=400_000)


def _concern(one: Concern) -> Matter:
    kind = plain(one.kind, 80)
    made, before = settlement(one)
    quotes = _quotes(one.sources)
    return Matter(
        kind.replace("-", " "),
        status(plain(one.status, 80) or "open"),
        plain(one.concern),
        _texts(one.tracks),
        _texts(one.files),
        tuple(replace(quote, status=side) for quote, side in zip(quotes, sides(one), strict=False)),
        decision=made,
        before=before,
    )


def findings(context: Context) -> Listed[Matter]:
    """Return what the audit says is wrong: what blocks, what would but is waived, then the rest."""
    ordered = sorted(context.findings or (), key=lambda one: _SEVERITY["waived" if one.waived else one.severity])
    return listed(ordered, _finding, most=1_000, budget=500_000)


def _finding(one: Finding) -> Matter:
    severity = plain(one.severity, 80)
    made = decision(one.waived) if one.waived else None
    return Matter(
        plain(one.rule, 120),
        waived_badge(made) if made else status(severity),
        plain(one.message),
        (),
        (),
        _quotes(one.sources),
        severity=severity if made else "",
        decision=made,
    )


def _quotes(sources: Sequence[Source] | None) -> tuple[Quote, ...]:
    return tuple(
        Quote(plain(one.document, 200), plain(one.pointer, 300), plain(one.quote, 1_000))
        for one in (sources or ())[:12]
    )


def _texts(given: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(plain(one, 200) for one in (given or ())[:20])


def criteria(context: Context) -> Listed[CriterionRow]:
    """Return how every success criterion ended, those that are not met first."""
    ordered = sorted(context.criteria or (), key=lambda one: _STATUS[one.status])
    return listed(ordered, _criterion, most=1_000, budget=400_000)


def _criterion(one: CriterionResult) -> CriterionRow:
    return CriterionRow(
        name=plain(one.id, 120),
        area=plain(one.area, 120),
        text=plain(one.text),
        required=one.required,
        status=status(plain(one.status, 80)),
        reason=plain(one.reason),
        evidence=_texts(one.evidence),
    )


def claims(context: Context) -> Listed[ClaimRow]:
    """Return what agents claimed of tests and coverage beside what evidence shows, differences first."""
    ordered = sorted(context.compared_claims or (), key=lambda one: one.agrees is not False)
    return listed(ordered, _claim, most=1_000, budget=200_000)


def _claim(one: ComparedClaim) -> ClaimRow:
    return ClaimRow(
        task_id=plain(one.task_id, 80),
        about=plain(" ".join(part for part in (one.check, one.file, one.figure) if part), 300),
        claimed=f"{one.claimed:g}",
        shown="" if one.shown is None else f"{one.shown:g}",
        status=_CLAIMED[one.agrees],
    )


def measures(context: Context) -> tuple[Measure, ...]:
    """Return the numbers that compare the run with doing its tracks one after another, where they were computed."""
    given = map(
        mapping, items((context.metrics or {}).get("metrics"))
    )  # documents from elsewhere have metrics of theirs
    computed = {plain(one.get("name"), 80): one for one in given}
    return tuple(
        Measure(label, plain(one.get("display"), 80), plain(one.get("formula"), 500), plain(one.get("note"), 500))
        for name, label in _MEASURES.items()
        if (one := computed.get(name))
    )
