"""`plait merge`: merge context files without a store."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
from cyclopts import Parameter

from flows.cli.session import Given, write_bytes, write_json

if TYPE_CHECKING:
    from contexts.merge import Contribution

PARTIAL = 3


def merge(
    parent: Path,
    tracks: Annotated[tuple[Path, ...], Parameter(negative="")],
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    force: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    session: Given,
) -> int:
    """Merge context files; the merged document, with every track's details in it, goes to stdout.

    Args:
        parent: The workflow's document: order of tracks, requirements, constraints, criteria.
        tracks: The tracks' documents, in any order. A track without one makes the merge partial: exit code 3.
        output: Write to this file instead of stdout.
        force: Replace the output file if it exists.
    """
    from contexts.codec import validate
    from contexts.errors import InputError
    from contexts.merge import assemble
    from flows.cli.files import read_document, write_new

    if output is not None and output.exists() and not force:
        raise InputError(f"{output} exists; name another file, or pass --force to replace it", path=str(output))
    whole = read_document(parent)
    if not validate(whole, str(parent)).parallel_tasks:
        raise InputError(f"{parent} lists no parallel_tasks, so it is no workflow's document", path=str(parent))
    contributions = _gather(whole["workflow_id"], tracks)
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    merged = assemble(whole, contributions, timestamp=now, expanded=True)
    data = orjson.dumps(merged)
    if output is not None:
        write_new(output, data + b"\n", force=force)
    elif sys.stdout.isatty() and not session.as_json:
        write_json(orjson.loads(data))
    else:
        write_bytes(data + b"\n")
    order = [entry["task_id"] for entry in whole["parallel_tasks"]]
    missing = [task_id for task_id in order if task_id not in contributions]
    strangers = [task_id for task_id in contributions if task_id not in order]
    if strangers:
        session.note(f"plait: {parent} does not list {', '.join(strangers)}; merged after the others all the same")
    if missing:
        session.note(f"plait: the merge is partial, no document for {', '.join(missing)}; pass the missing files too")
        return PARTIAL
    return 0


def _gather(workflow_id: str, paths: tuple[Path, ...]) -> dict[str, Contribution]:
    """Fold file after file into the state of the merge, keeping one parsed tree at a time."""
    from contexts.errors import DocumentError
    from contexts.merge import contribute
    from flows.cli.files import read_document

    contributions: dict[str, Contribution] = {}
    origin: dict[str, Path] = {}
    for path in paths:
        document = read_document(path)
        owner = document.get("parent_workflow_id")
        if owner is not None and owner != workflow_id:
            raise DocumentError(f"{path} belongs to workflow {owner}, not to {workflow_id}", document=str(path))
        one = contribute(document, name=str(path))
        known = contributions.get(one.task_id)
        if known is not None and known.sha256 != one.sha256:
            raise DocumentError(
                f"{path} and {origin[one.task_id]} are different documents of track {one.task_id}; pass one of them",
                document=str(path),
            )
        contributions[one.task_id] = one
        origin[one.task_id] = path
    return contributions
