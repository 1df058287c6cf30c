"""The expanded form of a stored merge: every track's details inline again."""

from __future__ import annotations

from pydantic import ValidationError

from contexts.documents.base import JsonObject
from contexts.documents.refs import ContextRef
from contexts.json.values import mapping, section
from contexts.merge.contribution import rest_of
from contexts.store.contexts import ContextStore


def expand_tracks(store: ContextStore, document: JsonObject) -> JsonObject:
    """Return a stored merged document with every track's remaining document inline, as `assemble` gives it expanded.

    A track's own document is returned as it is: references in it are an agent's, and nobody follows them.
    """
    tracks = section(document, "track_contexts")
    if not tracks or document.get("task_id") is not None:
        return document
    refs = {task_id: ref for task_id, track in tracks.items() if (ref := _reference(mapping(track).get("ref")))}
    loaded = dict(zip(refs, store.load_many(refs.values()), strict=True))
    inline = {
        task_id: {**mapping(track), "context": rest_of(loaded[task_id])} if task_id in loaded else track
        for task_id, track in tracks.items()
    }
    return {**document, "track_contexts": inline}


def _reference(value: object) -> ContextRef | None:
    try:
        return ContextRef.model_validate(value) if value else None
    except ValidationError:
        return None  # of somebody else's, and left as it is
