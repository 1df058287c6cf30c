"""What a run would reuse, for `plait plan`: the run's own decision, taken without starting anything."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from contexts.documents.codec import validate
from contexts.documents.context import Context
from contexts.errors import DocumentError
from contexts.plan.inputs_digest import Inputs, agent_inputs, recording_inputs, track_inputs
from contexts.plan.reuse import Reuse, decide_reuse
from contexts.spec.load import LoadedSpec
from contexts.spec.model import Spec, Track
from contexts.spec.programs import NOTHING_KNOWN, Known
from contexts.store.contexts import CONTEXT, ContextStore
from contexts.store.keys import track_document
from contexts.store.outbox import Outbox
from tasks.agents.replay import Recording, ReplayBackend
from tasks.run.backends import backend_for, recordings_for, stored_recordings
from tasks.run.workspaces import workspace_root


def outbox_folder(root: Path) -> Path:
    """Return the outbox of the workflow whose clones and workspaces lie below a folder."""
    return root / "outbox"


def _kept(store: ContextStore, workflow_id: str) -> dict[str, list[Context]]:
    """Return the documents that the outbox on this machine holds, by task_id; what is damaged is left out."""
    outbox = Outbox(outbox_folder(workspace_root(store, workflow_id)), store, workflow_id)
    found: dict[str, list[Context]] = {}
    for one in outbox.entries():
        with contextlib.suppress(DocumentError):
            found.setdefault(one.task_id, []).append(validate(outbox.open(one)[0]))
    return found


def inputs_of(
    spec: Spec,
    track: Track,
    *,
    folder: Path,
    known: Known = NOTHING_KNOWN,
    recordings: Mapping[str, Recording],
    base: str | None,
    results: Mapping[str, str],
) -> Inputs:
    """Return what decides a track's result, as both the plan and the run see it.

    Args:
        spec: The spec.
        track: The track.
        folder: What ``{spec_dir}`` means.
        known: What counts instead of the files there, where the workflow goes on from its store.
        recordings: Recorded documents that stand in for agents, by task_id.
        base: The pinned base commit; None where the spec names no repository.
        results: Result digests of the transitive prerequisites.
    """
    backend = backend_for(spec, track, folder=folder, recordings=recordings)
    if isinstance(backend, ReplayBackend):
        agent = recording_inputs(backend.recording.raw)
    else:
        agent = agent_inputs(backend.agent, folder=folder, known=known)
    return track_inputs(spec, track, base=base if backend.works else None, prerequisites=results, agent=agent)


def plan_reuse(
    loaded: LoadedSpec,
    store: ContextStore,
    workflow_id: str,
    *,
    replay: Path | None = None,
    repository: str | None = None,
    forced: frozenset[str] = frozenset(),
    fresh: bool = False,
) -> tuple[Reuse, ...]:
    """Return what a run of this spec would do with every track: one listing and at most one read per track.

    The repository is only looked at where the base is to be pinned anew.

    Args:
        loaded: The spec.
        store: The workflow's store.
        workflow_id: The workflow.
        replay: Folder of recordings that would be played back.
        repository: Folder or URL that would be used instead of the spec's.
        forced: Tracks the user asks to run again.
        fresh: The user asks to run all of them again, from a base pinned anew.

    Raises:
        SpecError: A track has neither a declared agent nor a recording.
        StoreError: The store cannot be read.
        RepositoryError: The base is to be pinned anew, and cannot be.
    """
    spec = loaded.spec
    revisions = store.revisions(workflow_id)
    wanted = {track.task_id: track_document(track.task_id) for track in spec.parallel_tasks}
    names = {task_id: name for task_id, name in wanted.items() if name in revisions}
    loads = [(name, revisions[name][-1]) for name in names.values()]
    if CONTEXT in revisions:
        loads.append((CONTEXT, revisions[CONTEXT][-1]))
    found = store.load_revisions(workflow_id, loads)
    documents = {task_id: found[name] for task_id, name in names.items()}
    record = found[CONTEXT].run if CONTEXT in found else None
    kept = _kept(store, workflow_id)
    stored = {} if replay else stored_recordings(store, workflow_id, record)
    recordings = recordings_for(loaded, replay=replay, stored=stored)
    base: str | None = None
    if spec.repository and (documents or kept):
        from tasks.run.base_commit import kept_base, open_repository  # noqa: PLC0415 a plan of something new needs no git

        base = kept_base(record, spec.repository, fresh=fresh)
        if base is None:
            _, base = open_repository(loaded, store, workflow_id, record, named=repository, fresh=fresh)
    known = loaded.known
    if fresh:
        forced = frozenset(wanted)

    def inputs(track: Track, results: Mapping[str, str]) -> Inputs:
        return inputs_of(
            spec, track, folder=loaded.folder, known=known, recordings=recordings, base=base, results=results
        )

    return decide_reuse(spec, documents, inputs, forced, kept)
