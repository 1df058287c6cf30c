"""Fidelity of outcomes: statuses, errors, figures and contracts of tracks as later documents repeat them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from contexts.audit.documents import DocumentSet, SourceDocument
from contexts.audit.findings import Finding, Source, counted, listed, source_at
from contexts.audit.quantities import read
from contexts.audit.registry import found, rule
from contexts.audit.samples import merged, parent, track
from contexts.audit.words import plain
from contexts.contract.model import Endpoint, Schema
from contexts.contract.paths import mentions
from contexts.contract.typescript import parse_typescript
from contexts.contract.values import Path, at, mapping, number, resolve, sequence, text

_BAD = re.compile(
    r"fail|error|blocked|cancel|incomplete|in[-_ ]?progress|partial|aborted|pending|running|out-of-budget",
    re.IGNORECASE,
)
_GOOD = re.compile(r"complete|success|passed|done|finished", re.IGNORECASE)
_CODES = re.compile(
    r"(?<![\d.])[45]\d{2}(?![\d.%])(?!\s?(?:ms|s|x|MB|KB|%|chars|users|requests|req|rows|minutes|tests))"
)
_OF_CODES = re.compile(r"code|error|status|http", re.IGNORECASE)


def _tasks(document: SourceDocument) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield what a workflow's document says of each task."""
    for keys in (("parallel_execution_summary", "tasks"), ("parallel_tasks",), ("tracks",), ("tasks",)):
        raw = at(document.data, *keys)
        for index, task in enumerate(sequence(raw)):
            if text(mapping(task).get("task_id")):
                yield (*keys, index), mapping(task)
        for name, task in mapping(raw).items():
            if isinstance(task, dict):
                yield (*keys, name), {"task_id": name, **mapping(task)}


def _outcome(document: SourceDocument) -> tuple[str, str]:
    status = text(document.data.get("status"))
    return ("status", status) if status else ("phase", document.phase)


@rule(
    "fidelity/status-contradicts",
    "blocking",
    "A merged document gives a track another outcome than the track itself.",
    example=(
        track("api", phase="api-failed"),
        merged(parallel_execution_summary={"tasks": [{"task_id": "api", "status": "completed"}]}),
    ),
    clean=(
        track("api", phase="api-failed"),
        merged(parallel_execution_summary={"tasks": [{"task_id": "api", "status": "failed"}]}),
    ),
)
def status_contradicts(documents: DocumentSet) -> Iterator[Finding]:
    """Compare each task's status with its track's own status or phase."""
    for document in (*documents.at_stage("merged"), *documents.at_stage("verified")):
        for path, task in _tasks(document):
            own = documents.track.get(text(task.get("task_id")))
            said = text(task.get("status"))
            if own is None or not said:
                continue
            key, outcome = _outcome(own)
            good, bad = bool(_GOOD.search(said)) and not _BAD.search(said), bool(_BAD.search(said))
            own_bad = bool(_BAD.search(outcome))
            own_good = bool(_GOOD.search(outcome)) and not own_bad
            if (good and own_bad) or (bad and own_good and re.search("fail|error|cancel|abort", said, re.IGNORECASE)):
                yield found(
                    "fidelity/status-contradicts",
                    f"{task.get('task_id')} is {said!r} here, and {outcome!r} in its own document",
                    (document.source((*path, "status")), own.source((key,))),
                )


@rule(
    "fidelity/track-missing",
    "blocking",
    "A planned track is not in the merge, and nothing says why.",
    example=(
        parent(parallel_tasks=[{"task_id": "api"}, {"task_id": "ui"}]),
        merged(parallel_execution_summary={"tasks": [{"task_id": "api", "status": "completed"}]}),
    ),
    clean=(
        parent(parallel_tasks=[{"task_id": "api"}, {"task_id": "ui"}]),
        merged(parallel_execution_summary={"tasks": [{"task_id": "api", "status": "completed"}], "missing": ["ui"]}),
    ),
)
def track_missing(documents: DocumentSet) -> Iterator[Finding]:
    """Look for every planned task in the merge's summary, or anywhere else in its words."""
    plan = documents.plan
    for document in documents.at_stage("merged"):
        listed_tasks = {
            text(mapping(t).get("task_id")) for t in sequence(at(document.data, "parallel_execution_summary", "tasks"))
        }
        if plan is None or not listed_tasks or plan is document:
            continue
        for index, raw in enumerate(sequence(plan.data.get("parallel_tasks"))):
            task_id = text(mapping(raw).get("task_id"))
            if task_id and task_id not in listed_tasks and not any(task_id in value for _, value in document.texts):
                yield found(
                    "fidelity/track-missing",
                    f"the planned track {task_id!r} is not in the merge",
                    (
                        plan.source(("parallel_tasks", index, "task_id")),
                        document.source(("parallel_execution_summary", "tasks")),
                    ),
                )


@rule(
    "fidelity/value-changed",
    "blocking",
    "A merged document repeats a track's figure or agent differently.",
    example=(
        track("api", implementation_details={"test_coverage": {"total": "84%"}}),
        merged(parallel_execution_summary={"tasks": [{"task_id": "api", "test_coverage": "94%"}]}),
    ),
    clean=(
        track("api", implementation_details={"test_coverage": {"total": "84%"}}),
        merged(parallel_execution_summary={"tasks": [{"task_id": "api", "test_coverage": 84.0}]}),
    ),
)
def value_changed(documents: DocumentSet) -> Iterator[Finding]:
    """Compare each task's coverage and agent with its track's own."""
    for document in (*documents.at_stage("merged"), *documents.at_stage("verified")):
        for path, task in _tasks(document):
            own = documents.track.get(text(task.get("task_id")))
            if own is None:
                continue
            there = _coverage(own)
            here = _percent(task.get("test_coverage", task.get("coverage")))
            key = "test_coverage" if "test_coverage" in task else "coverage"
            if there is not None and here is not None and abs(there[1] - here) > 0.5:
                yield found(
                    "fidelity/value-changed",
                    f"the coverage of {task.get('task_id')} is {here:g}% here, and {there[1]:g}% in its own document",
                    (document.source((*path, key)), own.source(there[0])),
                )
            agent, own_agent = text(task.get("agent")), text(own.data.get("current_agent"))
            if agent and own_agent and plain(agent) != plain(own_agent) and path[0] == "parallel_execution_summary":
                yield found(
                    "fidelity/value-changed",
                    f"the agent of {task.get('task_id')} is {agent!r} here, and {own_agent!r} in its own document",
                    (document.source((*path, "agent")), own.source(("current_agent",))),
                    "warning",
                )


def _percent(value: Any) -> float | None:
    plain_number = number(value)
    if plain_number is not None:
        return plain_number * 100 if 0 < plain_number <= 1 and isinstance(value, float) else plain_number
    found_values = [m.quantity for m in read(text(value)).measured if m.quantity.dimension == "percent"]
    return found_values[0].base if found_values else None


def _coverage(document: SourceDocument) -> tuple[Path, float] | None:
    for keys in (
        ("implementation_details", "test_coverage", "total"),
        ("implementation_details", "test_coverage", "overall"),
        ("implementation_details", "test_coverage"),
        ("implementation_details", "coverage", "total"),
        ("implementation_details", "coverage"),
        ("test_results", "coverage"),
        ("test_coverage", "total"),
        ("test_coverage",),
    ):
        value = _percent(at(document.data, *keys))
        if value is not None:
            return keys, value
    return None


@rule(
    "fidelity/error-lost",
    "blocking",
    "An error of a track's log is not in the merged log, or is resolved only there.",
    example=(
        track(
            "api",
            error_log=[
                {"timestamp": "2025-03-01T09:30:00Z", "agent": "a", "error": "Deadlock on save", "resolved": True}
            ],
        ),
        merged(error_log=[]),
    ),
    clean=(
        track(
            "api",
            error_log=[
                {"timestamp": "2025-03-01T09:30:00Z", "agent": "a", "error": "Deadlock on save", "resolved": True}
            ],
        ),
        merged(
            error_log=[
                {"timestamp": "2025-03-01T09:30:00Z", "agent": "a", "error": "Deadlock on save", "resolved": True}
            ]
        ),
    ),
)
def error_lost(documents: DocumentSet) -> Iterator[Finding]:
    """Compare the merged error log with the tracks' entries, by their text."""
    merge = documents.merge
    if merge is None:
        return
    log = sequence(merge.data.get("error_log"))
    kept = {plain(text(mapping(entry).get("error"))): index for index, entry in enumerate(log)}
    lost = list[Source]()
    for document in documents.tracks:
        for index, raw in enumerate(sequence(document.data.get("error_log"))):
            entry = mapping(raw)
            said = plain(text(entry.get("error")))
            if said and said not in kept:
                lost.append(document.source(("error_log", index)))
            elif said and entry.get("resolved") is False and mapping(log[kept[said]]).get("resolved") is True:
                yield found(
                    "fidelity/error-lost",
                    f"the error {text(entry.get('error'))!r} is unresolved in {document.name}, resolved in the merge",
                    (
                        merge.source(("error_log", kept[said], "resolved")),
                        document.source(("error_log", index, "resolved")),
                    ),
                )
    if lost:
        place = merge.source(("error_log",)) if "error_log" in merge.data else merge.source(("phase",))
        yield found(
            "fidelity/error-lost", f"{counted(len(lost), 'error')} of the tracks not in the merged log", (*lost, place)
        )


@rule(
    "fidelity/status-code-lost",
    "blocking",
    "A status code that a consumer handles disappears where a later document lists the codes.",
    example=(
        track("ui", api_contract_assumptions={"POST /items": {"error_codes": [400, 404, 413]}}),
        merged(integration_concerns=[{"concern": "Errors", "expects": "error codes 400, 404", "status": "aligned"}]),
    ),
    clean=(
        track("ui", api_contract_assumptions={"POST /items": {"error_codes": [400, 404, 413]}}),
        merged(
            integration_concerns=[{"concern": "Errors", "expects": "error codes 400, 404, 413", "status": "aligned"}]
        ),
    ),
)
def status_code_lost(documents: DocumentSet) -> Iterator[Finding]:
    """Compare lists of codes in later sentences with the codes consumers handle, per endpoint if one is named."""
    handled: dict[tuple[str, str], dict[int, Source]] = {}
    for contract in documents.consumers:
        if contract.document in {d.name for d in documents.revisions}:
            continue
        data = documents.by_name[contract.document].data
        for endpoint in contract.endpoints:
            for code in endpoint.codes or ():
                if code.status >= 400:
                    handled.setdefault(endpoint.key, {}).setdefault(
                        code.status, source_at(contract.document, data, code.pointer)
                    )
    everything = {status: source for codes in handled.values() for status, source in codes.items()}
    lost: dict[int, list[Source]] = {}
    for document in documents.revisions:
        if document.stage == "parent" or not everything:
            continue
        for path, value in document.texts:
            codes = {int(code) for code in _CODES.findall(value)}
            if (
                len(codes) < 2
                or not _OF_CODES.search(f"{value} {path[-1]}")
                or path[0] in {"error_log", "decisions", "pending_actions"}
            ):
                continue
            named = [name for name in mentions(value) if name in handled]
            wanted = {s: src for name in named for s, src in handled[name].items()} if named else everything
            if len(codes & wanted.keys()) >= 2:
                for status in wanted.keys() - codes:
                    lost.setdefault(status, [wanted[status]]).append(document.source(path))
    if lost:
        codes_lost = listed([str(code) for code in sorted(lost)])
        sources = [source for code in sorted(lost) for source in (*lost[code][1:], lost[code][0])]
        yield found(
            "fidelity/status-code-lost",
            f"{codes_lost} handled by a consumer and lost where later documents list the codes",
            sources,
        )


@rule(
    "fidelity/contract-changed",
    "blocking",
    "A contract that a later document carries differs from the track's own.",
    example=(
        track("ui", api_contract_assumptions={"GET /items": {"response": "{ id: string, price: number }"}}),
        merged(api_contract_assumptions={"GET /items": {"response": "{ id: string }"}}),
    ),
    clean=(
        track("ui", api_contract_assumptions={"GET /items": {"response": "{ id: string, price: number }"}}),
        merged(api_contract_assumptions={"GET /items": {"response": "{ id: string, price: number }"}}),
    ),
)
def contract_changed(documents: DocumentSet) -> Iterator[Finding]:
    """Compare carried endpoints with those of the tracks as read: shapes and codes, not spelling."""
    own: dict[tuple[str, str], list[tuple[SourceDocument, Endpoint]]] = {}
    for document in documents.tracks:
        for contract in document.contracts:
            for endpoint in contract.endpoints:
                own.setdefault(endpoint.key, []).append((document, endpoint))
    for document in documents.revisions:
        for endpoint in (e for contract in document.contracts for e in contract.endpoints):
            theirs = own.get(endpoint.key, [])
            # A copy under a track's name is a copy of that track's contract.
            named = [(d, e) for d, e in theirs if d.task_id in endpoint.pointer.split("/")]
            differing = [(d, e, _differences(document, endpoint, d, e)) for d, e in named or theirs]
            if (
                _bare(document, endpoint)
                or not differing
                or document.stage == "parent"
                or not all(names for _, _, names in differing)
            ):
                continue
            track_document, original, names = min(differing, key=lambda item: len(item[2]))
            yield found(
                "fidelity/contract-changed",
                f"{endpoint.shown} differs from {track_document.name} in {listed(names)}",
                (
                    *(source_at(document.name, document.data, _member(document, endpoint, name)) for name in names),
                    *(
                        source_at(track_document.name, track_document.data, _member(track_document, original, name))
                        for name in names
                    ),
                ),
            )


_SPELLED = {
    "codes": ("error_codes", "status_codes", "errors", "codes", "responses"),
    "response": ("response", "response_model", "responses"),
    "request": ("request", "request_model", "requestBody"),
}


def _bare(document: SourceDocument, endpoint: Endpoint) -> bool:
    """Tell whether an entry only names an endpoint, and copies nothing of its contract."""
    raw = mapping(resolve(document.data, endpoint.pointer))
    return not any(key in raw for keys in _SPELLED.values() for key in keys)


def _member(document: SourceDocument, endpoint: Endpoint, name: str) -> str:
    """Return the pointer of a part of an endpoint as its notation calls it, else of the endpoint."""
    raw = mapping(resolve(document.data, endpoint.pointer))
    return next((f"{endpoint.pointer}/{key}" for key in _SPELLED[name] if key in raw), endpoint.pointer)


def _differences(copy: SourceDocument, mine: Endpoint, original: SourceDocument, theirs: Endpoint) -> list[str]:
    """Return which parts of a copied endpoint differ from the original; what that does not say cannot differ."""
    names = list[str]()
    if theirs.codes is not None and {c.status for c in mine.codes or ()} != {c.status for c in theirs.codes}:
        names.append("codes")
    here, there = mapping(resolve(copy.data, mine.pointer)), mapping(resolve(original.data, theirs.pointer))
    for name in ("response", "request"):
        key = next((k for k in _SPELLED[name][:2] if k in there), None)
        if key is not None and not _same_notation(here.get(key), there[key]):
            names.append(name)
    return names


def _same_notation(one: Any, other: Any) -> bool:
    if one == other:
        return True
    if not isinstance(one, str) or not isinstance(other, str):
        return False
    a, b = parse_typescript(one), parse_typescript(other)
    return " ".join(one.split()) == " ".join(other.split()) or (a.kind != "unknown" and _in_order(a) == _in_order(b))


def _in_order(schema: Schema) -> Schema:
    """Put members and enum values in one order, which no contract depends on."""
    fields = tuple(sorted((replace(f, schema=_in_order(f.schema)) for f in schema.fields), key=lambda f: f.name))
    items = _in_order(schema.items) if schema.items else None
    return replace(schema, fields=fields, items=items, enum=tuple(sorted(schema.enum)) if schema.enum else None)


@rule(
    "fidelity/contract-lost",
    "blocking",
    "A later document carries the contracts of some tracks, and not those of another.",
    example=(
        track("ui", api_contract_assumptions={"GET /items": {"response": "{ id: string }"}}),
        track("bot", api_contract_assumptions={"GET /carts": {"response": "{ id: string }"}}),
        merged(contracts={"ui": {"GET /items": {"response": "{ id: string }"}}}),
    ),
    clean=(
        track("ui", api_contract_assumptions={"GET /items": {"response": "{ id: string }"}}),
        track("bot", api_contract_assumptions={"GET /carts": {"response": "{ id: string }"}}),
        merged(
            contracts={
                "ui": {"GET /items": {"response": "{ id: string }"}},
                "bot": {"GET /carts": {"response": "{ id: string }"}},
            }
        ),
    ),
)
def contract_lost(documents: DocumentSet) -> Iterator[Finding]:
    """Look for every track's consumed endpoints in a merge that carries contracts at all."""
    for document in documents.at_stage("merged"):
        carried = [e for contract in document.contracts for e in contract.endpoints]
        if not carried:
            continue
        keys = {e.key for e in carried}
        copies = {(part, e.key) for e in carried for part in e.pointer.split("/")}
        by_track = any(part in documents.track for part, _ in copies)
        lost: list[Source] = []
        for own in documents.tracks:
            for contract in own.contracts:
                for endpoint in contract.endpoints if contract.role == "consumer" else ():
                    kept = (own.task_id, endpoint.key) in copies if by_track else endpoint.key in keys
                    if not kept:
                        lost.append(source_at(own.name, own.data, endpoint.pointer))
        if lost:
            place = next((e.pointer.split("/")[1] for e in carried), "")
            yield found(
                "fidelity/contract-lost",
                f"{counted(len(lost), 'contract')} of the tracks not in {document.name}: "
                f"{listed([s.pointer.rsplit('/', 1)[-1].replace('~1', '/') for s in lost], 3)}",
                (*lost, document.source((place,))),
            )
