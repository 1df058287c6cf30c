"""Say what is wrong with a store, one question at a time."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from contexts.errors import NotFound, ObjectExists, PlaitError, Precondition, StoreUnsuitable, VersionChanged
from contexts.store.keys import PROBES
from contexts.store.objects import ObjectStore

_MOST_SKEW = 120.0
"""Seconds the two clocks may differ: S3 refuses requests at 900, so this warns well before."""
_IGNORED: dict[Precondition, str] = {"If-None-Match": "create-only", "If-Match": "if-match"}
_BODY = b"plait asks whether this store can be used\n"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The answer to one question about a store.

    Attributes:
        name: ``reachable``, ``writable``, ``create-only``, ``if-match``, ``clock`` or ``cleaned``.
        ok: Whether all is well.
        detail: One sentence.
    """

    name: str
    ok: bool
    detail: str


def diagnose(objects: ObjectStore) -> tuple[Diagnosis, ...]:
    """Return what works in a store: reading, writing, both preconditions, the clock, removing the object it made.

    The first answer that is not well ends the questions: those after it rest on it.
    """
    key = f"{PROBES}diagnosis-{secrets.token_hex(8)}"
    questions: tuple[tuple[str, Callable[[ObjectStore, str], str]], ...] = (
        ("reachable", _reachable),
        ("writable", _writable),
        ("create-only", _create_only),
        ("if-match", _if_match),
        ("clock", _clock),
        ("cleaned", _cleaned),
    )
    answers: list[Diagnosis] = []
    for name, question in questions:
        try:
            answers.append(Diagnosis(name, ok=True, detail=question(objects, key)))
        except PlaitError as error:
            # The store's own probe, at the first write, may have found the fault a later question asks for.
            ignored = error.ignored if isinstance(error, StoreUnsuitable) else None
            asked = _IGNORED[ignored] if ignored else name
            answers.append(Diagnosis(asked, ok=False, detail=error.message))
            if name != "clock":
                break
    return tuple(answers)


def _reachable(objects: ObjectStore, key: str) -> str:
    found = sum(1 for _ in objects.list(key))
    return f"{objects.identity} answers a listing ({found} objects of ours in the way)"


def _writable(objects: ObjectStore, key: str) -> str:
    objects.create(key, _BODY)
    if objects.read(key) != _BODY:
        raise StoreUnsuitable("what was read back is not what was written: do not use this store", key=key)
    return "an object was written and read back"


def _create_only(objects: ObjectStore, key: str) -> str:
    try:
        objects.create(key, _BODY + b"again\n")
    except ObjectExists:
        return "a second create of the same key was refused"
    raise StoreUnsuitable("a second create of the same key was let through: do not use this store", key=key)


def _if_match(objects: ObjectStore, key: str) -> str:
    before = objects.read_versioned(key)
    if before is None:
        raise NotFound("the object just written cannot be read: the store's reads lag behind its writes", key=key)
    objects.replace(key, _BODY + b"replaced\n", before.version)
    try:
        objects.replace(key, _BODY + b"replaced twice\n", before.version)
    except VersionChanged:
        return "a replace under the right version was taken, one under an old version refused"
    raise StoreUnsuitable("a replace under an old version was let through: do not use this store", key=key)


def _clock(objects: ObjectStore, key: str) -> str:
    now = time.time()
    ahead = now - next((entry.modified for entry in objects.list(key)), now)
    said = f"this machine's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the store's"
    if abs(ahead) > _MOST_SKEW:
        raise StoreUnsuitable(f"{said}: set it right")
    return said


def _cleaned(objects: ObjectStore, key: str) -> str:
    objects.delete(key)
    return "the object was removed again"
