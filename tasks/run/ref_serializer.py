"""The serializer of the one result Prefect caches: references and plain values as JSON, nothing that could run."""

from __future__ import annotations

from typing import Any, Literal, cast

import orjson
from prefect.serializers import Serializer

from contexts.documents.refs import ContextRef

_REF = "$context"


class RefSerializer(Serializer):
    """Writes results as JSON and reads nothing else back, so that a shared bucket cannot run code."""

    type: Literal["plait-refs"] = "plait-refs"  # pyright: ignore[reportIncompatibleVariableOverride] Prefect's own do so

    def dumps(self, obj: Any) -> bytes:
        """Return JSON bytes of a `ContextRef`, a plain value, or a list of such.

        Raises:
            TypeError: Anything else.
        """
        return orjson.dumps(_plain(obj))

    def loads(self, blob: bytes) -> Any:
        """Return what `dumps` was given.

        Raises:
            ValueError: The bytes hold anything else.
        """
        return _value(orjson.loads(blob))


def _plain(value: Any) -> Any:
    if isinstance(value, ContextRef):
        return {_REF: value.model_dump()}
    if value is None or type(value) in {str, int, float, bool}:
        return value
    if isinstance(value, list | tuple):
        return [_plain(each) for each in cast("list[Any]", value)]
    raise TypeError(f"a result of plait is a ContextRef, a plain value or a list of them, not {type(value).__name__}")


def _value(stored: Any) -> Any:
    if isinstance(stored, list):
        return [_value(each) for each in cast("list[Any]", stored)]
    if isinstance(stored, dict):
        fields = cast("dict[str, Any]", stored)
        if set(fields) != {_REF}:
            raise ValueError("a stored result holds something that is neither a reference nor a plain value")
        return ContextRef.model_validate(fields[_REF])
    return stored
