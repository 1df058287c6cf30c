"""`plait diff`: what changed between two revisions of a document, by JSON pointer."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Annotated, Any

import orjson
from cyclopts import Parameter

from flows.cli.session import Given

if TYPE_CHECKING:
    from jsonpatch import JsonPatch

    from contexts.documents.base import JsonObject

_SHOWN = 160


def diff(
    workflow_id: str,
    a: int,
    b: int,
    /,
    *,
    doc: Annotated[str, Parameter(name=["--doc", "-d"])] = "context",
    session: Given,
) -> int:
    """Compare two revisions of a document; with --json an RFC 6902 patch that turns the first into the second.

    Args:
        workflow_id: The workflow.
        a: Number of the first revision.
        b: Number of the second revision.
        doc: context, tracks/TASK_ID or groups/GROUP_ID; a bare TASK_ID or GROUP_ID is found too.
    """
    import jsonpatch

    from contexts.documents.codec import CHECKSUM
    from flows.cli.lookup import check_revision, document_named, revisions_of

    store = session.contexts()
    held = revisions_of(store, workflow_id)
    name = document_named(held, doc, workflow_id)
    before, after = (
        store.load_revision(workflow_id, name, check_revision(held[name], number, f"{workflow_id}/{name}")).document
        for number in (a, b)
    )
    for document in (before, after):
        document.pop(CHECKSUM, None)
    patch = jsonpatch.make_patch(before, after)
    if session.as_json:
        session.emit({"workflow_id": workflow_id, "document": name, "from": a, "to": b, "patch": list(patch)})
        return 0
    if not patch:
        session.note(f"revisions {a} and {b} of {workflow_id}/{name} are equal")
        return 0
    _print(session, before, patch)
    return 0


def _print(session: Given, before: JsonObject, patch: JsonPatch) -> None:
    """Print the patch step by step: every old value is the one found when its step comes."""
    import jsonpatch
    from rich.text import Text

    from contexts.json.pointer import resolve

    console = session.out()
    document = copy.deepcopy(before)
    for change in patch:
        kind, path = change["op"], change["path"]
        if kind == "add":
            line = Text(f"+ {path}  {_short(change['value'])}", style="green")
        elif kind == "remove":
            line = Text(f"- {path}  {_short(resolve(document, path))}", style="red")
        elif kind == "move":
            line = Text(f"> {change['from']} moved to {path}", style="cyan")
        else:
            line = Text(f"~ {path}  {_short(resolve(document, path))} -> {_short(change['value'])}", style="yellow")
        console.print(line, soft_wrap=True)
        document = jsonpatch.apply_patch(document, [change], in_place=True)


def _short(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text)} characters)"
