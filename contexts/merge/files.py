"""Merge context files as they lie on disk: one is parsed, folded and dropped before the next is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from contexts.documents.base import JsonObject
from contexts.documents.codec import CHECKSUM, check_version, checksum, dump, parse_object, validate
from contexts.errors import ChecksumMismatch, DocumentError
from contexts.merge.assemble import assemble, is_unfinished
from contexts.merge.contribution import Contribution, contribute

NamedBytes = tuple[str, bytes]
"""What to call a file in errors, and what it holds."""


@dataclass(frozen=True, slots=True)
class MergedFiles:
    """What a merge of files gave.

    Attributes:
        body: JSON of the merged document, expanded.
        missing: Tracks the parent lists and no file told of; not empty means the merge is partial.
        unlisted: Tracks merged after the others, because the parent does not list them.
        unfinished: Tracks that were merged although their own documents say that they did not complete.
    """

    body: bytes
    missing: tuple[str, ...]
    unlisted: tuple[str, ...]
    unfinished: tuple[str, ...]

    @property
    def partial(self) -> bool:
        """Whether something the workflow was to have is not in the merge, or is not done."""
        return bool(self.missing or self.unfinished)


def merge_files(parent: NamedBytes, tracks: Iterable[NamedBytes], *, timestamp: str) -> MergedFiles:
    """Merge a workflow's document and the documents of its tracks.

    Args:
        parent: The workflow's document: order of tracks, requirements, constraints, criteria.
        tracks: The tracks' documents in any order; each is read once and not kept.
        timestamp: When the merge was made, ISO 8601.

    Raises:
        DocumentError: Not a context document, of another workflow, or two different documents of one track.
        ChecksumMismatch: A document was changed after its checksum was written.
    """
    name, raw = parent
    whole, _ = read_loose(raw, name)
    listed = dict.fromkeys(entry.task_id for entry in validate(whole, name).parallel_tasks or ())
    if not listed:
        raise DocumentError(f"{name} lists no parallel_tasks, so it is no workflow's document", document=name)
    contributions: dict[str, Contribution] = {}
    origin: dict[str, str] = {}
    for label, body in tracks:
        one = _contribution(body, label, whole["workflow_id"])
        known = contributions.setdefault(one.task_id, one)
        if known is one:
            origin[one.task_id] = label
        elif known.sha256 != one.sha256:
            raise DocumentError(
                f"{label} and {origin[one.task_id]} are different documents of track {one.task_id}; pass one of them",
                document=label,
            )
    merged = assemble(whole, contributions, timestamp=timestamp, expanded=True)
    return MergedFiles(
        body=dump(merged, "the merged document"),
        missing=tuple(task_id for task_id in listed if task_id not in contributions),
        unlisted=tuple(sorted(contributions.keys() - listed.keys())),
        unfinished=tuple(task_id for task_id, one in contributions.items() if is_unfinished(one)),
    )


def read_loose(raw: bytes, name: str) -> tuple[JsonObject, str | None]:
    """Return the document of a file without its checksum, and the checksum if it has one.

    Raises:
        DocumentError: Not a context document, or of a newer version.
        ChecksumMismatch: It was changed after its checksum was written.
    """
    document = parse_object(raw, name)
    if CHECKSUM not in document:
        check_version(document.get("version"), name)
        return document, None
    stated = document.pop(CHECKSUM)
    if stated != checksum(document):
        raise ChecksumMismatch(
            f"{name} was changed after its checksum was written; remove the field {CHECKSUM!r} if that was on purpose",
            document=name,
        )
    check_version(document.get("version"), name)
    return document, stated


def _contribution(raw: bytes, name: str, workflow_id: str) -> Contribution:
    document, proof = read_loose(raw, name)
    owner = document.get("parent_workflow_id")
    if owner is not None and owner != workflow_id:
        raise DocumentError(f"{name} belongs to workflow {str(owner)[:80]}, not to {workflow_id}", document=name)
    return contribute(document, sha256=proof, name=name)
