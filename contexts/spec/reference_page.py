"""The spec reference, made from the models: every field with its type, its default and its docstring's words."""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from contexts.documents.assignment import Assignment
from contexts.documents.base import Closed, Identifier, Instant, RelativePath
from contexts.documents.described import attributes_of, models_in
from contexts.documents.handin import HandIn
from contexts.documents.parts import FeatureSpec, Metadata
from contexts.json.values import is_sequence
from contexts.spec.checks import CheckBase
from contexts.spec.model import Spec
from contexts.text.markdown_table import markdown_table

_INTRODUCTION = """\
# The spec

*Made from the models by `make docs`; edit the docstrings in `contexts/spec/`, not this page.*

A spec is one YAML or JSON file of at most 4 MB. Only `workflow_id` and `parallel_tasks` are required. A field nobody
knows is an error that names the nearest known one, unless it begins with `x-`: those are yours. Values are not
converted: `retries: "2"` is refused. `plait schema spec` prints the same as JSON Schema, for editors; `plait plan
SPEC` checks a spec and runs nothing.

Types: a *name* is lower-case letters and digits, joined by single `.`, `_` or `-`, at most 64 characters, and does
not end in `.lock`. A *path* is relative, with no `..`. A *time* is ISO 8601 with a time zone. In `argv` and `setup`,
`{python}` is the interpreter plait runs on and `{spec_dir}` the spec's folder; other braces stay as they are (the
track's name is in the variable `PLAIT_TASK_ID`), and no shell is involved.

`workflow_id` is a name in which `{date}` (`20250131`) and `{time}` (`093000`) are replaced at the start of a run: in
UTC, and for a [scheduled run](../guides/deploying.md#what-there-is) by the moment it was scheduled for, in its
schedule's time zone.
"""
_ASSIGNMENT = """\
## What an agent is given

The file that `PLAIT_ASSIGNMENT` names; see [agents](../guides/agents.md). `plait schema assignment` prints its JSON
Schema.
"""
_HAND_IN = """\
## What an agent hands in

The JSON object it writes to the file that `PLAIT_CONTEXT` names; see [agents](../guides/agents.md). All of it may be
left out, and other members are kept. `plait schema handin` prints its JSON Schema, for prompts and tools.
"""
_WORDS: dict[Any, str] = {str: "text", int: "whole number", float: "number", bool: "true or false", type(None): "null"}
_ALIASES = {str(Identifier): "name", str(RelativePath): "path", str(Instant): "time"}
_SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


def spec_reference() -> str:
    """Return the whole page as markdown.

    Raises:
        LookupError: A field has no description in its model's docstring.
    """
    sections = [_INTRODUCTION, *(_section(model, title) for model, title in _models(Spec, "The whole spec").items())]
    handed_in = [line for model, title in _hand_in().items() for line in (f"### {title}", "", *_table(model))]
    return "\n".join([*sections, _ASSIGNMENT, *_table(Assignment), _HAND_IN, *handed_in]).rstrip() + "\n"


def _hand_in() -> dict[type[BaseModel], str]:
    """Return the models of a hand-in, each with its title."""
    found: dict[type[BaseModel], str] = {HandIn: "The whole of it"}
    for model in models_in(HandIn):
        found.setdefault(model, f"{re.sub(r'(?<=[a-z])(?=[A-Z])', ' ', model.__name__).capitalize()}")
    return found


def _models(model: type[BaseModel], title: str) -> dict[type[BaseModel], str]:
    """Return the models of a spec in the order a reader meets them, each with its title."""
    found = {model: title}
    waiting = [(model, "")]
    while waiting:
        owner, above = waiting.pop(0)
        for name, field in owner.model_fields.items():
            for inner in _inner(field.annotation):
                path = f"{above}{name}{_suffix(field.annotation)}"
                if issubclass(inner, CheckBase):
                    found.setdefault(CheckBase, f"`{above}{name}[]`, whatever its kind")
                if inner not in found:
                    found[inner] = f"`{path}`{_branch(inner)}"
                    waiting.append((inner, f"{path}."))
    return found


def _suffix(annotation: Any) -> str:
    text = str(annotation)
    return ".NAME" if "dict[" in text else "[]" if "tuple[" in text else ""


def _branch(model: type[BaseModel]) -> str:
    """Return what tells a model from the others at its place."""
    for key in ("backend", "kind"):
        field = model.model_fields.get(key)
        if field is not None:
            value = typing.get_args(field.annotation)[0]
            return f" with `{key}: {value}`" + ("" if field.is_required() else ", or without it")
    return ""


def _inner(annotation: Any) -> Iterator[type[BaseModel]]:
    if inspect.isclass(annotation) and issubclass(annotation, Closed | FeatureSpec | Metadata):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _inner(argument)


def _section(model: type[BaseModel], title: str) -> str:
    described = inspect.cleandoc(model.__doc__ or "").split("\n\nAttributes:")[0]
    return "\n".join([f"## {title}", "", _markdown(described), "", *_table(model)])


def _table(model: type[BaseModel]) -> list[str]:
    words = attributes_of(model)
    shared = CheckBase.model_fields if issubclass(model, CheckBase) and model is not CheckBase else {}
    rows: list[tuple[str, ...]] = []
    for name, field in model.model_fields.items():
        if name in shared and field.annotation == shared[name].annotation and field.default == shared[name].default:
            continue
        if name in {"backend", "kind"}:
            meaning = f"Which {name} it is."
        elif name in words:
            meaning = words[name]
        else:
            raise LookupError(f"{model.__name__}.{name} has no line under Attributes in its docstring")
        rows.append((f"`{name}`", _type(field), _default(field), _markdown(meaning)))
    return [*markdown_table(("field", "type", "default", "meaning"), rows), ""]


def _type(field: FieldInfo) -> str:
    kind = _ALIASES.get(str(typing.Annotated[(field.annotation, *field.metadata)]) if field.metadata else "")
    return ", ".join([kind or _kind(field.annotation), *_limits(field.metadata)])


def _limits(rules: Iterable[Any]) -> list[str]:
    flat = [inner for rule in rules for inner in (rule.metadata if isinstance(rule, FieldInfo) else [rule])]
    return [
        f"{sign} {getattr(rule, limit)}"
        for rule in flat
        for limit, sign in _SIGNS.items()
        if getattr(rule, limit, None) is not None
    ]


def _kind(annotation: Any) -> str:
    if str(annotation) in _ALIASES:
        return _ALIASES[str(annotation)]
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return ", ".join([_kind(arguments[0]), *_limits(arguments[1:])])
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin in {typing.Union, types.UnionType}:
        kinds = dict.fromkeys(_kind(one) for one in arguments if one is not type(None))
        if set(kinds) == {"whole number", "number"}:
            return "number"
        return " or ".join(kinds)
    if origin is tuple:
        return f"list of {_plural(_kind(arguments[0]))}"
    if origin is dict:
        return f"mapping of names to {_plural(_kind(arguments[1]))}"
    if origin is list:
        return f"list of {_plural(_kind(arguments[0]))}"
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return "mapping"
    return _WORDS.get(annotation, "any value")


def _plural(kind: str) -> str:
    if kind in {"text", "any value"} or kind.startswith(("list", "`")):
        return {"any value": "any values", "text": "texts"}.get(kind, kind.replace("list of", "lists of", 1))
    noun = re.split(r",| or | of ", kind)[0]
    return kind.replace(noun, f"{noun}s", 1)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value: Any = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined or value is None or isinstance(value, BaseModel):
        given = value.model_dump(exclude_defaults=True) if isinstance(value, BaseModel) else {}
        return f"`{{{', '.join(f'{key}: {one}' for key, one in given.items())}}}`" if given else ""
    if is_sequence(value):
        return f"`[{', '.join(map(str, value))}]`" if value else "none"
    if value == {}:
        return "none"
    if value == "":
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _markdown(text: str) -> str:
    return re.sub(r"``([^`]+)``", r"`\1`", text).replace("|", "\\|")
