"""Read every named file at a check's bench: what needs no tool here, the rest by programs in the sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from contexts.documents.base import JsonObject
from contexts.documents.findings import Finding, Severity
from contexts.documents.handin import ContractFile, FileFormat
from contexts.json.values import is_object, mapping, sequence, text
from contexts.text.plural import counted
from tasks.checks.bench import Bench, Step, StepFailed
from tasks.checks.contract_files.named import FileRead, FilesRead, Named, format_of, unread
from tasks.checks.contract_files.openapi_files import read_json_schema_file, read_openapi_file
from tasks.checks.contract_files.operations import mapped_operations, wanted_types
from tasks.checks.contract_files.protobuf import (
    ProtoFile,
    as_contract,
    compare_protobuf,
    parse_descriptors,
    unprovided,
)
from tasks.checks.contract_files.tree_files import Unread, is_parsed, parse, read_text

MAX_READ_BYTES = 5_000_000
"""How much may come of one file."""
_FILE_SECONDS = 60.0
_HERE = Path(__file__).parent
_WORKSPACE_PYTHON = Path(".venv", "bin", "python")


@dataclass(frozen=True, slots=True)
class ReadFiles:
    """What came of all named files.

    Attributes:
        report: What was read.
        findings: What was not, and where files of one language contradict each other.
    """

    report: FilesRead
    findings: tuple[Finding, ...]

    @property
    def unread(self) -> int:
        """How many files were not read."""
        return sum("unread" in one.read for one in self.report.files)

    @property
    def summary(self) -> str:
        """How many files were read, in words."""
        files = counted(len(self.report.files), "contract file")
        return f"{files}, {self.unread} of them not read" if self.unread else f"{files} read"


@dataclass
class _Reading:
    """Files that are being read.

    Attributes:
        bench: Where.
        read: What was read, by key.
        parts: What of it was not, by key.
        found: Where files of one language contradict each other.
    """

    bench: Bench
    read: dict[str, JsonObject] = field(default_factory=dict[str, JsonObject])
    parts: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    found: list[Finding] = field(default_factory=list[Finding])

    @property
    def python(self) -> str:
        """The project's interpreter: the workspace's own where its setup made one, else that of checks."""
        own = self.bench.tree / _WORKSPACE_PYTHON
        return str(own) if own.is_file() else self.bench.resolve(("{python}",))[0]

    def keep(self, one: Named, read: JsonObject, parts: Sequence[str] = ()) -> None:
        size = len(json.dumps(read))
        if size > MAX_READ_BYTES:
            read, parts = {"unread": f"what it describes is larger than {MAX_READ_BYTES // 1_000_000} MB"}, ()
        self.read[one.key] = read
        self.parts[one.key] = list(parts)

    def fail(self, one: Named, why: object) -> None:
        self.keep(one, {"unread": str(why)})

    def program(self, name: str, program: str, job: JsonObject, *first: str) -> JsonObject:
        """Run a reading program on a job and return what it printed.

        Raises:
            Unread: It could not be run to its end, or printed something else.
        """
        path = self.bench.place / f"{program}.json"
        path.write_text(json.dumps(job), encoding="utf-8")
        step = self.bench.run(name, (*first, str(_HERE / program), str(path)), capture=True, seconds=_FILE_SECONDS)
        return _printed(step)


def _printed(step: Step) -> JsonObject:
    if not step.succeeded:
        raise Unread(f"reading it: {step.problem}")
    try:
        told: Any = json.loads(step.output)
    except (ValueError, RecursionError) as error:
        raise Unread("what reading it printed is no JSON; run it again, and look at the log of the check") from error
    if not is_object(told):
        raise Unread("what reading it printed is no JSON object")
    return told


def read_files(named: Sequence[Named], bench: Bench, set_up: Callable[[], None]) -> ReadFiles:
    """Read every named file of the tree at a bench.

    Args:
        named: The files.
        bench: The bench; its tree is there, as it was committed.
        set_up: Prepares the tree, for files that need a tool of the workspace; raises `StepFailed`.
    """
    reading = _Reading(bench)
    texts: dict[str, str] = {}
    told: dict[FileFormat, list[tuple[Named, ContractFile]]] = {}
    for one in named:
        try:
            file, form, texts[one.key] = _opened(one, reading)
        except Unread as error:
            reading.fail(one, error)
            continue
        if one.key not in reading.read:
            told.setdefault(form, []).append((one, file))
    if told:
        try:
            set_up()
        except StepFailed as error:
            for one, _ in (each for files in told.values() for each in files):
                reading.fail(one, f"the tree could not be prepared: {error}")
            told = {}
    _read_typescript(reading, told.get("typescript", []))
    _read_graphql(reading, [one for one, _ in told.get("graphql", [])], texts)
    _read_protobuf(reading, [one for one, _ in told.get("protobuf", [])])
    for one, file in told.get("pydantic", []):  # last: it alone runs what tracks wrote
        _read_pydantic(reading, one, file)
    return _told(named, reading)


def _told(named: Sequence[Named], reading: _Reading) -> ReadFiles:
    files: list[FileRead] = []
    findings: list[Finding] = []
    for one in named:
        read, parts = reading.read[one.key], reading.parts[one.key]
        given = one.file.to_json() if one.file else {"path": one.path}
        entry = FileRead(track=one.track, side=one.side, index=one.index, in_spec=one.in_spec, file=given, read=read)
        files.append(entry.changed(parts=parts) if parts else entry)
        if "unread" in read:
            findings.append(unread(one, text(read["unread"])))
        elif parts:
            shown = "; ".join(parts[:5]) + (f" and {len(parts) - 5} more" if len(parts) > 5 else "")
            findings.append(unread(one, f"not all of it, but for {shown}"))
    return ReadFiles(FilesRead(files=files), (*findings, *reading.found))


def _opened(one: Named, reading: _Reading) -> tuple[ContractFile, FileFormat, str]:
    """Return a file's entry, format and text; one of OpenAPI or JSON Schema is read on the way.

    Raises:
        Unread: It cannot be.
    """
    if one.file is None:
        raise Unread("its entry in files is not of the form {path, format, operations}")
    tree, file = reading.bench.tree, one.file
    body = read_text(tree, file.path)
    value = parse(body, file.path) if is_parsed(file.path) or file.format in {"openapi", "json-schema"} else None
    form = format_of(file, value)
    if form is None:
        raise Unread("nothing says of what format it is; add format beside its path")
    if form == "openapi":
        reading.keep(one, *read_openapi_file(tree, file.path, value))
    elif form == "json-schema":
        schemas, parts = read_json_schema_file(tree, file.path, value)
        _keep_types(reading, one, file, schemas, parts)
    return file, form, body


def _keep_types(
    reading: _Reading,
    one: Named,
    file: ContractFile,
    schemas: JsonObject,
    parts: Sequence[str],
    told: JsonObject | None = None,
) -> None:
    """Keep a file that has only types, with the operations that its entry maps to them."""
    names = told or {}
    requests, answers = mapping(names.get("requests")), mapping(names.get("answers"))
    operations, missing = mapped_operations(file, requests, answers, schemas)
    kept = {one["operation"]: one for one in operations}
    reading.keep(one, {"operations": list(kept.values()), "schemas": schemas}, [*missing, *parts])


def _read_typescript(reading: _Reading, files: Sequence[tuple[Named, ContractFile]]) -> None:
    if not files:
        return
    jobs: list[JsonObject] = []
    for one, file in files:
        sent, answered = wanted_types(file)
        jobs.append({"key": one.key, "path": file.path, "names": list(dict.fromkeys([*sent, *answered])) or None})
    try:
        job: JsonObject = {"tree": str(reading.bench.tree), "files": jobs}
        told = reading.program("typescript", "typescript_reader.cjs", job, "node")
    except Unread as error:
        for one, _ in files:
            reading.fail(one, error)
        return
    for one, file in files:
        _keep_told(reading, one, file, mapping(told.get(one.key)))


def _keep_told(reading: _Reading, one: Named, file: ContractFile, told: JsonObject) -> None:
    if not is_object(told.get("schemas")):
        reading.fail(one, text(told.get("unread")) or "nothing was read of it")
        return
    parts = [text(part) for part in sequence(told.get("parts"))]
    _keep_types(reading, one, file, mapping(told["schemas"]), parts, told)


def _read_pydantic(reading: _Reading, one: Named, file: ContractFile) -> None:
    sent, answered = wanted_types(file)
    job = {"tree": str(reading.bench.tree), "path": file.path, "validation": sent, "serialization": answered}
    try:
        told = reading.program(f"pydantic {file.path}", "pydantic_reader.py", job, reading.python, "-I")
    except Unread as error:
        reading.fail(one, error)
        return
    _keep_told(reading, one, file, told)


def _read_graphql(reading: _Reading, files: Sequence[Named], texts: dict[str, str]) -> None:
    if not files:
        return
    jobs = [
        {"key": one.key, "track": one.track, "side": one.side, "path": one.path, "text": texts[one.key]}
        for one in files
    ]
    try:
        told = reading.program("graphql", "graphql_reader.py", {"files": jobs}, reading.python, "-I")
    except Unread as error:
        for one in files:
            reading.fail(one, error)
        return
    by_key = {one.key: one for one in files}
    for one in files:
        read = mapping(mapping(told.get("reads")).get(one.key))
        reading.keep(one, read or {"unread": "nothing was read of it"})
    severity: Severity = "blocking"
    for raw in sequence(told.get("mismatches")):
        given = mapping(raw)
        one = by_key[text(given.get("key"))]
        others = [by_key[text(key)] for key in sequence(given.get("providers"))]
        message = f"{text(given.get('message'))} ({', '.join(other.path for other in others)})"
        sources = (one.source.changed(quote=text(given.get("quote"))), *(other.source for other in others))
        rule = text(given.get("rule"))
        reading.found.append(Finding(rule=rule, severity=severity, message=message, sources=sources))


def _read_protobuf(reading: _Reading, files: Sequence[Named]) -> None:
    read: list[ProtoFile] = []
    for one in files:
        out = str(reading.bench.place / "descriptors")
        job = {"tree": str(reading.bench.tree), "path": one.path, "out": out}
        try:
            told = reading.program(f"protobuf {one.path}", "protobuf_reader.py", job, reading.python, "-I")
            if "unread" in told:
                reading.fail(one, text(told["unread"]))
            else:
                read.append(ProtoFile(one, parse_descriptors(told)))
        except ValidationError as error:
            reading.fail(one, f"protoc's descriptors are of another form: {error.errors()[0]['msg']}")
        except Unread as error:
            reading.fail(one, error)
    for file in read:
        why = unprovided(file, read) if file.named.side == "assumes" else None
        if why:
            reading.fail(file.named, why)
        else:
            reading.keep(file.named, *as_contract(file, shapes=file.named.side == "provides"))
    reading.found += compare_protobuf(read)
