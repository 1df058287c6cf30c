"""Every error plait raises on purpose, as one tree.

    PlaitError                      exit code 1 unless said otherwise
    ├── InputError                  2  what the user gave cannot be used
    │   ├── SpecError                  a spec, with the place in it
    │   ├── DocumentError              a context document
    │   │   ├── NewerVersion           written by a newer plait
    │   │   ├── ChecksumMismatch       the body is not what was saved
    │   │   └── TooLarge               above a limit; says what is largest
    │   ├── BadIdentifier              an id or path that must not become a key
    │   └── RepositoryError            a git repository that cannot serve
    ├── StoreError                  6  the store, whatever it is
    │   ├── StoreUnreachable           no answer in time
    │   ├── StoreDenied                an answer, and it was no; names the permission
    │   │   └── LoginExpired              and it would be yes after a new login
    │   ├── StoreUnsuitable            ignores preconditions, or cannot be written
    │   │   └── StoreNotWritable    2  found before anything started
    │   └── NotFound                2  no object under that key
    ├── Conflict                    3  somebody else was first
    │   ├── ObjectExists               create-only found an object
    │   ├── VersionChanged             a guarded replace met another version
    │   ├── RevisionConflict           another run saved this revision
    │   ├── LeaseHeld                  2  another run owns the workflow
    │   │   └── RunInterrupted            it died before its end: resume it first
    │   └── LeaseLost                  this run no longer owns the workflow
    ├── TrackFailed                 3  an agent did not deliver
    │   └── PortsExhausted             it could not even begin
    ├── RunStopped                130  a person cancelled, suspended or deleted it
    └── SecretRefused               1  ``secrets: refuse`` met a secret value

Every error is picklable, so that it crosses processes whole, and its text is one sentence that says what to do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

_cleaners: list[Callable[[str], str]] = []


def clean_messages_with(clean: Callable[[str], str]) -> None:
    """Let every message of an error pass through a function that takes secret values out of it."""
    if clean not in _cleaners:
        _cleaners.append(clean)


def _clean(text: str) -> str:
    for clean in _cleaners:
        text = clean(text)
    return text


class PlaitError(Exception):
    """Base of all errors plait raises on purpose.

    Args:
        message: One plain sentence for the user.
        **details: What a program may want to know: document, pointer, path, key. Kept as attributes in ``details``.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, **details: object) -> None:
        message = _clean(message)
        super().__init__(message)
        self.message = message
        self.details = {name: _clean(value) if isinstance(value, str) else value for name, value in details.items()}

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.message, self.details))

    def __str__(self) -> str:
        return self.message


def _rebuild(cls: type[PlaitError], message: str, details: dict[str, object]) -> PlaitError:
    return cls(message, **details)


class InputError(PlaitError):
    """What the user gave cannot be used."""

    exit_code = 2


class SpecError(InputError):
    """A spec that cannot be run; ``details`` hold ``path``, ``line``, ``column`` or ``pointer`` where known."""


class DocumentError(InputError):
    """A context document that cannot be read or must not be saved."""


class NewerVersion(DocumentError):
    """A document of a newer major version than this program knows."""


class ChecksumMismatch(DocumentError):
    """A body that is not what was saved under its name."""


class TooLarge(DocumentError):
    """A document or file above its limit."""


class BadIdentifier(InputError):
    """An id or path that must not become a key, a branch or a file name."""


class RepositoryError(InputError):
    """A git repository that cannot serve as the base of a workflow."""


class StoreError(PlaitError):
    """The store did not do what was asked."""

    exit_code = 6


class StoreUnreachable(StoreError):
    """The store gave no answer in time."""


class StoreDenied(StoreError):
    """The store refused; the message names the missing permission."""


class LoginExpired(StoreDenied):
    """The store refused credentials that were good for a time; a run waits for new ones as for a store that is away."""


MAY_PASS = (StoreUnreachable, LoginExpired)
"""What a run that is under way waits for to pass."""


class StoreUnsuitable(StoreError):
    """The store cannot keep the laws: it ignores preconditions, or cannot be written."""


class StoreNotWritable(StoreUnsuitable):
    """The store the user named cannot be written, which was found before anything started."""

    exit_code = 2


class NotFound(StoreError):
    """No object, document or revision under that name."""

    exit_code = 2


class Conflict(PlaitError):
    """Somebody else was first."""

    exit_code = 3


class ObjectExists(Conflict):
    """A create-only write found an object already there."""


class VersionChanged(Conflict):
    """A guarded replace met another version than the one it had read."""


class RevisionConflict(Conflict):
    """Another writer saved this revision first."""


class LeaseHeld(Conflict):
    """Another run owns the workflow."""

    exit_code = 2


class RunInterrupted(LeaseHeld):
    """The last run of the workflow died before its end, and what is to be done must not hide that."""


class LeaseLost(Conflict):
    """This run no longer owns the workflow and has stopped writing."""


class TrackFailed(PlaitError):
    """An agent did not deliver; ``details`` hold ``task_id`` and ``reason``."""

    exit_code = 3


class PortsExhausted(TrackFailed):
    """Fewer loopback ports are free than were asked for."""


class RunStopped(PlaitError):
    """A person cancelled, suspended or deleted the run; ``details`` hold the ``reason`` its lease ends with."""

    exit_code = 130


class SecretRefused(PlaitError):
    """A secret value was about to be saved, and the spec says to refuse."""
