"""`plait edit`: a person's typed decisions on what a run left open, each saved as a revision."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from flows.cli.session import Given

if TYPE_CHECKING:
    from contexts.model.base import JsonObject
    from contexts.model.refs import ContextRef
    from contexts.store import ContextStore
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
    """List what is open and its names; waive a criterion, check or finding; settle a concern.

    Args:
        workflow_id: The workflow.
    """
    from contexts.decisions import settle, waive
    from contexts.errors import InputError
    from flows.cli.finding import revisions_of

    store = session.contexts()
    revisions_of(store, workflow_id)
    if what == "list":
        return _list(store, workflow_id, session)
    if what not in {"waive", "settle"}:
        raise InputError(f"`plait edit {workflow_id}` takes list, waive or settle, not {what!r}")
    if target is None:
        raise InputError(f"say what to {what}: `plait edit {workflow_id} list` shows what is open and its names")
    name = target

    def change(document: JsonObject, at: str) -> JsonObject:
        if what == "waive":
            return waive(document, name, by=by, why=why, at=at, every=every)
        return settle(document, name, by=by, choice=choice, why=why, at=at)

    return save_decision(store, workflow_id, change, session, "waivers" if what == "waive" else "settlements")


def save_decision(
    store: ContextStore, workflow_id: str, change: Callable[[JsonObject, str], JsonObject], session: Session, key: str
) -> int:
    """Save a decision and say where it is."""
    from contexts.amend import amend

    ref = amend(store, workflow_id, change)
    _, document = store.load_revision(workflow_id, ref.document, ref.revision)
    made: JsonObject = document[key][-1]
    if session.as_json:
        session.emit({"workflow_id": workflow_id, "context": _brief(ref), key[:-1]: made})
        return 0
    console = session.out()
    console.print(f"saved {ref}", markup=False, soft_wrap=True)
    numbers = f"{ref.revision - 1} {ref.revision}"
    hint = f"`plait diff {workflow_id} {numbers}` shows it; `plait resume {workflow_id}` honours it"
    console.print(hint, markup=False, soft_wrap=True)
    return 0


def _brief(ref: ContextRef) -> dict[str, Any]:
    return ref.model_dump(include={"document", "revision", "sha256"})


def _list(store: ContextStore, workflow_id: str, session: Session) -> int:
    from contexts.decisions import decided_since
    from contexts.open_items import open_items

    ref, document = store.require(workflow_id)
    items = open_items(document)
    decided = [decided_since(document, one) for one in items]
    if session.as_json:
        shown = [
            {
                "kind": one.kind,
                "name": one.name,
                "also": list(one.also),
                "status": one.status,
                "text": one.text,
                "decided": said or None,
            }
            for one, said in zip(items, decided, strict=True)
        ]
        session.emit({"workflow_id": workflow_id, "context": _brief(ref), "open": shown})
        return 0
    if not items:
        session.note(f"nothing is open in {ref}")
        return 0
    from flows.cli.screen import print_table

    print_table(
        session.out(),
        ("kind", "name", "status", "what"),
        [
            (one.kind, one.name, one.status, f"{one.text} ({said})" if said else one.text)
            for one, said in zip(items, decided, strict=True)
        ],
        fold=("what",),
    )
    return 0
