"""From a role to what really runs it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from contexts.documents.records import RunRecord
from contexts.errors import SpecError
from contexts.spec.load import LoadedSpec
from contexts.spec.model import Spec, Track
from contexts.spec.policy import ReplayAgent
from contexts.store.contexts import ContextStore
from tasks.agents.command import CommandBackend
from tasks.agents.replay import Recording, ReplayBackend, read_recordings

Backend = CommandBackend | ReplayBackend


def backend_for(spec: Spec, track: Track, *, folder: Path, recordings: Mapping[str, Recording]) -> Backend:
    """Return what really runs a track.

    Args:
        spec: The spec.
        track: The track.
        folder: What ``{spec_dir}`` means.
        recordings: As `recordings_for` returns them.

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
        raise SpecError(f"{agent.path} holds no recording of track {track.task_id!r}")
    return CommandBackend(agent, folder)


def recordings_for(loaded: LoadedSpec, *, replay: Path | None, stored: Mapping[str, Recording]) -> dict[str, Recording]:
    """Return the recordings that stand in for agents, by task_id; each folder is read once.

    Args:
        loaded: The spec; the paths of ``replay`` agents start from its folder.
        replay: Folder of recordings that goes before whatever the spec declares.
        stored: What an earlier run left in the store; for ``replay`` agents the folder of a spec that somebody names,
            where it is there, goes before it.

    Raises:
        SpecError: A folder of recordings is missing, or lacks a track's.
        DocumentError: A recording is not a JSON object.
    """
    spec, folder = loaded.spec, loaded.folder
    # Of a folder that nobody names it is not known whether it still holds what was played back.
    is_named = loaded.programs is None or loaded.programs.how == "named"
    found = dict(read_recordings(replay) if replay else stored)
    tracks = [track for track in spec.parallel_tasks if not (replay and track.task_id in found)]
    for role, agent in spec.agents.items():
        wanted = [track.task_id for track in tracks if track.agent == role]
        if not isinstance(agent, ReplayAgent) or not wanted:
            continue
        path = folder / agent.path
        if not (is_named and path.exists()) and all(task_id in found for task_id in wanted):
            continue
        there = read_recordings(path)
        missing = [task_id for task_id in wanted if task_id not in there]
        if missing:
            raise SpecError(f"agents.{role}: {agent.path} holds no recording of track {missing[0]!r}")
        found |= {task_id: there[task_id] for task_id in wanted}
    return found


def stored_recordings(store: ContextStore, workflow_id: str, record: RunRecord | None) -> dict[str, Recording]:
    """Return the recordings an earlier run of the workflow left in the store."""
    stored = (record.recordings if record else None) or {}
    return {task_id: Recording(one.name, store.get_blob(workflow_id, one.blob)) for task_id, one in stored.items()}
