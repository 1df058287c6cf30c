"""No text makes the audit wait: every regular expression is fed pathological strings, and so are whole documents."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import contexts.audit
import contexts.contracts
import contexts.text
from contexts.audit import SourceDocument, audit
from contexts.audit.read_files import parse
from contexts.contracts import parse_fields, parse_typescript, read_contracts
from contexts.contracts.patterns import matches
from contexts.contracts.zod import parse_zod
from tests.steps import calls

LONG = (
    4_000  # at which a quadratic expression still ends, and nothing worse: it takes hours, and so the suite's time-out
)
PIECES = (
    "a", "A", "0", "1 ", "1,", "9.", "a ", "a_", "a-", "aA", "/", "/a", "{", "}", "{a}", "(", ")", "((", "1 a (", "[", "]", "<", ">", "'", '"', ":", ";", ",",
    ", ", ".", "..", "%", "1% ", "x", "1x", "p9", "P99: ", "1 of 1 ", "1/1 ", "ms ", "1 ms ", "not ", "as documented ", "GET /", "GET /a ", "$", "\\", "\n", "\t",
    " ", "\u00a0", "é", "e\u0301", "漢", "\U0001f600", "✅", "|", "| a ", "||", "=", "==", "+", "1 + ", "-", "--", "2025-", "T", "Z", "review ", "test ",
    "from 1 to 1 ", "1 a, 1 a, ", "(1 a, ", "and ", "average ", "avg of ", "min 1, ", "a:a,", "a?:", "{a:", "a|", "a[]", "Optional[", "z.object({a:", ").min(1", "((a)*",
)  # fmt: skip
TAILS = ("", "!")


def modules() -> Iterator[ModuleType]:
    for package in (contexts.audit, contexts.contracts, contexts.text):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            yield importlib.import_module(found.name)
    yield importlib.import_module("contexts.verification.criteria")
    yield importlib.import_module("contexts.verification.performance_criteria")


def expressions() -> dict[str, re.Pattern[str]]:
    return {
        f"{module.__name__.removeprefix('contexts.')}.{name}": value
        for module in modules()
        for name, value in vars(module).items()
        if isinstance(value, re.Pattern)
    }


def literal_patterns() -> dict[str, re.Pattern[str]]:
    """Find the expressions that stand in calls such as ``re.search(r"...", text)``."""
    found: dict[str, re.Pattern[str]] = {}
    for module in modules():
        source = Path(str(module.__file__)).read_text(encoding="utf-8")
        for number, match in enumerate(re.finditer(r're\.\w+\(\s*r"((?:[^"\\]|\\.)*)"', source)):
            try:
                found[f"{module.__name__.removeprefix('contexts.')}:{number}"] = re.compile(
                    match.group(1), re.IGNORECASE
                )
            except re.error:  # one that goes on in a next string, or holds a format field
                continue
    return found


EXPRESSIONS = {**expressions(), **literal_patterns()}


def test_the_expressions_were_found() -> None:
    assert len(EXPRESSIONS) > 100


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_expression_is_quick_on_every_repeated_piece(name: str) -> None:
    pattern = EXPRESSIONS[name]
    for piece in PIECES:
        for tail in TAILS:
            text = (piece * LONG)[:LONG] + tail
            for match in pattern.finditer(text):
                if not match.group():
                    break
            pattern.fullmatch(text)


@pytest.mark.parametrize("read", [parse_typescript, parse_fields, parse_zod], ids=lambda read: read.__name__)
def test_a_notation_is_quick_on_every_repeated_piece(read: object) -> None:
    assert callable(read)
    for piece in PIECES:
        for text in (piece * 1_000, "{ a: " + piece * 400, "z.object({ a: " + piece * 400):
            read(text)


def test_a_foreign_pattern_that_could_backtrack_is_never_run() -> None:
    for pattern in ("(a+)+$", "(a|a)*b", "a*a*a*a*b", "(.*)*x", "^(\\w+\\s?)*$", "[a-z]+" * 20, "(?=(a+))\\1+b"):
        assert matches(pattern, "a" * 150 + "!")


@pytest.mark.parametrize("piece", PIECES)
def test_a_document_full_of_one_piece_is_judged_quickly(piece: str) -> None:
    text = piece * 1_500
    head = {"version": "1.0", "timestamp": "2026-01-01T00:00:00Z", "current_agent": text, "phase": text}
    track = {
        **head,
        "workflow_id": "w-t",
        "parent_workflow_id": "w",
        "task_id": "t",
        "decisions": [text] * 3,
        "files_modified": [text],
        "context_summary": text,
        "implementation_details": {
            "endpoints": {f"GET /{piece * 50}": {"response_model": text, "performance": text, "validation": text}},
            "schemas": {"A": {"fields": text}, "B": {"fields": {piece: text}}, text[:400]: text},
            "selectors": {"a": text},
        },
        "api_contract_assumptions": {"GET /a": {"request": text, "response": "{ a: " + text, "error_codes": [text]}},
        "assumptions": {"a": text},
        "test_data": {"a": [{"a": text, "b": text}]},
    }
    verified = {
        **head,
        "workflow_id": "w",
        "success_criteria": {"t": [text]},
        "verification_results": {"performance": {"status": "passed", "measurements": {"GET /a": text}}},
        "metrics": {"coverage": text, "speedup": text, "development_time": text},
        "pending_actions": [text, f"✅ {text}", f"⏳ {text}"],
        "context_summary": text,
    }
    documents = [parse(f"{i}.json", json.dumps(data).encode())[0] for i, data in enumerate((track, verified))]
    audit([document for document in documents if document])


def test_very_many_short_members_are_judged_in_linear_time() -> None:
    def work(count: int) -> int:
        endpoints = {f"GET /r{n}/{{id}}": {"response": "{ id: string }", "error_codes": [404]} for n in range(count)}
        data = {
            "version": "1.0", "workflow_id": "w-t", "task_id": "t", "timestamp": "2026-01-01T00:00:00Z", "current_agent": "a", "phase": "p",
            "implementation_details": {"endpoints": endpoints}, "api_contract_assumptions": endpoints, "pending_actions": [f"Do part {n}" for n in range(count)],
        }  # fmt: skip
        return calls(lambda: audit([SourceDocument("a.json", data)]))

    work(100)
    small, large = work(250), work(2_000)
    assert large < 8 * small * 1.5, (small, large)


def test_a_recursive_reference_and_a_chain_of_references_end() -> None:
    schemas = {f"S{n}": {"$ref": f"#/components/schemas/S{n + 1}"} for n in range(3_000)}
    schemas["S3000"] = {"$ref": "#/components/schemas/S0"}
    data = {"openapi": {"openapi": "3.1.0", "paths": {"/a": {"get": {"responses": {"200": {"content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/S0"}}}}}}}}, "components": {"schemas": schemas}}}  # fmt: skip
    (contract,) = read_contracts("a.json", data)
    assert contract.endpoints[0].response is not None
