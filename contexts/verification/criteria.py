"""Success criteria: how each one ends, decided by evidence alone."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from contexts.documents.base import Number
from contexts.documents.figures import CoverageShare
from contexts.documents.verification import CriterionResult, Evidence, WaiverEntry
from contexts.spec.model import Criterion, Spec
from contexts.verification.performance_criteria import judge_performance

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
    r"\A(?P<which>(?:[\w-]{1,30} ){0,4})tests? (?:are |must )?pass(?:ing|ed|es)?(?: in ci)?\.?\Z", re.IGNORECASE
)
_COVERAGE = re.compile(
    r"\A(?P<which>(?:[\w-]{1,30} ){0,4})coverage\s{0,4}(?:of |is |at least )?\s{0,4}(?P<sign>>=|<=|[<>]|)\s{0,4}"
    r"(?P<target>\d{1,3}(?:\.\d{1,6})?)\s{0,4}%\.?\Z",
    re.IGNORECASE,
)
_PLAIN = {
    "all",
    "the",
    "every",
    "our",
    "automated",
    "existing",
    "new",
    "and",
    "test",
    "tests",
    "code",
    "total",
    "overall",
}
_MEASURES: Mapping[str, Callable[[CoverageShare], Number | None]] = {
    "line": lambda share: share.line_percent,
    "branch": lambda share: share.branch_percent,
}

_Judged = tuple[Literal["met", "unmet", "unverified"], str, list[str]]
"""How a criterion ended, why, and the checks that decided it."""


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
    spec: Spec, evidence: Sequence[Evidence], waivers: Sequence[WaiverEntry] = ()
) -> tuple[CriterionResult, ...]:
    """Return how every success criterion of a spec ended.

    A structured criterion is decided by the check it names. A criterion in words is decided only where its words name
    something the evidence measures: all tests passing, test coverage against a percentage, response times, errors and
    throughput of a load against numbers. Everything else is ``unverified``: nothing passes because a document says so.

    Args:
        spec: The spec.
        evidence: The evidence records, as saved.
        waivers: Rulings of people, ``target`` naming a criterion's id.
    """
    by_check = {one.check: one for one in evidence}
    waived = {one.target: one for one in waivers if one.kind in {None, "criterion"}}
    results: list[CriterionResult] = []
    for area, criteria in spec.success_criteria.items():
        for index, given in enumerate(criteria):
            criterion = given if isinstance(given, Criterion) else Criterion(text=given) if given.strip() else None
            if criterion is None:
                continue
            name = criterion.id or f"{area}.{index + 1}"
            status, reason, proof = _judge(criterion, by_check, area)
            waiver = waived.get(name) if status != "met" else None
            if waiver:
                reason = f"waived by {waiver.by}: {waiver.why} (it was {status}: {reason})"
            results.append(
                CriterionResult(
                    id=name,
                    area=area,
                    text=criterion.text,
                    required=criterion.required,
                    status="waived" if waiver else status,
                    reason=reason,
                    evidence=proof,
                )
            )
    return tuple(results)


def _judge(criterion: Criterion, by_check: Mapping[str, Evidence], area: str) -> _Judged:
    if criterion.check:
        found = by_check.get(criterion.check)
        if found is None:
            return "unverified", f"check {criterion.check} gave no evidence", []
        return _judge_structured(criterion, criterion.check, found)
    text = " ".join(criterion.text.split())[:300]
    match = _ALL_TESTS.match(text)
    if match:
        return _judge_all_tests(match["which"].lower().split(), by_check)
    match = _COVERAGE.match(text)
    if match:
        return _judge_coverage(
            match["which"].lower().split(), match["sign"] or ">=", float(match["target"]), by_check, area
        )
    load = judge_performance(text, by_check)
    if load is not None:
        return load.status, load.reason, list(load.checks)
    return "unverified", "no check of the spec decides it; name one with 'check'", []


def _judge_structured(criterion: Criterion, name: str, found: Evidence) -> _Judged:
    if found.status == "unverified":
        return "unverified", f"check {name}: {found.reason or 'could not run'}", [name]
    failure = f"check {name} failed: {found.reason or ''}".rstrip(": ")
    if criterion.metric is None:
        passed = found.status == "passed"
        return "met" if passed else "unmet", f"check {name} passed" if passed else failure, [name]
    value = found.figures.number(criterion.metric)
    if value is None:
        return "unverified", f"check {name} has no number at {criterion.metric}", [name]
    try:
        sign, target = parse_target(criterion.target or "")
    except ValueError as error:
        return "unverified", str(error), [name]
    shown = f"{criterion.metric} is {value:g}, target {sign} {target:g}"
    if not _COMPARE[sign](value, target):
        return "unmet", shown, [name]
    if found.status != "passed":  # a number out of a command that failed proves nothing
        return "unmet", f"{failure} ({shown})", [name]
    return "met", shown, [name]


def _about(which: Sequence[str], names: Iterable[str]) -> list[str]:
    """Return the checks a criterion's words are about.

    "All tests" means every check of tests; "e2e tests" only those with ``e2e`` in their id, so that a criterion about
    tests nobody ran is never met by others, nor one that begins with "no" or "few" by any.
    """
    special = [word for word in which if word not in _PLAIN]
    return sorted(name for name in names if all(word in re.split(r"[._-]", name) for word in special))


def _judge_all_tests(which: Sequence[str], by_check: Mapping[str, Evidence]) -> _Judged:
    tests = {name: one for name, one in by_check.items() if one.kind == "tests"}
    proof = _about(which, tests)
    if not proof:
        named = f" about {' '.join(which)}" if tests else ""
        return "unverified", f"no check of kind tests{named} was run", []
    for wanted in ("failed", "unverified"):
        bad = [name for name in proof if tests[name].status == wanted]
        if bad:
            status = "unmet" if wanted == "failed" else "unverified"
            return status, f"check {bad[0]}: {tests[bad[0]].reason or wanted}", proof
    counted = {name: counts for name in proof if (counts := tests[name].figures.tests)}
    empty = [name for name, counts in counted.items() if not counts.passed]
    if empty:
        return "unverified", f"check {empty[0]} passed, but its report has no test that passed", proof
    if len(counted) < len(proof):
        return "met", f"{', '.join(proof)} passed (no report counts the tests)", proof
    return "met", f"{sum(counts.passed for counts in counted.values())} tests passed in {', '.join(proof)}", proof


def _percent(share: CoverageShare) -> Number | None:
    return share.percent


def _judge_coverage(
    which: Sequence[str], sign: str, target: float, by_check: Mapping[str, Evidence], area: str
) -> _Judged:
    """Judge coverage by the least that was measured.

    In an area called like a track whose changed files were measured, the coverage of those files is one of the
    measurements: the whole being covered well does not make up for it.
    """
    measure = next((_MEASURES[word] for word in which if word in _MEASURES), _percent)
    measured: dict[str, float] = {}
    for name, one in by_check.items():
        coverage = one.figures.coverage
        whole = measure(coverage) if coverage else None
        if coverage is None or whole is None or one.status != "passed":
            continue
        track = (coverage.tracks or {}).get(area)
        own = measure(track) if track else None
        measured[name] = float(whole if own is None else min(whole, own))
    proof = _about([word for word in which if word not in _MEASURES], measured)
    if not proof:
        return "unverified", f"no passed check measured {' '.join((*which, 'coverage'))}", []
    name = min(proof, key=lambda each: measured[each])
    met = _COMPARE[sign](measured[name], target)
    return (
        ("met" if met else "unmet"),
        f"coverage is {measured[name]:.2f} %, target {sign} {target:g} % ({name})",
        [name],
    )
