"""Documents, revisions and blobs on top of any object store; `contexts.store.keys` says where they lie.

A save creates the next number and nothing else. Every string that is written passes the secret scanner on its way in.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import orjson
from cachetools import LRUCache
from pydantic import ValidationError

from contexts.documents.base import JsonObject, Open
from contexts.documents.codec import check_version, dump, has_non_finite, seal, unseal, validate
from contexts.documents.findings import Finding, Source
from contexts.documents.refs import BlobRef, ContextRef
from contexts.errors import (
    BadIdentifier,
    ChecksumMismatch,
    DocumentError,
    NotFound,
    ObjectExists,
    RevisionConflict,
    SecretRefused,
)
from contexts.failpoints import failpoint
from contexts.json.pointer import pointer
from contexts.json.values import entries, is_object
from contexts.store.blobs import BlobStore
from contexts.store.keys import (
    CONTEXT,
    DOCUMENTS,
    OWN_ID,
    check_workflow_id,
    document_key,
    documents_of,
    group_document,
    read_key,
    track_document,
)
from contexts.store.objects import ObjectStore

if TYPE_CHECKING:
    from contexts.documents.context import Context
    from contexts.redaction import Hit

__all__ = ["CONTEXT", "ContextStore", "check_workflow_id", "group_document", "track_document"]

INLINE_BYTES = 64 * 1024
_MOST_FINDINGS = 200
"""Redactions of one document that are listed one by one."""
_BLOB = "$blob"
_READERS = 16


_TYPED: LRUCache[str, Context] = LRUCache(maxsize=4)
_TYPING = threading.Lock()


def typed(ref: ContextRef, document: JsonObject) -> Context:
    """Return the typed view of a document, the last few of which are kept by their checksums: nobody changes one.

    Raises:
        DocumentError: It is not of the format it says.
    """
    with _TYPING:
        known = _TYPED.get(ref.sha256)
    if known is None:
        known = validate(document, str(ref))
        with _TYPING:
            _TYPED[ref.sha256] = known
    return known


class Saved(NamedTuple):
    """A document as it lies in the store, and where."""

    ref: ContextRef
    document: JsonObject

    @property
    def context(self) -> Context:
        """Its typed view.

        Raises:
            DocumentError: It is not of the format it says.
        """
        return typed(self.ref, self.document)


class ContextStore(BlobStore):
    """What a workflow remembers.

    Args:
        objects: Where the bytes go.
        policy: ``redact`` replaces a secret value and notes a finding in the document; ``refuse`` raises where it is
            certain to be one, and replaces what is only a guess.
    """

    def with_policy(self, policy: Literal["redact", "refuse"]) -> ContextStore:
        """Return this store with another policy for secret values."""
        return ContextStore(self.objects, policy)

    def over(self, objects: ObjectStore) -> ContextStore:
        """Return a store of other objects with this one's policy for secret values."""
        return ContextStore(objects, self.policy)

    def save(self, document: Context | Mapping[str, Any], *, workflow_id: str, name: str, after: int) -> ContextRef:
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
        document = document.to_json() if isinstance(document, Open) else document
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
        if hit := self.refused(redacted.hits):
            raise SecretRefused(
                f"{name} holds a secret value ({hit.kind}) at {hit.pointer}; pass secrets by reference (env:NAME)",
                document=name,
                pointer=hit.pointer,
            )
        clean = cast("JsonObject", redacted.value)
        found = [_redacted(name, hit).to_json() for hit in redacted.hits[:_MOST_FINDINGS]]
        return {**clean, "findings": [*entries(clean, "findings"), *found]}

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
        """Return a document as it lies in the store with everything that was set aside put back.

        Raises:
            NotFound: What was set aside is not there.
            ChecksumMismatch: It is not what was saved.
            DocumentError: A member says of itself that it was set aside, and was not by this program.
        """
        whole: JsonObject = {}
        for key, value in document.items():
            aside = is_object(value) and _BLOB in value
            try:
                ref = BlobRef.model_validate(value[_BLOB]) if aside else None
                whole[key] = orjson.loads(self.get_blob(workflow_id, ref)) if ref else value
            except (ValidationError, orjson.JSONDecodeError, BadIdentifier) as error:
                raise DocumentError(
                    f"{key[:60]!r} in a document of {workflow_id} refers to no part of it; remove that revision",
                    document=workflow_id,
                    pointer=pointer(key),
                ) from error
        return whole

    def load(self, ref: ContextRef) -> JsonObject:
        """Return the whole document of a reference, expanded.

        Raises:
            NotFound: There is no such revision.
            ChecksumMismatch: It is not what was saved.
        """
        key = document_key(ref.workflow_id, ref.document, ref.revision)
        document = unseal(self.objects.read(key), str(ref), ref.sha256)
        return self.expand(ref.workflow_id, document)

    def load_context(self, ref: ContextRef) -> Context:
        """Return the document of a reference, typed.

        Raises:
            NotFound: There is no such revision.
            ChecksumMismatch: It is not what was saved.
            DocumentError: It is not of the format it says.
        """
        return Saved(ref, self.load(ref)).context

    def load_contexts(self, refs: Iterable[ContextRef]) -> list[Context]:
        """Return the documents of several references, typed, read side by side, in the order given."""
        refs = tuple(refs)
        return [Saved(ref, document).context for ref, document in zip(refs, self.load_many(refs), strict=True)]

    def load_many(self, refs: Iterable[ContextRef]) -> list[JsonObject]:
        """Return the documents of several references, read side by side, in the order given."""
        refs = tuple(refs)
        if len(refs) < 2:
            return [self.load(ref) for ref in refs]
        with ThreadPoolExecutor(_READERS, thread_name_prefix="plait-read") as pool:
            return list(pool.map(self.load, refs))

    def load_revision(self, workflow_id: str, name: str, revision: int) -> Saved:
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
        return Saved(ref, self.expand(workflow_id, document))

    def load_revisions(self, workflow_id: str, wanted: Iterable[tuple[str, int]]) -> dict[str, Context]:
        """Return several documents by name, each at the revision wanted, read side by side."""
        pairs = list(wanted)

        def read(pair: tuple[str, int]) -> Context:
            return self.load_revision(workflow_id, *pair).context

        with ThreadPoolExecutor(_READERS, thread_name_prefix="plait-read") as pool:
            return {name: context for (name, _), context in zip(pairs, pool.map(read, pairs), strict=True)}

    def latest(self, workflow_id: str, name: str = CONTEXT) -> Saved | None:
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

    def require(self, workflow_id: str, name: str = CONTEXT) -> Saved:
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


def _redacted(name: str, hit: Hit) -> Finding:
    said = f"what its name makes a secret value ({hit.kind}) was redacted before saving"
    if hit.certain:
        said = f"a secret value ({hit.kind}) was redacted before saving; revoke it, pass it by reference"
    where = Source(document=name, pointer=hit.pointer, quote=f"[redacted:{hit.kind}]")
    return Finding(rule="secrets/value-in-document", severity="warning", message=said, sources=(where,))


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
