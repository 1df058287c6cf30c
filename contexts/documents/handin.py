"""The hand-in: what an agent gives back at the end of its track, typed.

All of it may be left out, and what no field has is kept. What is in it becomes the track's context: ``summary`` its
summary, ``claims`` its `claimed_results`, everything else the member of the same name.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from contexts.documents.base import Items, Lenient, Number, RelativePath
from contexts.documents.parts import Decision, PendingAction
from contexts.documents.version import SUMMARY_LIMIT

JsonSchema = dict[str, Any] | bool
"""A JSON Schema, draft 2020-12; ``#/schemas/NAME`` refers to the schemas beside the operations."""

FileFormat = Literal["openapi", "json-schema", "typescript", "pydantic", "graphql", "protobuf"]


class Example(Lenient):
    """One request as a consumer sends it, and what it expects; it is replayed where a check starts the product.

    Attributes:
        path: The path with its parameters filled in, and the query; default: the operation's, if it has no parameter.
        headers: Header fields.
        body: JSON value that is sent.
        status: Status code that is expected.
        response: JSON value that is expected, member by member.
    """

    path: str | None = None
    headers: dict[str, str] | None = None
    body: Any = None
    status: int | None = None
    response: Any = None


class Operation(Lenient):
    """One operation of an interface.

    Attributes:
        operation: ``METHOD /path/{parameter}`` for HTTP; any other name for an event, a message or a function.
        auth: Whether a caller must be authenticated.
        parameters: Object schema of the query's members.
        request: Schema of the request's JSON body.
        responses: Schema of the JSON body by status code; null where there is no body.
        message: Schema of what an operation that is not HTTP carries.
        examples: Requests and what they are answered with.
    """

    operation: str = Field(min_length=1)
    auth: bool | None = None
    parameters: JsonSchema | None = None
    request: JsonSchema | None = None
    responses: dict[str, JsonSchema | None] | None = None
    message: JsonSchema | None = None
    examples: Items[Example] | None = None


class FileOperation(Lenient):
    """Which of a file's types an operation sends and answers, by their names in the file.

    Attributes:
        request: The type of what is sent.
        response: The type of what is answered.
        message: The type of what an operation that is not HTTP carries.
    """

    request: str | None = None
    response: str | None = None
    message: str | None = None


class ContractFile(Lenient):
    """A file of the track's own commit that describes an interface.

    Attributes:
        path: The file, from the root of the repository.
        format: Its language; default: what its ending and its content say.
        operations: By operation the types it uses, where the file has no operations of its own.
    """

    path: RelativePath
    format: FileFormat | None = None
    operations: dict[str, FileOperation] | None = None


class Variable(Lenient):
    """An environment variable: provided where the track's work sets it, assumed where it reads it.

    Attributes:
        name: Its name.
        required: Whether whoever reads it fails without it.
        default: What is taken where it is not set.
        description: What it is for.
    """

    name: str = Field(min_length=1)
    required: bool | None = None
    default: str | Number | bool | None = None
    description: str | None = None


class Port(Lenient):
    """A TCP port: provided by what listens on it, assumed by what calls it.

    Attributes:
        number: The port.
        name: What listens there.
    """

    number: int = Field(ge=1, le=65535)
    name: str | None = None


class ContractSide(Lenient):
    """What a track offers, or what it expects others to offer.

    Attributes:
        operations: Operations with JSON Schemas.
        schemas: JSON Schemas by name; ``{"$ref": "#/schemas/NAME"}`` in an operation refers to one.
        files: Files of the track's commit that describe interfaces.
        variables: Environment variables.
        ports: TCP ports.
    """

    operations: Items[Operation] | None = None
    schemas: dict[str, JsonSchema] | None = None
    files: Items[ContractFile] | None = None
    variables: Items[Variable] | None = None
    ports: Items[Port] | None = None


class Contracts(Lenient):
    """Both sides of a track's interfaces.

    Attributes:
        provides: What the track's work offers.
        assumes: What it expects other tracks, or the product as it was, to offer.
    """

    provides: ContractSide | None = None
    assumes: ContractSide | None = None


class Claim(Lenient):
    """What an agent says of tests or coverage; shown and compared with evidence, and decides nothing.

    Attributes:
        check: The check of the spec it is about.
        file: The file it is about.
        tests: How many tests there are.
        passed: How many of them passed.
        coverage: Line coverage in percent.
    """

    check: str | None = None
    file: str | None = None
    tests: int | None = None
    passed: int | None = None
    coverage: Number | None = None


class HandIn(Lenient):
    """What an agent gives back at the end.

    Attributes:
        summary: What was done, in at most 500 characters.
        decisions: What was decided, by topic.
        pending_actions: What is still to be done.
        contracts: What the work provides and assumes of interfaces.
        claims: What the agent says of its tests; decides nothing.
        notes: Anything else, in words.
    """

    summary: Annotated[str, Field(max_length=SUMMARY_LIMIT)] | None = None
    decisions: Items[Decision] | None = None
    pending_actions: Items[PendingAction] | None = None
    contracts: Contracts | None = None
    claims: Items[Claim] | None = None
    notes: Items[str] | None = None
