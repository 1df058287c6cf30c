"""What finished agents left, on this machine, until the store has taken it.

    {root}/{task_id}.{random}/manifest.json     what it is, and the sha256 of every object
    {root}/{task_id}.{random}/{sha256}          the objects: the track's document, its log, its commits

An entry holds exactly the objects that the store would hold, made by the same `ContextStore`: nothing lies here that
would not be stored. It is written beside its place, synced, and renamed to it, so that it is there whole or not at all;
what a disk did to it later its digests tell. Folders are for their owner alone (0700), files too (0600).
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from contexts.documents.base import JsonObject
from contexts.documents.codec import digest
from contexts.errors import ChecksumMismatch, PlaitError, StoreError
from contexts.failpoints import failpoint
from contexts.identifiers import is_id
from contexts.json.values import section
from contexts.store.contexts import ContextStore
from contexts.store.gathered import GatheredObjects
from contexts.store.keys import document_key, track_document
from contexts.store.local_errors import is_full

_MANIFEST = "manifest.json"
_NEW = ".new-"
_MOST_OF_MANIFEST = 4_000_000
_FORMAT = 1
_ABANDONED_AFTER = 3600.0
"""Seconds before what a dead writer left is removed: one in another container that shares the folder looks dead too."""


class Manifest(BaseModel):
    """What an entry is.

    Attributes:
        format: The format of the entry.
        workflow_id: The workflow.
        store: Identity of the store it is for.
        task_id: The track.
        status: The status of its document.
        inputs: Digest of what decided it.
        revision: The revision it was to become: the one after the newest that its run knew of.
        kept_at: When, by this machine's clock; for people.
        objects: sha256 of each object's bytes, by key.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int
    workflow_id: str
    store: str
    task_id: str
    status: str
    inputs: str
    revision: int
    kept_at: datetime
    objects: dict[str, str]


@dataclass(frozen=True, slots=True)
class Kept:
    """One entry.

    Attributes:
        folder: Where it lies.
        task_id: The track, as its folder's name says.
        manifest: What it is; None where that cannot be read any more.
    """

    folder: Path
    task_id: str
    manifest: Manifest | None

    @property
    def revision(self) -> int | None:
        """The revision it was to become."""
        return self.manifest.revision if self.manifest else None


class Outbox:
    """The outbox of one workflow on this machine. Several threads may keep results at once.

    Args:
        root: Its folder; made when the first result is kept.
        store: The store the results are for.
        workflow_id: The workflow.

    Attributes:
        unreadable: Why the last look at the folder did not see everything, in a sentence; empty where it did.
    """

    def __init__(self, root: Path, store: ContextStore, workflow_id: str) -> None:
        self.root = root
        self.unreadable = ""
        self._store = store
        self._workflow_id = workflow_id

    def keep(self, task_id: str, document: Mapping[str, object], revision: int, blobs: Mapping[str, bytes]) -> Kept:
        """Keep a track's document with what it refers to, durably.

        Args:
            task_id: The track.
            document: Its document, with its execution.
            revision: The revision it is to become.
            blobs: What it refers to, by key, as `contexts.store.contexts.ContextStore.put_blob` made it.

        Raises:
            SecretRefused: As when it is saved.
            DocumentError: As when it is saved.
            StoreError: This machine's disk did not take it.
        """
        objects = GatheredObjects(self._store.identity, blobs)
        self._store.over(objects).save(
            document, workflow_id=self._workflow_id, name=track_document(task_id), after=revision - 1
        )
        manifest = Manifest(
            format=_FORMAT,
            workflow_id=self._workflow_id,
            store=self._store.identity,
            task_id=task_id,
            status=str(document.get("status")),
            inputs=str(section(document, "execution").get("inputs")),
            revision=revision,
            kept_at=datetime.now(tz=UTC),
            objects={key: sha256(body).hexdigest() for key, body in objects.bodies.items()},
        )
        name = f"{task_id}.{secrets.token_hex(6)}"
        try:
            folder = self._write(name, manifest, objects)
        except OSError as error:
            why = "its disk is full: make room" if is_full(error) else f"{error.strerror}"
            raise StoreError(
                f"the result of track {task_id} cannot be kept in {self.root} either ({why})", path=str(self.root)
            ) from error
        failpoint("outbox.kept")
        return Kept(folder, task_id, manifest)

    def _write(self, name: str, manifest: Manifest, objects: GatheredObjects) -> Path:
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._sweep()
        new = self.root / f"{_NEW}{os.getpid()}-{name}"
        new.mkdir(mode=0o700)
        try:
            for body in objects.bodies.values():
                _write(new / sha256(body).hexdigest(), body)
            said = manifest.model_dump(mode="json")
            _write(new / _MANIFEST, orjson.dumps({**said, "sha256": digest(said)}, option=orjson.OPT_INDENT_2))
            _sync(new)
            new.rename(self.root / name)
        except OSError:
            shutil.rmtree(new, ignore_errors=True)
            raise
        _sync(self.root)
        return self.root / name

    def _sweep(self) -> None:
        """Remove what writers that are dead have left half written."""
        for folder in self.root.glob(f"{_NEW}*"):
            pid = folder.name.removeprefix(_NEW).partition("-")[0]
            if pid.isdecimal() and not _lives(int(pid)) and _age(folder) > _ABANDONED_AFTER:
                shutil.rmtree(folder, ignore_errors=True)

    def entries(self, task_id: str | None = None) -> tuple[Kept, ...]:
        """Return what is kept, oldest first; of one track, or of all.

        A folder that cannot be read holds nothing as far as this run can use it, and `unreadable` says why: who
        watches a lease, or has an error of his own to tell, asks here too, and must not fall over that.
        """
        found: list[Kept] = []
        unreadable = ""
        try:
            for folder in self.root.iterdir():
                name, _, _ = folder.name.rpartition(".")
                if folder.name.startswith(".") or not is_id(name) or (task_id is not None and name != task_id):
                    continue
                try:
                    if stat.S_ISDIR(folder.stat().st_mode):
                        found.append(Kept(folder, name, self._read_manifest(folder, name)))
                except FileNotFoundError:  # saved and removed meanwhile
                    continue
                except OSError:  # one that cannot be looked at hides none of the others
                    found.append(Kept(folder, name, None))
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as error:
            unreadable = (
                f"what is kept in {self.root} cannot be read ({error.strerror}), so it is not counted and not used: "
                "make the folder readable for this user"
            )
        self.unreadable = unreadable
        return tuple(
            sorted(found, key=lambda one: (one.manifest.kept_at.timestamp() if one.manifest else 0.0, one.folder))
        )

    def _read_manifest(self, folder: Path, task_id: str) -> Manifest | None:
        try:
            said = orjson.loads(_read(folder / _MANIFEST, _MOST_OF_MANIFEST))
            proof = said.pop("sha256")
            manifest = Manifest.model_validate_json(orjson.dumps(said))
        except FileNotFoundError:
            folder.stat()  # gone with its manifest, it was saved meanwhile
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ValidationError):
            return None
        ours = (manifest.format, manifest.workflow_id, manifest.store, manifest.task_id)
        whole = proof == digest(manifest.model_dump(mode="json"))
        return manifest if whole and ours == (_FORMAT, self._workflow_id, self._store.identity, task_id) else None

    def open(self, kept: Kept) -> tuple[JsonObject, dict[str, bytes]]:
        """Return an entry's document, and the objects it refers to by key.

        Raises:
            ChecksumMismatch: It is not what was kept.
        """
        manifest = kept.manifest
        damaged = ChecksumMismatch(
            f"what {kept.folder} keeps of track {kept.task_id} is damaged: it is left alone, and the track runs again",
            path=str(kept.folder),
        )
        if manifest is None:
            raise damaged
        name = track_document(kept.task_id)
        key = document_key(self._workflow_id, name, manifest.revision)
        bodies: dict[str, bytes] = {}
        try:
            for one, proof in manifest.objects.items():
                bodies[one] = _read(kept.folder / proof)
                if sha256(bodies[one]).hexdigest() != proof:
                    raise damaged
            store = self._store.over(GatheredObjects(self._store.identity, bodies))
            document = store.load_revision(self._workflow_id, name, manifest.revision)[1]
        except (OSError, PlaitError) as error:
            raise damaged from error
        return document, {one: body for one, body in bodies.items() if one != key}

    def remove(self, kept: Kept) -> None:
        """Remove an entry; one that is gone already is no error."""
        gone = self.root / f"{_NEW}{os.getpid()}-{kept.folder.name}"
        try:
            kept.folder.rename(gone)
        except OSError:
            return
        shutil.rmtree(gone, ignore_errors=True)


def _write(path: Path, body: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(descriptor)


def _read(path: Path, most: int = -1) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(most)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _age(folder: Path) -> float:
    try:
        return time.time() - folder.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
