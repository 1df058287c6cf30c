"""References: names of tracks, files, endpoints and migrations that lead nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from contexts.audit.documents import DocumentSet, SourceDocument
from contexts.audit.findings import Finding, Source, counted, listed
from contexts.audit.registry import found, rule
from contexts.audit.samples import WORKFLOW, merged, parent, track, verified
from contexts.contract.paths import endpoint_name, mentions
from contexts.contract.values import Path, at, mapping, sequence, text

_EXTERNAL = re.compile(r"external|third|upstream|vendor|mock|stub|health|example", re.IGNORECASE)


@rule(
    "references/context-ref",
    "blocking",
    "A context_ref names another document than its track's.",
    example=(
        parent(parallel_tasks=[{"task_id": "api", "context_ref": ".claude/context/orders-backend.json"}]),
        track("api"),
    ),
    clean=(
        parent(parallel_tasks=[{"task_id": "api", "context_ref": f".claude/context/{WORKFLOW}-api.json"}]),
        track("api"),
    ),
)
def context_ref(documents: DocumentSet) -> Iterator[Finding]:
    """Compare each reference's file name with its track's workflow id, task id and file name."""
    for document in documents.revisions:
        for index, raw in enumerate(sequence(document.data.get("parallel_tasks"))):
            task = mapping(raw)
            reference, task_id = text(task.get("context_ref")), text(task.get("task_id"))
            target = documents.track.get(task_id)
            if not reference or target is None:
                continue
            name = PurePosixPath(reference).name
            accepted = {
                target.workflow_id,
                target.name.removesuffix(".json"),
                task_id,
                f"{documents.workflow_id}-{task_id}",
            }
            if name.removesuffix(".json") not in accepted:
                yield found(
                    "references/context-ref",
                    f"context_ref {reference!r} is not the document of {task_id}, which is {target.workflow_id}",
                    (document.source(("parallel_tasks", index, "context_ref")), target.source(("workflow_id",))),
                )


@rule(
    "references/unknown-track",
    "blocking",
    "A track is named, needed or merged that the workflow does not plan.",
    example=(
        parent(parallel_tasks=[{"task_id": "api"}]),
        merged(parallel_execution_summary={"tasks": [{"task_id": "api"}, {"task_id": "ui"}]}),
    ),
    clean=(
        parent(parallel_tasks=[{"task_id": "api"}]),
        merged(parallel_execution_summary={"tasks": [{"task_id": "api"}]}),
    ),
)
def unknown_track(documents: DocumentSet) -> Iterator[Finding]:
    """Look for every named task id among the planned ones."""
    plan = documents.plan
    if plan is None:
        return
    planned = {text(mapping(task).get("task_id")) for task in sequence(plan.data.get("parallel_tasks"))}
    for document in documents.current:
        for path, task_id in _task_names(document):
            if task_id and task_id not in planned:
                yield found(
                    "references/unknown-track",
                    f"{task_id!r} is no track of this workflow: {listed(sorted(planned))}",
                    (document.source(path), plan.source(("parallel_tasks",))),
                )


def _task_names(document: SourceDocument) -> Iterator[tuple[Path, str]]:
    if document.task_id:
        yield ("task_id",), document.task_id
    for index, task in enumerate(sequence(document.data.get("parallel_tasks"))):
        for key in ("needs", "depends_on", "dependencies", "prerequisites"):
            for place, needed in enumerate(sequence(mapping(task).get(key))):
                yield ("parallel_tasks", index, key, place), text(needed)
    for index, task in enumerate(sequence(at(document.data, "parallel_execution_summary", "tasks"))):
        yield ("parallel_execution_summary", "tasks", index, "task_id"), text(mapping(task).get("task_id"))


@rule(
    "references/parent",
    "blocking",
    "A track names a parent workflow other than the one that plans it.",
    example=(parent(parallel_tasks=[{"task_id": "api"}]), track("api", parent_workflow_id="invoices")),
    clean=(parent(parallel_tasks=[{"task_id": "api"}]), track("api")),
)
def parent_workflow(documents: DocumentSet) -> Iterator[Finding]:
    """Compare parent_workflow_id with the workflow a track was put to by its task id."""
    for document in documents.tracks:
        named = text(document.data.get("parent_workflow_id"))
        if named and named != documents.workflow_id and documents.revisions:
            yield found(
                "references/parent",
                f"{document.name} belongs to {named!r}, and {documents.workflow_id!r} plans its track",
                (document.source(("parent_workflow_id",)), documents.revisions[0].source(("workflow_id",))),
            )


@rule(
    "references/endpoint",
    "warning",
    "An endpoint is measured, checked or promised that no track implements.",
    example=(
        track("api", implementation_details={"endpoints": {"GET /items/{id}": {"auth": "none"}}}),
        verified(verification_results={"performance": {"measurements": {"GET /items": "P95: 40ms"}}}),
    ),
    clean=(
        track("api", implementation_details={"endpoints": {"GET /items/{id}": {"auth": "none"}}}),
        verified(verification_results={"performance": {"measurements": {"GET /items/:id": "P95: 40ms"}}}),
    ),
    yields_to=("contracts/missing-endpoint",),
)
def endpoint(documents: DocumentSet) -> Iterator[Finding]:
    """Look for endpoints that the workflow's own documents name among those the tracks provide."""
    provided = {e.key for contract in documents.providers for e in contract.endpoints}
    if not provided or not documents.tracks or (documents.named_tracks and not documents.has_all_tracks):
        return
    missing: dict[str, list[Source]] = {}
    for document in documents.revisions:
        for path, name in _named_endpoints(document):
            if name not in provided and not any(_EXTERNAL.search(str(part)) for part in path):
                missing.setdefault(" ".join(name), []).append(document.source(path))
    if missing:
        sources = [source for places in missing.values() for source in places]
        yield found(
            "references/endpoint",
            f"{counted(len(missing), 'endpoint is', 'endpoints are')} named that no track implements: "
            f"{listed(sorted(missing))}",
            sources,
        )


def _named_endpoints(document: SourceDocument) -> Iterator[tuple[Path, tuple[str, str]]]:
    for path, value in document.values:
        key = path[-1] if path else ""
        name = endpoint_name(key) if isinstance(key, str) and " /" in key else None
        if name:
            yield path, name
        if isinstance(value, str) and " /" in value:
            for named in mentions(value[:4_000]):
                yield path, named


@rule(
    "references/migration",
    "warning",
    "A migration is said to be applied that no track wrote.",
    example=(
        track("api", implementation_details={"database_changes": {"migration": "004_add_total"}}),
        verified(verification_results={"database_migration": {"migration": "003_add_total"}}),
    ),
    clean=(
        track("api", implementation_details={"database_changes": {"migration": "004_add_total"}}),
        verified(verification_results={"database_migration": {"migration": "004_add_total"}}),
    ),
)
def migration(documents: DocumentSet) -> Iterator[Finding]:
    """Look for the migrations that later documents name among the tracks' migrations and files."""
    written = [(d, path, name) for d in documents.tracks for path, name in (*_migrations(d), *_migration_files(d))]
    if not written or (documents.named_tracks and not documents.has_all_tracks):
        return
    known = {_stem(name) for _, _, name in written}
    known |= {_stem(text(path)) for d in documents.tracks for path in sequence(d.data.get("files_modified"))}
    for document in documents.revisions:
        for path, name in _migrations(document):
            if not any(_stem(name) in one for one in known):
                yield found(
                    "references/migration",
                    f"the migration {name!r} is in no track",
                    (document.source(path), *(d.source(place) for d, place, _ in written)),
                )


def _migrations(document: SourceDocument) -> Iterator[tuple[Path, str]]:
    for path, value in document.texts:
        keys = [part for part in path if isinstance(part, str)]
        named = keys and keys[-1] in {"migration", "migrations", "migration_id", "revision_id", "migration_name"}
        if named and value and " " not in value.strip():
            yield path, value


def _migration_files(document: SourceDocument) -> Iterator[tuple[Path, str]]:
    """Yield the files a track changed below a folder of migrations."""
    for index, raw in enumerate(sequence(document.data.get("files_modified"))):
        file = PurePosixPath(text(raw))
        if {"migrations", "migration", "versions", "migrate"} & set(file.parts[:-1]) and re.match(
            r"[\w-]*\d", file.name
        ):
            yield ("files_modified", index), text(raw)


def _stem(name: str) -> str:
    return (
        PurePosixPath(name.strip()).name.rsplit(".", 1)[0]
        if name.endswith((".py", ".sql"))
        else PurePosixPath(name.strip()).name
    )


@rule(
    "references/file",
    "warning",
    "A track describes a file as its work that its files_modified does not hold.",
    example=(
        track("ui", files_modified=["src/a.ts"], implementation_details={"components": {"B": {"path": "src/b.ts"}}}),
    ),
    clean=(
        track(
            "ui",
            files_modified=["src/a.ts", "src/b.ts"],
            implementation_details={"components": {"B": {"path": "src/b.ts"}}},
        ),
    ),
)
def file(documents: DocumentSet) -> Iterator[Finding]:
    """Look for every path that a track's implementation details give to a part of it."""
    for document in documents.tracks:
        modified = {str(PurePosixPath(text(path))) for path in sequence(document.data.get("files_modified"))}
        if not modified:
            continue
        names = {PurePosixPath(path).name for path in modified}
        missing = [(path, value) for path, value in _described(document) if not _is_there(value, modified, names)]
        if missing:
            yield found(
                "references/file",
                f"{counted(len(missing), 'file is', 'files are')} described and not among files_modified: "
                f"{listed([value for _, value in missing])}",
                (*(document.source(path) for path, _ in missing), document.source(("files_modified",))),
            )


def _described(document: SourceDocument) -> Iterator[tuple[Path, str]]:
    for path, value in document.texts:
        if path[:1] == ("implementation_details",) and path[-1] in {"path", "file", "file_path", "filename"}:
            suffix = PurePosixPath(value).suffix if len(value) < 300 else ""
            if 2 <= len(suffix) <= 6 and " " not in value and not value.startswith(("/", "http")) and "{" not in value:
                yield path, value
    for path, value in document.objects:
        if path[:1] == ("implementation_details",) and len(path) > 1 and path[-1] in {"test_files", "files"}:
            for name in value:
                if re.fullmatch(r"[\w.\-/]{1,200}\.[a-z]{1,5}", name):
                    yield (*path, name), name


def _is_there(value: str, modified: set[str], names: set[str]) -> bool:
    shown = str(PurePosixPath(value))
    return (
        shown in modified
        or ("/" not in shown and shown in names)
        or any(path.endswith(f"/{shown}") for path in modified)
    )


_SIDE = re.compile(r"(.{1,60}?)[_ ](?:expects?|provides?|consumes?|offers?|sends?|requires?)\Z")
_ROLES = {
    "consumer",
    "provider",
    "client",
    "server",
    "caller",
    "producer",
    "upstream",
    "downstream",
    "who",
    "it",
    "what",
}


@rule(
    "references/side",
    "warning",
    "A concern names a side that is no track of the workflow.",
    example=(
        parent(parallel_tasks=[{"task_id": "api"}]),
        merged(integration_concerns=[{"concern": "Totals", "ledger_provides": "cents", "status": "aligned"}]),
    ),
    clean=(
        parent(parallel_tasks=[{"task_id": "api"}]),
        merged(integration_concerns=[{"concern": "Totals", "api_provides": "cents", "status": "aligned"}]),
    ),
)
def side(documents: DocumentSet) -> Iterator[Finding]:
    """Look for the words before ``_expects`` and ``_provides`` in the planned tracks' names and scopes."""
    plan = documents.plan
    if plan is None:
        return
    tasks = [mapping(task) for task in sequence(plan.data.get("parallel_tasks"))]
    names = " ".join(text(task.get(key)) for task in tasks for key in ("task_id", "agent", "scope")).lower()
    known = set(re.findall(r"[a-z0-9]+", names))
    for document in documents.revisions:
        for path, _ in document.values:
            match = (
                _SIDE.match(path[-1].lower())
                if path and isinstance(path[-1], str) and path[0] == "integration_concerns"
                else None
            )
            words = set(re.findall(r"[a-z0-9]+", match.group(1))) if match else set[str]()
            words -= {"service", "app", "api", "team", "side", "layer", "impl"}
            if match and words and not words & known and not words & _ROLES:
                yield found(
                    "references/side",
                    f"{match.group(1)!r} is no track of this workflow: "
                    f"{listed([text(task.get('task_id')) for task in tasks])}",
                    (document.source(path), plan.source(("parallel_tasks",))),
                )


@rule(
    "references/criterion",
    "warning",
    "A measurement names a criterion that the spec does not have.",
    example=(
        parent(success_criteria={"api": [{"id": "latency", "target": 200, "unit": "ms"}]}),
        verified(
            verification_results={
                "performance": {"measurements": [{"criterion": "latancy", "value": 180, "unit": "ms"}]}
            },
            success_criteria={"api": [{"id": "latency", "target": 200, "unit": "ms"}]},
        ),
    ),
    clean=(
        parent(success_criteria={"api": [{"id": "latency", "target": 200, "unit": "ms"}]}),
        verified(
            verification_results={
                "performance": {"measurements": [{"criterion": "latency", "value": 180, "unit": "ms"}]}
            },
            success_criteria={"api": [{"id": "latency", "target": 200, "unit": "ms"}]},
        ),
    ),
)
def criterion(documents: DocumentSet) -> Iterator[Finding]:
    """Look for every ``criterion`` member among the ids of the criteria, where criteria have ids."""
    holder = documents.criteria_holder
    if holder is None:
        return
    known = {text(members.get("id")) for path, members in holder.objects if path[:1] == ("success_criteria",)} - {""}
    for document in documents.current if known else ():
        for path, members in document.objects:
            for key in ("criterion", "criterion_id"):
                named = text(members.get(key))
                if named and named not in known and " " not in named:
                    yield found(
                        "references/criterion",
                        f"{named!r} is no criterion of the spec",
                        (document.source((*path, key)), holder.source(("success_criteria",))),
                    )
