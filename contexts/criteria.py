"""Success criteria: how each one ends, decided by evidence alone."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from contexts.model.base import JsonObject, section
from contexts.model.parts import CriterionResult
from contexts.model.spec import Criterion, Spec

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
    "=": operator.eq,
    "!=": operator.ne,
}
_TARGET = re.compile(r"\s{0,8}(>=|<=|==|!=|[<>=])\s{0,8}(-?\d{1,15}(?:\.\d{1,9})?)\s{0,8}%?\s{0,8}\Z")
_ALL_TESTS = re.compile(
    r"\A(?:all )?(?:[\w-]{1,30} ){0,3}tests? (?:are )?pass(?:ing|ed|es)?(?: in ci)?\.?\Z", re.IGNORECASE
)
_COVERAGE = re.compile(
    r"\A(?:[\w-]{1,30} ){0,3}(?:line |branch )?coverage\s{0,4}(?:of |is |at least )?\s{0,4}(>=|<=|[<>]|)\s{0,4}"
    r"(\d{1,3}(?:\.\d{1,6})?)\s{0,4}%\.?\Z",
    re.IGNORECASE,
)


def parse_target(text: str) -> tuple[str, float]:
    """Return comparison and value of a target such as ``>= 90`` or ``<100``.

    Raises:
        ValueError: Not of that form.
    """
    match = _TARGET.match(text)
    if not match:
        raise ValueError(f"target {text[:40]!r} is not a comparison and a number, such as '>= 90'")
    return match[1], float(match[2])


def decide(
    spec: Spec, evidence: Sequence[JsonObject], waivers: Sequence[JsonObject] = ()
) -> tuple[CriterionResult, ...]:
    """Return how every success criterion of a spec ended.

    A structured criterion is decided by the check it names. A criterion in words is decided only where its words name
    something the evidence measures: all tests passing, or test coverage against a percentage. Everything else is
    ``unverified``: nothing passes because a document says so.

    Args:
        spec: The spec.
        evidence: The evidence records, as saved.
        waivers: Typed human decisions, ``target`` naming a criterion's id.
    """
    by_check = {str(one["check"]): one for one in evidence}
    waived = {str(one["target"]): one for one in waivers if one.get("kind", "criterion") == "criterion"}
    results: list[CriterionResult] = []
    for area, criteria in spec.success_criteria.items():
        for index, given in enumerate(criteria):
            criterion = given if isinstance(given, Criterion) else Criterion(text=given) if given.strip() else None
            if criterion is None:
                continue
            name = criterion.id or f"{area}.{index + 1}"
            status, reason, proof = _judge(criterion, by_check)
            if status != "met" and name in waived:
                reason = f"waived by {waived[name]['by']}: {waived[name]['why']} (it was {status}: {reason})"
                status = "waived"
            results.append(
                CriterionResult(
                    id=name,
                    area=area,
                    text=criterion.text,
                    required=criterion.required,
                    status=status,
                    reason=reason,
                    evidence=proof,
                )
            )
    return tuple(results)


def _judge(criterion: Criterion, by_check: Mapping[str, JsonObject]) -> tuple[Any, str, list[str]]:
    if criterion.check:
        found = by_check.get(criterion.check)
        if found is None:
            return "unverified", f"check {criterion.check} gave no evidence", []
        return (*_judge_structured(criterion, found), [criterion.check])
    text = " ".join(criterion.text.split())[:300]
    if _ALL_TESTS.match(text):
        return _judge_all_tests(by_check)
    match = _COVERAGE.match(text)
    if match:
        return _judge_coverage(match[1] or ">=", float(match[2]), by_check)
    return "unverified", "no check of the spec decides it; name one with 'check'", []


def _judge_structured(criterion: Criterion, found: JsonObject) -> tuple[Any, str]:
    name = criterion.check
    if found["status"] == "unverified":
        return "unverified", f"check {name}: {found.get('reason') or 'could not run'}"
    if criterion.metric is None:
        if found["status"] == "passed":
            return "met", f"check {name} passed"
        return "unmet", f"check {name} failed: {found.get('reason') or ''}".rstrip(": ")
    value: Any = found.get("result") or {}
    for part in criterion.metric.split("."):
        value = value.get(part) if isinstance(value, dict) else None  # pyright: ignore[reportUnknownMemberType,reportUnknownVariableType] JSON
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "unverified", f"check {name} has no number at {criterion.metric}"
    sign, target = parse_target(criterion.target or "")
    shown = f"{criterion.metric} is {value:g}, target {sign} {target:g}"
    return ("met" if _COMPARE[sign](value, target) else "unmet"), shown


def _judge_all_tests(by_check: Mapping[str, JsonObject]) -> tuple[Any, str, list[str]]:
    tests = {name: one for name, one in by_check.items() if one.get("kind") == "tests"}
    if not tests:
        return "unverified", "no check of kind tests was run", []
    proof = sorted(tests)
    for wanted in ("failed", "unverified"):
        bad = [name for name in proof if tests[name]["status"] == wanted]
        if bad:
            status = "unmet" if wanted == "failed" else "unverified"
            return status, f"check {bad[0]}: {tests[bad[0]].get('reason') or wanted}", proof
    count = sum(int((section(one, "result").get("tests") or {}).get("passed", 0)) for one in tests.values())
    return "met", f"{count} tests passed in {', '.join(proof)}", proof


def _judge_coverage(sign: str, target: float, by_check: Mapping[str, JsonObject]) -> tuple[Any, str, list[str]]:
    measured = {
        name: float(one["result"]["coverage"]["percent"])
        for name, one in by_check.items()
        if one["status"] == "passed" and section(one, "result").get("coverage")
    }
    if not measured:
        return "unverified", "no passed check measured coverage", []
    name = min(measured, key=lambda each: measured[each])
    met = _COMPARE[sign](measured[name], target)
    return (
        ("met" if met else "unmet"),
        f"coverage is {measured[name]:.2f} %, target {sign} {target:g} % ({name})",
        [name],
    )
