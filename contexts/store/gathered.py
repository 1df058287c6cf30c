"""Keep objects in memory: what belongs together is gathered before any of it is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from contexts.errors import NotFound, ObjectExists, VersionChanged
from contexts.store.objects import Entry, Versioned


class GatheredObjects:
    """An object store in memory, for one thread.

    Args:
        identity: The store it is gathered for.
        bodies: What it begins with, by key.
    """

    def __init__(self, identity: str, bodies: Mapping[str, bytes] | None = None) -> None:
        self._identity = identity
        self.bodies = dict(bodies or {})

    @property
    def identity(self) -> str:
        """Name the store it is gathered for."""
        return self._identity

    def create(self, key: str, body: bytes) -> None:
        """Add a new object.

        Raises:
            ObjectExists: The key is taken.
        """
        if key in self.bodies:
            raise ObjectExists(f"object {key} was gathered already", key=key)
        self.bodies[key] = body

    def read(self, key: str) -> bytes:
        """Return an object.

        Raises:
            NotFound: No such key.
        """
        try:
            return self.bodies[key]
        except KeyError as error:
            raise NotFound(f"there is no object {key} in what was gathered for {self._identity}", key=key) from error

    def list(self, prefix: str) -> Iterator[Entry]:
        """Yield every object whose key begins with ``prefix``, in ascending key order."""
        for key in sorted(self.bodies):
            if key.startswith(prefix):
                yield Entry(key=key, size=len(self.bodies[key]), modified=0.0)

    def read_versioned(self, key: str) -> Versioned | None:
        """Return an object, None where there is none; its version is what it holds."""
        body = self.bodies.get(key)
        return None if body is None else Versioned(body=body, version=body.hex())

    def replace(self, key: str, body: bytes, version: str | None) -> str:
        """Replace an object that still has a version.

        Raises:
            VersionChanged: It has not.
        """
        found = self.read_versioned(key)
        if (found.version if found else None) != version:
            raise VersionChanged(f"object {key} was changed", key=key)
        self.bodies[key] = body
        return body.hex()

    def delete(self, key: str) -> None:
        """Remove an object; a missing one is no error."""
        self.bodies.pop(key, None)
