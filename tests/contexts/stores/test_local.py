"""What a folder of files holds beyond the common laws: kills, full disks, links, leftovers, speed."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from contexts.errors import NotFound, ObjectExists, StoreDenied, StoreError, StoreUnreachable, StoreUnsuitable
from contexts.store import local
from contexts.store.local import LocalObjects
from tests.contexts.stores.mortal import CALLS, Mortals

KEY = "documents/w/context/000001.json"


@pytest.mark.parametrize("syscall", CALLS)
def test_a_save_killed_anywhere_leaves_a_whole_document_or_none(tmp_path: Path, mortals: Mortals, syscall: str) -> None:
    died = 0
    for count in range(1, 12):
        root = tmp_path / f"{syscall}-{count}"
        finished = mortals.save(root, KEY, b"x" * 100_000, syscall, count) == "saved"
        died += not finished
        store = LocalObjects(root)
        listed = [entry.key for entry in store.list("")]
        if listed:
            assert store.read(KEY) == b"x" * 100_000
        else:
            assert not finished, "the save returned, and nothing is there"
            store.create(KEY, b"the next run's")
            assert store.read(KEY) == b"the next run's"
        if finished:
            break
    assert died, f"no kill met {syscall}"


def test_what_a_killed_writer_left_is_never_listed_and_is_removed_later(
    tmp_path: Path, mortals: Mortals, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mortals.save(tmp_path, KEY, b"x" * 100_000, "link", 1) == "killed"
    left = list((tmp_path / ".tmp").iterdir())
    assert len(left) == 1
    assert list(LocalObjects(tmp_path).list("")) == []
    LocalObjects(tmp_path).create("blobs/w/a", b"")
    assert left[0].exists(), "a fresh file may be a living writer's"
    monkeypatch.setattr(local, "_ABANDONED_AFTER", 0.0)
    LocalObjects(tmp_path).create("blobs/w/b", b"")
    assert list((tmp_path / ".tmp").iterdir()) == []


def test_a_living_writers_temporary_file_is_left_alone_however_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "_ABANDONED_AFTER", 0.0)
    LocalObjects(tmp_path).create("blobs/w/a", b"")
    held = tmp_path / ".tmp" / "1-held"
    with held.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        os.utime(held, (0, 0))
        LocalObjects(tmp_path).create("blobs/w/b", b"")
        assert held.exists()


def test_a_lock_held_by_a_killed_process_is_free_and_by_a_stuck_one_ends_in_a_sentence(tmp_path: Path) -> None:
    store = LocalObjects(tmp_path, lock_timeout=0.2)
    version = store.replace("leases/w.json", b"1", None)
    code = "import fcntl,sys,time; f=open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / ".lock")], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(StoreUnreachable, match="another process has held"):
            store.replace("leases/w.json", b"2", version)
        other.kill()
        other.wait()
    store.replace("leases/w.json", b"2", version)


def test_a_link_below_the_root_is_never_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    root = tmp_path / "store"
    store = LocalObjects(root)
    store.create("documents/w/context/000001.json", b"x")
    (root / "documents" / "w" / "tracks").symlink_to(outside)
    (root / "documents" / "w" / "context" / "secret").symlink_to(outside / "secret")
    (root / "documents" / "w" / "context" / "loop").symlink_to(outside)
    for act in (
        lambda: store.create("documents/w/tracks/new", b"x"),
        lambda: store.read("documents/w/tracks/secret"),
        lambda: store.read("documents/w/context/secret"),
        lambda: store.replace("documents/w/tracks/secret", b"x", None),
    ):
        with pytest.raises(StoreUnsuitable, match="symbolic link"):
            act()
    with pytest.raises(ObjectExists):
        store.create("documents/w/context/secret", b"x")
    assert [entry.key for entry in store.list("")] == ["documents/w/context/000001.json"]
    assert [path.name for path in outside.iterdir()] == ["secret"]


def test_the_root_itself_may_be_a_link_and_names_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "linked").symlink_to(tmp_path / "real")
    assert LocalObjects(tmp_path / "linked").identity == (tmp_path / "real").as_uri()


def test_a_new_root_is_for_its_owner_alone(tmp_path: Path) -> None:
    LocalObjects(tmp_path / "a" / "b").create("blobs/w/a", b"x")
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


def test_a_file_where_a_folder_belongs_is_said(tmp_path: Path) -> None:
    store = LocalObjects(tmp_path)
    store.create("documents/w", b"x")
    with pytest.raises(StoreUnsuitable, match="a file where a folder belongs"):
        store.create("documents/w/context/000001.json", b"x")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnsuitable):
        LocalObjects(tmp_path / "file").create("blobs/w/a", b"x")


def test_a_folder_under_a_documents_key_is_no_document(tmp_path: Path) -> None:
    (tmp_path / "documents" / "w").mkdir(parents=True)
    with pytest.raises(NotFound):
        LocalObjects(tmp_path).read("documents/w")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 1 MiB, which takes root."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small disk takes root")
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_said_and_keeps_what_was_saved(small_disk: Path) -> None:
    store = LocalObjects(small_disk / "store")
    saved: list[str] = []
    with pytest.raises(StoreError, match="full: make room") as caught:  # noqa: PT012 - whichever save it is
        for number in range(100):
            store.create(f"blobs/w/{number:03d}", b"x" * 50_000)
            saved.append(f"blobs/w/{number:03d}")
    assert caught.value.exit_code == 6
    assert len(saved) > 5
    assert [entry.key for entry in store.list("")] == saved
    assert all(store.read(key) == b"x" * 50_000 for key in saved)
    store.delete(saved[0])
    store.create("blobs/w/again", b"x" * 10_000)


def test_a_read_only_disk_is_said(small_disk: Path) -> None:
    LocalObjects(small_disk / "store").create("blobs/w/a", b"x")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    store = LocalObjects(small_disk / "store")
    assert store.read("blobs/w/a") == b"x"
    with pytest.raises(StoreUnsuitable, match="read-only"):
        store.create("blobs/w/b", b"x")


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (errno.EACCES, StoreDenied, "read and write permission"),
        (errno.EDQUOT, StoreError, "full"),
        (errno.EOPNOTSUPP, StoreUnsuitable, "hard links"),
        (errno.ENAMETOOLONG, StoreUnsuitable, "shorter root"),
        (errno.ESTALE, StoreUnreachable, "does not answer"),
    ],
)
def test_what_the_disk_says_becomes_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[StoreError], words: str
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    store = LocalObjects(tmp_path)
    monkeypatch.setattr(os, "link", failing)
    with pytest.raises(kind, match=words) as caught:
        store.create("blobs/w/a", b"x")
    assert isinstance(caught.value.__cause__, OSError)
    assert list((tmp_path / ".tmp").iterdir()) == [], "a failed save leaves nothing behind"


def test_a_folder_of_somebody_else_is_denied_by_name(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("becoming another user takes root")
    tmp_path.chmod(0o755)
    folder = tmp_path / "theirs"
    LocalObjects(folder).create("blobs/w/a", b"x")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setgroups([])
            os.setuid(65534)
            LocalObjects(folder).create("blobs/w/b", b"x")
        except StoreDenied as error:
            code = 0 if str(folder) in str(error) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
