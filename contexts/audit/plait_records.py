"""Plait's own records in a document: they say what happened, and are no claims of an agent to be judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from contexts.documents.verification import RULINGS
from contexts.json.values import mapping, sequence, text

RECORDS = frozenset(
    {"execution", "run", "evidence", "compared_claims", "criteria", "findings", "left_out", "_checksum", *RULINGS}
)
"""Members of a document that plait writes: what was run and found, and what people decided about it."""

_UNDELIVERED = {"running", "failed", "cancelled", "blocked", "out-of-budget"}


def is_own(document: Mapping[str, object]) -> bool:
    """Tell whether plait wrote a document: it names its kind and its run, or what a track's execution was given.

    So is what `plait merge` makes of such documents.
    """
    run, execution = mapping(document.get("run")), mapping(document.get("execution"))
    if (text(document.get("kind")) and text(run.get("id"))) or text(execution.get("inputs")):
        return True
    return any(is_own(context) for context in _contexts(document))


def _contexts(merged: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    for track in mapping(merged.get("track_contexts")).values():
        yield mapping(mapping(track).get("context"))


def without_records(document: Mapping[str, object]) -> Mapping[str, object]:
    """Return a document of plait's without its records, and so the tracks' contexts that it holds.

    What plait says of a track that did not deliver is left out as well. It may quote the last line of a program's log,
    which is no claim about the product. Elements of lists keep their places.
    """
    kept = {key: value for key, value in document.items() if key not in RECORDS}
    status = text(kept.get("status"))
    if status in _UNDELIVERED and kept.get("phase") == f"{text(kept.get('task_id'))}-{status}":
        kept = {key: value for key, value in kept.items() if key not in {"context_summary", "error_log"}}
    if "parallel_execution_summary" in kept and not text(kept.get("task_id")):  # a track can write that, too
        kept = _without_reasons(kept)
    tracks = mapping(document.get("track_contexts"))
    if tracks:
        kept["track_contexts"] = {name: _without(track) for name, track in tracks.items()}
    return kept


def _without(track: Any) -> Any:
    context = mapping(mapping(track).get("context"))
    if not context:
        return track
    # How the track ended is plait's word here, as it is in the track's own document.
    return {**mapping(track), "context": {k: v for k, v in without_records(context).items() if k != "status"}}


def _without_reasons(merged: Mapping[str, object]) -> dict[str, object]:
    """Leave out why tracks did not deliver, wherever a merge says it, and the summary, which repeats it."""
    kept = {key: value for key, value in merged.items() if key != "context_summary"}
    told = {text(mapping(context.get("execution")).get("reason")) for context in _contexts(merged)} - {""}
    of_plait: dict[str, tuple[str, Callable[[Mapping[str, object]], bool]]] = {
        "parallel_tasks": ("reason", lambda _: True),
        "integration_concerns": ("concern", lambda entry: entry.get("kind") == "missing-track"),
        "omissions": ("why", lambda entry: entry.get("what") == "track"),
        "error_log": ("error", lambda entry: entry.get("error") in told),
    }
    for name, (reason, is_told) in of_plait.items():
        if isinstance(kept.get(name), list):
            kept[name] = [
                {key: value for key, value in mapping(entry).items() if key != reason}
                if _fits(entry, is_told)
                else entry
                for entry in sequence(kept[name])
            ]
    return kept


def _fits(entry: Any, wanted: Callable[[Mapping[str, object]], bool]) -> bool:
    return isinstance(entry, dict) and wanted(mapping(entry))
