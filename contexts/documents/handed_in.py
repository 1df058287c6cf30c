"""What an agent left, read as its hand-in: the members of a context that it becomes.

The old form, in which an agent wrote a context itself, stays what it is: only what a hand-in calls otherwise is taken
over here.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from pydantic import ValidationError

from contexts.documents.base import JsonObject
from contexts.documents.handin import Claim
from contexts.documents.lenient import keep
from contexts.json.pointer import pointer
from contexts.json.values import is_list, is_object


def members_of(left: Mapping[str, Any], claims: MutableMapping[str, object]) -> tuple[JsonObject, list[str]]:
    """Return what an agent left as members of a context.

    Args:
        left: What it left.
        claims: Takes what fits no hand-in, by its member or pointer.

    Returns:
        The members, and the pointers of what was put among the claims.
    """
    members = dict(left)
    odd: list[str] = []
    if "summary" in members and members.get("context_summary") is None:
        summary = members.pop("summary")
        members.pop("context_summary", None)
        if isinstance(summary, str):
            members["context_summary"] = summary
        elif summary is not None:
            _set_aside(claims, odd, ("summary",), summary)
    told = members.get("claims")
    if is_list(told):
        del members["claims"]
        results: list[object] = []
        for number, one in enumerate(told):
            if _is_claim(one):
                results.append(one)
            else:
                _set_aside(claims, odd, ("claims", number), one)
        if "claimed_results" not in members:
            members["claimed_results"] = results
        else:  # it wrote both
            _set_aside(claims, odd, ("claims",), told)
    if isinstance(members.get("notes"), str):
        members["notes"] = [members["notes"]]
    return members, odd


def _is_claim(value: object) -> bool:
    if not is_object(value):
        return False
    try:
        Claim.model_validate(value)
    except ValidationError:
        return False
    return True


def _set_aside(
    claims: MutableMapping[str, object], odd: list[str], place: tuple[str | int, ...], value: object
) -> None:
    keep(claims, place, value)
    odd.append(pointer(*place))
