"""Compare two verifications of one workflow: what got worse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from contexts.documents.base import JsonObject

_RANK: Mapping[str, int] = {"met": 3, "waived": 3, "passed": 3, "unverified": 2, "unmet": 1, "failed": 1}


class Regression(BaseModel):
    """One thing that got worse.

    Attributes:
        what: ``criterion``, ``check``, ``coverage`` (percent) or ``tests`` (number that passed).
        name: The criterion's or check's id.
        before: What it was at the last verification.
        now: What it is.
        reason: Why, where known.
    """

    model_config = ConfigDict(frozen=True)

    what: Literal["criterion", "check", "coverage", "tests"]
    name: str
    before: str
    now: str
    reason: str = ""


def find_regressions(before: JsonObject, now: JsonObject) -> tuple[Regression, ...]:
    """Return what is worse in a verification than in the one before it: criteria first.

    Args:
        before: ``criteria`` and ``evidence``, as a final context or an earlier verification holds them.
        now: The same, of now. What only one of them has is not compared.
    """
    checked, checks = _by(before.get("evidence"), "check"), _by(now.get("evidence"), "check")
    return (
        *_statuses("criterion", _by(before.get("criteria"), "id"), _by(now.get("criteria"), "id")),
        *_statuses("check", checked, checks),
        *_numbers(checked, checks),
    )


def unmet_now(now: JsonObject) -> tuple[str, ...]:
    """Return the ids of required criteria that are unmet."""
    return tuple(one["id"] for one in now["criteria"] if one.get("required", True) and one["status"] == "unmet")


def _by(records: Sequence[JsonObject] | None, key: str) -> dict[str, JsonObject]:
    return {str(one[key]): one for one in records or ()}


def _statuses(
    what: Literal["criterion", "check"], before: Mapping[str, JsonObject], now: Mapping[str, JsonObject]
) -> Iterator[Regression]:
    for name, one in now.items():
        was = before.get(name)
        if was and _RANK[one["status"]] < _RANK[was["status"]]:
            yield Regression(
                what=what, name=name, before=was["status"], now=one["status"], reason=str(one.get("reason") or "")
            )


def _numbers(before: Mapping[str, JsonObject], now: Mapping[str, JsonObject]) -> Iterator[Regression]:
    for name, one in now.items():
        measured: list[tuple[Literal["coverage", "tests"], str]] = [("coverage", "percent"), ("tests", "passed")]
        for what, key in measured:
            was, is_now = _number(before.get(name), what, key), _number(one, what, key)
            if was is not None and is_now is not None and is_now < was:
                yield Regression(what=what, name=name, before=f"{was:g}", now=f"{is_now:g}")


def _number(one: JsonObject | None, what: str, key: str) -> float | None:
    result: JsonObject = (one or {}).get("result") or {}
    measured: JsonObject = result.get(what) or {}
    value: Any = measured.get(key)
    return float(value) if isinstance(value, int | float) else None
