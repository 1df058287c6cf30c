"""Operations of a file that has only types: what its entry maps to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote

from contexts.documents.base import JsonObject
from contexts.documents.handin import ContractFile

_LIST = "[]"


def wanted_types(file: ContractFile) -> tuple[list[str], list[str]]:
    """Return the names of a file's types that are sent to the provider, and of those it answers or emits."""
    named = list((file.operations or {}).values())
    sent = [_bare(one.request) for one in named if one.request]
    answered = [_bare(name) for one in named for name in (one.response, one.message) if name]
    return list(dict.fromkeys(sent)), list(dict.fromkeys(answered))


def _bare(name: str) -> str:
    while name.endswith(_LIST):
        name = name.removesuffix(_LIST)
    return name


def mapped_operations(
    file: ContractFile, requests: Mapping[str, str], answers: Mapping[str, str], known: Collection[str]
) -> tuple[list[JsonObject], list[str]]:
    """Return the operations that an entry maps to types of its file, and which types it names that are not there.

    ``NAME[]`` is a list of them. A response has no status of its own here: it is that of success.

    Args:
        file: The entry.
        requests: Under which name a type lies in the schemas, as a request; its own where that says nothing.
        answers: The same of responses and messages.
        known: Names of the schemas.
    """
    missing: list[str] = []

    def schema(name: str, kept: Mapping[str, str]) -> JsonObject:
        bare = _bare(name)
        lies = kept.get(bare, bare)
        if lies not in known:
            missing.append(f"it has no type {bare[:80]!r}")
        made: Any = {"$ref": f"#/schemas/{quote(lies.replace('~', '~0').replace('/', '~1'), safe='~')}"}
        for _ in range((len(name) - len(bare)) // len(_LIST)):
            made = {"type": "array", "items": made}
        return made

    made: list[JsonObject] = []
    for name, one in (file.operations or {}).items():
        operation: JsonObject = {"operation": name}
        if one.request:
            operation["request"] = schema(one.request, requests)
        if one.response:
            operation["responses"] = {"2XX": schema(one.response, answers)}
        if one.message:
            operation["message"] = schema(one.message, answers)
        made.append(operation)
    return made, list(dict.fromkeys(missing))
