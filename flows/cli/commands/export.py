"""`plait export`: a workflow as files in the ``.claude/context/`` layout, which `plait import` reads.

{workflow_id}.json                  the newest context, whole
{workflow_id}-{short}.json          a track's newest document, named as the parent's context_ref says
{workflow_id}.group-{group}.json    a group's newest document
blobs/{sha256}                      logs, reports and bundles the documents refer to
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import orjson
from cyclopts import Parameter

from flows.cli.session import Given

if TYPE_CHECKING:
    from contexts.store.contexts import ContextStore


def export_workflow(
    workflow_id: str,
    folder: Annotated[Path, Parameter(name="DIR")],
    /,
    *,
    force: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    session: Given,
) -> int:
    """Write the newest documents of a workflow as files, whole, with the blobs they refer to beside them.

    Args:
        workflow_id: The workflow.
        folder: Where to; made if it is not there.
        force: Replace files that hold something else.
    """
    from contexts.documents.codec import CHECKSUM
    from contexts.errors import InputError
    from contexts.merge import expand_tracks
    from contexts.store.references import blobs_in
    from contexts.text.plural import counted
    from flows.cli.context_files import BLOBS, write_new
    from flows.cli.lookup import revisions_of

    store = session.contexts()
    documents = {
        name: expand_tracks(store, store.load_revision(workflow_id, name, numbers[-1]).document)
        for name, numbers in revisions_of(store, workflow_id).items()
    }
    for document in documents.values():
        document.pop(CHECKSUM, None)
    files = _file_names(workflow_id, documents, _context_refs(store, workflow_id))
    wanted = {
        files[name]: orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n" for name, document in documents.items()
    }
    for ref in blobs_in(list(documents.values())):
        wanted[f"{BLOBS}/{ref.sha256}"] = store.get_blob(workflow_id, ref)
    for name, data in wanted.items():
        path = folder / name
        if not force and path.exists() and path.read_bytes() != data:
            raise InputError(
                f"{path} exists and holds something else; name another folder, or pass --force to replace it",
                path=str(path),
            )
    try:
        (folder / BLOBS if any(name.startswith(f"{BLOBS}/") for name in wanted) else folder).mkdir(
            parents=True, exist_ok=True
        )
    except OSError as error:
        raise InputError(f"cannot make {folder}: {error.strerror or error}", path=str(folder)) from error
    for name, data in wanted.items():
        # Whatever is there now is the same bytes, or may be replaced.
        write_new(folder / name, data, force=True)
    if session.as_json:
        session.emit({"workflow_id": workflow_id, "folder": str(folder), "files": sorted(wanted)})
    else:
        session.out().print(
            f"{counted(len(wanted), 'file')} of {workflow_id} in {folder}", markup=False, soft_wrap=True
        )
    return 0


def _context_refs(store: ContextStore, workflow_id: str) -> dict[str, str]:
    """Return the file names that the spec, or else the newest context that lists tracks, gives them."""
    from contexts.documents.codec import parse_object
    from contexts.errors import DocumentError
    from contexts.json.values import entries, mapping
    from contexts.store.keys import CONTEXT, TRACKS

    for number in reversed(store.revisions(workflow_id, CONTEXT).get(CONTEXT, ())):
        context = store.load_revision(workflow_id, CONTEXT, number).context
        if context.spec is None:
            given = {one.task_id: one.context_ref for one in context.parallel_tasks or ()}
        else:
            try:
                written = parse_object(store.get_blob(workflow_id, context.spec), f"the spec of {workflow_id}")
            except DocumentError:
                continue  # what is no spec names no files
            tasks = map(mapping, entries(written, "parallel_tasks"))
            given = {str(one.get("task_id")): one.get("context_ref") for one in tasks}
        if given:
            return {f"{TRACKS}{name}": PurePosixPath(ref).name for name, ref in given.items() if isinstance(ref, str)}
    return {}


def _file_names(workflow_id: str, documents: Iterable[str], refs: Mapping[str, str]) -> dict[str, str]:
    """Return a distinct file name for every document."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for name in sorted(documents):
        kind, _, short = name.partition("/")
        usual = {
            "context": f"{workflow_id}.json",
            "groups": f"{workflow_id}.group-{short}.json",
        }.get(kind, f"{workflow_id}-{short}.json")
        asked = refs.get(name, usual)
        # A reference that is no plain file name of this workflow would lead elsewhere, or hide the file from import.
        fits = asked.startswith(f"{workflow_id}-") and asked.endswith(".json") and asked not in taken
        names[name] = asked if fits else usual
        taken.add(names[name])
    return names
