"""Take from a store what retention decided may go: into one file of the store first, where it is archived.

The file is a tar of the objects under their keys: unpacking it into a store's folder puts them back where they were.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import tarfile
from collections.abc import Callable, Iterator
from hashlib import sha256

from contexts.errors import ChecksumMismatch, ObjectExists, RevisionConflict
from contexts.store.keys import DOCUMENTS, archive_key, blob_kind, blobs_of, documents_of, read_key
from contexts.store.objects import Entry, ObjectStore
from contexts.store.retention import Held, RetentionPlan


def holdings(objects: ObjectStore) -> Iterator[Held]:
    """Yield what a store holds, workflow by workflow."""
    seen = ""
    documents: list[Entry] = []
    for entry in objects.list(DOCUMENTS):
        named = read_key(entry.key)
        if named is None:  # somebody else's object: not ours to remove
            continue
        workflow_id = named[0]
        if seen and workflow_id != seen:
            yield _with_blobs(objects, seen, documents)
            documents = []
        seen = workflow_id
        documents.append(entry)
    if seen:
        yield _with_blobs(objects, seen, documents)


def holding(objects: ObjectStore, workflow_id: str) -> Held:
    """Return what a store holds of one workflow."""
    return _with_blobs(
        objects, workflow_id, [one for one in objects.list(documents_of(workflow_id)) if read_key(one.key)]
    )


def _with_blobs(objects: ObjectStore, workflow_id: str, documents: list[Entry]) -> Held:
    blobs = tuple(one for one in objects.list(blobs_of(workflow_id)) if blob_kind(one.key))
    return Held(workflow_id, tuple(documents), blobs)


def carry_out(
    objects: ObjectStore, plan: RetentionPlan, held: Held, *, read_again: Callable[[], None], each: Callable[[], None]
) -> str | None:
    """Do what a plan says, and return the archive's key where there is one.

    The archive is written and read back before anything goes; a plan that was interrupted can be carried out again.

    Args:
        objects: The store.
        plan: What is to go.
        held: What the plan was made from: what was saved since may refer to anything.
        read_again: Makes sure, by reading the lease again, that nobody else owns the workflow; called right before
            the first object goes.
        each: Makes sure of that without asking the store; called before each object.

    Raises:
        RevisionConflict: Something was saved since the plan was made; nothing was removed.
        LeaseLost: The workflow may be another's by now; nothing more is removed.
        ChecksumMismatch: The archive is not what was written; nothing was removed.
        StoreError: The store did not do it; what is gone is in the archive, or was beyond keeping.
    """
    key: str | None = None
    if plan.action == "archive":
        body = pack({name: objects.read(name) for name in plan.keys})
        key = archive_key(plan.workflow_id, sha256(body).hexdigest())
        with contextlib.suppress(ObjectExists):  # an earlier attempt wrote it; its name is its content
            objects.create(key, body)
        if objects.read(key) != body:
            raise ChecksumMismatch(f"{key} is not what was written: look at the store's disk, nothing was removed")
    if plan.action != "keep":
        known = {entry.key for entry in held.documents}
        newer = [one.key for one in holding(objects, plan.workflow_id).documents if one.key not in known]
        if newer:
            raise RevisionConflict(f"{newer[0]} was saved meanwhile, and may refer to what was to go", key=newer[0])
        read_again()
        for name in plan.keys:
            each()
            objects.delete(name)
    return key


def pack(members: dict[str, bytes]) -> bytes:
    """Return a compressed tar of objects; the same objects always give the same bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        for name in sorted(members):
            member = tarfile.TarInfo(name)
            member.size = len(members[name])
            tar.addfile(member, io.BytesIO(members[name]))
    return buffer.getvalue()
