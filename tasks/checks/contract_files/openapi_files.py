"""OpenAPI and JSON Schema: parsed here, with what they refer to in other files of the tree put beside."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from contexts.documents.base import JsonObject
from contexts.json.values import is_list, is_object, mapping, text
from tasks.checks.contract_files.swagger import as_openapi
from tasks.checks.contract_files.tree_files import Unread, parse, read_text

BESIDE = "x-files"
"""Member of the document under which other files lie that it refers to, by their paths."""
UNREAD_PART = "x-unread"
"""Member of a schema that stands for what could not be read."""
_MOST_FILES = 100
_MOST_VALUES = 500_000
_VALUES = frozenset({"example", "examples", "default", "enum", "const"})
"""Members whose value is somebody's data, whatever it looks like."""
_OF_NAMES = frozenset({"properties", "patternProperties", "responses", "schemas", "definitions", "$defs", "parameters"})
"""Members whose own members are names, whatever they are called."""


class _Bundle:
    """One document and the files it refers to."""

    def __init__(self, tree: Path, path: str) -> None:
        self.tree = tree
        self.root = path
        self.beside: dict[str, Any] = {}
        self.parts: list[str] = []
        self.values = 0

    def whole(self, value: JsonObject) -> JsonObject:
        made = mapping(self.copied(value, self.root))
        return {**made, BESIDE: self.beside} if self.beside else made

    def copied(self, value: Any, at: str, *, data: bool = False, names: bool = False) -> Any:
        """Return a copy in which references lead into the whole document.

        Args:
            value: The value.
            at: The file it stands in.
            data: It is somebody's value, in which nothing is a reference.
            names: Its members are names.
        """
        self.values += 1
        if self.values > _MOST_VALUES:
            raise Unread(f"it has more than {_MOST_VALUES:,} values, with the files it refers to")
        if is_list(value):
            return [self.copied(one, at, data=data) for one in value]
        if not is_object(value):
            return value
        if names:
            return {key: self.copied(one, at) for key, one in value.items()}
        reference = text(value.get("$ref"))
        if reference and not data:
            told = self.reference(reference, at)
            if told is None:
                return {UNREAD_PART: reference[:200]}
            rest = {key: self.copied(one, at) for key, one in value.items() if key != "$ref"}
            return {"$ref": told, **rest}
        return {
            key: self.copied(one, at, data=data or key in _VALUES, names=not data and key in _OF_NAMES)
            for key, one in value.items()
        }

    def reference(self, reference: str, at: str) -> str | None:
        """Return where a reference leads in the whole document; None where that could not be read."""
        name, _, pointer = reference.partition("#")
        if not name and at == self.root:
            return reference
        path = posixpath.normpath(posixpath.join(posixpath.dirname(at), unquote(name))) if name else at
        if path == self.root:
            return f"#{pointer}"
        if "://" in name or not self.load(path, reference):
            if "://" in name:
                self.parts.append(f"{reference[:200]!r} is no file of the tree")
            return None
        return f"#/{BESIDE}/{quote(path.replace('~', '~0').replace('/', '~1'), safe='~')}{pointer}"

    def load(self, path: str, reference: str) -> bool:
        """Put a file beside the document; say whether it is there."""
        if path in self.beside:
            return True
        if len(self.beside) >= _MOST_FILES:
            raise Unread(f"it refers to more than {_MOST_FILES} files")
        try:
            value = parse(read_text(self.tree, path), path)
        except Unread as error:
            said = f"{reference[:200]!r}: {error}"
            if said not in self.parts:
                self.parts.append(said)
            return False
        self.beside[path] = {}
        self.beside[path] = self.copied(value, path)
        return True


def read_openapi_file(tree: Path, path: str, value: Any) -> tuple[JsonObject, list[str]]:
    """Return an OpenAPI document that stands alone, Swagger 2 as OpenAPI 3, and what of it could not be read.

    Raises:
        Unread: It is no OpenAPI document.
    """
    document = mapping(value)
    if not text(document.get("openapi")) and text(document.get("swagger")) != "2.0":
        raise Unread("it has neither a member openapi nor swagger: 2.0")
    bundle = _Bundle(tree, path)
    whole = bundle.whole(document)
    return {"openapi": as_openapi(whole) if "swagger" in whole else whole}, bundle.parts


def read_json_schema_file(tree: Path, path: str, value: Any) -> tuple[dict[str, Any], list[str]]:
    """Return the schemas of a JSON Schema by name: those of ``$defs`` and ``definitions``, and the document itself.

    Raises:
        Unread: It is no object.
    """
    document = mapping(value)
    if not document:
        raise Unread("it is no JSON Schema: an object is expected")
    bundle = _Bundle(tree, path)
    whole = bundle.whole(document)
    root = text(whole.get("title")) or posixpath.basename(path).partition(".")[0]
    own = {name: one for key in ("definitions", "$defs") for name, one in mapping(whole.get(key)).items()}
    body = {key: one for key, one in whole.items() if key not in {"definitions", "$defs", "$schema", "$id", "title"}}
    schemas = {**({root: body} if set(body) - {BESIDE} else {}), **own}
    return {name: _renamed(one, root) for name, one in schemas.items()}, bundle.parts


def _renamed(value: Any, root: str) -> Any:
    """Return a schema whose references lead to where the schemas lie now."""
    if is_list(value):
        return [_renamed(one, root) for one in value]
    if not is_object(value):
        return value
    made = {key: _renamed(one, root) for key, one in value.items()}
    reference = value.get("$ref")
    if isinstance(reference, str) and reference.startswith("#"):
        for start in ("#/$defs/", "#/definitions/"):
            if reference.startswith(start):
                return {**made, "$ref": "#/schemas/" + reference.removeprefix(start)}
        escaped = quote(root.replace("~", "~0").replace("/", "~1"), safe="~")
        return {**made, "$ref": f"#/schemas/{escaped}{reference[1:]}"}
    return made
