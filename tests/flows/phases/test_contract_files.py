"""Contract files in a whole run: named by hand-ins or the spec, read on the merged tree, compared in the verdict."""

import json
from pathlib import Path
from typing import Any

import pytest

from contexts.documents.base import JsonObject
from contexts.documents.refs import BlobRef
from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from flows.feature import feature
from tests.flows.specs import make_repository, write_spec
from tests.servers import ROOT, Server

TYPESCRIPT = ROOT / ".cache" / "typescript" / "node_modules"
SDL = "type Query { item(id: ID!): Item }\ntype Item { id: ID!  name: String! }\n"
QUERY = "query One($id: ID!) {\n  item(id: $id) { id title }\n}\n"
ITEM = "from pydantic import BaseModel\n\n\nclass Item(BaseModel):\n    id: str\n    name: str\n"
TYPES = "export interface Item {\n  id: string;\n  title: string;\n}\n"
GET: JsonObject = {"GET /items/{id}": {"response": "Item"}}


class Workflow:
    """Two tracks that write files and name them, and what came of a run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = ContextStore(LocalObjects(folder / "store"))
        self.repository = make_repository(folder / "app", README__md="An application.\n")

    def run(self, api: JsonObject, web: JsonObject, setup: list[list[str]] | None = None, **more: Any) -> JsonObject:
        """Run two tracks; each is ``{files, side, entries}``. Return the final context."""
        programs = {name: _program(**given) for name, given in (("api", api), ("web", web))}
        check = {"id": "there", "argv": ["test", "-e", "README.md"]}
        given = {
            "repository": {"path": str(self.repository), "base": "main"},
            "verification": {"checks": [check], "setup": setup or []},
            "success_criteria": {"files": [{"text": "it is there", "check": "there"}]},
        }
        spec = write_spec(self.folder, "shop", programs, **{**given, **more})
        feature(spec=spec, store=str(self.folder / "store"), return_state=True)
        return self.store.require("shop")[1]

    def report(self, final: JsonObject) -> JsonObject:
        """What was read, by path."""
        record = next(one for one in final["evidence"] if one["kind"] == "contract-files")
        body = self.store.get_blob("shop", BlobRef.model_validate(record["reports"]["contracts"]))
        return {one["file"]["path"]: one["read"] for one in json.loads(body)["files"]}


def _program(files: dict[str, str], side: str = "", entries: list[Any] | None = None) -> str:
    lines = ["import pathlib, os, json"]
    for name, text in files.items():
        lines.append(f"p = pathlib.Path({name!r}); p.parent.mkdir(parents=True, exist_ok=True); p.write_text({text!r})")
    said = {"contracts": {side: {"files": entries}}} if entries else {}
    lines.append(f"open(os.environ['PLAIT_CONTEXT'], 'w').write({json.dumps(said)!r})")
    return "; ".join(lines)


@pytest.fixture
def workflow(prefect_api: Server, workspaces: Path, tmp_path: Path) -> Workflow:
    del prefect_api, workspaces
    return Workflow(tmp_path)


def _status(final: JsonObject) -> tuple[str, int]:
    return final["run"]["status"], final["run"]["exit_code"]


def test_a_query_the_provider_does_not_answer_fails_the_run_until_it_is_mended(workflow: Workflow) -> None:
    api: JsonObject = {
        "files": {"api/schema.graphqls": SDL},
        "side": "provides",
        "entries": [{"path": "api/schema.graphqls"}],
    }
    web: JsonObject = {
        "files": {"web/item.graphql": QUERY},
        "side": "assumes",
        "entries": [{"path": "web/item.graphql"}],
    }
    final = workflow.run(api, web)
    assert _status(final) == ("verification-failed", 1), final["run"]
    (finding,) = [one for one in final["findings"] if one["severity"] == "blocking"]
    assert finding["rule"] == "contracts/field"
    assert "web/item.graphql line 2: Cannot query field 'title' on type 'Item'" in finding["message"]
    assert "(api/schema.graphqls)" in finding["message"]
    assert [(one["document"], one["pointer"]) for one in finding["sources"]] == [
        ("tracks/web", "/contracts/assumes/files/0"), ("tracks/api", "/contracts/provides/files/0"),
    ]  # fmt: skip
    record = next(one for one in final["evidence"] if one["check"] == "contracts")
    assert (record["status"], record["result"]) == ("passed", {"contract_files": {"read": 2, "unread": 0}})

    final = workflow.run(api, {**web, "files": {"web/item.graphql": QUERY.replace("title", "name")}})
    assert _status(final) == ("verified", 0), final["findings"]


def test_what_was_read_of_the_same_tree_is_taken_over(workflow: Workflow) -> None:
    said = "38 of 40 tests passed, all pass now. P99 fell from 900 ms to 120 ms (target 100 ms)."
    document = {"openapi": "3.1.0", "info": {"title": "a", "version": "1", "description": said}, "paths": {}}
    api: JsonObject = {"files": {"openapi.json": json.dumps(document)}}
    web: JsonObject = {"files": {"a.txt": "a"}}
    planned: JsonObject = {"api": {"contracts": {"provides": [{"path": "openapi.json"}]}}}
    final = workflow.run(api, web, tracks=planned)
    assert list(workflow.report(final)) == ["openapi.json"]
    assert (_status(final), final["findings"]) == (("verified", 0), []), "a description claims nothing"
    final = workflow.run(api, web, tracks=planned)
    assert {one["check"]: one.get("reused") for one in final["evidence"]} == {"there": True, "contracts": True}


def test_what_cannot_be_read_is_warned_of_and_fails_nothing(workflow: Workflow) -> None:
    api: JsonObject = {"files": {"a.txt": "a"}, "side": "provides", "entries": [{"path": "gone.yaml"}]}
    final = workflow.run(api, {"files": {"b.txt": "b"}})
    assert _status(final) == ("verified", 0), final["findings"]
    ((severity, message),) = [
        (one["severity"], one["message"]) for one in final["findings"] if one["rule"] == "contracts/unread"
    ]
    assert severity == "warning"
    assert message == "gone.yaml of track api was not read: the integrated tree has no such file"


def test_without_contract_files_nothing_is_read(workflow: Workflow) -> None:
    final = workflow.run({"files": {"a.txt": "a"}}, {"files": {"b.txt": "b"}})
    assert [one["check"] for one in final["evidence"]] == ["there"]


def test_types_that_expect_another_member_fail_the_run_until_they_are_mended(workflow: Workflow) -> None:
    if not (TYPESCRIPT / "typescript" / "package.json").is_file():
        pytest.skip("not run: no TypeScript compiler is installed below .cache; `make setup-typescript` does it")
    setup = [["ln", "-s", str(TYPESCRIPT), "node_modules"]]
    api: JsonObject = {
        "files": {"app/models.py": ITEM},
        "side": "provides",
        "entries": [{"path": "app/models.py", "operations": GET}],
    }
    web: JsonObject = {
        "files": {"web/types.ts": TYPES},
        "side": "assumes",
        "entries": [{"path": "web/types.ts", "operations": GET}],
    }
    final = workflow.run(api, web, setup)
    assert _status(final) == ("verification-failed", 1), final["findings"]
    (finding,) = [one for one in final["findings"] if one["severity"] == "blocking"]
    assert (finding["rule"], "title" in finding["message"]) == ("contracts/field", True)
    assert {one["document"] for one in finding["sources"]} == {"tracks/web", "tracks/api"}
    final = workflow.run(api, {**web, "files": {"web/types.ts": TYPES.replace("title", "name")}}, setup)
    assert _status(final) == ("verified", 0), final["findings"]
