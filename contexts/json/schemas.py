"""JSON Schemas that somebody gives: whether one can be used, without a look at anything outside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from contexts.json.values import is_list, is_object


def why_no_schema(schema: dict[str, Any] | bool) -> str | None:
    """Say why a JSON Schema (2020-12) cannot be used; None where it can.

    Args:
        schema: The schema; what it refers to must be in itself.
    """
    # Only who gives a schema pays for the library.
    from jsonschema import Draft202012Validator, SchemaError  # noqa: PLC0415
    from referencing import Registry, Resource  # noqa: PLC0415
    from referencing.exceptions import Unresolvable  # noqa: PLC0415
    from referencing.jsonschema import DRAFT202012  # noqa: PLC0415

    try:
        Draft202012Validator.check_schema(schema)
        resource: Resource[Any] = Resource(schema, DRAFT202012)
        resolver = Registry[Any]().with_resource("", resource).resolver()
        for reference in _references(schema):
            resolver.lookup(reference)
    except SchemaError as error:
        return f"{error.message} at {error.json_path}"
    except Unresolvable as error:
        return f"{error.ref!r} is not in it"
    except RecursionError:
        return "it is nested too deeply"
    return None


def _references(value: Any) -> Iterator[str]:
    if is_object(value):
        for key, one in value.items():
            if key in {"$ref", "$dynamicRef"} and isinstance(one, str):
                yield one
            yield from _references(one)
    elif is_list(value):
        for one in value:
            yield from _references(one)
