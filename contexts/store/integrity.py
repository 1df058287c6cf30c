"""Verify a store: every digest, the sequence of revisions, and every reference of the workflows in it.

Each workflow is gone through on its own, document after document, so that memory holds a few of them at a time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

import orjson

from contexts.documents.codec import CHECKSUM, unseal
from contexts.documents.refs import ContextRef
from contexts.errors import NotFound, PlaitError, StoreDenied, StoreUnreachable
from contexts.identifiers import check_id
from contexts.store.keys import BLOBS, DOCUMENTS, OWN_ID, blob_kind, blobs_of, documents_of, owner_of, read_key
from contexts.store.objects import ObjectStore
from contexts.store.references import blobs_in, documents_in, objects_in

Problem = Literal[
    "damaged-document",
    "misplaced-document",
    "revision-gap",
    "dangling-reference",
    "damaged-blob",
    "missing-blob",
    "unused-blob",
    "foreign-object",
]

NOTES: frozenset[str] = frozenset({"unused-blob", "foreign-object"})
"""What costs space or wonder and loses nothing."""

_READERS = 16


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is not as it was saved.

    Attributes:
        problem: What kind of trouble.
        workflow_id: The workflow it is in.
        key: The object it is about.
        message: One sentence.
        advice: What to do.
    """

    problem: Problem
    workflow_id: str
    key: str
    message: str
    advice: str

    @property
    def severity(self) -> Literal["blocking", "note"]:
        """Whether something is lost or wrong, or merely left over."""
        return "note" if self.problem in NOTES else "blocking"


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check went through and found."""

    workflows: int
    documents: int
    blobs: int
    troubles: tuple[Trouble, ...]


def check_store(objects: ObjectStore, workflow_id: str | None = None) -> Checked:
    """Check one workflow, or all of them.

    Raises:
        StoreError: The store does not answer; what cannot be reached is not called damaged.
        NotFound: The workflow asked for has no object in the store.
    """
    documents = blobs = 0
    troubles: list[Trouble] = []
    if workflow_id is not None:
        ids = [check_id(workflow_id, "workflow_id")]
    else:
        named, foreign = _workflows(objects)
        ids = sorted(named)
        troubles.extend(_foreign("", key) for key in foreign)
    for one in ids:
        check = _WorkflowCheck(objects, one)
        troubles.extend(check.run())
        documents += check.documents
        blobs += check.blobs
        if workflow_id is not None and not check.documents and not check.blobs:
            raise NotFound(
                f"no workflow {one!r} in {objects.identity}; `plait list` shows what there is", workflow_id=one
            )
    return Checked(len(ids), documents, blobs, tuple(troubles))


def _workflows(objects: ObjectStore) -> tuple[set[str], list[str]]:
    """Return the ids of all workflows, and the keys that belong to none."""
    ids: set[str] = set()
    foreign: list[str] = []
    for kind in (DOCUMENTS, BLOBS):
        for entry in objects.list(kind):
            owner = owner_of(entry.key)
            if owner is None:
                foreign.append(entry.key)
            else:
                ids.add(owner)
    return ids, foreign


def _foreign(workflow_id: str, key: str) -> Trouble:
    return Trouble(
        "foreign-object", workflow_id, key, f"{key} is not an object of plait", "remove it if nobody needs it"
    )


class _WorkflowCheck:
    """The check of one workflow: first its documents, then the blobs, then what refers to what."""

    def __init__(self, objects: ObjectStore, workflow_id: str) -> None:
        self._objects = objects
        self._workflow_id = workflow_id
        self.documents = 0
        self.blobs = 0
        self._stored: dict[tuple[str, int], str | None] = {}
        self._wanted_blobs: dict[str, str] = {}
        self._wanted_documents: list[tuple[str, ContextRef]] = []
        self._lists: set[str] = set()

    def run(self) -> Iterator[Trouble]:
        yield from self._check_documents()
        yield from self._check_sequences()
        yield from self._check_blobs()
        yield from self._check_references()

    def _trouble(self, problem: Problem, key: str, message: str, advice: str) -> Trouble:
        return Trouble(problem, self._workflow_id, key, message, advice)

    def _read(self, key: str) -> bytes | PlaitError:
        try:
            return self._objects.read(key)
        except (StoreUnreachable, StoreDenied):
            raise
        except PlaitError as error:
            return error

    def _bodies(self, prefix: str, is_ours: Callable[[str], bool]) -> Iterator[tuple[str, bytes | PlaitError | None]]:
        """Yield every key and its body, a few read ahead; None as body of an object that is not ours."""
        ahead: deque[tuple[str, Future[bytes | PlaitError] | None]] = deque()
        with ThreadPoolExecutor(_READERS, thread_name_prefix="plait-check") as pool:
            for entry in self._objects.list(prefix):
                ahead.append((entry.key, pool.submit(self._read, entry.key) if is_ours(entry.key) else None))
                if len(ahead) > _READERS:
                    key, body = ahead.popleft()
                    yield key, body.result() if body else None
            for key, body in ahead:
                yield key, body.result() if body else None

    def _check_documents(self) -> Iterator[Trouble]:
        for key, raw in self._bodies(documents_of(self._workflow_id), lambda key: read_key(key) is not None):
            named = read_key(key)
            if named is None or raw is None:
                yield _foreign(self._workflow_id, key)
                continue
            self.documents += 1
            _, name, number = named
            label = f"{self._workflow_id}/{name}@{number}"
            self._stored[name, number] = None
            said: bytes | PlaitError = raw
            try:
                document = unseal(raw, label) if isinstance(raw, bytes) else None
            except PlaitError as error:
                document, said = None, error
            if document is None:
                yield self._trouble(
                    "damaged-document",
                    key,
                    str(said),
                    "restore the object from a backup; without one remove it, and `plait resume` redoes what it held",
                )
                continue
            self._stored[name, number] = document[CHECKSUM]
            yield from self._check_owner(key, name, document)
            self._collect(key, document)

    def _check_owner(self, key: str, name: str, document: Mapping[str, object]) -> Iterator[Trouble]:
        owner = document.get("parent_workflow_id") or document.get("workflow_id")
        kind, _, short = name.partition("/")
        stated = document.get(OWN_ID.get(kind, ""), short)
        if owner != self._workflow_id or (short and stated != short):
            yield self._trouble(
                "misplaced-document",
                key,
                f"{key} holds the document {str(stated or 'context')[:64]} of {str(owner)[:64]}",
                "it was put there by something else: move it to its own key, or remove it",
            )

    def _collect(self, key: str, document: Mapping[str, object]) -> None:
        for ref in blobs_in(document):
            self._wanted_blobs.setdefault(ref.sha256, key)
        self._lists.update(
            ref.sha256 for node in objects_in(document) if "$blob" in node for ref in blobs_in(node["$blob"])
        )
        self._wanted_documents.extend(
            (key, ref) for ref in documents_in(document) if ref.workflow_id == self._workflow_id
        )

    def _check_sequences(self) -> Iterator[Trouble]:
        numbers: dict[str, list[int]] = {}
        for name, number in self._stored:
            numbers.setdefault(name, []).append(number)
        for name, held in numbers.items():
            missing = sorted(set(range(1, max(held) + 1)) - set(held))
            if missing:
                shown = ", ".join(map(str, missing[:10])) + (" ..." if len(missing) > 10 else "")
                yield self._trouble(
                    "revision-gap",
                    documents_of(self._workflow_id, name).removesuffix("/"),
                    f"{self._workflow_id}/{name} has revision {max(held)} but not {shown}",
                    "restore the missing objects from a backup; if they were pruned on purpose this is no loss",
                )

    def _check_blobs(self) -> Iterator[Trouble]:
        prefix = blobs_of(self._workflow_id)
        held: set[str] = set()
        inner: dict[str, str] = {}
        for key, raw in self._bodies(prefix, lambda key: blob_kind(key) is not None):
            if raw is None:
                yield _foreign(self._workflow_id, key)
                continue
            self.blobs += 1
            name = key.rpartition("/")[2]
            if blob_kind(key) == "content":  # no document refers to the others, by intent
                held.add(name)
            if not isinstance(raw, bytes) or sha256(raw).hexdigest() != name:
                users = self._wanted_blobs.get(name)
                yield self._trouble(
                    "damaged-blob",
                    key,
                    f"blob {name[:12]} of {self._workflow_id} is not what its name says"
                    + (f"; {users} refers to it" if users else ""),
                    "restore the object from a backup; without one remove it and run the workflow with its spec file, "
                    "with `--rerun TRACK` where a track's document refers to it",
                )
            elif name in self._lists:
                # A list that was stored aside refers to blobs as its document would.
                try:
                    inner.update((ref.sha256, key) for ref in blobs_in(orjson.loads(raw)))
                except orjson.JSONDecodeError:
                    yield self._trouble(
                        "damaged-blob",
                        key,
                        f"blob {name[:12]} of {self._workflow_id} is no JSON, and {self._wanted_blobs.get(name)} says "
                        "that it holds a part of it",
                        "remove the revision that refers to it: no run wrote it",
                    )
        for digest, user in inner.items():
            self._wanted_blobs.setdefault(digest, user)
        for digest in self._wanted_blobs.keys() - held:
            yield self._trouble(
                "missing-blob",
                f"{prefix}{digest}",
                f"{self._wanted_blobs[digest]} refers to blob {digest[:12]}, which is not in the store",
                "restore the object from a backup, or run the workflow again to make it anew",
            )
        for digest in held - self._wanted_blobs.keys():
            yield self._trouble(
                "unused-blob",
                f"{prefix}{digest}",
                f"no document of {self._workflow_id} refers to blob {digest[:12]}",
                "it may be of a run that is going on, or was interrupted; otherwise it can be removed",
            )

    def _check_references(self) -> Iterator[Trouble]:
        for key, ref in self._wanted_documents:
            stored = self._stored.get((ref.document, ref.revision), "")
            if stored is None or stored == ref.sha256:
                # A damaged document has been said already.
                continue
            what = "another document than it meant" if stored else "a revision that is not in the store"
            yield self._trouble(
                "dangling-reference",
                key,
                f"{key} refers to {ref}, {what}",
                "restore the object from a backup, or run the workflow again",
            )
