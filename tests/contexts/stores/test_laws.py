"""Every store keeps every law."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest

from contexts.errors import NotFound
from contexts.store.objects import Entry, ObjectStore, Versioned
from tests.contexts.conformance import LAWS, Law, Open, Trial, broken_laws
from tests.contexts.stores.conftest import Storage


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name.replace(" ", "-"))
def test_the_store_keeps_the_law(storage: Storage, law: Law, rounds: int) -> None:
    law.check(Trial(storage(), rounds))


class _Forgetful:
    """A store that ignores every precondition, as some S3-compatible services do."""

    identity = "memory://forgetful"

    def __init__(self, kept: dict[str, bytes]) -> None:
        self._kept = kept

    def create(self, key: str, body: bytes) -> None:
        self._kept[key] = body

    def read(self, key: str) -> bytes:
        if key not in self._kept:
            raise NotFound(f"no {key}")
        return self._kept[key]

    def list(self, prefix: str) -> Iterator[Entry]:
        return (Entry(key, len(body), 1.8e9) for key, body in sorted(self._kept.items()) if key.startswith(prefix))

    def read_versioned(self, key: str) -> Versioned | None:
        return Versioned(self._kept[key], "1") if key in self._kept else None

    def replace(self, key: str, body: bytes, version: str | None) -> str:  # noqa: ARG002 - that is the fault
        self._kept[key] = body
        return "1"

    def delete(self, key: str) -> None:
        self._kept.pop(key, None)


def _forgetful_storage() -> Open:
    kept: dict[str, bytes] = {}
    return lambda: cast("ObjectStore", _Forgetful(kept))


def test_the_laws_name_what_a_store_that_ignores_preconditions_breaks() -> None:
    broken = broken_laws(_forgetful_storage, rounds=3)
    assert set(broken) == {
        "creating twice is refused and keeps the first",
        "of many creating one key exactly one wins",
        "of many replacing one version exactly one wins",
        "of many making one mutable object exactly one wins",
        "a replace returns the version to name next",
        "no key leads out of the store",
    }
