"""GraphQL: a provider's schema, and what consumers ask and declare held against it."""

from pathlib import Path
from typing import Any

import pytest

from tasks.checks.contract_files import read as reading
from tests.tasks.checks.contract_files.conftest import Read, said

SDL = """
type Query { item(id: ID!, deep: Boolean): Item  items: [Item!]! }
type Item { id: ID!  name: String  kind: Kind! }
enum Kind { PEN BOOK }
input NewItem { name: String!  kind: Kind }
type Mutation { add(item: NewItem!): Item! }
"""
HONEST = """
query One($id: ID!) { item(id: $id) { ...Parts } }
mutation Add($item: NewItem!) { add(item: $item) { id } }
"""
FRAGMENT = "fragment Parts on Item { id name kind }\n"
TYPES = "type Item { id: ID name: String }\nenum Kind { PEN }\ninput NewItem { name: String! kind: Kind! }\n"


def tracks(*consumers: str) -> Any:
    return {
        "api": {"provides": [{"path": "api/schema.graphqls"}]},
        "web": {"assumes": [{"path": f"web/{name}.graphql"} for name in consumers]},
    }


def test_honest_queries_and_types_fit(read: Read) -> None:
    files = {"api/schema.graphqls": SDL, "web/a.graphql": HONEST, "web/b.graphql": FRAGMENT, "web/c.graphql": TYPES}
    told = read(files, tracks("a", "b", "c"))
    assert said(told) == []
    assert {one["operation"] for one in told.report.files[0].read["operations"]} == {
        "Query.item", "Query.items", "Mutation.add",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "rule", "message"),
    [
        (
            "{ items {\n title } }",
            "contracts/field",
            "web/a.graphql line 2: Cannot query field 'title' on type 'Item'.",
        ),
        ("{ item { id } }", "contracts/type", "of type 'ID!' is required"),
        (
            "query A($id: Boolean!) { item(id: $id) { id } }",
            "contracts/type",
            "'Boolean!' used in position expecting type 'ID!'",
        ),
        ("query A($a: Gone) { items { id } }", "contracts/field", "Unknown type 'Gone'"),
        ("mutation { add(item: {kind: PEN}) { id } }", "contracts/type", "web/a.graphql line 1: "),
        ("type Item { title: String }", "contracts/field", "no Item.title"),
        ("type Item { name: String! }", "contracts/type", "Item.name is String! there, and String at the provider"),
        ("type Item {\n kind: [Kind] }", "contracts/type", "line 2: Item.kind is [Kind] there, and Kind! at"),
        ("input NewItem { kind: Kind }", "contracts/field", "the provider requires name of NewItem"),
        ("input NewItem { name: String }", "contracts/type", "NewItem.name is String there, and String! at"),
        ("enum Kind { CUP }", "contracts/type", "the provider's enum Kind has no value CUP"),
        ("type Shop { id: ID }", "contracts/field", "no type Shop"),
        ("input Item { id: ID! }", "contracts/type", "Item is of kind input_object, the provider's object"),
        ("type Query { items(first: Int): [Item!] }", "contracts/field", "takes no argument first"),
    ],
)
def test_every_mismatch_is_found_with_both_places(read: Read, text: str, rule: str, message: str) -> None:
    told = read({"api/schema.graphqls": SDL, "web/a.graphql": text}, tracks("a"))
    found = [one for one in told.findings if one.rule == rule and message in one.message]
    assert found, said(told)
    assert {one.severity for one in told.findings} == {"blocking"}
    assert "(api/schema.graphqls)" in found[0].message
    assert [one.document for one in found[0].sources] == ["tracks/web", "tracks/api"]


def test_what_cannot_be_compared_is_said(read: Read, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = read({"web/a.graphql": "{ a }", "web/b.graphql": "{ a"}, {"web": tracks("a", "b")["web"]})
    assert ["no other track hands in" in text or "Syntax Error" in text for _, text in said(told)] == [True, True]
    python = tree / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nexec /usr/bin/env python3 -S "$@"\n')
    python.chmod(0o755)
    told = read({"api/schema.graphqls": SDL}, {"api": tracks()["api"]})
    assert "pip install graphql-core" in said(told)[0][1]
    assert reading.MAX_READ_BYTES == 5_000_000
