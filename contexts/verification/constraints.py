"""The spec's constraints on decisions: which choices of a topic are allowed, or forbidden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from contexts.documents.context import Context
from contexts.documents.findings import Doubt, Source
from contexts.documents.parts import DecisionRecord
from contexts.spec.constraints import Constraint
from contexts.store.keys import TRACKS
from contexts.text.ellipsis import brief
from contexts.text.plural import first_of


def against_constraints(tracks: Mapping[str, Context], constraints: Sequence[Constraint]) -> list[Doubt]:
    """Return a warning for every decision that a constraint does not allow.

    Args:
        tracks: Documents of the tracks, by task_id.
        constraints: The spec's.
    """
    return [
        Doubt(
            rule="decisions/constraint",
            severity="warning",
            message=f"track {task_id} chose {brief(one.choice, 80)!r} for {one.topic!r}, {_wanted(constraint)}",
            sources=(Source(document=f"{TRACKS}{task_id}", pointer=f"/decisions/{index}/choice", quote=one.choice),),
        )
        for task_id, document in tracks.items()
        for index, one in enumerate(document.decisions or ())
        if isinstance(one, DecisionRecord)
        for constraint in constraints
        if constraint.refuses(one.topic, one.choice)
    ]


def _wanted(constraint: Constraint) -> str:
    if constraint.allow is not None:
        return f"and the spec allows {first_of(list(constraint.allow), 8)}"
    return "and the spec forbids it"
