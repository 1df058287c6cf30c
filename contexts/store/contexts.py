"""Documents, revisions and blobs on top of any object store; `contexts.store.keys` says where they lie.

A save creates the next number and nothing else. Every string that is written passes the secret scanner on its way in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import orjson
from pydantic import JsonValue

from contexts.documents.base import JsonObject
from contexts.documents.codec import canonical, check_version, dump, has_non_finite, seal, unseal
from contexts.documents.refs import BlobKind, BlobRef, ContextRef
from contexts.errors import (
    ChecksumMismatch,
    DocumentError,
    NotFound,
    ObjectExists,
    RevisionConflict,
    SecretRefused,
)
from contexts.failpoints import failpoint
from contexts.json.values import entries
from contexts.store.keys import (
    CONTEXT,
    DOCUMENTS,
    OWN_ID,
    blob_key,
    check_workflow_id,
    document_key,
    documents_of,
    group_document,
    read_key,
    track_document,
)
from contexts.store.objects import ObjectStore

if TYPE_CHECKING:
    from contexts.redaction import Hit, LineHit

_AnyHit = TypeVar("_AnyHit", "Hit", "LineHit")

__all__ = ["CONTEXT", "ContextStore", "check_workflow_id", "group_document", "track_document"]

INLINE_BYTES = 64 * 1024
_MOST_FINDINGS = 200
"""Redactions of one document that are listed one by one."""
_BLOB = "$blob"
_READERS = 16


class ContextStore:
    """What a workflow remembers.

    Args:
        objects: Where the bytes go.
        policy: ``redact`` replaces a secret value and notes a finding in the document; ``refuse`` raises where it is
            certain to be one, and replaces what is only a guess.
    """

    def __init__(self, objects: ObjectStore, policy: Literal["redact", "refuse"] = "redact") -> None:
        self.objects = objects
        self._policy: Literal["redact", "refuse"] = policy

    @property
    def identity(self) -> str:
        """Name the storage, the same from every machine."""
        return self.objects.identity

    def with_policy(self, policy: Literal["redact", "refuse"]) -> ContextStore:
        """Return this store with another policy for secret values."""
        return ContextStore(self.objects, policy)

    def over(self, objects: ObjectStore) -> ContextStore:
        """Return a store of other objects with this one's policy for secret values."""
        return ContextStore(objects, self._policy)

    def save(self, document: Mapping[str, Any], *, workflow_id: str, name: str, after: int) -> ContextRef:
        """Save a document as revision ``after + 1``.

        Args:
            document: The document; lists and objects above 64 KB are stored as blobs and put back by `load`.
            workflow_id: The workflow it belongs to.
            name: ``context``, ``tracks/{task_id}`` or ``groups/{group_id}``.
            after: The newest revision this writer has read, 0 for none.

        Raises:
            BadIdentifier: The workflow's or document's name must not become a key.
            DocumentError: It belongs to another workflow or name, has no usable version, or is not JSON: nobody could
                read it back.
            RevisionConflict: Somebody else saved that revision.
            SecretRefused: A secret value, and the policy is to refuse.
            StoreError: The store did not take it; nothing was saved.
        """
        key = document_key(workflow_id, name, after + 1)
        label = f"{workflow_id}/{name}"
        stranger = _foreign_identity(document, workflow_id, name)
        if stranger:
            raise DocumentError(f"{label} cannot hold a document of {stranger}", document=label)
        check_version(document.get("version"), label)
        clean = self._without_secrets(dict(document), label)
        body, proof = seal({key: self._outline(workflow_id, value) for key, value in clean.items()}, label)
        ref = ContextRef(workflow_id=workflow_id, document=name, revision=after + 1, sha256=proof, size=len(body))
        failpoint("store.before-document")
        try:
            self.objects.create(key, body)
        except ObjectExists as error:
            raise RevisionConflict(
                f"{ref} was saved by another run meanwhile; run again to continue from there", document=str(ref)
            ) from error
        failpoint("store.document-saved")
        return ref

    def _without_secrets(self, document: JsonObject, name: str) -> JsonObject:
        from contexts.redaction import redact  # noqa: PLC0415 whoever only reads does not pay for it

        redacted = redact(document)
        if not redacted.hits:
            return document
        if hit := self._refused(redacted.hits):
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
                "message": f"a secret value ({hit.kind}) was redacted before saving; revoke it, pass it by reference"
                if hit.certain
                else f"what its name makes a secret value ({hit.kind}) was redacted before saving",
                "sources": [{"document": name, "pointer": hit.pointer, "quote": f"[redacted:{hit.kind}]"}],
            }
            for hit in redacted.hits[:_MOST_FINDINGS]
        ]
        return {**clean, "findings": [*entries(clean, "findings"), *found]}

    def _refused(self, hits: Iterable[_AnyHit]) -> _AnyHit | None:
        """Return the hit for which nothing is saved; what is only a guess refuses nothing."""
        return next((hit for hit in hits if hit.certain), None) if self._policy == "refuse" else None

    def _outline(self, workflow_id: str, value: Any) -> Any:
        if not isinstance(value, list | dict) or not value:
            return value  # pyright: ignore[reportUnknownVariableType] JSON of unknown shape
        body = dump(value)  # pyright: ignore[reportUnknownArgumentType] JSON of unknown shape
        # An object that looks like our own reference is somebody's data: set aside, it can never be taken for one.
        if len(body) <= INLINE_BYTES and not (isinstance(value, dict) and _BLOB in value):
            return value  # pyright: ignore[reportUnknownVariableType] JSON of unknown shape
        if has_non_finite(value):
            raise DocumentError("the document holds NaN or infinity, which JSON cannot; write it as a string")
        ref = self.put_blob(workflow_id, body, "application/json", scanned=True)
        return {_BLOB: ref.model_dump(), "items": len(value)}  # pyright: ignore[reportUnknownArgumentType] same

    def expand(self, workflow_id: str, document: JsonObject) -> JsonObject:
        """Return a document as it lies in the store with everything that was set aside put back."""
        return {
            key: orjson.loads(self.get_blob(workflow_id, BlobRef.model_validate(value[_BLOB])))
            if isinstance(value, dict) and _BLOB in value
            else value
            for key, value in document.items()
        }

    def load(self, ref: ContextRef) -> JsonObject:
        """Return the whole document of a reference, expanded.

        Raises:
            NotFound: There is no such revision.
            ChecksumMismatch: It is not what was saved.
        """
        key = document_key(ref.workflow_id, ref.document, ref.revision)
        document = unseal(self.objects.read(key), str(ref), ref.sha256)
        return self.expand(ref.workflow_id, document)

    def load_many(self, refs: Iterable[ContextRef]) -> list[JsonObject]:
        """Return the documents of several references, read side by side, in the order given."""
        refs = tuple(refs)
        if len(refs) < 2:
            return [self.load(ref) for ref in refs]
        with ThreadPoolExecutor(_READERS, thread_name_prefix="plait-read") as pool:
            return list(pool.map(self.load, refs))

    def load_revision(self, workflow_id: str, name: str, revision: int) -> tuple[ContextRef, JsonObject]:
        """Return one revision by its number, with the reference it deserves.

        Raises:
            NotFound: There is no such revision.
            ChecksumMismatch: The body does not match its own checksum, or belongs under another key.
        """
        body = self.objects.read(document_key(workflow_id, name, revision))
        label = f"{workflow_id}/{name}@{revision}"
        document = unseal(body, label)
        stranger = _foreign_identity(document, workflow_id, name)
        if stranger:
            raise ChecksumMismatch(
                f"{label} holds a document of {stranger}: it was put there by something else; remove that object",
                document=label,
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
        found: dict[str, list[int]] = {}
        for entry in self.objects.list(documents_of(workflow_id, name)):
            parts = read_key(entry.key)
            if parts:
                found.setdefault(parts[1], []).append(parts[2])
        return {document: tuple(sorted(numbers)) for document, numbers in found.items()}

    def workflows(self) -> tuple[str, ...]:
        """Return the ids of all workflows that have a document, in order."""
        keys = (read_key(entry.key) for entry in self.objects.list(DOCUMENTS))
        return tuple(sorted({parts[0] for parts in keys if parts}))

    def put_blob(
        self,
        workflow_id: str,
        data: bytes,
        media_type: str = "application/octet-stream",
        *,
        scanned: bool = False,
        kind: BlobKind = "content",
    ) -> BlobRef:
        """Store bytes under their sha256; text is cleaned of secret values first unless it was already."""
        if not scanned:
            data, _ = self.cleaned(workflow_id, data, media_type)
        ref = BlobRef(sha256=sha256(data).hexdigest(), size=len(data), media_type=media_type, kind=kind)
        try:
            self.objects.create(blob_key(workflow_id, ref), data)
        except ObjectExists:
            # Its name is its content: whoever put it there put the same. A damaged one is met, and said, on reading.
            return ref
        failpoint("store.blob-saved")
        return ref

    def cleaned(self, workflow_id: str, data: bytes, media_type: str) -> tuple[bytes, tuple[LineHit, ...]]:
        """Return bytes as `put_blob` stores them, and what was taken out of them.

        Raises:
            SecretRefused: A secret value, and the policy is to refuse.
        """
        if not _is_text(data, media_type):
            return data, ()
        from contexts.redaction import redact_text  # noqa: PLC0415 whoever only reads does not pay for it

        # Bytes that are no UTF-8 go through as surrogates and come out unchanged.
        clean = redact_text(data.decode("utf-8", "surrogateescape"))
        if hit := self._refused(clean.hits):
            raise SecretRefused(
                f"a {media_type} of {workflow_id} holds a secret value ({hit.kind}); pass secrets by reference "
                "(env:NAME)"
            )
        return (clean.text.encode("utf-8", "surrogateescape"), clean.hits) if clean.hits else (data, ())

    def get_blob(self, workflow_id: str, ref: BlobRef) -> bytes:
        """Return the bytes of a blob.

        Raises:
            NotFound: No such blob.
            ChecksumMismatch: The bytes are not those of its name.
        """
        data = self.objects.read(blob_key(workflow_id, ref))
        if sha256(data).hexdigest() != ref.sha256:
            raise ChecksumMismatch(
                f"blob {ref.sha256[:12]} of {workflow_id} was damaged after it was saved; restore the object from a "
                "backup or remove the revision that names it"
            )
        return data

    def put_json(self, workflow_id: str, value: object, *, guesses: bool = True, kind: BlobKind = "content") -> BlobRef:
        """Store a JSON value as a blob in canonical form, cleaned of secret values.

        Args:
            workflow_id: The workflow it belongs to.
            value: The value.
            guesses: Take out also what only its name makes a secret.
            kind: What it is kept for.
        """
        from contexts.redaction import redact  # noqa: PLC0415 whoever only reads does not pay for it

        clean = redact(cast("JsonValue", value), guesses=guesses)
        if hit := self._refused(clean.hits):
            raise SecretRefused(
                f"a value of {workflow_id} holds a secret ({hit.kind}) at {hit.pointer}; pass secrets by reference "
                "(env:NAME)",
                document=workflow_id,
                pointer=hit.pointer,
            )
        return self.put_blob(workflow_id, canonical(clean.value), "application/json", scanned=True, kind=kind)

    def require(self, workflow_id: str, name: str = CONTEXT) -> tuple[ContextRef, JsonObject]:
        """Return the newest revision of a document that must be there.

        Raises:
            NotFound: The workflow or document is not in this store.
        """
        found = self.latest(workflow_id, name)
        if found is None:
            raise NotFound(
                f"{workflow_id}/{name} is not in {self.identity}; `plait list` shows what is", workflow_id=workflow_id
            )
        return found


def _foreign_identity(document: Mapping[str, Any], workflow_id: str, name: str) -> str | None:
    """Return whose document this is if it does not belong under that name."""
    owner = document.get("parent_workflow_id") or document.get("workflow_id")
    if owner != workflow_id:
        return f"workflow {str(owner)[:80]!r}"
    kind, _, own = name.partition("/")
    field = OWN_ID.get(kind)
    if field is not None and document.get(field) != own:
        return f"{field} {str(document.get(field))[:80]!r}"
    return None


def _is_text(data: bytes, media_type: str) -> bool:
    if media_type.startswith("text/") or media_type.endswith(("json", "xml", "yaml", "javascript")):
        return True
    if b"\0" in data[:65536]:
        return False
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
