"""The expanded form of a stored merge: every track's details inline again."""

from __future__ import annotations

import orjson

from contexts.merge.contribution import contribute
from contexts.model.base import JsonObject
from contexts.model.refs import ContextRef
from contexts.store import ContextStore


def expand_tracks(store: ContextStore, document: JsonObject) -> JsonObject:
    """Return a stored merged document with every track's remaining document inline, as `assemble` gives it expanded."""
    tracks: dict[str, JsonObject] = document.get("track_contexts") or {}
    refs = {task_id: ContextRef(**track["ref"]) for task_id, track in tracks.items() if track.get("ref")}
    loaded = dict(zip(refs, store.load_many(refs.values()), strict=True))
    inline = {
        task_id: {**track, "context": orjson.loads(contribute(loaded[task_id], ref=refs[task_id]).rest)}
        if task_id in loaded
        else track
        for task_id, track in tracks.items()
    }
    return {**document, "track_contexts": inline} if tracks else document
