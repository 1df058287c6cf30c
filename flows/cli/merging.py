"""`plait merge`: merge context files without a store."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import orjson
from cyclopts import Parameter

from flows.cli.session import Given, write_bytes, write_json

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
        tracks: The tracks' documents, in any order. A track without one, or whose document says that it is not done,
            makes the merge partial: exit code 3.
        output: Write to this file instead of stdout.
        force: Replace the output file if it exists.
    """
    from contexts.bounded import read_context_file
    from contexts.errors import InputError
    from contexts.merge import merge_files
    from flows.cli.files import write_new

    if output is not None and output.exists() and not force:
        raise InputError(f"{output} exists; name another file, or pass --force to replace it", path=str(output))
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    merged = merge_files(
        (str(parent), read_context_file(parent)),
        ((str(path), read_context_file(path)) for path in tracks),
        timestamp=now,
    )
    if output is not None:
        write_new(output, merged.body + b"\n", force=force)
    elif sys.stdout.isatty() and not session.as_json:
        write_json(orjson.loads(merged.body))
    else:
        write_bytes(merged.body + b"\n")
    if merged.unlisted:
        listed = f"{parent} does not list {', '.join(merged.unlisted)}"
        session.note(f"plait: {listed}; merged after the others all the same")
    if merged.missing:
        said = f"no document for {', '.join(merged.missing)}; pass the missing files too"
        session.note(f"plait: the merge is partial, {said}")
    if merged.unfinished:
        said = f"{', '.join(merged.unfinished)} did not complete, as its own document says"
        session.note(f"plait: the merge is partial, {said}")
    return PARTIAL if merged.partial else 0
