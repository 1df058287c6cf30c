"""From a role to what really runs it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from contexts.errors import SpecError
from contexts.model.base import JsonObject, section
from contexts.model.refs import BlobRef
from contexts.model.spec import Spec, Track
from contexts.store import ContextStore
from tasks.agents.command import CommandBackend
from tasks.agents.replay import Recording, ReplayBackend, read_recordings

Backend = CommandBackend | ReplayBackend


def backend_for(spec: Spec, track: Track, *, folder: Path, recordings: Mapping[str, Recording]) -> Backend:
    """Return what really runs a track.

    Raises:
        SpecError: A recording is missing, or nothing is declared for its role.
    """
    if track.task_id in recordings:
        return ReplayBackend(recordings[track.task_id])
    agent = spec.agents.get(track.agent)
    if agent is None:
        raise SpecError(
            f"track {track.task_id!r} has no recording, and its agent {track.agent!r} is not declared; "
            "add it to 'agents', or give --replay DIR"
        )
    if agent.backend == "replay":
        recording = read_recordings(folder / agent.path).get(track.task_id)
        if recording is None:
            raise SpecError(f"{agent.path} holds no recording of track {track.task_id!r}")
        return ReplayBackend(recording)
    return CommandBackend(agent, folder)


def stored_recordings(store: ContextStore, workflow_id: str, recorded: JsonObject) -> dict[str, Recording]:
    """Return the recordings an earlier run of the workflow left in the store."""
    stored = section(recorded, "recordings")
    return {
        task_id: Recording(one["name"], store.get_blob(workflow_id, BlobRef(**one["blob"])))
        for task_id, one in stored.items()
    }
