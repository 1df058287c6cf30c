"""Plait's own records in a document: they say what happened, and are no claims of an agent to be judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contexts.contract.values import mapping, sequence, text
from contexts.decided import DECIDED

RECORDS = frozenset({"execution", "run", "evidence", "criteria", "findings", "_checksum", *DECIDED})
"""Members of a document that plait writes: what was run and found, and what people decided about it."""

_UNDELIVERED = {"running", "failed", "cancelled", "blocked", "out-of-budget"}


def is_own(document: Mapping[str, Any]) -> bool:
    """Tell whether plait wrote a document: it names its kind and its run, or what a track's execution was given."""
    run, execution = mapping(document.get("run")), mapping(document.get("execution"))
    return bool((text(document.get("kind")) and text(run.get("id"))) or text(execution.get("inputs")))


def without_records(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a document of plait's without its records, and so the tracks' contexts that it holds.

    What plait says of a track that did not deliver is left out as well. It may quote the last line of a program's log,
    which is no claim about the product. Elements of lists keep their places.
    """
    kept = {key: value for key, value in document.items() if key not in RECORDS}
    status = text(kept.get("status"))
    if status in _UNDELIVERED and kept.get("phase") == f"{text(kept.get('task_id'))}-{status}":
        kept = {key: value for key, value in kept.items() if key not in {"context_summary", "error_log"}}
    if "parallel_execution_summary" in kept:
        kept = _without_reasons(kept)
    tracks = mapping(document.get("track_contexts"))
    if tracks:
        kept["track_contexts"] = {name: _without(track) for name, track in tracks.items()}
    return kept


def _without(track: Any) -> Any:
    context = mapping(mapping(track).get("context"))
    return {**mapping(track), "context": without_records(context)} if context else track


def _without_reasons(merged: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out why tracks are missing, wherever a merge says it, and the summary, which repeats it."""
    kept = {key: value for key, value in merged.items() if key != "context_summary"}
    for name, entry_is_of_gap, reason in (
        ("parallel_tasks", ("status", "missing"), "reason"),
        ("integration_concerns", ("kind", "missing-track"), "concern"),
        ("omissions", ("what", "track"), "why"),
    ):
        if isinstance(kept.get(name), list):
            kept[name] = [_less(entry, entry_is_of_gap, reason) for entry in sequence(kept[name])]
    return kept


def _less(entry: Any, mark: tuple[str, str], left_out: str) -> Any:
    key, value = mark
    members = mapping(entry)
    return {k: v for k, v in members.items() if k != left_out} if members.get(key) == value else entry
