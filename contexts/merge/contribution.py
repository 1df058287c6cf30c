"""What one track brings to a merge, and the union of such maps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from contexts.documents.base import JsonObject
from contexts.documents.codec import CHECKSUM, checksum, dump
from contexts.documents.refs import ContextRef
from contexts.errors import ChecksumMismatch, DocumentError
from contexts.identifiers import check_id
from contexts.json.pointer import pointer
from contexts.json.values import is_list, is_object, items, mapping, section

MERGED_LISTS = ("files_modified", "decisions", "pending_actions", "error_log")

Contributions = Mapping[str, "Contribution"]


class Contribution(NamedTuple):
    """One track's part of a merge.

    Attributes:
        task_id: The track.
        revision: Which save of the track's document this is; 0 for a loose file.
        stated: Checksum of the track's document, where somebody has proved it already; see `sha256`.
        lists: The merged lists, by field, as the track wrote them.
        rest: JSON of everything else in the track's document: contract, details, data, what nobody knows.
        facts: The few fields of ``rest`` that summaries need.
        ref: The saved document, if it is one.
    """

    task_id: str
    revision: int
    stated: str | None
    lists: Mapping[str, tuple[Any, ...]]
    rest: bytes
    facts: Mapping[str, object]
    ref: ContextRef | None = None

    @property
    def sha256(self) -> str:
        """Checksum of the track's document; worked out only when it is asked for, as it costs as much as parsing."""
        return self.stated or checksum({**orjson.loads(self.rest), **self.lists})


_FACTS = ("current_agent", "status", "started_at", "completed_at", "timestamp", "usage", "findings")
_EXECUTION = ("start", "commit", "tree", "bundle", "result", "seconds", "started_at", "completed_at")


_TEXT = frozenset({str})


def contribute(
    document: JsonObject, *, ref: ContextRef | None = None, sha256: str | None = None, name: str | None = None
) -> Contribution:
    """Return what a track's document contributes; the document is taken apart and must not be used afterwards.

    Args:
        document: The track's document, expanded.
        ref: Where it is stored.
        sha256: The checksum of a loose document, where the caller has proved it already.
        name: What to call it in errors; default: the reference or its task_id.

    Raises:
        DocumentError: No task_id, or a merged list that is no list of the right things.
        ChecksumMismatch: A loose document is not what its checksum says.
        BadIdentifier: The task_id must not become a name.
    """
    proof = ref.sha256 if ref else sha256
    if CHECKSUM in document:
        said = document.pop(CHECKSUM)
        if proof is None:
            proof = checksum(document)
            if said != proof:
                label = _label(document, ref, name)
                raise ChecksumMismatch(
                    f"{label} does not match its checksum: it was changed afterwards", document=label
                )
    task_id = document.get("task_id")
    if not isinstance(task_id, str) or not task_id:
        label = _label(document, ref, name)
        raise DocumentError(f"{label} has no task_id, so it is no track's document", document=label, pointer="/task_id")
    check_id(task_id, "task_id")
    lists: dict[str, tuple[Any, ...]] = {}
    for field in MERGED_LISTS:
        value: Any = document.get(field)
        if value is None:
            continue
        if field == "error_log" or type(value) is not list or not _TEXT.issuperset(map(type, value)):  # pyright: ignore[reportUnknownArgumentType] JSON of unknown shape
            _check(field, value, _label(document, ref, name))
        lists[field] = tuple(items(value))
        del document[field]
    facts: dict[str, object] = {key: document[key] for key in _FACTS if key in document}
    if "execution" in document:
        execution = section(document, "execution")
        facts["execution"] = {key: execution[key] for key in _EXECUTION if key in execution}
    coverage = _coverage(document)
    if coverage is not None:
        facts["test_coverage"] = coverage
    # Copied, because the writer's own buffer keeps the room it grew to: a quarter of the memory of a large merge.
    rest = bytes(memoryview(dump(document, name or task_id)))
    return Contribution(task_id, ref.revision if ref else 0, proof, lists, rest, facts, ref)


def _coverage(document: Mapping[str, object]) -> object:
    """Return what a track says of its test coverage, the total where there are several numbers."""
    coverage = document.get("test_coverage")
    if coverage is None:
        coverage = section(document, "implementation_details").get("test_coverage")
    return coverage.get("total") if is_object(coverage) else coverage


def _label(document: Mapping[str, object], ref: ContextRef | None, name: str | None) -> str:
    return name or str(ref or document.get("task_id"))


def rest_of(document: Mapping[str, object]) -> dict[str, object]:
    """Return a track's document without what a merge has of its own: the merged lists and the checksum."""
    return {key: value for key, value in document.items() if key != CHECKSUM and not _is_merged(key, value)}


def _is_merged(key: str, value: object) -> bool:
    return key in MERGED_LISTS and value is not None


def _check(field: str, value: Any, label: str) -> None:
    if not is_list(value):
        raise DocumentError(f"{label}: {field} is not a list", document=label, pointer=pointer(field))
    needed = {"decisions": "topic", "pending_actions": "action", "error_log": "error"}.get(field)
    for index, item in enumerate(value):
        if type(item) is str and field != "error_log":
            continue
        if needed is not None and isinstance(mapping(item).get(needed), str):
            continue
        wanted = {"files_modified": "a path", "error_log": "an object with 'error'"}.get(
            field, f"a string or an object with {needed!r}"
        )
        raise DocumentError(
            f"{label}: {field}[{index}] must be {wanted}", document=label, pointer=pointer(field, index)
        )


def union(*maps: Contributions) -> dict[str, Contribution]:
    """Return the union of maps; of two contributions of one track the higher revision wins.

    Equal revisions with different content are settled by the checksum, and equal content by who carries more of it, so
    that the order of the maps does not matter.
    """
    result: dict[str, Contribution] = {}
    for contributions in maps:
        for task_id, contribution in contributions.items():
            known = result.get(task_id)
            if known is None or (known is not contribution and _rank(known) < _rank(contribution)):
                result[task_id] = contribution
    return result


def _rank(one: Contribution) -> tuple[int, str, str, str, bytes]:
    return one.revision, one.sha256, str(one.ref or ""), one.stated or "", one.rest


def dump_contributions(contributions: Contributions) -> dict[str, Mapping[str, object]]:
    """Return contributions as the ``contributions`` field of a group's document.

    What lies in a stored document is referred to; what has no document of its own is carried.
    """
    return {
        task_id: {
            "revision": one.revision,
            "sha256": one.stated,
            "ref": one.ref.model_dump() if one.ref else None,
            "facts": dict(one.facts),
            **{field: list(items) for field, items in one.lists.items()},
            **({} if one.ref else {"rest": orjson.loads(one.rest)}),
        }
        for task_id, one in contributions.items()
    }


def load_contributions(value: Mapping[str, Mapping[str, Any]]) -> dict[str, Contribution]:
    """Return the contributions a group's document carries; what they refer to stays in the tracks' documents."""
    return {
        task_id: Contribution(
            task_id=task_id,
            revision=one["revision"],
            stated=one["sha256"],
            lists={field: tuple(one[field]) for field in MERGED_LISTS if field in one},
            rest=orjson.dumps(one["rest"]) if "rest" in one else b"",
            facts=one["facts"],
            ref=ContextRef(**one["ref"]) if one["ref"] else None,
        )
        for task_id, one in value.items()
    }
