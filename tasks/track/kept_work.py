"""The files of a track that told nothing of them: kept and named, so that a person or a next attempt can have them."""

from __future__ import annotations

from contexts.documents.context import Context
from contexts.errors import InputError, RepositoryError, SecretRefused
from contexts.spec.model import Track
from contexts.store.contexts import ContextStore
from contexts.text.plural import counted
from tasks.run.track_runtime import TrackRuntime
from tasks.track.workspace import Started, Work, collect


def keep_work(
    run: TrackRuntime, track: Track, place: Started, earlier: Context | None, store: ContextStore
) -> tuple[Work | None, str]:
    """Commit what stands in a workspace, save it as for a finished track, and say where it is.

    Args:
        run: The run.
        track: The track.
        place: Its workspace; nothing is running in it.
        earlier: The newest revision of the track's document.
        store: Takes the commits.

    Returns:
        The work, None where there is none to keep; and a sentence to follow the reason, empty where there is none.
    """
    try:
        work = collect(run, track, place, store)
    except (InputError, SecretRefused) as error:
        return None, f"; its files are left in the workspace ({error.message})"
    if work.commit == place.start:
        return None, ""
    branch = _deliver(run, track, work.commit, earlier)
    where = f"branch {branch}" if branch else f"commit {work.commit[:12]}, in the bundle of its document"
    return work, f"; its work ({counted(len(work.files), 'file')}) is kept as {where}"


def _deliver(run: TrackRuntime, track: Track, commit: str, earlier: Context | None) -> str | None:
    if not run.delivers:
        return None
    previous = earlier.execution.commit if earlier and earlier.execution else None
    try:
        with run.repository.locked():  # tracks end side by side, and git takes one at a time
            return run.repository.deliver(f"plait/{run.workflow_id}.{track.task_id}", commit, previous=previous)
    except RepositoryError:
        return None  # the commit is in the store all the same, and is named by its id
