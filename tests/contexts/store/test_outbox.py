"""What an outbox holds is whole, private, without secrets, and told from what a disk or a crash has damaged."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson
import pytest

from contexts.errors import ChecksumMismatch, SecretRefused, StoreError
from contexts.store.contexts import ContextStore
from contexts.store.gathered import GatheredObjects
from contexts.store.local import LocalObjects
from contexts.store.outbox import Outbox

SECRET = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


def document(**more: Any) -> dict[str, Any]:
    return {
        "version": "1.0", "workflow_id": "w-api", "parent_workflow_id": "w", "task_id": "api", "status": "completed",
        "timestamp": "2026-01-01T00:00:00Z", "current_agent": "a", "phase": "api-complete", "kind": "track",
        "execution": {"inputs": "i", "run_id": "r"}, **more,
    }  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> ContextStore:
    return ContextStore(LocalObjects(tmp_path / "store"))


@pytest.fixture
def outbox(tmp_path: Path, store: ContextStore) -> Outbox:
    return Outbox(tmp_path / "workspaces" / "outbox", store, "w")


def log_of(store: ContextStore, said: bytes) -> dict[str, bytes]:
    gathered = GatheredObjects(store.identity)
    store.over(gathered).put_blob("w", said, "text/plain")
    return gathered.bodies


def test_what_is_kept_comes_back_as_the_store_would_have_it_with_what_it_refers_to(
    store: ContextStore, outbox: Outbox
) -> None:
    long = ["x" * 1000] * 100  # is set aside as a blob
    blobs = log_of(store, b"what it said")
    outbox.keep("api", document(decisions=long), 3, blobs)
    (kept,) = outbox.entries()
    found, objects = outbox.open(kept)
    assert (kept.task_id, kept.revision, found["decisions"]) == ("api", 3, long)
    assert set(blobs) < set(objects)
    assert outbox.entries("api") == (kept,)
    assert outbox.entries("page") == ()
    outbox.remove(kept)
    outbox.remove(kept)
    assert outbox.entries() == ()


def test_an_entry_is_for_its_owner_alone_whatever_the_umask(outbox: Outbox) -> None:
    before = os.umask(0)
    try:
        kept = outbox.keep("api", document(), 1, {})
    finally:
        os.umask(before)
    assert [one.stat().st_mode & 0o777 for one in (outbox.root, kept.folder)] == [0o700, 0o700]
    assert {one.stat().st_mode & 0o777 for one in kept.folder.iterdir()} == {0o600}


def test_nothing_lies_there_that_would_not_be_stored(store: ContextStore, outbox: Outbox) -> None:
    kept = outbox.keep("api", document(decisions=[f"use {SECRET}"]), 1, log_of(store, f"token {SECRET}".encode()))
    assert all(SECRET.encode() not in one.read_bytes() for one in kept.folder.iterdir())
    refusing = Outbox(outbox.root, store.with_policy("refuse"), "w")
    with pytest.raises(SecretRefused):
        refusing.keep("api", document(decisions=[f"use {SECRET}"]), 1, {})
    assert len(outbox.entries()) == 1


@pytest.mark.parametrize("harm", ["cut", "altered", "gone", "no manifest", "another manifest", "linked"])
def test_a_damaged_entry_is_told_and_never_saved(
    outbox: Outbox, store: ContextStore, tmp_path: Path, harm: str
) -> None:
    folder = outbox.keep("api", document(), 1, log_of(store, b"what it said")).folder
    body = next(one for one in folder.iterdir() if one.name != "manifest.json")
    manifest = folder / "manifest.json"
    if harm == "cut":
        body.write_bytes(body.read_bytes()[:-1])
    elif harm == "altered":
        body.write_bytes(body.read_bytes()[:-1] + b"?")
    elif harm == "gone":
        body.unlink()
    elif harm == "no manifest":
        manifest.unlink()
    elif harm == "another manifest":
        manifest.write_bytes(orjson.dumps({**orjson.loads(manifest.read_bytes()), "inputs": "j"}))
    else:
        body.rename(tmp_path / "elsewhere")
        body.symlink_to(tmp_path / "elsewhere")
    (kept,) = outbox.entries()
    with pytest.raises(ChecksumMismatch, match="is damaged"):
        outbox.open(kept)


def test_what_a_dead_writer_left_half_written_is_no_entry_and_goes_with_the_next(outbox: Outbox) -> None:
    outbox.root.mkdir(parents=True)
    half = outbox.root / f".new-{2**22 + 7}-api.0"
    half.mkdir()
    (half / "manifest.json").write_text("{")
    living = outbox.root / f".new-{os.getpid()}-api.1"
    living.mkdir()
    for one in (half, living):
        os.utime(one, (0, 0))
    young = outbox.root / f".new-{2**22 + 7}-api.2"
    young.mkdir()
    assert outbox.entries() == ()
    outbox.keep("api", document(), 1, {})
    assert young.exists(), "perhaps another container's"
    assert (half.exists(), living.exists(), len(outbox.entries())) == (False, True, 1)


def test_an_entry_of_another_store_or_workflow_is_not_taken_for_ones_own(outbox: Outbox, tmp_path: Path) -> None:
    outbox.keep("api", document(), 1, {})
    for other in (
        Outbox(outbox.root, ContextStore(LocalObjects(tmp_path / "other")), "w"),
        Outbox(outbox.root, outbox._store, "v"),  # pyright: ignore[reportPrivateUsage] the same but for one thing
    ):
        (kept,) = other.entries()
        with pytest.raises(ChecksumMismatch):
            other.open(kept)


def test_a_place_that_takes_nothing_is_named(store: ContextStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    outbox = Outbox(tmp_path / "file" / "outbox", store, "w")
    with pytest.raises(StoreError, match=r"result of track api cannot be kept in .*file/outbox either") as caught:
        outbox.keep("api", document(), 1, {})
    assert caught.value.exit_code == 6
    assert outbox.entries() == ()


def test_a_folder_that_cannot_be_read_holds_nothing_and_says_why(store: ContextStore, tmp_path: Path) -> None:
    loop = tmp_path / "outbox"
    loop.symlink_to(loop)
    outbox = Outbox(loop, store, "w")
    assert outbox.entries() == ()
    assert f"{loop} cannot be read" in outbox.unreadable
    loop.unlink()
    outbox.keep("api", document(), 1, {})
    assert len(outbox.entries()) == 1
    assert outbox.unreadable == ""


def test_an_entry_that_cannot_be_looked_at_hides_none_of_the_others(outbox: Outbox) -> None:
    kept = outbox.keep("api", document(), 1, {})
    loop = outbox.root / "web.0"
    loop.symlink_to(loop)
    assert {one.task_id: one.manifest for one in outbox.entries()} == {"web": None, "api": kept.manifest}
    assert outbox.unreadable == ""
