"""A person's rulings: saved and told, and asked for on a terminal at the end of a run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from contexts.documents.context import Context
    from contexts.store.contexts import ContextStore
    from contexts.verification.rulings import Answer
    from flows.cli.session import Session

BRIEF = {"document", "revision", "sha256"}
"""What is told of the context a ruling is in."""


def save_ruling(
    store: ContextStore,
    workflow_id: str,
    change: Callable[[Context, str], Context],
    session: Session,
    kind: Literal["waiver", "settlement", "approval"],
) -> int:
    """Save a ruling and say where it is."""
    from contexts.documents.verification import SettlementEntry
    from contexts.verification.rulings import superseded_by
    from contexts.verification.save_ruling import amend

    ref = amend(store, workflow_id, change)
    context = store.load_context(ref)
    kept = {"waiver": context.waivers, "settlement": context.settlements, "approval": context.approvals}[kind]
    made = (kept or [])[-1]
    before = superseded_by(context, made) if isinstance(made, SettlementEntry) else None
    if session.as_json:
        more = {"supersedes": before.to_json()} if before else {}
        brief = ref.model_dump(include=BRIEF)
        session.emit({"workflow_id": workflow_id, "context": brief, kind: made.to_json(), **more})
        return 0
    console = session.out()
    console.print(f"saved {ref}", markup=False, soft_wrap=True)
    if before:
        said = f"this supersedes the choice {before.choice!r} of {before.by}, which stays on record"
        console.print(said, markup=False, soft_wrap=True)
    numbers = f"{ref.revision - 1} {ref.revision}"
    hint = f"`plait diff {workflow_id} {numbers}` shows it; `plait resume {workflow_id}` honours it"
    console.print(hint, markup=False, soft_wrap=True)
    return 0


def ask_here(session: Session, workflow_id: str) -> bool:
    """Ask on the terminal what a gate waits for, and save the answer; false where nobody is there to be asked."""
    if session.as_json or not sys.stdin.isatty() or not sys.stdout.isatty():
        return False
    from rich.prompt import Confirm, Prompt

    from contexts.verification.rulings import answer_gate, check_ticks, tick
    from contexts.verification.save_ruling import amend

    store = session.contexts()
    production = store.require(workflow_id).context.production
    if production is None:
        return False
    gate = str(production.gate)
    console = session.out()
    console.print()
    console.print(f"Gate {gate} of {workflow_id}: {production.status}", markup=False)
    for one in production.known:
        console.print(f"  {one.status:<8}{one.text}  {one.reason or one.by or ''}", markup=False, soft_wrap=True)
    pending = [one for one in production.known if one.status == "pending"]
    answers: tuple[Answer, ...] = ("rerun", "done", "reject") if production.evidence else ("approve", "reject")
    try:
        decision = Prompt.ask("Decision", console=console, choices=[*answers, "later"], default="later")
        if decision == "later":
            return False
        answer: Answer = next(one for one in answers if one == decision)
        by = _answer("Who decides", session)
        note = _answer("Note", session)
        asked = pending if answer == "approve" else []
        ticked = [one.id for one in asked if Confirm.ask(f"Does it hold: {one.text}", console=console, default=False)]
    except EOFError:
        return False

    def change(newest: Context, at: str) -> Context:
        if answer == "approve" and check_ticks(production, ticked):
            return tick(newest, gate, by=by, note=note, at=at, ticked=ticked)
        return answer_gate(newest, gate, answer=answer, by=by, note=note, at=at, ticked=ticked)

    ref = amend(store, workflow_id, change)
    console.print(f"saved {ref}", markup=False)
    if answer == "approve" and len(ticked) < len(asked):
        console.print("not everything is ticked, so the gate stays closed", markup=False)
        return False
    return True


def _answer(question: str, session: Session) -> str:
    from rich.prompt import Prompt

    while True:
        given = Prompt.ask(question, console=session.out())
        if given and given.strip():
            return given.strip()
