"""Under which key a document's revision or a blob lies, and which document a key holds."""

from __future__ import annotations

import re
from typing import get_args

from contexts.documents.refs import BlobKind, BlobRef
from contexts.errors import BadIdentifier, NotFound
from contexts.identifiers import check_id, is_id

CONTEXT = "context"
OWN_ID = {"tracks": "task_id", "groups": "group_id"}
"""The field that names a document within its folder."""

_KEY = re.compile(
    r"documents/(?P<workflow>[^/]+)/(?P<document>context|(?:tracks|groups)/[^/]+)/"
    r"(?P<revision>[0-9]{6}|[1-9][0-9]{6,17})\.json\Z"
)
_APART: dict[str, BlobKind] = {kind: kind for kind in get_args(BlobKind) if kind != "content"}
"""The folders of the blobs that no document refers to."""
_BLOB = re.compile(rf"blobs/(?P<workflow>[^/]+)/(?:(?P<kind>{'|'.join(_APART)})/)?[0-9a-f]{{64}}\Z")


def track_document(task_id: str) -> str:
    """Return the document name of a track."""
    return f"tracks/{check_id(task_id, 'task_id')}"


def group_document(group_id: str) -> str:
    """Return the document name of a group."""
    return f"groups/{check_id(group_id, 'group id')}"


def check_workflow_id(workflow_id: str) -> str:
    """Return a workflow id unchanged if it may become part of a key; see `contexts.identifiers.check_id`."""
    return check_id(workflow_id, "workflow_id")


def check_document(name: str) -> str:
    """Return a document's name unchanged.

    Raises:
        BadIdentifier: Not ``context``, ``tracks/{task_id}`` or ``groups/{group_id}``.
    """
    kind, _, own = name.partition("/")
    if name == CONTEXT:
        return name
    if kind not in OWN_ID:
        raise BadIdentifier(
            f"{name[:80]!r} is no document: name context, tracks/TASK_ID or groups/GROUP_ID", value=name
        )
    check_id(own, "document")
    return name


def document_key(workflow_id: str, name: str, revision: int) -> str:
    """Return the key of one revision of a document.

    Raises:
        BadIdentifier: The workflow's or document's name must not become a key.
        NotFound: Revisions begin at 1.
    """
    key = f"documents/{check_workflow_id(workflow_id)}/{check_document(name)}/{revision:06d}.json"
    if revision < 1:
        raise NotFound(f"{workflow_id}/{name} has no revision {revision}: they are counted from 1", key=key)
    return key


def read_key(key: str) -> tuple[str, str, int] | None:
    """Return workflow, document and revision of a document's key, None for any other key.

    A key that `document_key` would not make is somebody else's object, however much it looks like a document's.
    """
    match = _KEY.match(key)
    if match is None or not is_id(match["workflow"]):
        return None
    _, _, own = match["document"].partition("/")
    return (match["workflow"], match["document"], int(match["revision"])) if not own or is_id(own) else None


def blob_key(workflow_id: str, ref: BlobRef) -> str:
    """Return the key of a blob: named by its sha256, in a folder of its kind where no document refers to it."""
    apart = f"{ref.kind}/" if ref.kind in _APART else ""
    return f"blobs/{check_workflow_id(workflow_id)}/{apart}{ref.sha256}"


def blob_kind(key: str) -> BlobKind | None:
    """Return the kind of the blob that lies under a key, None for a key that is no blob's."""
    match = _BLOB.match(key)
    if match is None or not is_id(match["workflow"]):
        return None
    return _APART[match["kind"]] if match["kind"] else "content"
