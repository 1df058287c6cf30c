"""What an API contract is, whatever notation it was written in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Role = Literal["consumer", "provider"]
Kind = Literal[
    "object", "array", "string", "number", "integer", "boolean", "null", "file", "any", "union", "reference", "unknown"
]


@dataclass(frozen=True, slots=True)
class Schema:
    """The shape of a JSON value.

    Attributes:
        kind: ``unknown`` is what could not be read, and never counts as aligned; ``any`` is said to be anything.
        fields: Members of an object, in written order.
        items: Element shape of an array, or member shape of a map.
        variants: Alternatives of a ``union``.
        enum: The only values allowed, as JSON text.
        format: What the string holds: ``uuid``, ``email``, ``date-time``, ``date``, ``time``, ``uri``, ``binary``.
        low: Least value, length or number of elements.
        high: Greatest value, length or number of elements.
        pattern: Regular expression of a string, as written; only ``contexts.contracts.patterns`` may apply it.
        reference: Name under which ``Contract.definitions`` holds the shape (recursive shapes need names).
        closed: Members that are not listed are refused.
        why: Why the shape is unknown.
    """

    kind: Kind
    nullable: bool = False
    fields: tuple[Field, ...] = ()
    items: Schema | None = None
    variants: tuple[Schema, ...] = ()
    enum: tuple[str, ...] | None = None
    format: str | None = None
    low: float | None = None
    high: float | None = None
    pattern: str = ""
    reference: str = ""
    closed: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A member of an object.

    Attributes:
        required: Whoever sends the object to the author of this notation must send it.
        always: Whoever receives the object from the author finds it there (possibly null).
        default: It has a value where nobody gives one, so whoever receives the object finds it there, too.
    """

    name: str
    schema: Schema
    required: bool = True
    always: bool = True
    default: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """An HTTP status code and where it is written; ``why`` says what implies it when nobody wrote it down."""

    status: int
    pointer: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    """A request or response body: its shape, media types, size limit in bytes and file types, each None if not said."""

    schema: Schema
    pointer: str
    media: tuple[str, ...] = ()
    max_bytes: int | None = None
    file_types: frozenset[str] | None = None
    limit_pointer: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method on one path template.

    Attributes:
        path: Template with every parameter as ``{}``.
        shown: As the author wrote it.
        codes: Status codes written down; None where the author writes none at all.
        any_code: A ``default`` or ``4XX`` response covers what is not listed.
        implied: Codes the author's prose implies (auth, permission, uniqueness, rate limit, size, media type).
        auth: Whether authentication is required; None if not said.
        bodies: What is answered by success code, or ``2XX``, where that is written; ``response`` is the first.
        parameters: The members of the query as one object.
        prefixes: Paths below which the servers of its document serve it.
    """

    method: str
    path: str
    shown: str
    pointer: str
    request: Body | None = None
    response: Body | None = None
    codes: tuple[Code, ...] | None = None
    any_code: bool = False
    implied: tuple[Code, ...] = ()
    auth: bool | None = None
    auth_pointer: str = ""
    bodies: tuple[tuple[str, Body], ...] = ()
    parameters: Body | None = None
    prefixes: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        """Return all names of the endpoint: its path alone, and below each of its servers' paths."""
        return (self.key, *((self.method, prefix + self.path) for prefix in self.prefixes))

    @property
    def key(self) -> tuple[str, str]:
        """Return what names the endpoint whatever the notation."""
        return (self.method, self.path)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a contract that could not be read; ``unread`` is what has not the form of a hand-in."""

    kind: Literal["unreadable", "unread", "invalid-openapi", "unresolved-reference"]
    pointer: str
    message: str


@dataclass(frozen=True, slots=True)
class Contract:
    """All that one document, or one file it names, says about one side of an API.

    Attributes:
        typed: It was handed in as operations with schemas, or read from a file of the commit.
        file: The file it was read from.
    """

    document: str
    role: Role
    endpoints: tuple[Endpoint, ...]
    definitions: Mapping[str, Schema] = field(default_factory=dict[str, Schema])
    problems: tuple[Problem, ...] = ()
    typed: bool = False
    file: str = ""


def unknown(why: str) -> Schema:
    """Return the shape nothing is known about, and say why."""
    return Schema("unknown", why=why)
