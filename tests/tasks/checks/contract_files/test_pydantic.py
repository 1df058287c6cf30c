"""pydantic: a module of the tree is imported in the sandbox, and its models say their JSON schemas."""

from pathlib import Path
from typing import Any

import pytest

from tests.tasks.checks.contract_files.conftest import Read, only, said

MODELS = """
from __future__ import annotations
from pydantic import BaseModel, Field, computed_field
from shop.kinds import Kind
print("said while it is imported")

class Item(BaseModel):
    id: int
    kind: Kind
    name: str | None = None
    parts: list[Item] = []

    @computed_field
    @property
    def label(self) -> str:
        return "x"

Items = list[Item]
"""
KINDS = "from enum import Enum\nclass Kind(str, Enum):\n    pen = 'pen'\n    book = 'book'\n"


def provides(path: str, **operations: Any) -> Any:
    return {"api": {"provides": [{"path": path, "operations": operations or {"GET /items": {"response": "Items"}}}]}}


@pytest.mark.parametrize("root", ["", "src/", "backend/"])
def test_models_are_read_by_what_they_take_and_what_they_answer(read: Read, root: str) -> None:
    files = {f"{root}shop/__init__.py": "", f"{root}shop/models.py": MODELS, f"{root}shop/kinds.py": KINDS}
    operations = {"GET /items": {"response": "Items"}, "POST /items": {"request": "Item", "response": "Item"}}
    told = read(files, {"api": {"provides": [{"path": f"{root}shop/models.py", "operations": operations}]}})
    assert said(told) == []
    got = only(told)
    sent, answered = got["schemas"]["Item-Input"], got["schemas"]["Item-Output"]
    assert (sent["required"], "label" in sent["properties"]) == (["id", "kind"], False)
    assert (set(answered["required"]), "label" in answered["properties"]) == ({"id", "kind", "label"}, True)
    assert got["schemas"]["Kind"]["enum"] == ["pen", "book"]
    assert got["operations"] == [
        {"operation": "GET /items", "responses": {"2XX": {"$ref": "#/schemas/Items"}}},
        {
            "operation": "POST /items",
            "request": {"$ref": "#/schemas/Item-Input"},
            "responses": {"2XX": {"$ref": "#/schemas/Item-Output"}},
        },
    ]
    assert got["schemas"]["Items"]["items"] == {"$ref": "#/schemas/Item-Output"}


def test_without_operations_every_model_of_the_module_is_read(read: Read) -> None:
    told = read(
        {"m.py": "from pydantic import BaseModel\nclass A(BaseModel):\n    b: int\n"},
        {"api": {"provides": [{"path": "m.py"}]}},
    )
    assert only(told)["schemas"]["A"]["properties"]["b"]["type"] == "integer"


@pytest.mark.parametrize(
    ("source", "why"),
    [
        pytest.param("import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of_that_name'", id="import"),
        pytest.param("raise SystemExit('enough')", "SystemExit: enough", id="exit"),
        pytest.param("import os; os._exit(3)", "ended with exit code 3", id="hard exit"),
        pytest.param("while True: pass", "deadline", id="a loop"),
        pytest.param("import os\nfor n in range(9): os.write(n, b'{}{') if n in (1, 2) else None\nItems = 1", "TypeError", id="no type"),
        pytest.param("import os\nwhile True: os.write(2, b'x' * 65536)", "deadline", id="a flood"),
    ],
)  # fmt: skip
def test_a_module_that_misbehaves_is_bounded_and_said(read: Read, source: str, why: str) -> None:
    told = read({"m.py": source}, provides("m.py"), seconds=5)
    assert why in only(told)["unread"] or "Pydantic" in only(told)["unread"]
    assert [rule for rule, _ in said(told)] == ["contracts/unread"]


def test_a_module_does_not_change_what_is_read_of_others(read: Read, tree: Path) -> None:
    """What needs no code of the tree is read before any of it runs."""
    writes = "import pathlib\npathlib.Path('a.json').write_text('{}')\nItems = int\n"
    schema = '{"$schema": "x", "title": "A", "type": "string"}'
    tracks = {"api": provides("m.py")["api"], "web": {"assumes": [{"path": "a.json"}]}}
    told = read({"m.py": writes, "a.json": schema}, tracks)
    assert told.report.files[1].read["schemas"] == {"A": {"type": "string"}}
    assert (tree / "a.json").read_text() == "{}"
