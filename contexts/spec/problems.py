"""The model's complaints about a spec's value, in the words of somebody who writes specs."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from contexts.documents.base import Closed
from contexts.json.values import is_list, is_object
from contexts.spec.model import Spec
from contexts.spec.rules import Problem, nearest
from contexts.spec.spec_text import Path, show


def strip_own_fields(value: Any, error: ValidationError) -> tuple[Any, bool]:
    """Return a copy without the ``x-`` fields that the model complained about, and whether that is another value.

    Asking the model where it is closed keeps ``x-`` entries where names are free, such as environment variables.
    """
    own: set[Path] = set()
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        if detail["type"] == "extra_forbidden" and str(detail["loc"][-1]).startswith("x-"):
            path = _real(detail["loc"], value)
            if path and path[-1] == detail["loc"][-1]:
                own.add(path)
    stripped = _without(value, own, ()) if own else value
    return stripped, stripped != value


def _without(value: Any, own: set[Path], path: Path) -> Any:
    if is_object(value):
        return {key: _without(item, own, (*path, key)) for key, item in value.items() if (*path, key) not in own}
    if is_list(value):
        return [_without(item, own, (*path, index)) for index, item in enumerate(value)]
    return value


_NOWHERE = object()


def _member(node: Any, part: str | int) -> Any:
    """Return what one part of a path leads to, or that it leads nowhere."""
    if is_object(node):
        return node.get(part, _NOWHERE) if isinstance(part, str) else _NOWHERE
    return node[part] if is_list(node) and isinstance(part, int) and part < len(node) else _NOWHERE


def _real(loc: Sequence[str | int], value: Any) -> Path:
    """Leave out of a model's location the names of union branches, which are no part of the file."""
    path: Path = ()
    node = value
    for number, part in enumerate(loc):
        inner = _member(node, part)
        if inner is not _NOWHERE:
            node = inner
        elif number < len(loc) - 1 or not (isinstance(node, dict) and isinstance(part, str)):
            continue
        path = (*path, part)
    return path


def model_problems(value: Any, error: ValidationError) -> list[Problem]:
    """Put the model's complaints into sentences, one for each place."""
    found: dict[Path, Problem] = {}
    details = error.errors(include_url=False)
    for detail in details:
        loc = detail["loc"]
        kind = detail["type"]
        path = _real(loc if kind in {"missing", "extra_forbidden"} else _untagged(loc, value), value)
        if kind == "string_type" and isinstance(_at(value, path), dict) and _has_branch(details, loc):
            continue  # one of several shapes; the one that was meant complains itself
        if kind == "too_short" and _at(value, path):
            continue  # the model counts only elements that are right
        problem = _problem(kind, path, loc, detail.get("ctx", {}), detail["msg"], _at(value, path))
        found.setdefault(path, problem)
    if not found:
        found[()] = Problem((), f"the spec is not valid: {details[0]['msg']}")
    return list(found.values())


def _untagged(loc: tuple[str | int, ...], value: Any) -> tuple[str | int, ...]:
    """Drop the last part of a location when it names a branch of a union, not a field."""
    above = _real(loc[:-1], value)
    parent = _at(value, above)
    if parent is None and above:
        parent = _at(value, above[:-1])  # the part above names a branch itself
    inside = isinstance(parent, dict) and loc and loc[-1] in parent
    inside = inside or (isinstance(parent, list) and bool(loc) and isinstance(loc[-1], int))
    return loc if inside or not loc else loc[:-1]


def _has_branch(details: Sequence[Any], loc: tuple[str | int, ...]) -> bool:
    return any(other["loc"][: len(loc) - 1] == loc[:-1] and other["loc"] != loc for other in details)


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = _member(value, part)
    return None if value is _NOWHERE else value


_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


def _problem(
    kind: str, path: Path, loc: Sequence[str | int], context: Mapping[str, object], message: str, value: Any
) -> Problem:
    where = show(path)
    if kind == "extra_forbidden":
        name = str(path[-1])
        owner = f" in {show(path[:-1])}" if path[:-1] else ""
        return Problem(path, f"unknown field {name!r}{owner}{nearest(name, _fields_at(loc[:-1]))}", at_key=True)
    if kind == "missing":
        return Problem(path[:-1], f"{show(path[:-1])} has no {path[-1]}; add it")
    if kind == "union_tag_invalid":
        known = str(context["expected_tags"]).replace("'", "")
        tag = str(context["tag"])[:60]
        near = nearest(tag, known.split(", "))
        name = "backend" if "backend" in str(context["discriminator"]) else "kind"
        return Problem((*path, name), f"{where}.{name} {tag!r} is not a known {name}{near}; known: {known}")
    if kind == "union_tag_not_found":
        return Problem(path, f"{where} has no backend; say which, for example backend: command")
    if kind == "too_short" and path == ("parallel_tasks",):
        return Problem(path, "parallel_tasks holds no tracks; a workflow needs at least one", at_key=True)
    if kind == "value_error":
        text = str(context.get("error", message))
        return Problem(path, text if len(path) < 2 else f"{where}: {text}", of_whole=len(path) < 2)
    if kind in _WANTED:
        wanted = "a number" if kind == "int_type" and loc and loc[-1] == "int" else _WANTED[kind]
        quotes = "; put it in quotes" if wanted == "text" and isinstance(value, int | float) else ""
        return Problem(path, f"{where} must be {wanted}, not {_kind_of(value)}{quotes}")
    if kind == "literal_error":
        return Problem(path, f"{where} must be {context['expected']}, not {str(value)[:60]!r}")
    plain = re.sub(r"^(?:Input|String|Tuple|List|Value) should ", "must ", message)
    return Problem(path, f"{where} {plain}")


def _kind_of(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {value[:60]!r}"
    return "a list" if isinstance(value, list) else "a mapping"


def _fields_at(loc: Sequence[str | int]) -> list[str]:
    """Return the field names of the closed model that a location leads to."""
    candidates: list[Any] = [Spec]
    for part in loc:
        inner = [found for candidate in candidates for found in _step(candidate, part)]
        candidates = inner or candidates
    return sorted({name for model in candidates if _is_model(model) for name in model.model_fields})


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Closed)


def _step(kind: Any, part: str | int) -> Iterator[Any]:
    """Yield the types one part of a location further in; a part that names a branch leads to that branch."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        field = kind.model_fields.get(str(part))
        tag = kind.model_fields.get("backend") or kind.model_fields.get("kind")
        if field is not None:
            yield from _branches(field.annotation)
        elif kind.__name__ == part or (tag and part in typing.get_args(tag.annotation)):
            yield kind
    elif typing.get_origin(kind) is tuple and isinstance(part, int):
        yield from _branches(typing.get_args(kind)[0])
    elif typing.get_origin(kind) is dict:
        yield from _branches(typing.get_args(kind)[1])


def _branches(annotation: Any) -> Iterator[Any]:
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        yield from _branches(typing.get_args(annotation)[0])
    elif origin in {typing.Union, types.UnionType}:
        for branch in typing.get_args(annotation):
            yield from _branches(branch)
    else:
        yield annotation
