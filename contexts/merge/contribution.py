"""What one track brings to a merge, and the union of such maps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from contexts.codec import CHECKSUM, checksum, pointer
from contexts.errors import DocumentError
from contexts.model.base import JsonObject, section
from contexts.model.refs import ContextRef

MERGED_LISTS = ("files_modified", "decisions", "pending_actions", "error_log")

Contributions = Mapping[str, "Contribution"]


@dataclass(frozen=True, slots=True)
class Contribution:
    """One track's part of a merge.

    Attributes:
        task_id: The track.
        revision: Which save of the track's document this is; 0 for a loose file.
        sha256: Checksum of the track's document.
        lists: The merged lists, by field, as the track wrote them.
        rest: JSON of everything else in the track's document: contract, details, data, what nobody knows.
        facts: The few fields of ``rest`` that summaries need.
        ref: The saved document, if it is one.
    """

    task_id: str
    revision: int
    sha256: str
    lists: Mapping[str, tuple[Any, ...]]
    rest: bytes
    facts: Mapping[str, Any]
    ref: ContextRef | None = None


_FACTS = (
    "current_agent",
    "agent",
    "status",
    "phase",
    "started_at",
    "completed_at",
    "timestamp",
    "test_coverage",
    "usage",
    "findings",
)
_EXECUTION = ("start", "commit", "tree", "bundle", "result", "seconds", "started_at", "completed_at")


def contribute(document: JsonObject, *, ref: ContextRef | None = None, name: str | None = None) -> Contribution:
    """Return what a track's document contributes; the document is taken apart and must not be used afterwards.

    Args:
        document: The track's document, expanded.
        ref: Where it is stored.
        name: What to call it in errors; default: the reference or its task_id.

    Raises:
        DocumentError: No task_id, or a merged list that is no list of the right things.
    """
    proof = document.pop(CHECKSUM, None)
    sha256 = ref.sha256 if ref else proof or checksum(document)
    task_id = document.get("task_id")
    label = name or (str(ref) if ref else str(task_id))
    if not isinstance(task_id, str) or not task_id:
        raise DocumentError(f"{label} has no task_id, so it is no track's document", document=label, pointer="/task_id")
    lists: dict[str, tuple[Any, ...]] = {}
    for field in MERGED_LISTS:
        value = document.pop(field, None)
        if value is None:
            continue
        if not isinstance(value, list):
            raise DocumentError(f"{label}: {field} is not a list", document=label, pointer=pointer(field))
        lists[field] = _checked(field, value, label)  # pyright: ignore[reportUnknownArgumentType] JSON of unknown shape
    facts = {key: document[key] for key in _FACTS if key in document}
    execution = section(document, "execution")
    if execution:
        facts["execution"] = {key: execution[key] for key in _EXECUTION if key in execution}
    details = document.get("implementation_details")
    if isinstance(details, dict) and "test_coverage" in details and "test_coverage" not in facts:
        facts["test_coverage"] = details["test_coverage"]
    return Contribution(task_id, ref.revision if ref else 0, sha256, lists, orjson.dumps(document), facts, ref)


def _checked(field: str, items: list[Any], label: str) -> tuple[Any, ...]:
    needed = {"decisions": "topic", "pending_actions": "action", "error_log": "error"}.get(field)
    for index, item in enumerate(items):
        if type(item) is str and field != "error_log":
            continue
        if isinstance(item, dict) and needed is not None and isinstance(item.get(needed), str):  # pyright: ignore[reportUnknownMemberType]
            continue
        wanted = {"files_modified": "a path", "error_log": "an object with 'error'"}.get(
            field, f"a string or an object with {needed!r}"
        )
        raise DocumentError(
            f"{label}: {field}[{index}] must be {wanted}", document=label, pointer=pointer(field, index)
        )
    return tuple(items)


def union(*maps: Contributions) -> dict[str, Contribution]:
    """Return the union of maps; of two contributions of one track the higher revision wins.

    Equal revisions with different content are settled by the checksum, so that the order of the maps does not matter.
    """
    result: dict[str, Contribution] = {}
    for contributions in maps:
        for task_id, contribution in contributions.items():
            known = result.get(task_id)
            if known is None or (known.revision, known.sha256) < (contribution.revision, contribution.sha256):
                result[task_id] = contribution
    return result


def dump_contributions(contributions: Contributions) -> dict[str, JsonObject]:
    """Return contributions as the ``contributions`` field of a group's document."""
    return {
        task_id: {
            "revision": one.revision,
            "sha256": one.sha256,
            "ref": one.ref.model_dump() if one.ref else None,
            "facts": dict(one.facts),
            **{field: list(items) for field, items in one.lists.items()},
        }
        for task_id, one in contributions.items()
    }


def load_contributions(value: Mapping[str, Mapping[str, Any]]) -> dict[str, Contribution]:
    """Return the contributions a group's document carries; what they refer to stays in the tracks' documents."""
    return {
        task_id: Contribution(
            task_id=task_id,
            revision=one["revision"],
            sha256=one["sha256"],
            lists={field: tuple(one[field]) for field in MERGED_LISTS if field in one},
            rest=b"",
            facts=one["facts"],
            ref=ContextRef(**one["ref"]) if one["ref"] else None,
        )
        for task_id, one in value.items()
    }
