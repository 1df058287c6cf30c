"""A run that remembers what it read asks the store once, and never believes what the store does not hold."""

import pytest

from contexts.errors import ChecksumMismatch, NotFound, ObjectExists
from contexts.store.cache import CachedObjects
from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects

HEAD = {"version": "1.0", "workflow_id": "w", "timestamp": "2026-01-01T00:00:00Z", "current_agent": "a", "phase": "p"}


class Counting(LocalObjects):
    """A folder that notes which keys were read."""

    def __init__(self, root):
        super().__init__(root)
        self.asked = []

    def read(self, key):
        self.asked.append(key)
        return super().read(key)


@pytest.fixture
def inner(tmp_path):
    return Counting(tmp_path)


def test_what_this_run_saved_is_not_asked_for_again(inner):
    store = ContextStore(CachedObjects(inner))
    ref = store.save(HEAD, workflow_id="w", name="context", after=0)
    assert store.load(ref)["phase"] == "p"
    assert inner.asked == []


def test_what_another_run_saved_is_asked_for_once(inner):
    ref = ContextStore(inner).save(HEAD, workflow_id="w", name="context", after=0)
    store = ContextStore(CachedObjects(inner))
    for _ in range(3):
        assert store.load(ref) == ContextStore(LocalObjects(inner.root)).load(ref)
    assert inner.asked == ["documents/w/context/000001.json"]


def test_a_save_that_was_refused_is_not_remembered(inner):
    inner.create("documents/w/context/000001.json", b"theirs")
    objects = CachedObjects(inner)
    with pytest.raises(ObjectExists):
        objects.create("documents/w/context/000001.json", b"ours")
    assert objects.read("documents/w/context/000001.json") == b"theirs"


def test_what_changes_is_always_asked_for(inner):
    objects = CachedObjects(inner)
    version = objects.replace("leases/w.json", b"1", None)
    assert objects.read("leases/w.json") == b"1"
    inner.replace("leases/w.json", b"2", version)
    assert objects.read("leases/w.json") == b"2"
    assert objects.read_versioned("leases/w.json").body == b"2"


def test_what_was_removed_is_forgotten(inner):
    objects = CachedObjects(inner)
    objects.create("documents/w/context/000001.json", b"x")
    objects.delete("documents/w/context/000001.json")
    with pytest.raises(NotFound):
        objects.read("documents/w/context/000001.json")


def test_a_remembered_body_is_checked_like_any_other(inner):
    inner.create("documents/w/context/000001.json", b'{"version": "1.0"}')
    store = ContextStore(CachedObjects(inner))
    for _ in range(2):
        with pytest.raises(ChecksumMismatch):
            store.load_revision("w", "context", 1)


def test_memory_is_bounded_and_the_oldest_goes_first(inner):
    objects = CachedObjects(inner, most=250)
    for number in range(4):
        objects.create(f"documents/w/tracks/t{number}/000001.json", bytes(100))
    objects.create("documents/w/context/000001.json", bytes(2_000_000))
    for number in (3, 2, 1, 0):
        objects.read(f"documents/w/tracks/t{number}/000001.json")
    objects.read("documents/w/context/000001.json")
    objects.read("documents/w/context/000001.json")
    assert inner.asked == [
        "documents/w/tracks/t1/000001.json",
        "documents/w/tracks/t0/000001.json",
        *["documents/w/context/000001.json"] * 2,
    ]
