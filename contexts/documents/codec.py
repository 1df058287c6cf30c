"""Bytes to documents and back: strict JSON, canonical form, checksum, format versions, size limits."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import ValidationError

from contexts.documents.base import JsonObject
from contexts.documents.exact_json import Doubled, Odd, read_exactly
from contexts.documents.version import FORMAT_VERSION, version_number
from contexts.errors import ChecksumMismatch, DocumentError, NewerVersion
from contexts.json.pointer import pointer
from contexts.json.values import is_object
from contexts.text.plural import and_more

if TYPE_CHECKING:
    from contexts.documents.context import Context

CHECKSUM = "_checksum"
_REMEDY = "restore the object from a backup or remove this revision"
LIMIT_BYTES = 500 * 1024
_TOLD = 5
"""Problems of a validation that are told one by one."""

_DIGITS = bytes(ord("0") if chr(code).isdigit() else code for code in range(256))
_INDENTED = (b"{\n  ", b"[\n  ")
_LONG_NUMBER = b"0" * 19


def parse(raw: bytes, name: str = "document") -> Any:
    """Return the value of a JSON text, refusing what readers would silently change.

    orjson keeps the last of duplicate keys and turns integers beyond 64 bits into floats without a word. A text that is
    written again byte for byte has neither; for any other, cheap signs are looked for, and a precise second reading
    decides only where they are not sure.

    Raises:
        DocumentError: Not JSON, nested more than 254 levels deep, a duplicate key, or an integer beyond 64 bits.
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise DocumentError(f"{name} is not JSON: {_where(error)}", document=name) from error
    # The second most common form is what json.dumps and editors write with two spaces.
    written = _written(value, name, orjson.OPT_INDENT_2 if raw.startswith(_INDENTED) else 0)
    if written != raw and written != raw.rstrip() and _may_differ(raw, written):
        _read_precisely(raw, name)
    return value


def _may_differ(raw: bytes, written: bytes) -> bool:
    # A key that is read twice is written once, with one colon fewer; only a colon written as an escape can make up for
    # it, and every escape of a colon begins with \\u003.
    return raw.count(b":") != written.count(b":") or _LONG_NUMBER in raw.translate(_DIGITS) or b"\\u003" in raw


def dump(value: object, name: str = "document") -> bytes:
    """Return the JSON of a value, in the order its fields have.

    Raises:
        DocumentError: Something JSON cannot hold, or nesting more than 254 levels deep.
    """
    return _written(value, name, 0)


def _written(value: object, name: str, option: int) -> bytes:
    try:
        return orjson.dumps(value, option=option)
    except TypeError as error:
        reason = "it is nested too deeply" if "Recursion" in str(error) else str(error)
        raise DocumentError(f"{name} cannot be written as JSON: {reason}", document=name) from error


def parse_object(raw: bytes, name: str = "document") -> JsonObject:
    """Return the object of a JSON text.

    Raises:
        DocumentError: As `parse`, or something other than an object.
    """
    value = parse(raw, name)
    if not is_object(value):
        raise DocumentError(f"{name} is not a context document: its top level is not an object", document=name)
    return value


def _where(error: json.JSONDecodeError) -> str:
    return f"{error.msg} (line {error.lineno}, column {error.colno})"


def _read_precisely(raw: bytes, name: str) -> None:
    def refuse(met: Odd | Doubled) -> Any:
        if isinstance(met, Doubled):
            raise DocumentError(f"{name} has the key {met.key[:80]!r} twice in one object", document=name)
        if met.is_integer:
            raise DocumentError(
                f"{name} holds the integer {met[:40]}, which is beyond 64 bits and would be rounded by JSON readers; "
                "write it as a string",
                document=name,
            )
        return float(met)

    read_exactly(raw, refuse)


def canonical(value: object) -> bytes:
    """Return the canonical JSON of a value: UTF-8, keys sorted, no white space.

    Raises:
        DocumentError: As `dump`.
    """
    return _written(value, "value", orjson.OPT_SORT_KEYS)


def digest(value: object) -> str:
    """Return the sha256 over the canonical JSON of a value, in hexadecimal."""
    return sha256(canonical(value)).hexdigest()


def checksum(document: Mapping[str, object]) -> str:
    """Return the sha256 over a document's canonical JSON without its ``_checksum``."""
    return digest({key: value for key, value in document.items() if key != CHECKSUM})


def seal(document: Mapping[str, object], name: str = "document") -> tuple[bytes, str]:
    """Return the JSON to store and its checksum; the order of fields stays as it is given.

    Raises:
        DocumentError: Something JSON cannot hold, NaN and infinity among it: reading it back would give another value.
    """
    body = {key: value for key, value in document.items() if key != CHECKSUM}
    proof = checksum(body)
    body[CHECKSUM] = proof
    sealed = dump(body, name)
    if b"null" in sealed and has_non_finite(body):
        raise DocumentError(f"{name} holds NaN or infinity, which JSON cannot; write it as a string", document=name)
    return sealed, proof


def has_non_finite(value: Any) -> bool:
    """Return whether NaN or an infinity is anywhere in a value; orjson would write it as null."""
    pending: list[Any] = [value]
    while pending:
        node = pending.pop()
        if isinstance(node, float):
            if not math.isfinite(node):
                return True
        elif isinstance(node, Mapping):
            pending.extend(node.values())  # pyright: ignore[reportUnknownArgumentType] JSON of unknown shape
        elif isinstance(node, list | tuple):
            pending.extend(node)  # pyright: ignore[reportUnknownArgumentType] JSON of unknown shape
    return False


def unseal(raw: bytes, name: str = "document", expected: str | None = None) -> JsonObject:
    """Return a stored document after proving that it is what was saved.

    Raises:
        ChecksumMismatch: The body does not match its checksum, has none, or is not the one ``expected``.
        NewerVersion: A newer program wrote it.
        DocumentError: Not a JSON object.
    """
    try:
        document = parse_object(raw, name)
    except DocumentError as error:
        raise ChecksumMismatch(
            f"{name} was damaged or cut short ({error.message}); {_REMEDY}", document=name
        ) from error
    stated = document.get(CHECKSUM)
    proof = checksum(document)
    if stated != proof or (expected is not None and proof != expected):
        raise ChecksumMismatch(
            f"{name} does not match its checksum: it was changed after it was saved; {_REMEDY}", document=name
        )
    check_version(document.get("version"), name)
    return document


def check_version(version: Any, name: str = "document") -> None:
    """Refuse a format version that this program does not know; 1.0 is the first there is.

    Raises:
        NewerVersion: The major version is beyond this program.
        DocumentError: The version is missing or malformed.
    """
    if version == FORMAT_VERSION:
        return
    try:
        major, _ = version_number(version if isinstance(version, str) else "")
    except ValueError as error:
        raise DocumentError(
            f"{name} has no usable format version: {error}", document=name, pointer="/version"
        ) from error
    present, _ = version_number(FORMAT_VERSION)
    if major > present:
        raise NewerVersion(
            f"{name} has format version {version}, and this program knows {FORMAT_VERSION}; update plait to read it",
            document=name,
            pointer="/version",
        )
    if major < present:
        raise DocumentError(f"{name} has format version {version}, from which no step leads on", document=name)


def validate(document: Mapping[str, object], name: str = "document") -> Context:
    """Return the typed view of a document.

    Raises:
        DocumentError: A field has the wrong type; the first five are named with their pointers.
        NewerVersion: As `check_version`.
    """
    from contexts.documents.context import Context as Typed  # noqa: PLC0415 most callers of this module need no models

    check_version(document.get("version"), name)
    try:
        return Typed.model_validate_json(dump(document, name))
    except ValidationError as error:
        raise DocumentError(f"{name} is not a valid context: {describe(error, document)}", document=name) from error


def describe(error: ValidationError, document: Any) -> str:
    """Return one sentence about a validation error, with JSON pointers.

    Args:
        error: What pydantic says.
        document: The value that was validated: pointers lead to places that exist in it.
    """
    found: dict[str, str] = {}
    for problem in error.errors(include_url=False, include_context=False):
        found.setdefault(pointer(*_place(document, problem["loc"], problem["type"])), problem["msg"])
    # Of a union every member complains: what is wrong inside an object says more than that it is no text.
    around = {where[:at] for where in found for at, sign in enumerate(where) if sign == "/"}
    parts = [f"{where or '/'}: {said}" for where, said in found.items() if where not in around]
    more = and_more(len(parts) - _TOLD)
    return "; ".join(parts[:_TOLD]) + (f" ({more})" if more else "")


def _place(document: Any, path: tuple[str | int, ...], kind: str) -> list[str | int]:
    """Return a validation error's place without the names of union members that pydantic puts into it."""
    place: list[str | int] = []
    value = document
    for number, part in enumerate(path):
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            known = False
        else:
            known = True
        if known or (kind == "missing" and number == len(path) - 1):
            place.append(part)
    return place
