"""Keep objects as files below one folder, as durably as the disk allows.

A body is written to ``.tmp/`` below the root, synced, and linked to its name: the link is the one step that decides a
race, and it never shows half a body. Temporary files live in one folder of their own, held under ``flock`` by their
writer, so that what a killed writer left is told from what a living one is writing, and listing never meets either.
Guarded replacing takes one ``flock`` per store; leases are few and small.

No path is followed through a symbolic link below the root: every folder is opened relative to its parent.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import stat
import time
from collections.abc import Generator, Iterator
from pathlib import Path

from contexts.errors import NotFound, ObjectExists, StoreNotWritable, StoreUnreachable, VersionChanged
from contexts.failpoints import failpoint
from contexts.identifiers import check_key, is_key
from contexts.store.fence import the_fence
from contexts.store.local_errors import explain, is_full
from contexts.store.objects import Entry, Versioned

_TEMPORARY = ".tmp"
_LOCK = ".lock"
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_ABANDONED_AFTER = 60.0
"""Seconds before an unlocked temporary file is taken for a dead writer's: covers the moment between open and flock."""


class LocalObjects:
    """An object store in a folder of this machine.

    Args:
        root: The folder; made at the first write. It may itself be reached through a link, nothing below it may.
        lock_timeout: Seconds to wait for another process that is replacing an object.
    """

    def __init__(self, root: Path, *, lock_timeout: float = 10.0) -> None:
        self._root = Path(os.path.realpath(root))
        self._lock_timeout = lock_timeout
        self._swept = False

    @property
    def root(self) -> Path:
        """The folder, absolute and with its links resolved."""
        return self._root

    @property
    def identity(self) -> str:
        """Name the folder as a ``file://`` URL."""
        return self._root.as_uri()

    def check_place(self) -> None:
        """Make sure that no file stands where the folder is, or is to be made.

        Raises:
            StoreNotWritable: One does.
        """
        there = next(place for place in (self._root, *self._root.parents) if place.exists())
        if not there.is_dir():
            raise StoreNotWritable(
                f"the store {self._root} cannot be written ({there} is not a folder): name another folder with --store",
                path=str(self._root),
            )

    def check_writable(self) -> None:
        """Make sure that the folder can be made and written, before anything depends on it; nothing is kept.

        Raises:
            StoreNotWritable: It cannot be.
            StoreError: The disk is full.
        """
        try:
            with self._written(b""):
                pass
        except OSError as error:
            if is_full(error):
                raise explain(error, self._root, "") from error
            raise StoreNotWritable(
                f"the store {self._root} cannot be written ({error.strerror}): name another folder with --store",
                path=str(self._root),
            ) from error

    def create(self, key: str, body: bytes) -> None:
        """Store a new object durably: synced file, link, synced folder.

        Raises:
            ObjectExists: The key is taken.
            StoreError: The disk is full, read-only, not permitted or not answering.
        """
        *folders, name = check_key(key).split("/")
        with self._translate_errors(key), self._folder(folders, make=True) as folder:
            if _exists(name, folder):
                raise ObjectExists(f"object {key} exists already in {self._root}", key=key)
            with self._written(body) as (temporary, source):
                the_fence().pass_(str(self._root), key)
                try:
                    os.link(temporary, name, src_dir_fd=source, dst_dir_fd=folder, follow_symlinks=False)
                except FileExistsError:
                    raise ObjectExists(f"object {key} exists already in {self._root}", key=key) from None
                failpoint("local.linked")
            os.fsync(folder)

    def read(self, key: str) -> bytes:
        """Return a whole object.

        Raises:
            NotFound: No such key.
        """
        found = self.read_versioned(key)
        if found is None:
            raise NotFound(f"there is no object {key} in {self._root}", key=key)
        return found.body

    def list(self, prefix: str) -> Iterator[Entry]:
        """Yield every object whose key begins with ``prefix``, in ascending key order."""
        *folders, start = prefix.split("/")
        if prefix:
            check_key(prefix.removesuffix("/"))
        with self._translate_errors(prefix):
            try:
                with self._folder(folders, make=False) as folder:
                    found = [*self._entries(folder, "".join(f"{each}/" for each in folders), start)]
            except FileNotFoundError:
                found = []
        yield from found

    def read_versioned(self, key: str) -> Versioned | None:
        """Return an object and its version, or None where there is none."""
        *folders, name = check_key(key).split("/")
        with self._translate_errors(key):
            try:
                with self._folder(folders, make=False) as folder:
                    return _read(name, folder)
            except FileNotFoundError:
                return None

    def replace(self, key: str, body: bytes, version: str | None) -> str:
        """Replace an object if it still has ``version`` (None: if it is new); return its new version.

        Raises:
            VersionChanged: Somebody else replaced, made or removed it since.
        """
        *folders, name = check_key(key).split("/")
        with self._translate_errors(key), self._folder(folders, make=True) as folder, self._locked():
            current = _read(name, folder)
            if (current.version if current else None) != version:
                raise VersionChanged(f"object {key} in {self._root} was changed by somebody else", key=key)
            with self._written(body) as (temporary, source):
                if version is None:
                    os.link(temporary, name, src_dir_fd=source, dst_dir_fd=folder, follow_symlinks=False)
                else:
                    os.rename(temporary, name, src_dir_fd=source, dst_dir_fd=folder)
                new = _version(body, os.stat(name, dir_fd=folder, follow_symlinks=False))
            os.fsync(folder)
            return new

    def delete(self, key: str) -> None:
        """Remove an object; a missing one is no error."""
        *folders, name = check_key(key).split("/")
        with (
            self._translate_errors(key),
            contextlib.suppress(FileNotFoundError),
            self._folder(folders, make=False) as folder,
            self._locked(),
        ):
            os.unlink(name, dir_fd=folder)
            os.fsync(folder)

    def overwrite(self, key: str, body: bytes) -> None:
        """Store an object whatever was there: for Prefect's results, which are cache. Documents never are."""
        *folders, name = check_key(key).split("/")
        with self._translate_errors(key), self._folder(folders, make=True) as folder:
            with self._written(body) as (temporary, source):
                os.rename(temporary, name, src_dir_fd=source, dst_dir_fd=folder)
            os.fsync(folder)

    @contextlib.contextmanager
    def _folder(self, names: list[str], *, make: bool) -> Generator[int]:
        """Open a folder below the root, one segment at a time and never through a link."""
        if make and not self._root.is_dir():
            _make_root(self._root)
        descriptor = os.open(self._root, _FOLDER_FLAGS)
        try:
            for name in names:
                try:
                    inner = os.open(name, _FOLDER_FLAGS, dir_fd=descriptor)
                except FileNotFoundError:
                    if not make:
                        raise
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(name, dir_fd=descriptor)
                    os.fsync(descriptor)
                    inner = os.open(name, _FOLDER_FLAGS, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def _written(self, body: bytes) -> Generator[tuple[str, int]]:
        """Yield the name of a synced temporary file with this body, and its folder; it is gone afterwards."""
        with self._folder([_TEMPORARY], make=True) as folder:
            if not self._swept:
                _sweep(folder)
                self._swept = True
            name = f"{os.getpid()}-{secrets.token_hex(8)}"
            descriptor = os.open(
                name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666, dir_fd=folder
            )
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                view = memoryview(body)
                while view:
                    view = view[os.write(descriptor, view) :]
                os.fsync(descriptor)
                failpoint("local.temporary-written")
                yield name, folder
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=folder)
                os.close(descriptor)

    @contextlib.contextmanager
    def _locked(self) -> Generator[None]:
        """Hold the store's lock; a killed holder's is free at once, a stuck holder's ends in StoreUnreachable."""
        descriptor = os.open(self._root / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        try:
            deadline = time.monotonic() + self._lock_timeout
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise StoreUnreachable(
                            f"another process has held {self._root / _LOCK} for {self._lock_timeout:g} s; "
                            "end it or try again",
                            path=str(self._root / _LOCK),
                        ) from None
                    time.sleep(0.002 + secrets.randbelow(5) / 1000)
            yield
        finally:
            os.close(descriptor)

    def _entries(self, folder: int, above: str, start: str) -> Iterator[Entry]:
        """Walk in key order: a folder sorts as its name with the slash that follows it in every key below."""
        with os.scandir(folder) as scan:
            found = sorted(
                (f"{entry.name}/" if entry.is_dir(follow_symlinks=False) else entry.name, entry)
                for entry in scan
                if entry.name.startswith(start) and is_key(entry.name)
            )
        for name, entry in found:
            if name.endswith("/"):
                try:
                    inner = os.open(entry.name, _FOLDER_FLAGS, dir_fd=folder)
                except FileNotFoundError:
                    continue
                try:
                    yield from self._entries(inner, above + name, "")
                finally:
                    os.close(inner)
            else:
                with contextlib.suppress(FileNotFoundError):  # deleted while listing
                    status = os.stat(entry.name, dir_fd=folder, follow_symlinks=False)
                    if stat.S_ISREG(status.st_mode):
                        yield Entry(key=above + name, size=status.st_size, modified=status.st_mtime)

    @contextlib.contextmanager
    def _translate_errors(self, key: str) -> Generator[None]:
        """Turn what the disk says into one plain sentence."""
        try:
            yield
        except OSError as error:
            raise explain(error, self._root, key) from error


def _exists(name: str, folder: int) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _read(name: str, folder: int) -> Versioned | None:
    try:
        descriptor = os.open(name, _FILE_FLAGS, dir_fd=folder)
    except FileNotFoundError:
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return None
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            body = file.read()
    finally:
        os.close(descriptor)
    return Versioned(body=body, version=_version(body, status))


def _version(body: bytes, status: os.stat_result) -> str:
    """Tell two writes of one body apart too: each has a file of its own."""
    return f"{hashlib.sha256(body).hexdigest()[:32]}-{status.st_ino:x}-{status.st_mtime_ns:x}"


def _make_root(root: Path) -> None:
    """Make the root, for its owner alone, and make sure its name survives a power cut."""
    missing = [folder for folder in (root, *root.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _sweep(folder: int) -> None:
    """Remove temporary files whose writers are dead: old enough, and held by nobody."""
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError, PermissionError):  # already gone, or another user's to sweep
            if time.time() - os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime < _ABANDONED_AFTER:
                continue
            descriptor = os.open(name, _FILE_FLAGS, dir_fd=folder)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(name, dir_fd=folder)
            except BlockingIOError:
                continue
            finally:
                os.close(descriptor)
