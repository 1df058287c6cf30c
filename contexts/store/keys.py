"""Under which key of a store everything lies, and what a key holds.

documents/{workflow_id}/{document}/{revision:06d}.json     one immutable save each
blobs/{workflow_id}/{sha256}                               named by what they hold
blobs/{workflow_id}/{kind}/{sha256}                        those that no document refers to: evidence, report
leases/{workflow_id}.json                                  see `contexts.leases.record`
restarts/{workflow_id}/{epoch:06d}-{number:02d}.json       see `contexts.leases.interrupted`
archive/{workflow_id}/{digest}.tar.gz                      see `contexts.store.archive`
results/                                                   Prefect's cache; nothing here relies on it
probes/                                                    what asks a service how it behaves
"""

from __future__ import annotations

import re
from typing import get_args

from contexts.documents.refs import BlobKind, BlobRef
from contexts.errors import BadIdentifier, NotFound
from contexts.identifiers import check_id, is_id

DOCUMENTS = "documents/"
BLOBS = "blobs/"
LEASES = "leases/"
PROBES = "probes/"
_RESTARTS = "restarts/"
_ARCHIVE = "archive/"
_RESULTS = "results/"

CONTEXT = "context"
TRACKS = "tracks/"
GROUPS = "groups/"
OWN_ID = {"tracks": "task_id", "groups": "group_id"}
"""The field that names a document within its folder."""

_COUNT = r"[0-9]{6}|[1-9][0-9]{6,17}"
"""A number of six digits or more, as ``06d`` writes it."""
_KEY = re.compile(
    rf"{DOCUMENTS}(?P<workflow>[^/]+)/(?P<document>{CONTEXT}|(?:{TRACKS}|{GROUPS})[^/]+)/(?P<revision>{_COUNT})\.json\Z"
)
_APART: dict[str, BlobKind] = {kind: kind for kind in get_args(BlobKind) if kind != "content"}
"""The folders of the blobs that no document refers to."""
_BLOB = re.compile(rf"{BLOBS}(?P<workflow>[^/]+)/(?:(?P<kind>{'|'.join(_APART)})/)?[0-9a-f]{{64}}\Z")
_LEASE = re.compile(rf"{LEASES}(?P<workflow>[^/]+)\.json\Z")
_RESTART = re.compile(rf"{_RESTARTS}(?P<workflow>[^/]+)/(?P<epoch>{_COUNT})-(?P<number>[0-9]{{2}})\.json\Z")


def track_document(task_id: str) -> str:
    """Return the document name of a track."""
    return f"{TRACKS}{check_id(task_id, 'task_id')}"


def group_document(group_id: str) -> str:
    """Return the document name of a group."""
    return f"{GROUPS}{check_id(group_id, 'group id')}"


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


def documents_of(workflow_id: str, name: str | None = None) -> str:
    """Return what the keys of a workflow's documents begin with, or those of one document's revisions.

    Raises:
        BadIdentifier: The workflow's or document's name must not become a key.
    """
    start = f"{DOCUMENTS}{check_workflow_id(workflow_id)}/"
    return start if name is None else f"{start}{check_document(name)}/"


def document_key(workflow_id: str, name: str, revision: int) -> str:
    """Return the key of one revision of a document.

    Raises:
        BadIdentifier: The workflow's or document's name must not become a key.
        NotFound: Revisions begin at 1.
    """
    key = f"{documents_of(workflow_id, name)}{revision:06d}.json"
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


def blobs_of(workflow_id: str) -> str:
    """Return what the keys of a workflow's blobs begin with."""
    return f"{BLOBS}{check_workflow_id(workflow_id)}/"


def blob_key(workflow_id: str, ref: BlobRef) -> str:
    """Return the key of a blob: named by its sha256, in a folder of its kind where no document refers to it."""
    apart = f"{ref.kind}/" if ref.kind in _APART else ""
    return f"{blobs_of(workflow_id)}{apart}{ref.sha256}"


def blob_kind(key: str) -> BlobKind | None:
    """Return the kind of the blob that lies under a key, None for a key that is no blob's."""
    match = _BLOB.match(key)
    if match is None or not is_id(match["workflow"]):
        return None
    return _APART[match["kind"]] if match["kind"] else "content"


def owner_of(key: str) -> str | None:
    """Return the workflow in whose folder of documents or blobs a key lies, whatever it is there; None for none."""
    _, name, *below = key.split("/")
    return name if below and is_id(name) else None


def lease_key(workflow_id: str) -> str:
    """Return where a workflow's lease lies."""
    return f"{LEASES}{check_workflow_id(workflow_id)}.json"


def read_lease_key(key: str) -> str | None:
    """Return the workflow whose lease lies under a key, None for any other key."""
    match = _LEASE.match(key)
    return match["workflow"] if match and is_id(match["workflow"]) else None


def restarts_of(workflow_id: str) -> str:
    """Return what the keys of a workflow's restarts begin with."""
    return f"{_RESTARTS}{check_workflow_id(workflow_id)}/"


def restart_key(workflow_id: str, epoch: int, number: int) -> str:
    """Return where the mark of a restart lies."""
    return f"{restarts_of(workflow_id)}{epoch:06d}-{number:02d}.json"


def read_restart_key(key: str) -> tuple[str, int, int] | None:
    """Return workflow, epoch and number of a restart's key, None for any other key."""
    match = _RESTART.match(key)
    if match is None or not is_id(match["workflow"]):
        return None
    return match["workflow"], int(match["epoch"]), int(match["number"])


def archive_key(workflow_id: str, digest: str) -> str:
    """Return where what was taken from a workflow lies, named by what it holds."""
    return f"{_ARCHIVE}{check_workflow_id(workflow_id)}/{digest[:32]}.tar.gz"


def result_key(path: str) -> str:
    """Return where one of Prefect's results lies."""
    return f"{_RESULTS}{path}"
