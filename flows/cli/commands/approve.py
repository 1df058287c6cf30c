"""`plait approve`: a person's answer at a gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from flows.cli.rulings import save_ruling
from flows.cli.session import Given

if TYPE_CHECKING:
    from contexts.documents.context import Context
    from contexts.verification.rulings import Answer


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
