"""`plait audit` prints findings by severity, or exactly the JSON the design gives, and ends with the right code."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contexts.json.pointer import resolve
from tests.document_sets import CORPORA, REFERENCE, DocumentSet

CLEAN = CORPORA / "orders" / "clean"
DEFECTS = CORPORA / "orders" / "defects-a"


def copied(folder: Path, target: Path) -> Path:
    target.mkdir(parents=True)
    for file in folder.glob("*.json"):
        if file.name != "expected.json":
            (target / file.name).write_bytes(file.read_bytes())
    return target


def test_clean_documents_end_with_zero(call: Callable[..., Any], tmp_path: Path) -> None:
    assert call("audit", copied(CLEAN, tmp_path / "clean")).code == 0


@pytest.mark.parametrize("documents", [pytest.param(DocumentSet(DEFECTS), id="orders"), REFERENCE], indirect=True)
def test_blocking_findings_end_with_one_and_a_folder_that_is_not_there_with_two(
    call: Callable[..., Any], documents: DocumentSet
) -> None:
    result = call("audit", documents.folder)
    assert result.code == 1
    assert result.out.startswith("BLOCKING (")
    assert result.err == ""
    assert call("audit", documents.folder, "--json").json()["summary"]["blocking"] > 0
    assert call("audit", documents.folder / "none").code == 2


def test_warnings_alone_do_not_end_with_one(call: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "package.json"
    file.write_text("{}")
    result = call("audit", file, "--json")
    assert result.json()["summary"] == {"blocking": 0, "warning": 1, "note": 0}
    assert result.code == 0


def test_warnings_end_with_one_where_it_is_asked_to_be_strict(call: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text("{}")
    assert call("audit", tmp_path / "package.json", "--strict").code == 1
    assert call("audit", copied(CLEAN, tmp_path / "clean"), "--strict").code == 0


def test_the_json_has_exactly_the_members_of_the_design(call: Callable[..., Any], tmp_path: Path) -> None:
    folder = copied(DEFECTS, tmp_path / "defects")
    report = call("audit", folder, "--json").json()
    assert set(report) == {"findings", "summary"}
    assert set(report["summary"]) == {"blocking", "warning", "note"}
    assert len(report["findings"]) == sum(report["summary"].values())
    for finding in report["findings"]:
        assert set(finding) == {"rule", "severity", "message", "sources"}
        assert finding["severity"] in report["summary"]
        for source in finding["sources"]:
            assert set(source) == {"document", "pointer", "quote"}
            value = resolve(json.loads((folder / source["document"]).read_text()), source["pointer"])
            assert not isinstance(value, str) or value.split()[:3] == source["quote"].split()[:3]


def test_the_blobs_of_an_export_belong_there_and_other_files_are_named(
    call: Callable[..., Any], tmp_path: Path
) -> None:
    folder = copied(CLEAN, tmp_path / "export")
    (folder / "blobs").mkdir()
    for number in range(40):
        (folder / "blobs" / f"{number:064x}").write_bytes(b"log")
    result = call("audit", folder)
    assert (result.code, result.err) == (0, "")
    (folder / "run.log").write_text("")
    assert call("audit", folder).err == "plait: not read, because they are no context files: run.log\n"


def test_an_export_is_audited_without_a_word_on_stderr(call: Callable[..., Any], shop: Any, tmp_path: Path) -> None:
    assert call("export", "shop", tmp_path / "out").code == 0
    assert len(list((tmp_path / "out" / "blobs").iterdir())) > 0
    result = call("audit", tmp_path / "out")
    assert result.err == ""
    assert "3 documents" in result.out


def test_a_workflow_of_the_store_is_no_path_and_the_way_to_one_is_said(
    call: Callable[..., Any], shop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = call("audit", "shop")
    assert result.code == 2
    assert result.err == (
        "plait: shop does not exist, but is a workflow in the store: `plait export shop DIR`, then `plait audit DIR`\n"
    )
    for other in ("garage", "Not a workflow", "no/shop"):
        refused = call("audit", other)
        assert refused.code == 2
        assert "name context files or a folder of them" in refused.err
    unusable = call("audit", "shop", "--store", "ftp://nowhere")
    assert (unusable.code, "shop does not exist" in unusable.err) == (2, True)
    (tmp_path / "shop").mkdir()
    assert "no context documents in shop" in call("audit", "shop").err


@pytest.mark.parametrize("asked", [".", ".claude", ".claude/context"])
def test_contexts_lie_in_hidden_folders(
    call: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    copied(CLEAN, tmp_path / "work" / ".claude" / "context")
    monkeypatch.chdir(tmp_path / "work")
    result = call("audit", asked)
    assert result.code == 0
    assert f"{len(list(CLEAN.glob('[0-9]*.json')))} documents" in result.out


def test_files_may_be_named_one_by_one_and_twice(call: Callable[..., Any], tmp_path: Path) -> None:
    folder = copied(CLEAN, tmp_path / "clean")
    result = call("audit", folder / "1-parent.json", folder, folder / "1-parent.json", "--json")
    assert result.code == 0
    assert result.json()["summary"]["blocking"] == 0


def test_nothing_to_judge_is_a_sentence_on_stderr_and_two(call: Callable[..., Any], tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone"):
        result = call("audit", path)
        assert result.code == 2
        assert result.out == ""
        assert len(result.err.strip().splitlines()) == 1
    assert call("audit").code == 2


def test_a_broken_file_blocks_and_the_others_are_judged(call: Callable[..., Any], tmp_path: Path) -> None:
    folder = copied(CLEAN, tmp_path / "clean")
    (folder / "broken.json").write_text("{")
    result = call("audit", folder, "--json")
    assert result.code == 1
    assert [f["rule"] for f in result.json()["findings"] if f["severity"] == "blocking"] == ["input/not-json"]


@pytest.mark.parametrize("factor", [1.4327537857543466, 0.00716986, 1e-9, 12345.678, 0, -0.5])
def test_a_speedup_as_plait_itself_computes_it_is_read_however_many_digits_it_has(
    call: Callable[..., Any], tmp_path: Path, factor: float
) -> None:
    context = {"version": "1.0", "workflow_id": "w", "metrics": {"inputs": {"speedup": factor}}}
    (tmp_path / "w.json").write_text(json.dumps(context), encoding="utf-8")
    result = call("audit", tmp_path, "--json")
    assert result.err == ""
    assert result.json()["summary"]["blocking"] == 0
