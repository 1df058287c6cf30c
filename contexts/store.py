"""Documents, revisions and blobs on top of any object store.

    documents/{workflow_id}/{document}/{revision:06d}.json     one immutable save each
    blobs/{workflow_id}/{sha256}                               named by what they hold
    leases/{workflow_id}.json                                  see `contexts.lease`
    results/                                                   Prefect's cache; nothing here relies on it

A save creates the next number and nothing else. Every string passes the secret scanner on its way in: there is no other
way to write a document or a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any, Literal, cast

import orjson

from contexts import secrets
from contexts.codec import canonical, seal, unseal
from contexts.errors import ChecksumMismatch, NotFound, ObjectExists, RevisionConflict, SecretRefused
from contexts.faults import reach
from contexts.model.base import JsonObject, entries
from contexts.model.refs import BlobRef, ContextRef
from contexts.names import check_id
from contexts.objects import ObjectStore

CONTEXT = "context"
INLINE_BYTES = 64 * 1024
_BLOB = "$blob"
_REVISION = re.compile(r"(?P<document>context|(?:tracks|groups)/[^/]+)/(?P<revision>\d{6,})\.json\Z")
_READERS = 16


def track_document(task_id: str) -> str:
    """Return the document name of a track."""
    return f"tracks/{check_id(task_id, 'task_id')}"


def group_document(group_id: str) -> str:
    """Return the document name of a group."""
    return f"groups/{check_id(group_id, 'group id')}"


class ContextStore:
    """What a workflow remembers.

    Args:
        objects: Where the bytes go.
        policy: ``redact`` replaces a secret value and notes a finding in the document; ``refuse`` raises.
    """

    def __init__(self, objects: ObjectStore, policy: Literal["redact", "refuse"] = "redact") -> None:
        self.objects = objects
        self._policy = policy

    @property
    def identity(self) -> str:
        """Name the storage, the same from every machine."""
        return self.objects.identity

    def with_policy(self, policy: Literal["redact", "refuse"]) -> ContextStore:
        """Return this store with another policy for secret values."""
        return ContextStore(self.objects, policy)

    def save(self, document: Mapping[str, Any], *, workflow_id: str, name: str, after: int) -> ContextRef:
        """Save a document as revision ``after + 1``.

        Args:
            document: The document; lists above 64 KB are stored as blobs and put back by `expand`.
            workflow_id: The workflow it belongs to.
            name: ``context``, ``tracks/{task_id}`` or ``groups/{group_id}``.
            after: The newest revision this writer has read, 0 for none.

        Raises:
            RevisionConflict: Somebody else saved that revision.
            SecretRefused: A secret value, and the policy is to refuse.
            StoreError: The store did not take it; nothing was saved.
        """
        clean = self._without_secrets(dict(document), f"{workflow_id}/{name}")
        body, proof = seal({key: self._outline(workflow_id, value) for key, value in clean.items()})
        ref = ContextRef(workflow_id=workflow_id, document=name, revision=after + 1, sha256=proof, size=len(body))
        reach("store.before-document")
        try:
            self.objects.create(_document_key(ref), body)
        except ObjectExists as error:
            raise RevisionConflict(
                f"{ref} was saved by another run meanwhile; run again to continue from there", document=str(ref)
            ) from error
        reach("store.document-saved")
        return ref

    def _without_secrets(self, document: JsonObject, name: str) -> JsonObject:
        redacted = secrets.redact(document)
        if not redacted.hits:
            return document
        if self._policy == "refuse":
            hit = redacted.hits[0]
            raise SecretRefused(
                f"{name} holds a secret value ({hit.kind}) at {hit.pointer}; pass secrets by reference (env:NAME)",
                document=name,
                pointer=hit.pointer,
            )
        clean = cast("JsonObject", redacted.value)
        found = [
            {
                "rule": "secrets/value-in-document",
                "severity": "warning",
                "message": f"a secret value ({hit.kind}) was redacted before saving; revoke it, pass it by reference",
                "sources": [{"document": name, "pointer": hit.pointer, "quote": f"[redacted:{hit.kind}]"}],
            }
            for hit in redacted.hits
        ]
        return {**clean, "findings": [*entries(clean, "findings"), *found]}

    def _outline(self, workflow_id: str, value: Any) -> Any:
        if not isinstance(value, list | dict) or not value or _BLOB in value:
            return value  # pyright: ignore[reportUnknownVariableType] JSON of unknown shape
        body = orjson.dumps(value)
        if len(body) <= INLINE_BYTES:
            return value  # pyright: ignore[reportUnknownVariableType] JSON of unknown shape
        ref = self.put_blob(workflow_id, body, "application/json", scanned=True)
        return {_BLOB: ref.model_dump(), "items": len(cast("list[Any]", value))}

    def expand(self, workflow_id: str, document: JsonObject) -> JsonObject:
        """Return a document with every stored-aside list put back."""

        def whole(value: Any) -> Any:
            if not isinstance(value, dict) or _BLOB not in value:
                return value  # pyright: ignore[reportUnknownVariableType] JSON of unknown shape
            return orjson.loads(self.get_blob(workflow_id, BlobRef.model_validate(value[_BLOB])))

        return {key: whole(value) for key, value in document.items()}

    def load(self, ref: ContextRef) -> JsonObject:
        """Return the whole document of a reference, expanded.

        Raises:
            NotFound: There is no such revision.
            ChecksumMismatch: It is not what was saved.
        """
        document = unseal(self.objects.read(_document_key(ref)), str(ref), ref.sha256)
        return self.expand(ref.workflow_id, document)

    def load_many(self, refs: Iterable[ContextRef]) -> list[JsonObject]:
        """Return the documents of several references, read side by side, in the order given."""
        with ThreadPoolExecutor(_READERS, thread_name_prefix="plait-read") as pool:
            return list(pool.map(self.load, refs))

    def load_revision(self, workflow_id: str, name: str, revision: int) -> tuple[ContextRef, JsonObject]:
        """Return one revision by its number, with the reference it deserves.

        Raises:
            NotFound: There is no such revision.
            ChecksumMismatch: The body does not match its own checksum, or belongs under another key.
        """
        key = f"documents/{workflow_id}/{name}/{revision:06d}.json"
        body = self.objects.read(key)
        label = f"{workflow_id}/{name}@{revision}"
        document = unseal(body, label)
        owner = document.get("parent_workflow_id") or document.get("workflow_id")
        if owner != workflow_id:
            raise ChecksumMismatch(
                f"{label} holds a document of {str(owner)[:80]!r}: it was put there by something else"
            )
        ref = ContextRef(
            workflow_id=workflow_id, document=name, revision=revision, sha256=document["_checksum"], size=len(body)
        )
        return ref, self.expand(workflow_id, document)

    def load_revisions(self, workflow_id: str, wanted: Iterable[tuple[str, int]]) -> dict[str, JsonObject]:
        """Return several documents by name, each at the revision wanted, read side by side."""
        pairs = list(wanted)

        def read(pair: tuple[str, int]) -> JsonObject:
            return self.load_revision(workflow_id, *pair)[1]

        with ThreadPoolExecutor(_READERS, thread_name_prefix="plait-read") as pool:
            return {name: document for (name, _), document in zip(pairs, pool.map(read, pairs), strict=True)}

    def latest(self, workflow_id: str, name: str = CONTEXT) -> tuple[ContextRef, JsonObject] | None:
        """Return the newest revision of a document, None if it was never saved."""
        numbers = self.revisions(workflow_id, name).get(name)
        return self.load_revision(workflow_id, name, numbers[-1]) if numbers else None

    def revisions(self, workflow_id: str, name: str | None = None) -> dict[str, tuple[int, ...]]:
        """Return the revision numbers of a workflow's documents, ascending, by one listing."""
        check_workflow_id(workflow_id)
        start = f"documents/{workflow_id}/"
        found: dict[str, list[int]] = {}
        for entry in self.objects.list(start if name is None else f"{start}{name}/"):
            match = _REVISION.match(entry.key.removeprefix(start))
            if match:
                found.setdefault(match["document"], []).append(int(match["revision"]))
        return {document: tuple(sorted(numbers)) for document, numbers in found.items()}

    def workflows(self) -> tuple[str, ...]:
        """Return the ids of all workflows that have a document, in order."""
        return tuple(dict.fromkeys(entry.key.split("/")[1] for entry in self.objects.list("documents/")))

    def put_blob(
        self, workflow_id: str, data: bytes, media_type: str = "application/octet-stream", *, scanned: bool = False
    ) -> BlobRef:
        """Store bytes under their sha256; text is cleaned of secret values first unless it was already."""
        if not scanned and media_type.startswith(("text/", "application/json")):
            data = self._clean_text(data, f"a {media_type} of {workflow_id}")
        ref = BlobRef(sha256=sha256(data).hexdigest(), size=len(data), media_type=media_type)
        try:
            self.objects.create(_blob_key(workflow_id, ref.sha256), data)
        except ObjectExists:
            # Its name is its content: whoever put it there put the same. A damaged one is met, and said, on reading.
            return ref
        reach("store.blob-saved")
        return ref

    def _clean_text(self, data: bytes, name: str) -> bytes:
        clean = secrets.redact_text(data.decode("utf-8", "replace"))
        if clean.hits and self._policy == "refuse":
            kind = clean.hits[0].kind
            raise SecretRefused(f"{name} holds a secret value ({kind}); pass secrets by reference (env:NAME)")
        return clean.text.encode() if clean.hits else data

    def get_blob(self, workflow_id: str, ref: BlobRef) -> bytes:
        """Return the bytes of a blob.

        Raises:
            NotFound: No such blob.
            ChecksumMismatch: The bytes are not those of its name.
        """
        data = self.objects.read(_blob_key(workflow_id, ref.sha256))
        if sha256(data).hexdigest() != ref.sha256:
            raise ChecksumMismatch(f"blob {ref.sha256[:12]} of {workflow_id} was damaged after it was saved")
        return data

    def put_json(self, workflow_id: str, value: object) -> BlobRef:
        """Store a JSON value as a blob in canonical form, cleaned of secret values."""
        return self.put_blob(workflow_id, canonical(value), "application/json")

    def require(self, workflow_id: str, name: str = CONTEXT) -> tuple[ContextRef, JsonObject]:
        """Return the newest revision of a document that must be there.

        Raises:
            NotFound: The workflow or document is not in this store.
        """
        found = self.latest(workflow_id, name)
        if found is None:
            raise NotFound(
                f"{workflow_id}/{name} is not in {self.identity}; `plait list` shows what is", key=workflow_id
            )
        return found


def check_workflow_id(workflow_id: str) -> str:
    """Return a workflow id unchanged if it may become part of a key; see `contexts.names.check_id`."""
    return check_id(workflow_id, "workflow_id")


def _document_key(ref: ContextRef) -> str:
    check_workflow_id(ref.workflow_id)
    return f"documents/{ref.workflow_id}/{ref.document}/{ref.revision:06d}.json"


def _blob_key(workflow_id: str, name: str) -> str:
    return f"blobs/{check_workflow_id(workflow_id)}/{name}"
