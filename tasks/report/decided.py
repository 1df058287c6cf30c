"""What people decided on findings, checks and concerns, and which side of a settled concern holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contexts.documents.base import JsonObject
from contexts.json.values import items, mapping
from tasks.report.text import instant, moment, plain
from tasks.report.values import Decision, Status, status

_MOST_BEFORE = 20


def decision(value: Any) -> Decision | None:
    """Return a waiver or settlement as documents have it, None where there is none."""
    if not value:
        return None
    one = mapping(value)
    return Decision(
        by=plain(one.get("by"), 80) or "an unnamed person",
        why=plain(one.get("why"), 1_000) or "no reason is recorded",
        at=moment(instant(one.get("timestamp"))),
        choice=plain(one.get("choice"), 1_000),
    )


def waived_badge(made: Decision) -> Status:
    """Return the status of what a person accepted as it is."""
    return Status(f"waived by {made.by}: {made.why}", "warn")


def check_waivers(document: JsonObject) -> Mapping[str, Decision]:
    """Return who accepts the failure of which check; the last word counts."""
    given = [mapping(one) for one in items(document.get("waivers"))]
    made = {plain(one.get("target"), 120): decision(one) for one in given if one.get("kind", "check") == "check"}
    return {name: one for name, one in made.items() if one}


def settlement(concern: JsonObject) -> tuple[Decision | None, tuple[Decision, ...]]:
    """Return how a concern is settled, and the settlements that this one superseded, oldest first."""
    if concern.get("status") != "settled":
        return None, ()
    before = [decision(one) for one in items(concern.get("settled_before"))[-_MOST_BEFORE:]]
    return decision(concern.get("settlement")), tuple(one for one in before if one)


def sides(concern: JsonObject) -> Sequence[Status | None]:
    """Return what became of each source of a concern: chosen, or superseded by the choice.

    A choice in other words than those of any side names no winner; then nothing is said of either.
    """
    sources = [mapping(one) for one in items(concern.get("sources"))]
    made, _ = settlement(concern)
    if made is None:
        return [None for _ in sources]
    choice = _same(made.choice)
    held = [
        choice in {_same(str(one.get("quote"))), (name := _same(str(one.get("document")))), f"{name}'s"} - {""}
        for one in sources
    ]
    if not any(held) or all(held):
        return [None for _ in sources]
    return [status("chosen" if holds else "superseded") for holds in held]


def _same(text: str) -> str:
    return " ".join(text.casefold().split())


@dataclass(frozen=True, slots=True)
class Settled:
    """What a settlement makes of one merged item."""

    status: Status
    note: str


def settled_items(document: JsonObject) -> Mapping[str, Settled]:
    """Return what settlements make of merged items, by source as provenance names it (``task_id#/pointer``)."""
    found: dict[str, Settled] = {}
    for concern in map(mapping, items(document.get("integration_concerns"))):
        made, _ = settlement(concern)
        if made is None:
            continue
        by = f"{made.by}: {made.why}"
        for source, side in zip(map(mapping, items(concern.get("sources"))), sides(concern), strict=True):
            place = f"{source.get('document')}#{source.get('pointer')}"
            if side and side.word == "superseded":
                found[place] = Settled(side, f"Superseded by the settlement on {made.choice}, by {by}")
            elif side:
                found[place] = Settled(side, f"Chosen by {by}")
            else:
                found[place] = Settled(status("settled"), f"Contradicted; settled as {made.choice}, by {by}")
    return found
