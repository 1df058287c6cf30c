"""Whether an OpenAPI document is valid, as the validator of its version says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from contexts.contracts.model import Problem
from contexts.json.pointer import pointer, resolve
from contexts.json.values import Path, mapping, sequence, text
from contexts.text.plural import and_more

_VALUES = frozenset({"example", "examples", "default", "enum", "const"})
"""Keys below which a ``$ref`` is somebody's data."""
_NAMED = (("properties",), ("responses",), ("schemas",))
"""Objects whose keys are names, whatever they are called."""


def _dangling(root: Mapping[str, object]) -> tuple[Path, str] | None:
    """Return the first reference into the document itself that names nothing there, with its place."""
    left: list[tuple[Any, Path]] = [(root, ())]
    while left:
        value, path = left.pop()
        if isinstance(value, list):
            left += [(one, (*path, index)) for index, one in enumerate(sequence(value))][::-1]
            continue
        if path and isinstance(mapping(value).get("$id"), str):
            continue  # its references start from there
        for key, inner in mapping(value).items():
            if key == "$ref" and isinstance(inner, str) and inner.startswith("#/"):
                try:
                    resolve(root, unquote(inner[1:]))
                except KeyError:
                    return (*path, key), inner
            elif not (key.startswith("x-") or (key in _VALUES and path[-1:] not in _NAMED)):
                left.append((inner, (*path, key)))
    return None


def validity(data: Mapping[str, object], base: Path = ()) -> Iterator[Problem]:
    """Yield why a whole OpenAPI document is not valid, or why nobody can tell.

    Fragments (no ``openapi`` or no ``info``) are not judged.
    """
    version = text(data.get("openapi"))
    if not version or "info" not in data:
        return
    if not version.startswith(("3.0", "3.1")):
        yield Problem("invalid-openapi", pointer(*base, "openapi"), f"version {version[:20]!r} is not 3.0 or 3.1")
        return
    if nowhere := _dangling(data):
        # The validator stops there, and what it has not seen yet cannot make the document valid.
        where, name = nowhere
        yield Problem("invalid-openapi", pointer(*base, *where), f"$ref {name[:120]!r} leads nowhere")
        return
    # Half a second to import, and needed only where somebody embeds a whole OpenAPI document.
    from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator  # noqa: PLC0415

    validator = OpenAPIV30SpecValidator if version.startswith("3.0") else OpenAPIV31SpecValidator
    plain: Any = json.loads(json.dumps(data))
    errors: list[Any] = []
    try:
        errors.extend(validator(plain).iter_errors())
    except Exception as error:  # noqa: BLE001 - what stops the validator says nothing about the document
        if not errors:
            reason = f"{type(error).__name__} {str(error)[:200]}".rstrip()
            message = f"whether the OpenAPI document is valid is unknown, because the validator stopped: {reason}"
            yield Problem("unreadable", pointer(*base), message)
    for error in errors[:1]:
        where = tuple(str(part) for part in getattr(error, "absolute_path", ()))
        more = and_more(len(errors) - 1)
        message = str(error.message).partition("\n")[0][:300] + (f" ({more})" if more else "")
        yield Problem("invalid-openapi", pointer(*base, *where), message)
