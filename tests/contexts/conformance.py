"""The laws of an object store, told one by one, for any store.

A law is a function that takes a way to open the store and raises `AssertionError` where the store breaks it. Every
opening is another handle, as another process would have; all of them see one storage, which is empty at first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from contexts.errors import BadIdentifier, Conflict, NotFound, ObjectExists, VersionChanged
from contexts.store.objects import ObjectStore, Versioned

Open = Callable[[], ObjectStore]
WRITERS = 16


@dataclass(frozen=True)
class Trial:
    """A fresh storage, and how often to race on it."""

    open: Open
    rounds: int = 10


@dataclass(frozen=True)
class Law:
    """One thing a store must hold, and how to find out."""

    name: str
    check: Callable[[Trial], None]


LAWS: list[Law] = []


def law(check: Callable[[Trial], None]) -> Callable[[Trial], None]:
    LAWS.append(Law(check.__name__.replace("_", " "), check))
    return check


def broken_laws(fresh: Callable[[], Open], rounds: int = 10) -> dict[str, str]:
    """Run every law on a fresh storage each and return what is broken: the law's name and how it showed."""
    broken: dict[str, str] = {}
    for each in LAWS:
        try:
            each.check(Trial(fresh(), rounds))
        except (AssertionError, pytest.fail.Exception) as error:
            broken[each.name] = str(error).partition("\n")[0]
    return broken


def race(handles: list[ObjectStore], act: Callable[[ObjectStore, int], object]) -> tuple[list[int], list[int]]:
    """Let all writers act at one moment, each through a handle of its own; return who won and who met a conflict."""
    start = threading.Barrier(WRITERS)

    def run(number: int) -> bool:
        start.wait(60)
        try:
            act(handles[number], number)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(WRITERS) as pool:
        won = list(pool.map(run, range(WRITERS)))
    return [n for n in range(WRITERS) if won[n]], [n for n in range(WRITERS) if not won[n]]


@law
def what_was_created_is_read_back(trial: Trial) -> None:
    bodies = {
        "empty": b"",
        "text": b'{"a": "\xc3\xa4"}',
        "large": b"0123456789abcdef" * 20_000,
        "zip": b"\x1f\x8b" * 80_000,
    }
    for name, body in bodies.items():
        trial.open().create(f"blobs/w/{name}", body)
    for name, body in bodies.items():
        assert trial.open().read(f"blobs/w/{name}") == body, f"{name} came back changed"


@law
def creating_twice_is_refused_and_keeps_the_first(trial: Trial) -> None:
    store = trial.open()
    store.create("documents/w/context/000001.json", b"first")
    for handle in (store, trial.open()):
        for body in (b"second", b"first"):
            with pytest.raises(ObjectExists):
                handle.create("documents/w/context/000001.json", body)
    assert store.read("documents/w/context/000001.json") == b"first", "the first body was overwritten"


@law
def of_many_creating_one_key_exactly_one_wins(trial: Trial) -> None:
    handles = [trial.open() for _ in range(WRITERS)]
    for turn in range(trial.rounds):
        key = f"documents/w/context/{turn:06d}.json"
        won, _ = race(handles, lambda store, number, key=key: store.create(key, f"writer {number}".encode()))
        assert len(won) == 1, f"round {turn}: {len(won)} writers won"
        assert trial.open().read(key) == f"writer {won[0]}".encode(), f"round {turn}: the loser's body is stored"


@law
def of_many_replacing_one_version_exactly_one_wins(trial: Trial) -> None:
    handles = [trial.open() for _ in range(WRITERS)]
    version = trial.open().replace("leases/w.json", b"none yet", None)
    for turn in range(trial.rounds):
        won, _ = race(
            handles,
            lambda store, number, turn=turn, version=version: store.replace(
                "leases/w.json", f"{turn} of {number}".encode(), version
            ),
        )
        found = trial.open().read_versioned("leases/w.json")
        assert found is not None, "the object is gone"
        assert len(won) == 1, f"round {turn}: {len(won)} writers won"
        assert found.body == f"{turn} of {won[0]}".encode(), f"round {turn}: the loser's body is stored"
        version = found.version


@law
def of_many_making_one_mutable_object_exactly_one_wins(trial: Trial) -> None:
    handles = [trial.open() for _ in range(WRITERS)]
    for turn in range(trial.rounds):
        won, _ = race(
            handles,
            lambda store, number, turn=turn: store.replace(f"leases/w{turn}.json", f"{number}".encode(), None),
        )
        assert len(won) == 1, f"round {turn}: {len(won)} writers won"


@law
def a_replace_returns_the_version_to_name_next(trial: Trial) -> None:
    store = trial.open()
    first = store.replace("leases/w.json", b"1", None)
    second = store.replace("leases/w.json", b"2", first)
    found = trial.open().read_versioned("leases/w.json")
    assert found == Versioned(b"2", second), f"{found} is not version {second}"
    for stale in (first, None):
        with pytest.raises(VersionChanged):
            store.replace("leases/w.json", b"3", stale)
    store.delete("leases/w.json")
    with pytest.raises(VersionChanged):
        store.replace("leases/w.json", b"3", second)


@law
def listing_is_complete_and_in_key_order(trial: Trial) -> None:
    keys = [
        "documents/w/context/000002.json",
        "documents/w/context/000010.json",
        "documents/w/context/000001.json",
        "documents/w/tracks/a/000001.json",
        "documents/w/tracks/a-b/000001.json",
        "documents/w/tracks/a.b/000001.json",
        "documents/w/tracks/a0/000001.json",
        "documents/w-2/context/000001.json",
        "blobs/w/00ff",
    ]
    store = trial.open()
    for key in keys:
        store.create(key, key.encode())
    for prefix in (
        "",
        "documents/",
        "documents/w/",
        "documents/w/tracks/a",
        "documents/w/tracks/a/",
        "documents/x/",
        "bl",
    ):
        listed = list(trial.open().list(prefix))
        expected = sorted(key for key in keys if key.startswith(prefix))
        assert [entry.key for entry in listed] == expected, f"prefix {prefix!r}: {[entry.key for entry in listed]}"
        assert all(entry.size == len(entry.key) for entry in listed), "a size is wrong"
        assert all(entry.modified > 1.7e9 for entry in listed), "a time is missing"


@law
def a_missing_object_is_said_to_be_missing(trial: Trial) -> None:
    store = trial.open()
    with pytest.raises(NotFound):
        store.read("documents/w/context/000001.json")
    assert store.read_versioned("leases/w.json") is None
    assert list(store.list("documents/")) == []
    store.delete("documents/w/context/000001.json")


@law
def a_deleted_object_is_gone(trial: Trial) -> None:
    store = trial.open()
    store.create("documents/w/context/000001.json", b"x")
    store.delete("documents/w/context/000001.json")
    assert [*trial.open().list("")] == [], "it is still listed"
    with pytest.raises(NotFound):
        trial.open().read("documents/w/context/000001.json")


@law
def no_key_leads_out_of_the_store(trial: Trial) -> None:
    store = trial.open()
    for key in (
        "../x",
        "a/../../x",
        "/etc/x",
        "a//x",
        "a/",
        "",
        ".",
        ".hidden",
        "a/.tmp/x",
        "a\\x",
        "a\x00b",
        "a b",
        "ä",
        "x" * 901,
    ):
        for act in (
            lambda key=key: store.create(key, b"x"),
            lambda key=key: store.read(key),
            lambda key=key: store.read_versioned(key),
            lambda key=key: store.replace(key, b"x", None),
            lambda key=key: store.delete(key),
        ):
            with pytest.raises(BadIdentifier):
                act()
    for prefix in ("../", "/", "a//", ".tmp/", "a/../"):
        with pytest.raises(BadIdentifier):
            list(store.list(prefix))


@law
def readers_see_a_whole_body_or_none(trial: Trial) -> None:
    body = b"whole " * 100_000
    done = threading.Event()
    torn: list[int] = []

    def watch() -> None:
        store = trial.open()
        while not done.is_set():
            sizes = [len(store.read(entry.key)) for entry in store.list("blobs/w/")]
            torn.extend(size for size in sizes if size != len(body))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for turn in range(trial.rounds):
            trial.open().create(f"blobs/w/{turn:04d}", body)
    finally:
        done.set()
        watcher.join(60)
    assert not torn, f"{len(torn)} torn reads"


@law
def the_identity_is_the_same_for_every_handle_and_names_no_secret(trial: Trial) -> None:
    names = {trial.open().identity for _ in range(3)}
    assert len(names) == 1, f"one storage has several names: {names}"
    assert "://" in names.pop(), "the identity is no URL"
