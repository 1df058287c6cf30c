"""What people decided on findings, checks and concerns, and which side of a settled concern holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contexts.documents.context import Context
from contexts.documents.findings import Waived
from contexts.documents.merged import Concern
from contexts.documents.merged import Settled as Choice
from contexts.documents.verification import WaiverEntry
from tasks.report.text import instant, moment, plain
from tasks.report.values import Decision, Status, status

_MOST_BEFORE = 20


def decision(made: Waived | WaiverEntry | Choice) -> Decision:
    """Return a waiver or settlement as texts."""
    return Decision(
        by=plain(made.by, 80) or "an unnamed person",
        why=plain(made.why, 1_000) or "no reason is recorded",
        at=moment(instant(made.timestamp)),
        choice=plain(made.choice, 1_000) if isinstance(made, Choice) else "",
    )


def waived_badge(made: Decision) -> Status:
    """Return the status of what a person accepted as it is."""
    return Status(f"waived by {made.by}: {made.why}", "warn")


def check_waivers(context: Context) -> Mapping[str, Decision]:
    """Return who accepts the failure of which check; the last word counts."""
    given = [one for one in context.waivers or () if one.kind in {None, "check"}]
    return {plain(one.target, 120): decision(one) for one in given}


def settlement(concern: Concern) -> tuple[Decision | None, tuple[Decision, ...]]:
    """Return how a concern is settled, and the settlements that this one superseded, oldest first."""
    if concern.status != "settled":
        return None, ()
    before = tuple(decision(one) for one in (concern.settled_before or [])[-_MOST_BEFORE:])
    return decision(concern.settlement) if concern.settlement else None, before


def sides(concern: Concern) -> Sequence[Status | None]:
    """Return what became of each source of a concern: chosen, or superseded by the choice.

    A choice in other words than those of any side names no winner; then nothing is said of either.
    """
    sources = concern.sources or []
    made, _ = settlement(concern)
    if made is None:
        return [None for _ in sources]
    choice = _same(made.choice)
    held = [choice in {_same(one.quote), (name := _same(one.document)), f"{name}'s"} - {""} for one in sources]
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


def settled_items(context: Context) -> Mapping[str, Settled]:
    """Return what settlements make of merged items, by source as provenance names it (``task_id#/pointer``)."""
    found: dict[str, Settled] = {}
    for concern in context.integration_concerns or ():
        made, _ = settlement(concern)
        if made is None:
            continue
        by = f"{made.by}: {made.why}"
        for source, side in zip(concern.sources or (), sides(concern), strict=True):
            place = f"{source.document}#{source.pointer}"
            if side and side.word == "superseded":
                found[place] = Settled(side, f"Superseded by the settlement on {made.choice}, by {by}")
            elif side:
                found[place] = Settled(side, f"Chosen by {by}")
            else:
                found[place] = Settled(status("settled"), f"Contradicted; settled as {made.choice}, by {by}")
    return found
