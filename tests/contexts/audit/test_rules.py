"""Every rule finds the defect of its own example, nothing else does, and its clean twin is silent."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import pytest

from contexts.audit import RULES, Finding, Rule, SourceDocument, audit
from contexts.audit.load import parse
from contexts.audit.registry import FAMILIES, Documents, Raw
from contexts.audit.samples import file_name
from contexts.contract.values import resolve


def _audited(example: Documents) -> tuple[Finding, ...]:
    documents, problems = [], []
    for index, entry in enumerate(example):
        if isinstance(entry, Raw):
            document, found = parse(f"{index + 1}.json", entry.content.encode())
            documents.extend([document] if document else [])
            problems.extend(found)
        else:
            documents.append(SourceDocument(file_name(index, entry), copy.deepcopy(dict(entry))))
    return audit(documents, problems).findings


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
