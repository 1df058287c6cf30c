"""`plait diff`: what changed between two revisions of a document, by JSON pointer."""

from __future__ import annotations

import copy
from typing import Annotated, Any

import orjson
from cyclopts import Parameter

from flows.cli.session import Given

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
    sides: list[dict[str, Any]] = []
    for number in (a, b):
        check_revision(held[name], number, f"{workflow_id}/{name}")
        _, document = store.load_revision(workflow_id, name, number)
        document.pop(CHECKSUM, None)
        sides.append(document)
    changes: list[dict[str, Any]] = list(jsonpatch.make_patch(sides[0], sides[1]))
    if session.as_json:
        session.emit({"workflow_id": workflow_id, "document": name, "from": a, "to": b, "patch": changes})
        return 0
    if not changes:
        session.note(f"revisions {a} and {b} of {workflow_id}/{name} are equal")
        return 0
    _print(session, sides[0], changes)
    return 0


def _print(session: Given, before: dict[str, Any], changes: list[dict[str, Any]]) -> None:
    """Print the patch step by step: every old value is the one found when its step comes."""
    import jsonpatch
    from rich.text import Text

    from contexts.json.pointer import resolve

    console = session.out()
    document = copy.deepcopy(before)
    for change in changes:
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
