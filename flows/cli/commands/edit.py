"""`plait edit`: a person's typed decisions on what a run left open, each saved as a revision."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from flows.cli.session import Given

if TYPE_CHECKING:
    from contexts.documents.base import JsonObject
    from contexts.documents.refs import ContextRef
    from contexts.store.contexts import ContextStore
    from contexts.verification.open_items import Item
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
    from contexts.verification.decisions import settle, waive
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

    def change(document: JsonObject, at: str) -> JsonObject:
        if what == "waive":
            return waive(document, name, by=by, why=why, at=at, every=every)
        return settle(document, name, by=by, choice=choice, why=why, at=at)

    return save_decision(store, workflow_id, change, session, "waivers" if what == "waive" else "settlements")


def save_decision(
    store: ContextStore, workflow_id: str, change: Callable[[JsonObject, str], JsonObject], session: Session, key: str
) -> int:
    """Save a decision and say where it is."""
    from contexts.verification.decisions import superseded_by
    from contexts.verification.save_decision import amend

    ref = amend(store, workflow_id, change)
    _, document = store.load_revision(workflow_id, ref.document, ref.revision)
    made: JsonObject = document[key][-1]
    before = superseded_by(document, made) if key == "settlements" else None
    if session.as_json:
        more = {"supersedes": before} if before else {}
        session.emit({"workflow_id": workflow_id, "context": _brief(ref), key[:-1]: made, **more})
        return 0
    console = session.out()
    console.print(f"saved {ref}", markup=False, soft_wrap=True)
    if before:
        said = f"this supersedes the choice {before['choice']!r} of {before['by']}, which stays on record"
        console.print(said, markup=False, soft_wrap=True)
    numbers = f"{ref.revision - 1} {ref.revision}"
    hint = f"`plait diff {workflow_id} {numbers}` shows it; `plait resume {workflow_id}` honours it"
    console.print(hint, markup=False, soft_wrap=True)
    return 0


def _brief(ref: ContextRef) -> dict[str, Any]:
    return ref.model_dump(include={"document", "revision", "sha256"})


def _list(store: ContextStore, workflow_id: str, session: Session) -> int:
    from contexts.verification.decisions import said_of
    from contexts.verification.open_items import all_items, open_items

    ref, document = store.require(workflow_id)
    items = open_items(document)
    settled = [one for one in all_items(document) if one.status == "settled"]
    if session.as_json:
        told = [[_listed(one, said_of(document, one)) for one in group] for group in (items, settled)]
        session.emit({"workflow_id": workflow_id, "context": _brief(ref), "open": told[0], "settled": told[1]})
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
            for said in [said_of(document, one)]
        ],
        fold=("what",),
    )
    return 0


def _listed(item: Item, said: str) -> JsonObject:
    return {
        "kind": item.kind,
        "name": item.name,
        "also": list(item.also),
        "status": item.status,
        "text": item.text,
        "decided": said or None,
        **{key: item.entry[key] for key in ("waived", "settlement", "settled_before") if item.entry.get(key)},
    }
