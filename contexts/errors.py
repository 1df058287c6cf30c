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
    ├── ServerUnreachable           6  Prefect's server; no store has anything to do with it
    ├── TrackFailed                 3  an agent did not deliver
    │   └── PortsExhausted             it could not even begin
    ├── RunStopped                130  a person cancelled, suspended or deleted it
    └── SecretRefused               1  ``secrets: refuse`` met a secret value

Every error is a dataclass: what a program may want to know of it is in typed fields, given by keyword. It is picklable,
so that it crosses processes whole, and its text is one sentence that says what to do.

Two classes with fields of upper storeys stand there: `tasks.run.outcome.TrackNotCompleted`, a TrackFailed, and
`flows.upkeep.resume_interrupted.NotAllResumed`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, ClassVar, Literal, Self, cast

_cleaners: list[Callable[[str], str]] = []


def clean_messages_with(clean: Callable[[str], str]) -> None:
    """Let every message of an error pass through a function that takes secret values out of it."""
    if clean not in _cleaners:
        _cleaners.append(clean)


def _clean(text: str) -> str:
    for clean in _cleaners:
        text = clean(text)
    return text


def _cleaned(value: Any) -> Any:
    """Return a field's value with all its texts cleaned: one, several, or those of a record."""
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, tuple):
        return tuple(map(_cleaned, cast("tuple[Any, ...]", value)))
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: _cleaned(getattr(value, one.name)) for one in fields(value)})
    return value


@dataclass(eq=False, repr=False, kw_only=True)
class PlaitError(Exception):
    """Base of all errors plait raises on purpose.

    Attributes:
        message: One plain sentence for the user.
    """

    exit_code: ClassVar[int] = 1

    message: str = field(kw_only=False)

    def __post_init__(self) -> None:
        for name, value in self._values().items():
            setattr(self, name, _cleaned(value))
        self.args = (self.message,)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self._values()))

    def __str__(self) -> str:
        return self.message

    def _values(self) -> Mapping[str, object]:
        return {one.name: getattr(self, one.name) for one in fields(self)}

    def anew(self, message: str | None = None) -> Self:
        """Return a new error of the same class with the same fields, and another message if one is given."""
        return replace(self, message=self.message if message is None else message)


def _rebuild(cls: type[PlaitError], values: Mapping[str, Any]) -> PlaitError:
    return cls(**values)


@dataclass(eq=False, repr=False, kw_only=True)
class InputError(PlaitError):
    """What the user gave cannot be used.

    Attributes:
        path: The file or folder it is about.
        name: What was named otherwise: a track, a finding, a program, a repository.
    """

    exit_code = 2

    path: str | None = None
    name: str | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class SpecError(InputError):
    """A spec that cannot be run; each field as far as it is known.

    Attributes:
        line: Where it stands in the file, from 1.
        column: As ``line``.
        place: Where it stands in the spec, as people read it: ``parallel_tasks[2].needs``.
        pointer: The same as JSON pointer.
        problems: What is wrong, where it is more than one thing.
        roles: The agents' roles it is about.
    """

    line: int | None = None
    column: int | None = None
    place: str | None = None
    pointer: str | None = None
    problems: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


@dataclass(eq=False, repr=False, kw_only=True)
class DocumentError(InputError):
    """A context document that cannot be read or must not be saved.

    Attributes:
        document: Its name, as the message has it.
        pointer: JSON pointer to what is wrong in it.
        key: The object it lies in.
    """

    document: str | None = None
    pointer: str | None = None
    key: str | None = None


class NewerVersion(DocumentError):
    """A document of a newer major version than this program knows."""


class ChecksumMismatch(DocumentError):
    """A body that is not what was saved under its name."""


class TooLarge(DocumentError):
    """A document or file above its limit."""


@dataclass(eq=False, repr=False, kw_only=True)
class BadIdentifier(InputError):
    """An id or path that must not become a key, a branch or a file name; ``value`` is its first 200 characters."""

    value: str | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class RepositoryError(InputError):
    """A git repository that cannot serve as a workflow's base; ``commit`` is the commit, branch or tag asked for."""

    commit: str | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class StoreError(PlaitError):
    """The store did not do what was asked.

    Attributes:
        key: The object it is about.
        path: The file or folder it is about.
        workflow_id: The workflow it is about.
    """

    exit_code = 6

    key: str | None = None
    path: str | None = None
    workflow_id: str | None = None


class StoreUnreachable(StoreError):
    """The store gave no answer in time."""


@dataclass(eq=False, repr=False, kw_only=True)
class StoreDenied(StoreError):
    """The store refused; the message names the missing ``permission``, as the service calls it."""

    permission: str | None = None


class LoginExpired(StoreDenied):
    """The store refused credentials that were good for a time; a run waits for new ones as for a store that is away."""


MAY_PASS = (StoreUnreachable, LoginExpired)
"""What a run that is under way waits for to pass."""

Precondition = Literal["If-None-Match", "If-Match"]


@dataclass(eq=False, repr=False, kw_only=True)
class StoreUnsuitable(StoreError):
    """The store cannot keep the laws: it ignores preconditions, or cannot be written.

    Attributes:
        ignored: The precondition it ignores.
        region: The region it is in, where that is not the configured one.
    """

    ignored: Precondition | None = None
    region: str | None = None


class StoreNotWritable(StoreUnsuitable):
    """The store the user named cannot be written, which was found before anything started."""

    exit_code = 2


class NotFound(StoreError):
    """No object, document or revision under that name."""

    exit_code = 2


@dataclass(eq=False, repr=False, kw_only=True)
class Conflict(PlaitError):
    """Somebody else was first.

    Attributes:
        key: The object it is about.
        document: The document it is about.
        workflow_id: The workflow it is about.
    """

    exit_code = 3

    key: str | None = None
    document: str | None = None
    workflow_id: str | None = None


class ObjectExists(Conflict):
    """A create-only write found an object already there."""


class VersionChanged(Conflict):
    """A guarded replace met another version than the one it had read."""


class RevisionConflict(Conflict):
    """Another writer saved this revision first."""


@dataclass(eq=False, repr=False, kw_only=True)
class LeaseHeld(Conflict):
    """Another run owns the workflow.

    Attributes:
        owner: The run.
        host: Its machine.
        pid: Its process.
        since: When it began, for people.
    """

    exit_code = 2

    owner: str | None = None
    host: str | None = None
    pid: int | None = None
    since: str | None = None


class RunInterrupted(LeaseHeld):
    """The last run of the workflow died before its end, and what is to be done must not hide that."""


@dataclass(eq=False, repr=False, kw_only=True)
class LeaseLost(Conflict):
    """This run no longer owns the workflow and has stopped writing; ``owner`` does, where that is known."""

    owner: str | None = None


class ServerUnreachable(PlaitError):
    """Prefect's server did not answer, or could not be started."""

    exit_code = 6


class TrackFailed(PlaitError):
    """An agent did not deliver."""

    exit_code = 3


class PortsExhausted(TrackFailed):
    """Fewer loopback ports are free than were asked for; they may be later."""


StopReason = Literal["cancelled", "suspended", "deleted"]


@dataclass(eq=False, repr=False, kw_only=True)
class RunStopped(PlaitError):
    """A person cancelled, suspended or deleted the run; ``reason`` is what was done to its flow run."""

    exit_code = 130

    reason: StopReason

    @property
    def end_reason(self) -> str:
        """What its lease ends with: a run whose flow run was deleted counts as cancelled."""
        return "cancelled" if self.reason == "deleted" else self.reason


@dataclass(eq=False, repr=False, kw_only=True)
class SecretRefused(PlaitError):
    """A secret value was about to be saved, and the spec says to refuse.

    Attributes:
        document: The document, or the workflow, that holds it.
        pointer: JSON pointer to it.
    """

    document: str | None = None
    pointer: str | None = None
