"""`plait schema`: JSON Schema of what people and agents write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from flows.cli.session import Given, write_json

if TYPE_CHECKING:
    from pydantic import BaseModel

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(what: Literal["spec", "handin", "context", "assignment"] = "spec", /, *, session: Given) -> int:
    """Print a JSON Schema (draft 2020-12).

    Args:
        what: The spec a user writes, what an agent hands in, the context that is stored, or the assignment an agent
            is given.
    """
    from contexts.documents.described import described_schema

    model, title = _model(what)
    document = {
        "$schema": _DIALECT,
        **(described_schema(model) if what == "handin" else model.model_json_schema(mode="validation")),
        "title": title,
    }
    if what == "spec":
        _allow_own_fields(document)
    if session.as_json:
        session.emit(document)
    else:
        write_json(document)
    return 0


def _model(what: str) -> tuple[type[BaseModel], str]:
    if what == "context":
        from contexts.documents.context import Context

        return Context, "plait context document"
    if what == "handin":
        from contexts.documents.handin import HandIn

        return HandIn, "plait hand-in"
    if what == "assignment":
        from contexts.documents.assignment import Assignment

        return Assignment, "plait assignment"
    from contexts.spec.model import Spec

    return Spec, "plait spec"


def _allow_own_fields(node: Any) -> None:
    """Let every closed object of a spec hold the user's own ``x-`` fields, as reading a spec does."""
    if isinstance(node, dict):
        if node.get("additionalProperties") is False:  # pyright: ignore[reportUnknownMemberType] JSON of unknown shape
            node["patternProperties"] = {"^x-": True}
        for value in list(node.values()):  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] same
            _allow_own_fields(value)
    elif isinstance(node, list):
        for value in node:  # pyright: ignore[reportUnknownVariableType] same
            _allow_own_fields(value)
