"""`plait edit`: a person's rulings on what a run left open, each saved as a revision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from flows.cli.rulings import BRIEF, save_ruling
from flows.cli.session import Given

if TYPE_CHECKING:
    from contexts.documents.context import Context
    from contexts.store.contexts import ContextStore
    from flows.cli.session import Session

_By = Annotated[str, Parameter(help="Who decides.")]
_Why = Annotated[str, Parameter(help="The reason, to be read later.")]


def edit(
    workflow_id: str,
    what: Annotated[str, Parameter(help="list, waive or settle.")] = "list",
    target: Annotated[str | None, Parameter(help="What it is about, by the name `list` shows.")] = None,
    /,
    *,
    by: _By = "",
    why: _Why = "",
    choice: Annotated[str, Parameter(help="What shall hold, for settle.")] = "",
    every: Annotated[
        bool, Parameter(name="--all", negative="", show_default=False, help="Waive every finding the name fits.")
    ] = False,
    session: Given,
) -> int:
    """List what is open or settled and its names; waive a criterion, check or finding; settle a concern.

    Args:
        workflow_id: The workflow.
    """
    from contexts.errors import InputError
    from contexts.verification.rulings import settle, waive
    from flows.cli.lookup import revisions_of

    store = session.contexts()
    revisions_of(store, workflow_id)
    if what == "list":
        return _list(store, workflow_id, session)
    if what not in {"waive", "settle"}:
        raise InputError(f"`plait edit {workflow_id}` takes list, waive or settle, not {what!r}")
    if target is None:
        raise InputError(f"say what to {what}: `plait edit {workflow_id} list` shows what is open and its names")
    name = target

    def change(context: Context, at: str) -> Context:
        if what == "waive":
            return waive(context, name, by=by, why=why, at=at, every=every)
        return settle(context, name, by=by, choice=choice, why=why, at=at)

    return save_ruling(store, workflow_id, change, session, "waiver" if what == "waive" else "settlement")


def _list(store: ContextStore, workflow_id: str, session: Session) -> int:
    from contexts.verification.open_items import all_items, open_items
    from contexts.verification.rulings import said_of

    newest = store.require(workflow_id)
    ref, context = newest.ref, newest.context
    items = open_items(context)
    settled = [one for one in all_items(context) if one.status == "settled"]
    if session.as_json:
        told = [[one.listed(said_of(context, one)).to_json() for one in group] for group in (items, settled)]
        brief = ref.model_dump(include=BRIEF)
        session.emit({"workflow_id": workflow_id, "context": brief, "open": told[0], "settled": told[1]})
        return 0
    if not items:
        session.note(f"nothing is open in {ref}")
    if not items and not settled:
        return 0
    from flows.cli.terminal.tables import print_table

    print_table(
        session.out(),
        ("kind", "name", "status", "what"),
        [
            (one.kind, one.name, one.status, f"{one.text} ({said})" if said else one.text)
            for one in (*items, *settled)
            for said in [said_of(context, one)]
        ],
        fold=("what",),
    )
    return 0
