"""Every rule finds the defect of its own example, nothing else does, and its clean twin is silent."""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

import contexts.audit.prose
import contexts.audit.rules
from contexts.audit import RULES, Finding, Rule, audit
from contexts.audit.read_files import parse, read_documents
from contexts.audit.reference_page import PAGE, judged, page
from contexts.audit.registry import FAMILIES, Documents, Raw
from contexts.audit.sample_documents import file_name, merged, plain_members, track
from contexts.json.pointer import resolve

_GONE = object()


@pytest.mark.parametrize("package", [contexts.audit.rules, contexts.audit.prose], ids=lambda package: package.__name__)
def test_every_module_that_registers_a_rule_is_named_by_its_package(package: ModuleType) -> None:
    files = Path(str(package.__file__)).parent.glob("*.py")
    register = {path.stem for path in files if re.search(r"^@(claim_)?rule\(", path.read_text("utf-8"), re.MULTILINE)}
    assert len(register) > 1
    assert sorted(register - set(package.__all__)) == []


def _audited(example: Documents) -> tuple[Finding, ...]:
    return judged(copy.deepcopy(example))


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_a_rule_finds_its_example_and_nothing_else_does(rule: Rule) -> None:
    found = _audited(rule.example)
    assert {finding.rule for finding in found} == {rule.id}, [f"{f.rule}: {f.message}" for f in found]
    assert max(("note", "warning", "blocking").index(f.severity) for f in found) == (
        "note",
        "warning",
        "blocking",
    ).index(rule.severity)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_the_clean_twin_of_a_rule_is_silent(rule: Rule) -> None:
    assert [f"{f.rule}: {f.message}" for f in _audited(rule.clean)] == []


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_every_source_of_a_finding_points_at_the_value_it_quotes(rule: Rule) -> None:
    named = {file_name(i, e): e for i, e in enumerate(rule.example) if isinstance(e, Mapping)}
    for finding in _audited(rule.example):
        assert finding.sources
        for source in finding.sources:
            if source.document in named:
                resolve(named[source.document], source.pointer)
                assert source.quote


def _saved(folder: Path, example: Documents, *, shown: bool) -> Path:
    """Write an example's documents as files; as the page shows them, less the members that do not matter."""
    folder.mkdir()
    for index, entry in enumerate(example):
        if isinstance(entry, Raw):
            (folder / f"{index + 1}.json").write_text(entry.content)
        else:
            (folder / file_name(index, entry)).write_text(json.dumps(plain_members(entry) if shown else entry))
    return folder


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_a_rules_examples_can_be_audited_as_files_whole_or_as_the_page_shows_them(rule: Rule, tmp_path: Path) -> None:
    for shown in (False, True):
        defect = read_documents([_saved(tmp_path / f"example-{shown}", rule.example, shown=shown)])
        found = {finding.rule for finding in audit(defect.documents, defect.findings).findings}
        clean = read_documents([_saved(tmp_path / f"clean-{shown}", rule.clean, shown=shown)])
        silent = {finding.rule for finding in audit(clean.documents, clean.findings).findings}
        if not shown:
            assert (found, silent) == ({rule.id}, set())
        else:
            assert rule.id not in silent or rule.id == "input/incomplete-context"
            if rule.id.startswith("contracts/"):
                assert rule.id in found  # what names a task_id is judged without the other members


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_no_member_is_missed_so_much_that_the_audit_breaks(rule: Rule) -> None:
    whole = [dict(entry) for entry in rule.example if isinstance(entry, Mapping)]
    for index, entry in enumerate(whole):
        for member, other in itertools.product(entry, (None, "", 0, [], {}, [None], [{}], {"a": None}, _GONE)):
            changed = {key: value for key, value in entry.items() if key != member}
            if other is not _GONE:
                changed[member] = other
            files = [changed if i == index else one for i, one in enumerate(whole)]
            read = [parse(f"{number}.json", json.dumps(one).encode()) for number, one in enumerate(files)]
            for finding in audit([document for document, _ in read if document]).findings:
                for source in finding.sources:
                    resolve(files[int(source.document.partition(".")[0])], source.pointer)


def test_tracks_that_name_no_workflow_are_not_called_one_and_the_same(tmp_path: Path) -> None:
    for name in ("ui", "api"):
        (tmp_path / f"{name}.json").write_text(json.dumps({"task_id": name, "timestamp": "2025-03-01T09:00:00Z"}))
    read = read_documents([tmp_path])
    assert {finding.rule for finding in audit(read.documents, read.findings).findings} == {"input/incomplete-context"}


def test_every_family_of_the_page_has_rules() -> None:
    assert {rule.id.split("/")[0] for rule in RULES.values()} == set(FAMILIES)


def test_rules_yield_only_to_rules_that_exist() -> None:
    assert {other for rule in RULES.values() for other in rule.yields_to} <= RULES.keys()


def test_the_page_of_rules_is_what_the_rules_give() -> None:
    written = (Path(__file__).parents[3] / PAGE).read_text(encoding="utf-8")
    assert written == page(), "run `make docs`"


def test_the_page_shows_every_rule_with_its_severity_explanation_example_and_finding() -> None:
    shown = page()
    for rule in RULES.values():
        section = shown.split(f"\n### {rule.id}\n", 1)[1].split("\n### ", 1)[0]
        assert f"*{rule.severity}*. {rule.why}" in section
        assert "```json" in section
        assert judged(rule.example)[0].message in section


def test_what_a_merge_names_as_left_out_is_not_lost() -> None:
    log = [{"timestamp": "2025-03-01T09:30:00Z", "agent": "a", "error": "Deadlock on save", "resolved": False}]
    failed = track("api", status="failed", error_log=log, decisions=["Use a queue"])
    named = [{"what": "track", "why": "failed: exit code 1", "task_id": "api"}]
    said = [finding.rule for finding in _audited((failed, merged(error_log=[], decisions=[], omissions=named)))]
    assert "fidelity/error-lost" not in said
    assert "fidelity/items-lost" not in said
    unsaid = [finding.rule for finding in _audited((failed, merged(error_log=[], decisions=[])))]
    assert {"fidelity/error-lost", "fidelity/items-lost"} <= set(unsaid)
