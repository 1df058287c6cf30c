"""Find whatever is wrong with what a run was given, before anything is written and before anything starts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import orjson

from contexts.documents.base import JsonObject
from contexts.documents.codec import parse_object
from contexts.documents.records import RunRecord
from contexts.errors import DocumentError, InputError, NotFound, SpecError
from contexts.json.pointer import pointer
from contexts.json.values import walk
from contexts.leases.record import refuse_if_held_here
from contexts.redaction import is_redacted, know_values_of, redact
from contexts.spec.load import LoadedSpec, check_agents, expand_workflow_id, load_spec, parse_spec
from contexts.spec.model import Spec
from contexts.spec.programs import Known, Programs
from contexts.spec.request import RunRequest
from contexts.store.cache import CachedObjects
from contexts.store.contexts import CONTEXT, ContextStore
from contexts.store.local import LocalObjects
from contexts.store.url import BLOCK, open_objects, store_name
from tasks.agents.replay import Recording
from tasks.run.backends import recordings_for, stored_recordings
from tasks.run.base_commit import check_repository
from tasks.run.required_programs import Purpose, refuse_without_programs
from tasks.run.workspaces import workspace_root

FOLDER_HINT = "spec-folder"
"""File below the workspace root that says where the spec lay on this machine; stores hold no absolute paths."""


@dataclass(frozen=True, slots=True)
class Ready:
    """What a run needs, checked; nothing has been written yet.

    Attributes:
        loaded: The spec.
        workflow_id: Its id, placeholders settled.
        store: Where contexts go, with the spec's policy on secrets.
        forced: Tracks that run whatever the store holds.
    """

    loaded: LoadedSpec
    workflow_id: str
    store: ContextStore
    forced: frozenset[str]


def prepare(request: RunRequest, purpose: Purpose = "build", at: datetime | None = None) -> Ready:
    """Check a request as far as that goes before anything of it is written.

    Args:
        request: What was asked for.
        purpose: What the run is for, which says whose programs must be at hand.
        at: The moment that ``{date}`` and ``{time}`` of a workflow id mean, in the time zone they are told in; now, in
            UTC, by default.

    Raises:
        InputError: The spec, an agent's program, a recording or the repository cannot be used.
        LeaseHeld: Another run of this host owns the workflow.
        StoreNotWritable: The store is a folder that cannot be written.
        StoreError: The store cannot be read.
    """
    objects = open_objects(request.store)
    if isinstance(objects, LocalObjects):
        objects.check_place()
    store = ContextStore(CachedObjects(objects))
    loaded = load_request(request, store)
    know_values_of(loaded.raw, request.repository)
    spec = loaded.spec
    _check_secrets(request, loaded)
    moment = at or datetime.now(UTC)
    workflow_id = expand_workflow_id(spec.workflow_id, moment, moment.tzinfo or UTC)
    forced = _forced(request, spec)
    ready = Ready(loaded, workflow_id, store.with_policy(spec.secrets), forced)
    if isinstance(objects, LocalObjects):
        refuse_if_held_here(objects, workflow_id)
    if isinstance(objects, LocalObjects) or request.workflow_id is not None:
        _look_ahead(request, ready, purpose)
    if isinstance(objects, LocalObjects):
        objects.check_writable()
    return ready


_RUN = frozenset({"argv", "env", "setup", "url", "url_command", "path"})
"""Members of a spec that are run or opened; elsewhere a redaction changes words only."""


def _check_secrets(request: RunRequest, loaded: LoadedSpec) -> None:
    """Refuse a spec out of which the store took a secret value, and one with a value that it would not take."""
    if request.workflow_id is not None:
        for path, value in walk(loaded.raw):
            if isinstance(value, str) and is_redacted(value) and not _RUN.isdisjoint(path):
                raise SpecError(
                    f"{loaded.name} lacks the secret value at {pointer(*path)}, which is not stored; run it with its "
                    "spec file, and pass secrets by reference (env:NAME)",
                    pointer=pointer(*path),
                )
    if loaded.spec.secrets == "refuse" and (hits := redact(loaded.raw, guesses=False).hits):
        raise SpecError(
            f"{loaded.name} holds a secret value ({hits[0].kind}) at {hits[0].pointer}, and says secrets: refuse; pass "
            "secrets by reference (env:NAME)",
            pointer=hits[0].pointer,
        )


def _look_ahead(request: RunRequest, ready: Ready, purpose: Purpose) -> None:
    """Find before the lease what `open_run` would find after it; in a bucket every look costs requests."""
    revisions = ready.store.revisions(ready.workflow_id, CONTEXT)
    earlier = None
    if CONTEXT in revisions:
        earlier = ready.store.load_revision(ready.workflow_id, CONTEXT, revisions[CONTEXT][-1]).context.run
    recordings = recordings_of(request, ready, earlier)
    refuse_without_programs(request, ready.loaded, ready.store, ready.workflow_id, recordings, purpose)
    check_repository(ready.loaded, earlier, named=request.repository, fresh=request.fresh)


def recordings_of(request: RunRequest, ready: Ready, earlier: RunRecord | None) -> dict[str, Recording]:
    """Return the recordings that stand in for agents, by task_id, and make sure that every other track has an agent.

    Which tracks of a stored workflow need one is another question, see `tasks.run.required_programs`.

    Args:
        request: What was asked for.
        ready: What of it is known.
        earlier: What the workflow's last run did, where there was one.

    Raises:
        InputError: A recording is missing, or a role has no agent, or an agent's program is not there.
    """
    loaded = ready.loaded
    stored = {} if request.replay else stored_recordings(ready.store, ready.workflow_id, earlier)
    replay = Path(request.replay) if request.replay else None
    recordings = recordings_for(loaded, replay=replay, stored=stored)
    if loaded.programs is None:
        check_agents(loaded.spec, folder=loaded.folder, replayed=recordings)
    return recordings


def check_early(request: RunRequest) -> None:
    """Find what is wrong with a request before Prefect is loaded, where the store is a folder and a look costs nothing.

    Raises:
        PlaitError: As `prepare`.
    """
    if not store_name(request.store).startswith((BLOCK, "s3:")):
        prepare(request)


def load_request(request: RunRequest, store: ContextStore) -> LoadedSpec:
    """Return the spec a request names: from its file, from the store, or from itself.

    Raises:
        SpecError: None or several are named, or the spec is invalid.
        NotFound: The workflow is not in the store.
    """
    named = [name for name in ("spec", "workflow_id", "inline") if getattr(request, name) is not None]
    if len(named) != 1:
        raise SpecError("name the workflow by exactly one of: a spec's path, a stored workflow's id, an inline spec")
    if request.spec_dir is not None and request.workflow_id is None:
        raise SpecError("a spec's folder goes with a stored workflow's id; a spec that is given lies in its folder")
    if request.spec is not None:
        return load_spec(Path(request.spec))
    if request.inline is not None:
        return _from_value(request.inline, "inline spec", Path.cwd())
    workflow_id = str(request.workflow_id)
    context = store.require(workflow_id).context
    if context.spec is None:
        raise SpecError(f"{workflow_id} was not started from a spec here; run it with its spec file")
    try:
        stored = store.get_blob(workflow_id, context.spec)
        written = parse_object(stored, f"the spec of {workflow_id}")
    except (NotFound, DocumentError) as error:
        raise SpecError(f"the spec of {workflow_id} is lost ({error.message}); run it with its spec file") from error
    value = {**written, "workflow_id": workflow_id}  # its placeholders are settled
    programs = _programs(request, store, workflow_id, context.run.programs if context.run else None)
    return replace(_from_value(value, f"spec of {workflow_id}", programs.folder), programs=programs)


def _programs(request: RunRequest, store: ContextStore, workflow_id: str, before: Known | None) -> Programs:
    """Return what the commands of a stored spec name, and where that is: never wherever this process happens to be.

    Raises:
        SpecError: The folder that was named is none.
    """
    root = workspace_root(store, workflow_id)
    if request.spec_dir is not None:
        folder = Path(request.spec_dir).expanduser().absolute()
        if not folder.is_dir():
            raise SpecError(f"there is no folder {request.spec_dir}; name the spec's folder", path=request.spec_dir)
        return Programs(folder, "named", before)
    hint = root / FOLDER_HINT
    left = Path(hint.read_text(encoding="utf-8")) if hint.is_file() else None
    return Programs(left, "left", before) if left and left.is_dir() else Programs(root / "spec", "none", before)


def _from_value(value: JsonObject, name: str, folder: Path) -> LoadedSpec:
    return LoadedSpec(parse_spec(orjson.dumps(value), name=f"{name}.json"), value, folder, name)


def _forced(request: RunRequest, spec: Spec) -> frozenset[str]:
    known = {track.task_id for track in spec.parallel_tasks}
    unknown = [task_id for task_id in request.rerun if task_id not in known]
    if unknown:
        raise InputError(f"--rerun {unknown[0]}: there is no such track; there are {', '.join(sorted(known))}")
    return frozenset(known) if request.fresh else frozenset(request.rerun)
