"""Turn a folder of context files into revisions: everything is checked before anything is saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import orjson

from contexts.documents.base import JsonObject
from contexts.documents.codec import checksum, validate
from contexts.documents.context import Context
from contexts.documents.merged import TrackContext
from contexts.documents.refs import BlobRef, ContextRef
from contexts.errors import DocumentError, InputError, RevisionConflict
from contexts.json.values import mapping, section
from contexts.merge import contribute, expand_tracks
from contexts.store.contexts import CONTEXT, ContextStore, check_workflow_id, group_document, track_document
from contexts.store.keys import blob_key
from contexts.store.references import blobs_in, replace_blobs
from flows.cli.context_files import BLOBS, read_document


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A context file that may be saved.

    Attributes:
        workflow: The workflow it belongs to.
        name: The document whose revision it becomes.
        context: What it says.
        written: The same as it is written, in the order of its author.
    """

    path: Path
    workflow: str
    name: str
    context: Context
    written: JsonObject


@dataclass(slots=True)
class Planned:
    """What an import will save.

    Attributes:
        documents: Per workflow and document name, its new revisions in order.
        after: Per workflow and document name, the newest revision the store has.
        blobs: Per workflow, the blobs its documents refer to.
        unchanged: How many files the store has already.
    """

    documents: dict[tuple[str, str], list[ReadFile]] = field(default_factory=dict[tuple[str, str], list[ReadFile]])
    after: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    blobs: dict[str, list[tuple[BlobRef, bytes]]] = field(default_factory=dict[str, list[tuple[BlobRef, bytes]]])
    unchanged: int = 0


def plan_import(store: ContextStore, folder: Path, *, append: bool) -> Planned:
    """Read and check every file of a folder.

    Raises:
        InputError: A file is bad, a track's workflow is nowhere, or the store has other documents of these names.
    """
    paths = _context_files(folder)
    read = [_checked(path) for path in paths]
    workflows = {one.workflow for one in read if one.name == CONTEXT}
    for one in read:
        if one.workflow not in workflows and not store.revisions(one.workflow, CONTEXT):
            raise InputError(
                f"{one.path} belongs to workflow {one.workflow}, whose own document is neither in {folder} nor in the "
                "store",
                path=str(one.path),
            )
    planned = Planned()
    for one in sorted(read, key=lambda each: (each.context.timestamp, each.path.name)):
        planned.documents.setdefault((one.workflow, one.name), []).append(one)
    _leave_out_known(store, planned, append=append)
    for (workflow, _), files in planned.documents.items():
        for ref in blobs_in([one.written for one in files]):
            planned.blobs.setdefault(workflow, []).extend(_blob(store, folder, workflow, ref))
    return planned


def context_folder(folder: Path) -> Path:
    """Return the folder of the context files: the one named, or the ``.claude/context`` in it."""
    inner = folder / ".claude" / "context"
    return inner if inner.is_dir() else folder


def _context_files(folder: Path) -> list[Path]:
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".json" and path.is_file())
    except OSError as error:
        raise InputError(f"cannot read the folder {folder}: {error.strerror or error}", path=str(folder)) from error
    if not paths:
        raise InputError(f"{folder} holds no .json files; name the folder of the context files", path=str(folder))
    return paths


def _checked(path: Path) -> ReadFile:
    document = read_document(path)
    context = validate(document, str(path))
    workflow = check_workflow_id(context.parent_workflow_id or context.workflow_id)
    if context.group_id is not None:
        name = group_document(context.group_id)
    elif context.task_id is not None:
        name = track_document(context.task_id)
    else:
        name = CONTEXT
    if name != CONTEXT and context.parent_workflow_id is None:
        raise DocumentError(
            f"{path} is a track's document without parent_workflow_id; add the workflow it belongs to",
            document=str(path),
            pointer="/parent_workflow_id",
        )
    return ReadFile(path, workflow, name, context, document)


def _leave_out_known(store: ContextStore, planned: Planned, *, append: bool) -> None:
    for (workflow, name), files in list(planned.documents.items()):
        numbers = store.revisions(workflow, name).get(name, ())
        planned.after[workflow, name] = numbers[-1] if numbers else 0
        if not numbers:
            continue
        saved = (store.load_revision(workflow, name, number).document for number in numbers)
        held = {_content(expand_tracks(store, document)) for document in saved}
        new = [one for one in files if _content(one.written) not in held]
        planned.unchanged += len(files) - len(new)
        planned.documents[workflow, name] = new
        if new and not append:
            raise InputError(
                f"the store has other revisions of {workflow}/{name} (the newest is {numbers[-1]}); "
                "import into another store, or pass --append to make the files its newest revisions",
                name=f"{workflow}/{name}",
            )


def _content(document: JsonObject) -> str:
    """Return the digest of a document in which no track context says under which number it is stored."""
    tracks = section(document, "track_contexts")
    bare = {
        task_id: {key: value for key, value in mapping(track).items() if key != "ref"}
        for task_id, track in tracks.items()
    }
    return checksum({**document, "track_contexts": bare})


def _blob(store: ContextStore, folder: Path, workflow: str, ref: BlobRef) -> list[tuple[BlobRef, bytes]]:
    path = folder / BLOBS / ref.sha256
    try:
        # Another size than the document says is not that of the blob it means.
        data = path.read_bytes() if path.stat().st_size == ref.size else b""
    except FileNotFoundError as error:
        if any(True for _ in store.objects.list(blob_key(workflow, ref))):
            return []
        raise InputError(
            f"a document of {workflow} refers to {BLOBS}/{ref.sha256}, which is not in {folder}; export it again",
            path=str(path),
        ) from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}", path=str(path)) from error
    if sha256(data).hexdigest() != ref.sha256:
        raise DocumentError(f"{path} is not what its name says; export it again", document=str(path))
    return [(ref, data)]


def save_import(store: ContextStore, planned: Planned) -> tuple[ContextRef, ...]:
    """Save what was planned: blobs, then tracks and groups, then the workflows' own documents.

    Raises:
        RevisionConflict: Somebody else saved meanwhile.
        StoreError: The store did not take it.
    """
    renamed: dict[str, BlobRef] = {}
    for workflow, blobs in planned.blobs.items():
        for ref, data in blobs:
            saved = store.put_blob(workflow, data, ref.media_type)
            if saved.sha256 != ref.sha256:
                # A secret value was redacted on the way in, so the blob has another name now.
                renamed[ref.sha256] = saved
    refs: list[ContextRef] = []
    order = sorted(planned.documents, key=lambda key: (key[0], key[1] == CONTEXT, key[1]))
    for workflow, name in order:
        for number, one in enumerate(planned.documents[workflow, name], planned.after[workflow, name]):
            body, tracks = one.written, one.context.track_contexts
            if renamed:
                body = replace_blobs(body, renamed)
                tracks = validate(body, str(one.path)).track_contexts
            if tracks:
                known = _readdressed(store, workflow, tracks)
                body = {**body, "track_contexts": {task_id: track.to_json() for task_id, track in known.items()}}
            try:
                refs.append(store.save(body, workflow_id=workflow, name=name, after=number))
            except RevisionConflict as error:
                raise RevisionConflict(
                    f"{workflow}/{name} was saved by something else during the import; once that is done, import again",
                    document=name,
                ) from error
    return tuple(refs)


def _readdressed(store: ContextStore, workflow: str, tracks: Mapping[str, TrackContext]) -> Mapping[str, TrackContext]:
    """Let a merged document refer to the tracks as this store has them; those that differ stay inline."""
    changed: dict[str, TrackContext] = {}
    for task_id, track in tracks.items():
        latest = store.latest(workflow, track_document(task_id))
        if track.context is None:
            changed[task_id] = track.changed(ref=latest.ref) if latest and track.ref else track
        elif latest and orjson.loads(contribute(dict(latest.document), ref=latest.ref).rest) == track.context:
            changed[task_id] = track.changed(ref=latest.ref, context=None).compact()
        else:
            changed[task_id] = track.changed(ref=None)
    return changed
