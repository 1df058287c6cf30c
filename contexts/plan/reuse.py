"""Which tracks a run reuses and which it runs, and why: decided from the store alone, before anything starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from contexts.documents.context import Context
from contexts.errors import SpecError
from contexts.plan.graph import all_needs, topological_order
from contexts.plan.inputs_digest import Inputs
from contexts.spec.model import Spec, Track

_NEEDS = "prerequisites"
"""The part of a track's inputs that says what its prerequisites came to."""


@dataclass(frozen=True, slots=True)
class Reuse:
    """What a run does with one track.

    Attributes:
        action: ``reuse`` the stored result, or ``run`` the agent.
        reason: Why, in words.
        result: Result digest of a reused track.
        conditional: It runs only if a prerequisite that runs comes to another result than before; else it is reused.
    """

    task_id: str
    action: Literal["reuse", "run"]
    reason: str
    result: str | None = None
    conditional: bool = False


def judge_track(context: Context | None, inputs: Inputs, *, forced: bool, undecided: Sequence[str] = ()) -> Reuse:
    """Return what to do with a track.

    Args:
        context: The newest revision of its document, None if it was never saved.
        inputs: What decides its result now.
        forced: Whether the user asked to run it again.
        undecided: Prerequisites that run first, so that what they contribute to the inputs is not known yet.
    """
    if context is None:
        return Reuse("", "run", "it has not run yet")
    task_id, execution, status = str(context.task_id), context.execution, context.status
    if forced:
        return Reuse(task_id, "run", "you asked for it")
    before: Mapping[str, str] = (execution.parts if execution else None) or {}
    if undecided and status == "completed" and _alike(before, inputs.parts):
        reason = f"needs {', '.join(undecided)}, which runs; reused after all if the result is the same"
        return Reuse(task_id, "run", reason, conditional=True)
    if undecided and not _alike(before, inputs.parts):
        return Reuse(task_id, "run", _what_changed(before, {**inputs.parts, _NEEDS: before.get(_NEEDS, "")}))
    if not undecided and (execution is None or execution.inputs != inputs.digest):
        return Reuse(task_id, "run", _what_changed(before, inputs.parts))
    if status == "completed":
        return Reuse(task_id, "reuse", "completed with the same inputs", execution.result if execution else None)
    if status == "running":
        return Reuse(task_id, "run", "it was interrupted")
    reason = (execution.reason if execution else None) or "no reason given"
    return Reuse(task_id, "run", f"its last attempt {status}: {reason}")


def _alike(before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Say whether everything but the prerequisites' results is as it was."""
    return {**before, _NEEDS: ""} == {**after, _NEEDS: ""}


def _what_changed(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    changed = [name for name in after if before.get(name) != after[name]]
    return f"changed since it ran: {', '.join(changed)}" if before and changed else "its inputs changed since it ran"


def decide_reuse(
    spec: Spec,
    documents: Mapping[str, Context],
    inputs_of: Callable[[Track, Mapping[str, str]], Inputs],
    forced: frozenset[str] = frozenset(),
    kept: Mapping[str, Sequence[Context]] | None = None,
) -> tuple[Reuse, ...]:
    """Return what a run would do with every track, in spec order.

    Args:
        spec: The spec.
        documents: Newest revisions of the tracks' documents, by task_id.
        inputs_of: Gives a track's inputs from the result digests of its transitive prerequisites.
        forced: Tracks the user asked to run again.
        kept: Documents that wait in the outbox of this machine, by task_id.
    """
    decided: dict[str, Reuse] = {}
    tracks = {track.task_id: track for track in spec.parallel_tasks}
    standing_on = all_needs(spec)
    for task_id in topological_order(spec):
        needs = standing_on[task_id]
        waiting = [need for need in needs if decided[need].action == "run"]
        try:
            inputs = inputs_of(tracks[task_id], {need: str(decided[need].result) for need in needs})
        except SpecError as error:  # nothing is declared for it yet: an error when it is to run, not when planning
            decided[task_id] = Reuse(task_id, "run", error.message)
            continue
        one = judge_track(documents.get(task_id), inputs, forced=task_id in forced, undecided=waiting)
        if one.action == "run" and task_id not in forced:
            one = _from_outbox(one, (kept or {}).get(task_id, ()), inputs, waiting)
        decided[task_id] = replace(one, task_id=task_id)
    return tuple(decided[task_id] for task_id in tracks)


def _from_outbox(stored: Reuse, kept: Sequence[Context], inputs: Inputs, undecided: Sequence[str]) -> Reuse:
    """Return what to do with a track of which the store alone makes nothing, but perhaps the outbox does."""
    for context in kept:
        one = judge_track(context, inputs, forced=False, undecided=undecided)
        if one.action == "reuse" or (one.conditional and not stored.conditional):
            return replace(one, reason=f"{one.reason}; saved from the outbox")
    if kept and not stored.conditional:
        return replace(
            stored, reason=f"{stored.reason}; what the outbox here holds of it is not completed at these inputs"
        )
    return stored
