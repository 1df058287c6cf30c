"""Bytes under their own sha256, cleaned of secret values on their way in: logs, reports, git bundles, long lists."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import TYPE_CHECKING, Literal, TypeVar, cast

from pydantic import JsonValue

from contexts.documents.codec import canonical
from contexts.documents.refs import BlobKind, BlobRef
from contexts.errors import ChecksumMismatch, ObjectExists, SecretRefused
from contexts.failpoints import failpoint
from contexts.store.keys import blob_key
from contexts.store.objects import ObjectStore

if TYPE_CHECKING:
    from contexts.redaction import Hit, LineHit

_AnyHit = TypeVar("_AnyHit", "Hit", "LineHit")


class BlobStore:
    """Blobs on top of any object store.

    Args:
        objects: Where the bytes go.
        policy: ``redact`` replaces a secret value and notes a finding in the document; ``refuse`` raises where it is
            certain to be one, and replaces what is only a guess.
    """

    def __init__(self, objects: ObjectStore, policy: Literal["redact", "refuse"] = "redact") -> None:
        self.objects = objects
        self.policy: Literal["redact", "refuse"] = policy

    @property
    def identity(self) -> str:
        """Name the storage, the same from every machine."""
        return self.objects.identity

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
        if hit := self.refused(clean.hits):
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
        if hit := self.refused(clean.hits):
            raise SecretRefused(
                f"a value of {workflow_id} holds a secret ({hit.kind}) at {hit.pointer}; pass secrets by reference "
                "(env:NAME)",
                document=workflow_id,
                pointer=hit.pointer,
            )
        return self.put_blob(workflow_id, canonical(clean.value), "application/json", scanned=True, kind=kind)

    def refused(self, hits: Iterable[_AnyHit]) -> _AnyHit | None:
        """Return the hit for which nothing is saved; what is only a guess refuses nothing."""
        return next((hit for hit in hits if hit.certain), None) if self.policy == "refuse" else None


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
