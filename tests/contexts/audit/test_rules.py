"""Every rule finds the defect of its own example, nothing else does, and its clean twin is silent."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path

import pytest

from contexts.audit import RULES, Finding, Rule
from contexts.audit.page import PAGE, judged, page
from contexts.audit.registry import FAMILIES, Documents
from contexts.audit.samples import file_name, merged, track
from contexts.contract.values import resolve


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
