"""Plait's own records in a document: they say what happened, and are no claims of an agent to be judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contexts.contract.values import mapping, text
from contexts.decided import DECIDED

RECORDS = frozenset({"execution", "run", "evidence", "criteria", "findings", "_checksum", *DECIDED})
"""Members of a document that plait writes: what was run and found, and what people decided about it."""


def is_own(document: Mapping[str, Any]) -> bool:
    """Tell whether plait wrote a document: it names its kind and its run, or what a track's execution was given."""
    run, execution = mapping(document.get("run")), mapping(document.get("execution"))
    return bool((text(document.get("kind")) and text(run.get("id"))) or text(execution.get("inputs")))


def without_records(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a document of plait's without its records, and so the tracks' contexts that it holds."""
    kept = {key: value for key, value in document.items() if key not in RECORDS}
    tracks = mapping(document.get("track_contexts"))
    if tracks:
        kept["track_contexts"] = {name: _without(track) for name, track in tracks.items()}
    return kept


def _without(track: Any) -> Any:
    context = mapping(mapping(track).get("context"))
    return {**mapping(track), "context": without_records(context)} if context else track
