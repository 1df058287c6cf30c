"""The running server: consumers' examples are sent to it, and schemathesis compares it with its OpenAPI document."""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
from pydantic import ValidationError

from contexts.contracts.paths import endpoint_name
from contexts.documents.base import JsonObject
from contexts.documents.figures import ApiFigures, CheckFigures
from contexts.documents.findings import Finding, Source
from contexts.documents.handin import Operation
from contexts.json.pointer import pointer
from contexts.json.values import is_list, is_object, mapping, section
from contexts.redaction import head_of
from contexts.spec.checks import ApiCheck
from contexts.store.keys import track_document
from contexts.text.plural import counted, first_of
from tasks.checks import api_replay as replay
from tasks.checks.bench import Bench, Step, from_environment
from tasks.checks.contract_files.openapi_files import read_openapi_file
from tasks.checks.contract_files.tree_files import Unread, parse, read_text
from tasks.checks.results import CheckResult
from tasks.checks.schemathesis_report import Failure, read_schemathesis
from tasks.checks.served import while_served
from tasks.filesystem import remove_folder

_MOST_EXAMPLES = 500
_SHOWN = 50
_CHECKS = "response_schema_conformance,not_a_server_error,status_code_conformance"
_DOCUMENT = "openapi.json"


def run_api(check: ApiCheck, bench: Bench) -> CheckResult:
    """Start the application, replay examples, let schemathesis try what the document says, end the application."""
    headers = _headers(check)
    if isinstance(headers, str):
        return CheckResult("unverified", headers)
    work = Path(tempfile.mkdtemp(prefix="api-", dir=bench.place))
    try:
        tried, ended = while_served(
            bench, bench.resolve(check.argv), check.id, lambda cancel: _try(check, bench, work, headers, cancel)
        )
    finally:
        remove_folder(work)  # the job may hold tokens
    # A server that fell over has still said what it said before.
    if ended and not tried.findings:
        return CheckResult("unverified", ended, reports=tried.reports)
    return tried


def _headers(check: ApiCheck) -> dict[str, str] | str:
    known = {name: from_environment(value) for name, value in check.headers.items()}
    unset = next((name for name, value in known.items() if value is None), None)
    if unset is not None:
        return f"header {unset} takes its value from {check.headers[unset]}, which is not set"
    return {name: value for name, value in known.items() if value is not None}


def _try(check: ApiCheck, bench: Bench, work: Path, headers: dict[str, str], cancel: threading.Event) -> CheckResult:
    examples = dict(itertools.islice(_examples(bench.consumers), _MOST_EXAMPLES)) if check.replay else {}
    served = check.openapi if check.openapi.startswith("/") else None
    job: replay.Job = {
        "port": bench.ports[0],
        "ready_path": check.ready_path,
        "ready_seconds": float(check.ready_seconds),
        "document": served,
        "headers": headers,
        "requests": [request for _, request in examples.values()],
    }
    step, result = _replay(bench, work, job, cancel)
    if result is None:
        return CheckResult("unverified", step.problem)
    if result["problem"]:
        return CheckResult("unverified", result["problem"])
    findings = [_of_example(examples[one["id"]][0], one) for one in result["answers"] if one["wrong"]]
    unread = [f"{one['id']}: {one['unread']}" for one in result["answers"] if one["unread"]]
    try:
        document = _document(check, bench, result["document"])
    except Unread as error:
        return _judged(findings, [], 0, len(result["answers"]), f"{check.openapi}: {error}", {})
    raw = orjson.dumps(document)
    (work / _DOCUMENT).write_bytes(raw)
    failures, tested, problem = _schemathesis(check, bench, work, headers, cancel)
    if unread:
        problem = "; ".join([*([problem] if problem else []), f"examples that cannot be judged: {first_of(unread, 2)}"])
    reports = {"openapi": (raw, "application/json")}
    return _judged(findings, failures, tested, len(result["answers"]), problem, reports)


def _replay(bench: Bench, work: Path, job: replay.Job, cancel: threading.Event) -> tuple[Step, replay.Result | None]:
    job_file, result = work / "job.json", work / "result.json"
    job_file.touch(mode=0o600)
    job_file.write_bytes(orjson.dumps(job))
    argv = (sys.executable, "-I", str(Path(replay.__file__).resolve()), str(job_file), str(result))
    step = bench.run("replay", argv, cwd=work, cancel=cancel)
    return step, orjson.loads(result.read_bytes()) if step.succeeded and result.is_file() else None


def _document(check: ApiCheck, bench: Bench, told: str | None) -> JsonObject:
    """Return the OpenAPI document: of the tree, or as the application answered it.

    Raises:
        Unread: It is not there, or none.
    """
    text = told if told is not None else read_text(bench.tree, check.openapi)
    value = parse(text, check.openapi if told is None else _DOCUMENT)
    if not is_object(value):
        raise Unread("it is no object")
    if told is not None:
        return value
    read, _ = read_openapi_file(bench.tree, check.openapi, value)
    return section(read, "openapi")


def _schemathesis(
    check: ApiCheck, bench: Bench, work: Path, headers: Mapping[str, str], cancel: threading.Event
) -> tuple[list[Failure], int, str]:
    """Return what schemathesis found, how many operations it tried, and why it found nothing out."""
    report = work / "report.ndjson"
    settings = work / "schemathesis.toml"  # an argument would be seen by everybody on the machine
    settings.touch(mode=0o600)
    named = ", ".join(f"{json.dumps(name)} = {json.dumps(value)}" for name, value in headers.items())
    settings.write_text(f"headers = {{ {named} }}\n" if named else "", encoding="utf-8")
    argv = (
        *bench.resolve(check.tool), "--config-file", str(settings), "run", str(work / _DOCUMENT),
        "--origin", f"http://127.0.0.1:{bench.ports[0]}", "--checks", _CHECKS, "--phases", "examples,fuzzing",
        "--mode", "positive", "--max-examples", str(check.max_examples), "--seed", str(check.seed), "--workers", "1",
        "--continue-on-failure", "--generation-database", "none", "--no-color", "--warnings", "off",
        "--report", "ndjson", "--report-ndjson-path", str(report),
    )  # fmt: skip
    # Without this, Python would look into the tree first, where a track may have put one that finds nothing.
    quiet = {"PYTHONSAFEPATH": "1", "DO_NOT_TRACK": "1"}
    step = bench.run("schemathesis", argv, cwd=work, env=quiet, cancel=cancel)
    if "No module named 'schemathesis" in step.text:
        python = " ".join(bench.shown(bench.resolve(check.tool))[:1])
        return [], 0, f"schemathesis is not there: install it where {python} is (pip install schemathesis)"
    if not report.is_file():
        return [], 0, bench.why_unfinished(step) if not step.finished else step.problem
    said = read_schemathesis(report)
    problem = ""
    if not step.finished:
        problem = bench.why_unfinished(step)
    elif step.outcome.exit_code not in {0, 1} or not said.tried:
        problem = f"no operation of {check.openapi} was tried: {step.problem}"
    elif said.untried:
        first = [f"{label or check.openapi}: {why}" for label, why in said.untried.items()]
        problem = f"{counted(len(first), 'operation was', 'operations were')} not tried: {first_of(first, 2)}"
    return list(said.failures), len(said.tried), problem


def _judged(
    findings: list[Finding],
    failures: list[Failure],
    tested: int,
    replayed: int,
    problem: str,
    reports: Mapping[str, tuple[bytes, str]],
) -> CheckResult:
    told = [*findings, *(_of_failure(one) for one in failures)]
    figures = CheckFigures(
        api=ApiFigures(operations=tested, failures=len(failures), replayed=replayed, broken=len(findings))
    )
    if told:
        shown = first_of([one.message for one in told], 2)
        reason = f"{counted(len(told), 'answer is', 'answers are')} not as the contract says: {shown}"
        return CheckResult("failed", reason, figures, reports, tuple(told[:_SHOWN]))
    return CheckResult("unverified" if problem else "passed", problem, figures, reports)


def _of_failure(one: Failure) -> Finding:
    message = f"{one.operation}: {one.title}: {one.message}"
    sources = (
        Source(document=_DOCUMENT, pointer="", quote=one.operation),
        Source(document="request", pointer="", quote=head_of(one.sent, 500)),
        Source(document="answer", pointer="", quote=head_of(one.answered, 500)),
    )
    return Finding(rule="contracts/live", severity="blocking", message=head_of(message, 1000), sources=sources)


def _of_example(source: Source, answer: replay.Answer) -> Finding:
    sources = (source, Source(document="answer", pointer="", quote=answer["answered"]))
    message = f"example {answer['sent']} of {source.document}: {answer['wrong']}"
    return Finding(rule="contracts/live", severity="blocking", message=head_of(message, 1000), sources=sources)


def _examples(tracks: Mapping[str, JsonObject]) -> Iterator[tuple[str, tuple[Source, replay.Request]]]:
    """Yield the examples of the tracks' hand-ins, what they assume before what they provide, by a name of each."""
    for side in ("assumes", "provides"):
        for task_id, document in tracks.items():
            given = section(section(document, "contracts"), side)
            for index, raw in enumerate(_items(given.get("operations"))):
                try:
                    operation = Operation.model_validate(raw)
                except ValidationError:
                    continue  # the audit says so
                named = endpoint_name(operation.operation)
                for at, example in enumerate(operation.examples or () if named else ()):
                    path = example.path or operation.operation.split()[1]
                    if named is None or (example.path is None and "{}" in named[1]):
                        continue
                    place = pointer("contracts", side, "operations", index, "examples", at)
                    request: replay.Request = {
                        "id": f"{task_id}{place}",
                        "method": named[0],
                        "path": quote(path, safe="/?&=%:,;@+~$!*'()[]-._"),
                        "headers": dict(example.headers or {}),
                        "body": example.body,
                        "status": example.status,
                        "responses": dict(operation.responses or {}),
                        "schemas": dict(mapping(given.get("schemas"))),
                        "response": example.response,
                    }
                    quoted = f"{named[0]} {path}"
                    yield (
                        request["id"],
                        (Source(document=track_document(task_id), pointer=place, quote=quoted), request),
                    )


def _items(value: object) -> list[Any]:
    return value if is_list(value) else []
