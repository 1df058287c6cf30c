"""Any files may be handed to the audit: what cannot be judged is a finding with its reason, never a traceback or a wait."""

from __future__ import annotations

import gc
import itertools
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from contexts.audit import AuditReport, Finding, SourceDocument, audit
from contexts.audit.read_files import LARGEST, read_documents
from contexts.errors import DocumentError
from tests.contexts.audit.editing import CLEAN, findings, load_set

HEAD = {"version": "1.0", "timestamp": "2026-01-01T00:00:00Z", "current_agent": "a", "phase": "p"}


def judged(*paths: Path) -> AuditReport:
    loaded = read_documents(paths)
    return audit(loaded.documents, loaded.findings)


def rules_of(report: AuditReport) -> list[str]:
    return [finding.rule for finding in report.findings]


def only(report: AuditReport) -> Finding:
    assert len(report.findings) == 1, [f.message for f in report.findings]
    return report.findings[0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "Expecting value"),
        (b"{", "Expecting property name"),
        (b'{"a": 1} trailing', "Extra data"),
        (b'{"a": NaN}', "NaN is no JSON value"),
        (b'{"n": 123456789012345678901234567890}', "more than 64 bits"),
        (b"\xff\xfe\x00garbage", "not UTF-8"),
        (b"---\nyaml: true\n", "not JSON"),
    ],
)
def test_a_file_that_is_not_json_is_a_finding_with_the_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "broken.json").write_bytes(content)
    finding = only(judged(tmp_path))
    assert finding.rule == "input/not-json"
    assert finding.severity == "blocking"
    assert reason in finding.message
    assert finding.sources[0].document == "broken.json"


@pytest.mark.parametrize("value", [[], {}, "text", 7, None, {"name": "left-pad"}, [{"workflow_id": "w"}]])
def test_json_that_is_no_context_is_a_note_in_a_folder_and_a_warning_when_named(tmp_path: Path, value: Any) -> None:
    file = tmp_path / "package.json"
    file.write_text(json.dumps(value))
    assert [(f.rule, f.severity) for f in judged(tmp_path).findings] == [("input/not-a-context", "note")]
    assert [(f.rule, f.severity) for f in judged(file).findings] == [("input/not-a-context", "warning")]


def test_a_key_that_stands_twice_is_refused_because_one_of_the_values_would_be_lost(tmp_path: Path) -> None:
    (tmp_path / "w.json").write_text('{"version": "1.0", "workflow_id": "w", "workflow_id": "v"}')
    assert only(judged(tmp_path)).rule == "input/duplicate-key"


def test_a_document_nested_a_thousand_deep_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "w.json").write_text('{"workflow_id": "w", "a": ' + "[" * 1_000 + "]" * 1_000 + "}")
    assert only(judged(tmp_path)).rule == "input/too-deep"


def test_so_is_one_nested_deeper_than_any_parser_goes(tmp_path: Path) -> None:
    (tmp_path / "w.json").write_text("[" * 200_000)
    assert only(judged(tmp_path)).rule == "input/too-deep"


def test_a_file_above_five_megabytes_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "w.json").write_bytes(b" " * (LARGEST + 1))
    assert only(judged(tmp_path)).rule == "input/too-large"


def test_pipes_and_devices_in_a_folder_are_passed_by_and_a_link_to_nothing_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "endless.json").symlink_to("/dev/zero")
    (tmp_path / "endless.md").symlink_to("/dev/zero")
    (tmp_path / "gone.json").symlink_to(tmp_path / "nowhere")
    found = only(judged(tmp_path))
    assert (found.rule, "gone.json" in found.message) == ("input/not-json", True)


def test_a_document_of_almost_five_megabytes_is_judged(tmp_path: Path) -> None:
    items = [f"Partition {n} of the event log holds orders of region {n % 7}" for n in range(70_000)]
    document = {**HEAD, "workflow_id": "w-t", "parent_workflow_id": "w", "task_id": "t", "decisions": items}
    (tmp_path / "w.json").write_text(json.dumps({**document, "context_summary": "x" * 50_000}))
    assert 4_000_000 < (tmp_path / "w.json").stat().st_size < LARGEST
    assert judged(tmp_path).findings == ()


def test_a_newer_major_version_is_not_judged(tmp_path: Path) -> None:
    (tmp_path / "w.json").write_text(json.dumps({**HEAD, "version": "2.0", "workflow_id": "w"}))
    assert only(judged(tmp_path)).rule == "input/newer-version"


def test_contradictory_ids_are_findings(tmp_path: Path) -> None:
    parent = {**HEAD, "workflow_id": "w", "parallel_tasks": [{"task_id": "api"}]}
    track = {**HEAD, "workflow_id": "w-api", "parent_workflow_id": "w", "task_id": "api", "decisions": ["One"]}
    (tmp_path / "parent.json").write_text(json.dumps(parent))
    (tmp_path / "track.json").write_text(json.dumps({**track, "parent_workflow_id": "other"}))
    assert rules_of(judged(tmp_path)) == ["references/parent"]
    (tmp_path / "track.json").write_text(json.dumps({**track, "task_id": "apy"}))
    assert "references/unknown-track" in rules_of(judged(tmp_path))


def test_two_documents_of_one_track_with_one_time_and_different_content_are_a_finding(tmp_path: Path) -> None:
    track = {**HEAD, "workflow_id": "w-api", "parent_workflow_id": "w", "task_id": "api"}
    (tmp_path / "a.json").write_text(json.dumps({**track, "decisions": ["One"]}))
    (tmp_path / "b.json").write_text(json.dumps({**track, "decisions": ["Two"]}))
    assert [rule for rule in rules_of(judged(tmp_path)) if rule.startswith("input/")], rules_of(judged(tmp_path))


@pytest.mark.parametrize("member", ["decisions", "files_modified", "pending_actions", "parallel_tasks", "error_log",
                                    "success_criteria", "implementation_details", "api_contract_assumptions",
                                    "verification_results", "parallel_execution_summary", "metrics", "test_data",
                                    "feature_spec", "shared_constraints", "integration_concerns", "timestamp", "phase",
                                    "task_id", "parent_workflow_id", "context_summary", "deployment_readiness"])  # fmt: skip
@pytest.mark.parametrize("value", [None, True, -1, 1.5e300, "", "x", [], [None], [[]], {}, {"": None}, [{"a": [1]}]])
def test_a_member_of_any_wrong_type_never_stops_the_audit(tmp_path: Path, member: str, value: Any) -> None:
    for stage, extra in (
        ("parent", {}),
        ("merged", {"integration_concerns": []}),
        ("verified", {"verification_results": {}}),
    ):
        (tmp_path / f"{stage}.json").write_text(json.dumps({**HEAD, "workflow_id": "w", **extra, member: value}))
    track = {**HEAD, "workflow_id": "w-t", "parent_workflow_id": "w", "task_id": "t"}
    (tmp_path / "track.json").write_text(json.dumps({**track, member: value}))
    judged(tmp_path)


def test_a_path_that_does_not_exist_and_an_empty_folder_are_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="does not exist"):
        read_documents([tmp_path / "none"])
    with pytest.raises(DocumentError, match="no context documents"):
        read_documents([tmp_path])


def test_a_hidden_folder_of_contexts_is_read_and_one_of_packages_is_not(tmp_path: Path) -> None:
    hidden = tmp_path / ".claude" / "context"
    hidden.mkdir(parents=True)
    (hidden / "w.json").write_text(json.dumps({**HEAD, "workflow_id": "w"}))
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "package.json").write_text("{")
    assert read_documents([tmp_path]).documents[0].name == "w.json"
    assert judged(tmp_path).findings == ()
    assert judged(hidden).findings == ()


@pytest.mark.parametrize("folder", CLEAN, ids=lambda folder: folder.parent.name)
def test_no_subset_of_clean_documents_raises_an_alarm(folder: Path) -> None:
    documents = load_set(folder)
    names = list(documents)
    for size in range(1, len(names) + 1):
        for chosen in itertools.combinations(names, size):
            told = [f for f in findings({name: documents[name] for name in chosen}) if f.severity != "note"]
            assert told == [], (chosen, [(f.rule, f.message) for f in told])


def test_the_same_documents_give_the_same_report_in_any_order(tmp_path: Path) -> None:
    documents = load_set(CLEAN[0].parent / "defects-a")
    forward = [(f.rule, f.message, f.sources) for f in findings(documents)]
    backward = [(f.rule, f.message, f.sources) for f in findings(dict(reversed(documents.items())))]
    assert forward == backward


@pytest.mark.parametrize("was_on", [True, False])
def test_the_search_for_garbage_is_afterwards_as_it_was_before(tmp_path: Path, *, was_on: bool) -> None:
    (tmp_path / "w.json").write_text(json.dumps({**HEAD, "workflow_id": "w"}))
    before = gc.isenabled()
    try:
        (gc.enable if was_on else gc.disable)()
        judged(tmp_path)
        assert gc.isenabled() is was_on
        with pytest.raises(DocumentError):
            read_documents([tmp_path / "missing"])
        assert gc.isenabled() is was_on
    finally:
        (gc.enable if before else gc.disable)()


def test_a_signal_finds_every_text_that_has_it_once_whatever_its_case() -> None:
    texts = ["Twice P95 and p95", "", "İ p95", "nothing", "ends with P", "95 begins the next", "p95"]
    document = SourceDocument("d.json", {"a": texts})
    assert [value for _, value in document.holding(re.compile(r"p\d\d"))] == [texts[0], texts[2], texts[6]]
    assert [value for _, value in document.holding(re.compile(r"\np\d"), re.compile(r"95 b"))] == texts[5:]


def test_an_object_with_several_wanted_keys_comes_once_and_in_order() -> None:
    data = {"x": {"total": 1, "total_files": 2}, "y": [{"n": 1}, {"n": 1, "total": 2}]}
    document = SourceDocument("d.json", data)
    found = document.objects_with(lambda key: key.startswith("total"))
    assert [path for path, _ in found] == [("x",), ("y", 1)]
