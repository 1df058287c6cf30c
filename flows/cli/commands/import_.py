"""`plait import`: files in the ``.claude/context/`` layout, as `plait export` writes them, into the store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flows.cli.session import Given


def import_folder(
    folder: Annotated[Path, Parameter(name="DIR")],
    /,
    *,
    append: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    session: Given,
) -> int:
    """Save the context files of a folder in the store; nothing is saved if any of them is bad.

    Several files of one document become its revisions, in the order of their timestamps.

    Args:
        folder: The folder of the files, or of a project with a .claude/context in it.
        append: Let files become the newest revisions of documents the store has already.
    """
    from contexts.text.plural import counted
    from flows.cli.import_files import context_folder, plan_import, save_import

    store = session.contexts()
    folder = context_folder(folder)
    planned = plan_import(store, folder, append=append)
    saved = save_import(store, planned)
    if session.as_json:
        session.emit(
            {"folder": str(folder), "saved": [ref.model_dump() for ref in saved], "unchanged": planned.unchanged}
        )
        return 0
    console = session.out()
    for ref in saved:
        console.print(f"saved {ref}", markup=False, soft_wrap=True)
    console.print(
        f"{counted(len(saved), 'revision')} saved in {store.identity}, {planned.unchanged} were there already",
        markup=False,
        soft_wrap=True,
    )
    return 0
