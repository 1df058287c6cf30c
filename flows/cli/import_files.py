"""Turn a folder of context files into revisions: everything is checked before anything is saved."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import orjson

from contexts.documents.base import JsonObject
from contexts.documents.codec import checksum, validate
from contexts.documents.refs import BlobRef, ContextRef
from contexts.errors import DocumentError, InputError, RevisionConflict
from contexts.merge import contribute, expand_tracks
from contexts.store.contexts import CONTEXT, ContextStore, check_workflow_id, group_document, track_document
from contexts.store.keys import blob_key
from contexts.store.references import blobs_in, replace_blobs
from flows.cli.context_files import BLOBS, read_document, workflow_of


@dataclass(slots=True)
class Planned:
    """What an import will save.

    Attributes:
        documents: Per workflow and document name, its new revisions in order.
        after: Per workflow and document name, the newest revision the store has.
        blobs: Per workflow, the blobs its documents refer to.
        unchanged: How many files the store has already.
    """

    documents: dict[tuple[str, str], list[JsonObject]] = field(default_factory=dict[tuple[str, str], list[JsonObject]])
    after: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    blobs: dict[str, list[tuple[BlobRef, bytes]]] = field(default_factory=dict[str, list[tuple[BlobRef, bytes]]])
    unchanged: int = 0


def plan_import(store: ContextStore, folder: Path, *, append: bool) -> Planned:
    """Read and check every file of a folder.

    Raises:
        InputError: A file is bad, a track's workflow is nowhere, or the store has other documents of these names.
    """
    paths = _context_files(folder)
    read = [(path, *_checked(path)) for path in paths]
    workflows = {workflow for _, workflow, name, _ in read if name == CONTEXT}
    for path, workflow, _, _ in read:
        if workflow not in workflows and not store.revisions(workflow, CONTEXT):
            raise InputError(
                f"{path} belongs to workflow {workflow}, whose own document is neither in {folder} nor in the store",
                path=str(path),
            )
    planned = Planned()
    for _, workflow, name, document in sorted(read, key=lambda one: (str(one[3].get("timestamp")), one[0].name)):
        planned.documents.setdefault((workflow, name), []).append(document)
    _leave_out_known(store, planned, append=append)
    for (workflow, _), documents in planned.documents.items():
        for ref in blobs_in(documents):
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


def _checked(path: Path) -> tuple[str, str, JsonObject]:
    document = read_document(path)
    context = validate(document, str(path))
    workflow = check_workflow_id(workflow_of(document))
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
    return workflow, name, document


def _leave_out_known(store: ContextStore, planned: Planned, *, append: bool) -> None:
    for (workflow, name), documents in list(planned.documents.items()):
        numbers = store.revisions(workflow, name).get(name, ())
        planned.after[workflow, name] = numbers[-1] if numbers else 0
        if not numbers:
            continue
        held = {_content(expand_tracks(store, store.load_revision(workflow, name, number)[1])) for number in numbers}
        new = [document for document in documents if _content(document) not in held]
        planned.unchanged += len(documents) - len(new)
        planned.documents[workflow, name] = new
        if new and not append:
            raise InputError(
                f"the store has other revisions of {workflow}/{name} (the newest is {numbers[-1]}); "
                "import into another store, or pass --append to make the files its newest revisions",
                name=f"{workflow}/{name}",
            )


def _content(document: JsonObject) -> str:
    """Return the digest of a document in which no track context says under which number it is stored."""
    tracks: dict[str, JsonObject] = document.get("track_contexts") or {}
    bare = {task_id: {key: value for key, value in track.items() if key != "ref"} for task_id, track in tracks.items()}
    return checksum({**document, "track_contexts": bare})


def _blob(store: ContextStore, folder: Path, workflow: str, ref: BlobRef) -> list[tuple[BlobRef, bytes]]:
    path = folder / BLOBS / ref.sha256
    try:
        with path.open("rb") as stream:
            data = stream.read(max(ref.size, 0) + 1)  # more than the document says is not the blob it means
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
        for number, document in enumerate(planned.documents[workflow, name], planned.after[workflow, name]):
            body = replace_blobs(document, renamed) if renamed else document
            if name != CONTEXT or body.get("track_contexts"):
                body = _readdressed(store, workflow, body)
            refs.append(_saved(store, body, workflow, name, number))
    return tuple(refs)


def _saved(store: ContextStore, body: JsonObject, workflow: str, name: str, after: int) -> ContextRef:
    try:
        return store.save(body, workflow_id=workflow, name=name, after=after)
    except RevisionConflict as error:
        raise RevisionConflict(
            f"{workflow}/{name} was saved by something else during the import; once that is done, import again",
            document=name,
        ) from error


def _readdressed(store: ContextStore, workflow: str, document: JsonObject) -> JsonObject:
    """Let a merged document refer to the tracks as this store has them; those that differ stay inline."""
    tracks: dict[str, JsonObject] = document.get("track_contexts") or {}
    if not tracks:
        return document
    changed: dict[str, JsonObject] = {}
    for task_id, track in tracks.items():
        inline = track.get("context")
        latest = store.latest(workflow, track_document(task_id))
        if inline is None:
            changed[task_id] = {**track, "ref": latest[0].model_dump()} if latest and track.get("ref") else track
            continue
        rest = orjson.loads(contribute(dict(latest[1]), ref=latest[0]).rest) if latest else None
        if latest and rest == inline:
            changed[task_id] = {
                **{key: value for key, value in track.items() if key != "context"},
                "ref": latest[0].model_dump(),
            }
        else:
            changed[task_id] = {**track, "ref": None}
    return {**document, "track_contexts": changed}
