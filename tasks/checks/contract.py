"""Contract: the provider's own OpenAPI against what every track says it expects of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import orjson

from contexts.audit.findings import listed, source_at
from contexts.contracts import Contract, Mismatch, compare, read_contracts, read_openapi
from contexts.contracts.compare import IN_WORDS
from contexts.contracts.handed_in import MESSAGE
from contexts.contracts.openapi import looks_like_openapi
from contexts.documents.base import JsonObject
from contexts.documents.figures import Alignment, CheckFigures, ContractFigures
from contexts.documents.findings import Finding, Severity
from contexts.json.pointer import pointer
from contexts.spec.checks import ContractCheck
from contexts.store.keys import track_document
from contexts.text.plural import counted
from tasks.checks.bench import MAX_CAPTURE_BYTES, Bench
from tasks.checks.report_file import ReportError, read_report
from tasks.checks.results import CheckResult

PROVIDER = "openapi.json"
_RULES = {
    **dict.fromkeys(("missing-field", "missing-request-field", "extra-request-field"), "contracts/field"),
    **dict.fromkeys(("type", "enum", "format"), "contracts/type"),
    **dict.fromkeys(("nullability", "optionality"), "contracts/presence"),
    **dict.fromkeys(("limit", "media-type"), "contracts/limit"),
    **dict.fromkeys(IN_WORDS, "contracts/client-limit"),
}
"""Rules the audit has for the same defect between two documents; other kinds are rules of their own."""
_UNREAD = {"unknown", "codes-undeclared"}


def run_contract(check: ContractCheck, bench: Bench) -> CheckResult:
    """Read the provider's OpenAPI and compare every track's expectations with it.

    Aligned is only what was read on both sides and agrees; what cannot be read makes the check unverified.
    """
    raw = _read_source(check, bench)
    if isinstance(raw, str):
        return CheckResult("unverified", raw)
    try:
        document: JsonObject = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        return CheckResult("unverified", f"the OpenAPI document is not JSON: {error}")
    reports = {"openapi": (raw, "application/json")}
    if not looks_like_openapi(document):
        return CheckResult(
            "unverified",
            "what was given is no OpenAPI 3 document: it has no 'openapi' and no 'paths'",
            reports=reports,
        )
    provider = read_openapi(document, PROVIDER, "provider")
    findings = [_problem(document, kind, message, pointer) for kind, pointer, message in _problems(provider)]
    invalid = [one for one in findings if one.severity == "blocking"]
    if invalid:
        return CheckResult("failed", invalid[0].message, _result(provider, {}, 0), reports, tuple(findings))
    return _compare_all(bench.consumers, document, provider, findings, reports)


def _read_source(check: ContractCheck, bench: Bench) -> bytes | str:
    """Return the document's bytes, or why there are none."""
    if check.path is not None:
        try:
            return read_report(bench.tree / check.path)
        except ReportError:
            return f"the integrated tree has no plain file {check.path}"
    step = bench.run("openapi", bench.resolve(check.argv), capture=True)
    if not step.succeeded:
        return step.problem
    if len(step.output) >= MAX_CAPTURE_BYTES:
        return f"it printed more than {MAX_CAPTURE_BYTES // 1_000_000} MB"
    return step.output


def _problems(contract: Contract) -> list[tuple[str, str, str]]:
    return [(problem.kind, problem.pointer, problem.message) for problem in contract.problems]


def _problem(document: JsonObject, kind: str, message: str, pointer: str) -> Finding:
    where = (source_at(PROVIDER, document, pointer),)
    if kind == "invalid-openapi":
        said = f"the OpenAPI document is not valid: {message}"
        return Finding(rule="contracts/openapi", severity="blocking", message=said, sources=where)
    if kind == "unreadable":
        return Finding(rule="contracts/unknown", severity="note", message=message, sources=where)
    return Finding(rule="contracts/unresolved-reference", severity="warning", message=message, sources=where)


def _compare_all(
    consumers: Mapping[str, JsonObject],
    document: JsonObject,
    provider: Contract,
    findings: list[Finding],
    reports: Mapping[str, tuple[bytes, str]],
) -> CheckResult:
    unjudged = [problem.message for problem in provider.problems if problem.kind == "unreadable"]
    unread: list[str] = []
    wrong: list[str] = []
    matrix: dict[str, dict[str, Alignment]] = {}
    for task_id, context in consumers.items():
        for consumer in read_contracts(task_id, context):
            if consumer.role != "consumer":
                continue
            # An OpenAPI document has no events.
            http = tuple(one for one in consumer.endpoints if one.method != MESSAGE)
            consumer = replace(consumer, endpoints=http)  # noqa: PLW2901
            unread += [f"{task_id}: {message}" for _, _, message in _problems(consumer)]
            found = compare(consumer, provider)
            certain = [one for one in found if one.certain and one.kind not in IN_WORDS]
            wrong += [one.message for one in certain]
            unread += [f"{task_id}: {one.message}" for one in found if one.kind in _UNREAD]
            findings += [_finding(task_id, context, document, one) for one in found if one.kind not in _UNREAD]
            matrix.setdefault(task_id, {}).update({one.shown: _verdict(one.shown, found) for one in consumer.endpoints})
    result = _result(provider, matrix, len(wrong))
    if wrong:
        reason = f"{counted(len(wrong), 'mismatch', 'mismatches')}: {listed(wrong, 2)}"
        return CheckResult("failed", reason, result, reports, tuple(findings))
    if unjudged or unread:
        reasons = [*unjudged, *([f"not comparable: {listed(unread, 4)}"] if unread else [])]
        return CheckResult("unverified", "; ".join(reasons), result, reports, tuple(findings))
    if not any(matrix.values()):
        reason = "no track says what it expects of an API (contracts.assumes), so nothing was compared"
        return CheckResult("unverified", reason, result, reports, tuple(findings))
    return CheckResult("passed", "", result, reports, tuple(findings))


def _finding(task_id: str, context: JsonObject, document: JsonObject, mismatch: Mismatch) -> Finding:
    """Quote both sides of a mismatch."""
    sides = [source_at(track_document(task_id), context, mismatch.consumer)]
    if mismatch.provider:
        sides.append(source_at(PROVIDER, document, _member(document, mismatch.provider, mismatch.field)))
    rule = _RULES.get(mismatch.kind, f"contracts/{mismatch.kind}")
    severity: Severity = "note" if not mismatch.certain else "warning" if mismatch.kind in IN_WORDS else "blocking"
    return Finding(rule=rule, severity=severity, message=mismatch.message, sources=tuple(sides))


def _member(document: JsonObject, where: str, field: str) -> str:
    """Go on from a schema's pointer to the member a mismatch is about, as far as it is written there."""
    for name in field.split(".") if field else ():
        step = where + pointer("properties", name.replace("[]", ""))
        if not source_at("", document, step).quote:
            break
        where = step
    return where


def _verdict(shown: str, found: Sequence[Mismatch]) -> Alignment:
    mine = [one for one in found if one.endpoint == shown]
    if any(one.certain and one.kind not in IN_WORDS for one in mine):
        return "mismatch"
    return "unknown" if any(one.kind in _UNREAD for one in mine) else "aligned"


def _result(provider: Contract, matrix: Mapping[str, Mapping[str, Alignment]], mismatches: int) -> CheckFigures:
    verdicts = [verdict for endpoints in matrix.values() for verdict in endpoints.values()]
    return CheckFigures(
        contract=ContractFigures(
            endpoints=len(provider.endpoints),
            mismatches=mismatches,
            aligned=verdicts.count("aligned"),
            unknown=verdicts.count("unknown"),
            consumers=matrix,
        )
    )
