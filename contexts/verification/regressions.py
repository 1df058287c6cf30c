"""Compare two verifications of one workflow: what got worse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, Protocol

from contexts.documents.base import Number
from contexts.documents.verification import CriterionResult, Evidence, Regression, Reverification

_RANK: Mapping[str, int] = {"met": 3, "waived": 3, "passed": 3, "unverified": 2, "unmet": 1, "failed": 1}


class Verified(Protocol):
    """What a verification left: a final context, or a later verification."""

    @property
    def criteria(self) -> Sequence[CriterionResult] | None:
        """How each criterion ended."""
        ...

    @property
    def evidence(self) -> Sequence[Evidence] | None:
        """What each check left."""
        ...


def find_regressions(before: Verified, now: Verified) -> tuple[Regression, ...]:
    """Return what is worse in a verification than in the one before it: criteria first.

    Args:
        before: A final context or an earlier verification.
        now: The same, of now. What only one of them has is not compared.
    """
    checked, checks = _by_check(before), _by_check(now)
    return (
        *_statuses("criterion", _by_id(before), _by_id(now)),
        *_statuses("check", checked, checks),
        *_numbers(checked, checks),
    )


def unmet_now(now: Reverification) -> tuple[str, ...]:
    """Return the ids of required criteria that are unmet."""
    return tuple(one.id for one in now.criteria if one.required and one.status == "unmet")


def _by_id(verified: Verified) -> dict[str, CriterionResult]:
    return {one.id: one for one in verified.criteria or ()}


def _by_check(verified: Verified) -> dict[str, Evidence]:
    return {one.check: one for one in verified.evidence or ()}


def _statuses(
    what: Literal["criterion", "check"],
    before: Mapping[str, CriterionResult] | Mapping[str, Evidence],
    now: Mapping[str, CriterionResult] | Mapping[str, Evidence],
) -> Iterator[Regression]:
    for name, one in now.items():
        was = before.get(name)
        if was and _RANK[one.status] < _RANK[was.status]:
            yield Regression(what=what, name=name, before=was.status, now=one.status, reason=one.reason or "")


def _numbers(before: Mapping[str, Evidence], now: Mapping[str, Evidence]) -> Iterator[Regression]:
    for name, one in now.items():
        earlier = _measured(before.get(name))
        for what, number in _measured(one).items():
            was = earlier.get(what)
            if was is not None and number < was:
                yield Regression(what=what, name=name, before=f"{was:g}", now=f"{number:g}", reason="")


def _measured(one: Evidence | None) -> dict[Literal["coverage", "tests"], Number]:
    """Return what of a check is compared: percent covered, and how many tests passed."""
    figures = one.figures if one else None
    found: dict[Literal["coverage", "tests"], Number] = {}
    if figures and figures.coverage and figures.coverage.percent is not None:
        found["coverage"] = figures.coverage.percent
    if figures and figures.tests:
        found["tests"] = figures.tests.passed
    return found
