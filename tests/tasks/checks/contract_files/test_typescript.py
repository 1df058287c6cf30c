"""TypeScript: read through the compiler that is installed in the workspace."""

from pathlib import Path
from typing import Any

from tests.tasks.checks.contract_files.conftest import Read, only, said

TYPES = """
import type { Id } from "./ids";
export interface Item {
  id: Id;
  name?: string;
  price: number | null;
  kind: "pen" | "book";
  level: 1 | 2;
  done: boolean;
  tags: string[];
  parts: Item[];
  by: Record<string, number>;
  at: Place & { zoom: number };
  pair: [string, number];
  colour: Colour;
  anything: unknown;
}
interface Place { lat: number; lon: number }
export enum Colour { Red = "red", Blue = "blue" }
export class Made { id = ""; greet(): string { return this.id } }
interface Page<T> { items: T[]; next?: string }
export type Items = Page<Item>;
export type NewItem = Pick<Item, "price"> & Partial<Pick<Item, "id">>;
"""
IDS = "export type Id = string & { readonly __brand: unique symbol };\n"


def assumes(path: str, **operations: Any) -> Any:
    return {
        "web": {
            "assumes": [
                {"path": path, "operations": {f"GET /{name}": {"response": kind} for name, kind in operations.items()}}
            ]
        }
    }


def test_types_are_read_with_everything_they_are_made_of(read: Read, typescript: Path) -> None:
    told = read(
        {"web/types.ts": TYPES, "web/ids.ts": IDS},
        assumes("web/types.ts", items="Items", item="Item", new="NewItem", at="Place", made="Made"),
    )
    assert said(told) == []
    got = only(told)
    schemas = got["schemas"]
    item = schemas["Item"]
    assert item["properties"] == {
        "id": {"type": "string"},
        "name": {"type": "string"},
        "price": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        "kind": {"type": "string", "enum": ["pen", "book"]},
        "level": {"type": "number", "enum": [1, 2]},
        "done": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "parts": {"type": "array", "items": {"$ref": "#/schemas/Item"}},
        "by": {"type": "object", "properties": {}, "additionalProperties": {"type": "number"}},
        "at": {
            "type": "object",
            "properties": {"lat": {"type": "number"}, "lon": {"type": "number"}, "zoom": {"type": "number"}},
            "required": ["lat", "lon", "zoom"],
        },
        "pair": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}], "items": False, "minItems": 2},
        "colour": {"type": "string", "enum": ["red", "blue"]},
        "anything": True,
    }  # fmt: skip
    assert set(item["properties"]) - set(item["required"]) == {"name"}
    assert schemas["Items"]["properties"]["items"] == {"type": "array", "items": {"$ref": "#/schemas/Item"}}
    assert (set(schemas["NewItem"]["properties"]), schemas["NewItem"]["required"]) == ({"price", "id"}, ["price"])
    assert (set(schemas["Place"]["properties"]), set(schemas["Made"]["properties"])) == ({"lat", "lon"}, {"id"})
    assert got["operations"][1] == {"operation": "GET /item", "responses": {"2XX": {"$ref": "#/schemas/Item"}}}


def test_null_counts_as_the_projects_own_settings_say(read: Read, typescript: Path) -> None:
    loose = '{"compilerOptions": {"strict": false}}'
    files = {"a.ts": "export interface A { b: string | null; c?: number }", "tsconfig.json": loose}
    schema = only(read(files, assumes("a.ts", a="A")))["schemas"]["A"]
    assert schema == {
        "type": "object", "properties": {"b": {"type": "string"}, "c": {"type": "number"}}, "required": ["b"],
    }  # fmt: skip


def test_what_json_does_not_hold_or_nobody_declares_is_said(read: Read, typescript: Path) -> None:
    source = "import { X } from './gone';\nexport interface A { at: Date; f: () => void; x: X; deep: N<string>; m: Map<string, A> }\ninterface N<T> { n: N<T[]> }\n"
    told = read({"a.ts": source}, assumes("a.ts", a="A", b="B"))
    properties = only(told)["schemas"]["A"]["properties"]
    assert {name: one.get("x-unread") for name, one in properties.items() if name != "deep"} == {
        "at": "Date", "f": "a function", "x": "a type that cannot be resolved", "m": "Map",
    }  # fmt: skip
    ((rule, message),) = said(told)
    assert rule == "contracts/unread"
    assert "it has no type 'B'; A.at: Date; A.f: a function; A.x: a type that cannot be resolved" in message


def test_wrong_syntax_and_a_workspace_without_a_compiler_are_said(read: Read, tree: Path) -> None:
    told = read({"a.ts": "export interface A {}"}, assumes("a.ts", a="A"))
    assert "npm install --save-dev typescript" in only(told)["unread"]


def test_wrong_syntax_is_said_with_its_line(read: Read, typescript: Path) -> None:
    told = read({"a.ts": "export interface A {\n  b: ;\n"}, assumes("a.ts", a="A"))
    assert only(told)["unread"].startswith("line 2: ")
