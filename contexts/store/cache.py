"""Read nothing twice that cannot change: a run looks at each track's document in every phase.

Documents and blobs are never overwritten, so a body that was read or written once is what the store holds. Every
reading of it is checked against its digest as if it had come from the store.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

from cachetools import LRUCache

from contexts.store.keys import BLOBS, DOCUMENTS
from contexts.store.objects import Entry, ObjectStore, Versioned

_IMMUTABLE = (DOCUMENTS, BLOBS)
_MOST_OF_ONE = 1_000_000
_MOST = 32_000_000


class CachedObjects:
    """An object store in front of another, for the life of one run. Thread-safe.

    Args:
        inner: Where the objects are.
        most: Bytes kept in memory at most; what was used longest ago goes first.
    """

    def __init__(self, inner: ObjectStore, *, most: int = _MOST) -> None:
        self._inner = inner
        self._kept: LRUCache[str, bytes] = LRUCache(most, getsizeof=len)
        self._lock = threading.Lock()

    @property
    def identity(self) -> str:
        """Name the storage itself."""
        return self._inner.identity

    def create(self, key: str, body: bytes) -> None:
        """Store a new object, and remember a document: the next phase will ask for it."""
        self._inner.create(key, body)
        if key.startswith(DOCUMENTS):
            self._keep(key, body)

    def read(self, key: str) -> bytes:
        """Return a whole object, from the store where it is not remembered."""
        with self._lock:
            body = self._kept.get(key)
        if body is not None:
            return body
        body = self._inner.read(key)
        if key.startswith(_IMMUTABLE):
            self._keep(key, body)
        return body

    def list(self, prefix: str) -> Iterator[Entry]:
        """Yield what the store lists."""
        return self._inner.list(prefix)

    def read_versioned(self, key: str) -> Versioned | None:
        """Return a mutable object from the store itself."""
        return self._inner.read_versioned(key)

    def replace(self, key: str, body: bytes, version: str | None) -> str:
        """Replace a mutable object in the store itself."""
        return self._inner.replace(key, body, version)

    def delete(self, key: str) -> None:
        """Remove an object, and forget it."""
        with self._lock:
            self._kept.pop(key, None)
        self._inner.delete(key)

    def _keep(self, key: str, body: bytes) -> None:
        if len(body) <= min(_MOST_OF_ONE, self._kept.maxsize):
            with self._lock:
                self._kept[key] = body
