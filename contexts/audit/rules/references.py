"""References: names of tracks, files, endpoints and migrations that lead nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from contexts.audit.documents import DocumentSet
from contexts.audit.findings import listed
from contexts.audit.registry import found, rule
from contexts.audit.sample_documents import WORKFLOW, merged, parent, track, verified
from contexts.audit.source_document import SourceDocument
from contexts.documents.findings import Finding
from contexts.json.values import Path, at, mapping, sequence, text


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
                    f"context_ref {reference!r} is not the document of {task_id}, which is "
                    f"{target.workflow_id or target.name}",
                    (
                        document.source(("parallel_tasks", index, "context_ref")),
                        target.source(("workflow_id" if target.workflow_id else "task_id",)),
                    ),
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
        named = [path_and_id for path_and_id in _task_names(document) if path_and_id[1] not in planned | {""}]
        strangers = [(p, name) for p, name in _strangers(document, planned) if not documents.elsewhere(name, document)]
        for path, task_id in (*named, *strangers):
            yield found(
                "references/unknown-track",
                f"{task_id!r} is no track of this workflow: {listed(sorted(planned))}",
                (document.source(path), plan.source(("parallel_tasks",))),
                # What a track's agent writes about other tracks is its word; what plait lists is a record.
                "warning" if (path, task_id) in strangers or (document.task_id and path != ("task_id",)) else None,
            )


_NO_TRACK = frozenset(
    """total totals overall all average mean combined merged shared common integration unit e2e component contract
    backend frontend line lines branch branches functions statements target threshold minimum status""".split()  # noqa: SIM905
)


def _strangers(document: SourceDocument, planned: set[str]) -> Iterator[tuple[Path, str]]:
    """Yield the names that an object of coverages or results by track has beside at least two tracks' ids."""
    for path, members in document.objects:
        if path and re.search(r"coverage|by_track|per_track", str(path[-1])) and len(members.keys() & planned) > 1:
            for name in members.keys() - planned:
                other = str(name).lower()
                alike = {type(members[name])} == {type(members[known]) for known in members.keys() & planned}
                if alike and other not in _NO_TRACK and not set(re.split(r"[_\W]+", other)) & {"total", "overall"}:
                    yield (*path, name), name


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
