"""What a store must be able to do: the protocol every kind of storage fulfils.

An object store holds bytes under keys. It knows nothing of documents; revisions, checksums and blobs are built on top
by `contexts.store.contexts`, so that a law is written, and tested, once.

Laws (held by the conformance suite in ``tests/contexts/conformance.py``):

* ``create`` that returned survives kill -9 and power loss; a reader sees the whole body or nothing.
* Of N racing ``create`` calls for one key exactly one returns; the others raise ``ObjectExists``.
* A ``create`` whose answer was lost and which is sent again counts as landed when the body is the same.
* ``replace`` succeeds for exactly one of N racers that read the same version.
* ``list`` is in ascending key order and complete for everything whose ``create`` has returned.
* A key never leads out of the store.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Entry:
    """One listed object.

    Attributes:
        key: Key below the store's prefix, with ``/`` between segments.
        size: Stored size in bytes (after compression, where there is any).
        modified: Seconds since the epoch by the store's own clock.
    """

    key: str
    size: int
    modified: float


@dataclass(frozen=True, slots=True)
class Versioned:
    """A mutable object as read: its body and the version to name when replacing it."""

    body: bytes
    version: str


class ObjectStore(Protocol):
    """Bytes under keys, create-only, with one guarded way to replace."""

    @property
    def identity(self) -> str:
        """Name the storage itself, the same from every machine that can reach it (no secrets in it)."""
        ...

    def create(self, key: str, body: bytes) -> None:
        """Store a new object durably.

        Raises:
            ObjectExists: The key holds another body. A key that already holds this very body is no error only when
                this call's own earlier attempt put it there.
            StoreError: The store refused or did not answer.
        """
        ...

    def read(self, key: str) -> bytes:
        """Return a whole object.

        Raises:
            NotFound: No such key.
        """
        ...

    def list(self, prefix: str) -> Iterator[Entry]:
        """Yield every object whose key begins with ``prefix``, in ascending key order."""
        ...

    def read_versioned(self, key: str) -> Versioned | None:
        """Return a mutable object and its version, or None where there is none."""
        ...

    def replace(self, key: str, body: bytes, version: str | None) -> str:
        """Replace a mutable object if it still has ``version`` (None: if it is new); return its new version.

        Raises:
            VersionChanged: Somebody else replaced it since.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove an object; a missing one is no error. Only retention and probes call this."""
        ...
