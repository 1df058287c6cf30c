"""`plait show`: a stored document, whole or as an outline."""

from __future__ import annotations

import shlex
import sys
from typing import Annotated

from cyclopts import Parameter

from flows.cli.session import Given, write_json


def show(
    workflow_id: str,
    doc: str = "context",
    /,
    *,
    revision: Annotated[int | None, Parameter(name=["--revision", "-r"])] = None,
    full: Annotated[
        bool, Parameter(negative="", show_default=False, help="The whole document, also on a terminal.")
    ] = False,
    session: Given,
) -> int:
    """Print a stored document with everything it refers to by digest put back in place; on a terminal its outline.

    Args:
        workflow_id: The workflow.
        doc: context, tracks/TASK_ID or groups/GROUP_ID; a bare TASK_ID or GROUP_ID is found too.
        revision: Number of the save; default: the newest.
    """
    from contexts.documents.codec import CHECKSUM
    from contexts.merge import expand_tracks
    from flows.cli.lookup import check_revision, document_named, revisions_of

    store = session.contexts()
    held = revisions_of(store, workflow_id)
    name = document_named(held, doc, workflow_id)
    number = held[name][-1] if revision is None else check_revision(held[name], revision, f"{workflow_id}/{name}")
    _, document = store.load_revision(workflow_id, name, number)
    whole = expand_tracks(store, document)
    # The checksum is that of the stored form, not of what is printed here.
    whole.pop(CHECKSUM, None)
    if session.as_json:
        session.emit(whole)
    elif full or not sys.stdout.isatty():
        write_json(whole)
    else:
        from flows.cli.terminal.outline import print_outline

        asked = [workflow_id, *([doc] if doc != "context" else ()), *(["-r", str(number)] if revision else ())]
        store_option = ["--store", session.store_url] if session.store_url else []
        again = shlex.join(["plait", "show", *asked, "--full", *store_option])
        print_outline(session.out(), f"{workflow_id}/{name}@{number}", whole, whole=again)
    return 0
