"""Swagger 2 as the OpenAPI 3 that says the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from contexts.documents.base import JsonObject
from contexts.json.pointer import resolve
from contexts.json.values import is_list, is_object, mapping, sequence, text

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
_JSON = ("application/json",)
_OF_SCHEMAS = (
    "type", "format", "items", "enum", "default", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems", "multipleOf",
)  # fmt: skip
_FLOWS = {"accessCode": "authorizationCode", "application": "clientCredentials"}
_LONGEST_CHAIN = 20


def as_openapi(document: Mapping[str, Any]) -> JsonObject:
    """Return a Swagger 2 document as OpenAPI 3.0, with everything but schemas written out where it is used."""
    swagger = _Swagger(document)
    paths = {path: swagger.item(item) for path, item in mapping(document.get("paths")).items()}
    schemas = {name: _moved(one) for name, one in mapping(document.get("definitions")).items()}
    schemes = {name: _scheme(mapping(one)) for name, one in mapping(document.get("securityDefinitions")).items()}
    kept = ("info", "tags", "security", "externalDocs")
    base = text(document.get("basePath"))
    return {
        "openapi": "3.0.3",
        **{name: document[name] for name in kept if name in document},
        **({"servers": [{"url": base}]} if base else {}),
        "paths": paths,
        "components": {"schemas": schemas, **({"securitySchemes": schemes} if schemes else {})},
        **{name: _moved(one) for name, one in document.items() if name.startswith("x-")},
    }


def _moved(value: Any) -> Any:
    """Return a schema whose references lead to OpenAPI 3's place for schemas."""
    if is_list(value):
        return [_moved(one) for one in value]
    if not is_object(value):
        return value
    made = {key: _moved(one) for key, one in value.items()}
    reference = text(value.get("$ref"))
    if reference.startswith("#/definitions/"):
        made["$ref"] = "#/components/schemas/" + reference.removeprefix("#/definitions/")
    if value.get("x-nullable") is True:
        made["nullable"] = True
    if text(value.get("discriminator")):
        made["discriminator"] = {"propertyName": value["discriminator"]}
    if value.get("type") == "file":
        made |= {"type": "string", "format": "binary"}
    return made


def _scheme(given: JsonObject) -> JsonObject:
    if given.get("type") == "basic":
        return {"type": "http", "scheme": "basic"}
    if given.get("type") != "oauth2":
        return given
    flow = text(given.get("flow"))
    urls = {name: given[name] for name in ("authorizationUrl", "tokenUrl") if name in given}
    return {"type": "oauth2", "flows": {_FLOWS.get(flow, flow): {**urls, "scopes": mapping(given.get("scopes"))}}}


class _Swagger:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document

    def followed(self, raw: Any) -> JsonObject:
        """Return what a reference of a path, parameter or response leads to."""
        value = mapping(raw)
        for _ in range(_LONGEST_CHAIN):
            reference = text(value.get("$ref"))
            if not reference.startswith("#"):
                return value
            try:
                value = mapping(resolve(self.document, unquote(reference[1:])))
            except KeyError:
                return value
        return value

    def item(self, raw: Any) -> JsonObject:
        item = self.followed(raw)
        shared = sequence(item.get("parameters"))
        return {method: self.operation(mapping(item[method]), shared) for method in _METHODS if method in item}

    def operation(self, given: JsonObject, shared: Any) -> JsonObject:
        parameters: dict[tuple[str, str], JsonObject] = {}
        for raw in (*shared, *sequence(given.get("parameters"))):
            one = self.followed(raw)
            parameters[text(one.get("name")), text(one.get("in"))] = one
        consumes = given.get("consumes", self.document.get("consumes"))
        produces = given.get("produces", self.document.get("produces"))
        body = self.body(list(parameters.values()), [text(one) for one in sequence(consumes)])
        plain = [_parameter(one) for one in parameters.values() if one.get("in") in {"query", "path", "header"}]
        answers = mapping(given.get("responses"))
        media = [text(one) for one in sequence(produces)] or list(_JSON)
        kept = ("operationId", "summary", "description", "tags", "deprecated", "security")
        return {
            **{name: given[name] for name in kept if name in given},
            **({"parameters": plain} if plain else {}),
            **({"requestBody": body} if body else {}),
            "responses": {status: self.response(one, media) for status, one in answers.items()},
        }

    def body(self, parameters: list[JsonObject], consumes: list[str]) -> JsonObject | None:
        whole = next((one for one in parameters if one.get("in") == "body"), None)
        if whole is not None:
            content = {media: {"schema": _moved(whole.get("schema", {}))} for media in consumes or _JSON}
            return {"required": whole.get("required") is True, "content": content}
        form = [one for one in parameters if one.get("in") == "formData"]
        if not form:
            return None
        needed = [text(one.get("name")) for one in form if one.get("required") is True]
        schema = {
            "type": "object",
            "properties": {text(one.get("name")): _schema_of(one) for one in form},
            **({"required": needed} if needed else {}),
        }
        files = any(one.get("type") == "file" for one in form)
        usual = "multipart/form-data" if files else "application/x-www-form-urlencoded"
        return {"content": {media: {"schema": schema} for media in consumes or (usual,)}}

    def response(self, raw: Any, media: list[str]) -> JsonObject:
        given = self.followed(raw)
        content = {one: {"schema": _moved(given["schema"])} for one in media} if "schema" in given else None
        return {
            "description": text(given.get("description")),
            **({"content": content} if content else {}),
        }


def _schema_of(parameter: JsonObject) -> JsonObject:
    return mapping(_moved({name: parameter[name] for name in _OF_SCHEMAS if name in parameter}))


def _parameter(given: JsonObject) -> JsonObject:
    kept = {name: given[name] for name in ("name", "in", "description", "required") if name in given}
    return {**kept, "schema": _schema_of(given)}
