"""`plait approve`, and the same questions on a terminal at the end of a run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from flows.cli.commands.edit import save_ruling
from flows.cli.session import Given

if TYPE_CHECKING:
    from contexts.documents.context import Context
    from contexts.verification.rulings import Answer
    from flows.cli.session import Session


def _flag(text: str) -> Parameter:
    return Parameter(negative="", show_default=False, help=text)


def approve(
    workflow_id: str,
    gate: str,
    /,
    *,
    by: Annotated[str, Parameter(help="Who decides.")],
    note: Annotated[str, Parameter(help="What is to be remembered with the ruling; the reason, for --reject.")] = "",
    tick: Annotated[
        tuple[str, ...],
        Parameter(negative="", show_default=False, help="A manual prerequisite that holds; repeatable."),
    ] = (),
    reject: Annotated[bool, _flag("Say no.")] = False,
    rerun: Annotated[bool, _flag("Run a production command again whose end is not known, or that failed.")] = False,
    done: Annotated[bool, _flag("Say that it is deployed after all.")] = False,
    session: Given,
) -> int:
    """Answer at a gate; the next run goes on from there.

    Args:
        workflow_id: The workflow.
        gate: The gate, as the run named it.
    """
    from contexts.errors import InputError
    from contexts.verification.rulings import answer_gate
    from flows.cli.lookup import revisions_of

    given: dict[Answer, bool] = {"reject": reject, "rerun": rerun, "done": done}
    chosen: list[Answer] = [answer for answer in given if given[answer]]
    if len(chosen) > 1:
        raise InputError(f"--{chosen[0]} and --{chosen[1]} contradict each other: give one")
    store = session.contexts()
    revisions_of(store, workflow_id)

    def change(context: Context, at: str) -> Context:
        answer: Answer = chosen[0] if chosen else "approve"
        return answer_gate(context, gate, answer=answer, by=by, note=note, at=at, ticked=tick)

    return save_ruling(store, workflow_id, change, session, "approval")


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
