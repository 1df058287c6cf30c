"""`plait merge`: merge context files without a store."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import orjson
from cyclopts import Parameter

from contexts.json.values import mapping, text
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
        parent: The workflow's document: order of tracks, requirements, constraints, criteria. Where a track's stands in
            its place, as with `merge out/*.json`, it is looked for among the others.
        tracks: The tracks' documents, in any order. A track without one, or whose document says that it is not done,
            makes the merge partial: exit code 3.
        output: Write to this file instead of stdout.
        force: Replace the output file if it exists.
    """
    from contexts.documents.base import now
    from contexts.errors import InputError
    from contexts.merge import merge_files
    from flows.cli.context_files import write_new

    if output is not None and output.exists() and not force:
        raise InputError(f"{output} exists; name another file, or pass --force to replace it", path=str(output))
    whole, others = _parent_first(parent, tracks)
    merged = merge_files(whole, others, timestamp=now("seconds"))
    if output is not None:
        write_new(output, merged.body + b"\n", force=force)
    elif sys.stdout.isatty() and not session.as_json:
        write_json(orjson.loads(merged.body))
    else:
        write_bytes(merged.body + b"\n")
    if merged.unlisted:
        listed = f"{whole[0]} does not list {', '.join(merged.unlisted)}"
        session.note(f"plait: {listed}; merged after the others all the same")
    if merged.missing:
        said = f"no document for {', '.join(merged.missing)}; pass the missing files too"
        session.note(f"plait: the merge is partial, {said}")
    if merged.unfinished:
        said = f"{', '.join(merged.unfinished)} did not complete, as its own document says"
        session.note(f"plait: the merge is partial, {said}")
    return PARTIAL if merged.partial else 0


def _parent_first(first: Path, others: Sequence[Path]) -> tuple[tuple[str, bytes], Iterable[tuple[str, bytes]]]:
    """Return the workflow's document and the rest, each read once more only where it has to be looked at before.

    Raises:
        InputError: A file cannot be read, or it cannot be told which one is the workflow's.
    """
    from contexts.documents.context_file import read_context_file
    from contexts.errors import InputError

    body = read_context_file(first)
    if not _head(body).owner:
        return (str(first), body), ((str(path), read_context_file(path)) for path in others)
    heads = dict[Path, _Head]()
    kept = dict[Path, bytes]()
    for path in (first, *others):
        read = body if path == first else read_context_file(path)
        heads[path] = _head(read)
        if path == first or not path.is_file():
            kept[path] = read  # a pipe gives its content once
    named = {head.owner for head in heads.values()}
    found = [path for path, head in heads.items() if not head.owner and head.workflow_id in named - {""}]
    if len(found) != 1:
        shown = " and ".join(map(str, found[:3])) if found else "none of the files"
        raise InputError(
            f"{first} is a track's document, and {shown} could be its workflow's, which lists parallel_tasks: "
            "give the workflow's document first",
            path=str(first),
        )

    def rest() -> Iterator[tuple[str, bytes]]:
        for path, head in heads.items():
            # A group's document holds nothing that those of its tracks do not.
            if path != found[0] and head.kind != "group":
                yield str(path), kept.get(path) or read_context_file(path)

    return (str(found[0]), kept.get(found[0]) or read_context_file(found[0])), rest()


@dataclass(frozen=True, slots=True)
class _Head:
    """What a document says of itself, as far as it does; a field that is no text is an empty one.

    Attributes:
        workflow_id: Its own.
        owner: The workflow that a track's or group's document is of; nothing for the workflow's.
        kind: What kind of document it is.
    """

    workflow_id: str
    owner: str
    kind: str


def _head(body: bytes) -> _Head:
    """Return what a document says of itself; nothing where it is no JSON object, which merging it will say."""
    try:
        members = mapping(orjson.loads(body))
    except orjson.JSONDecodeError:
        members = mapping(None)
    own, parent, task, kind = (
        text(members.get(key)) for key in ("workflow_id", "parent_workflow_id", "task_id", "kind")
    )
    return _Head(own, parent or (own.removesuffix(f"-{task}") if task else ""), kind)
