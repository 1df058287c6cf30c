"""The built-in check of contract files: what tracks name is read on the integrated tree, with evidence of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from shutil import which

from contexts.documents.base import JsonObject, now
from contexts.documents.codec import digest
from contexts.documents.context import Context
from contexts.documents.figures import CheckFigures, ContractFileFigures
from contexts.documents.findings import Finding
from contexts.documents.refs import ContextRef
from contexts.documents.verification import Evidence
from contexts.spec.model import Spec
from contexts.text.plural import first_of
from tasks.checks.bench import Bench
from tasks.checks.contract_files.named import FileRead, FilesRead, Named, named_files
from tasks.checks.contract_files.read import read_files
from tasks.checks.results import notes_on
from tasks.checks.rewritten_files import rewritten, stamps
from tasks.filesystem import remove_folder
from tasks.git.paths import readable
from tasks.run.check_trees import content_at, keep_log, set_up, step_record
from tasks.run.evidence import Subject, subject_of
from tasks.run.progress import Progress, report
from tasks.run.run import Run

KIND = "contract-files"
REPORT = "contracts"
"""Name of the report that holds what was read."""
INPUTS_FORMAT = 1
_SECONDS = 900.0
_TOOLS = ("graphql-core", "grpcio-tools", "protobuf", "pydantic")


def check_name(spec: Spec) -> str:
    """Return what the check is called: ``contracts``, unless a check of the spec is."""
    return f"plait:{REPORT}" if any(one.id == REPORT for one in spec.verification.checks) else REPORT


def named_in(run: Run, merged: ContextRef) -> list[Named]:
    """Return the files that the merged tracks name as contracts, in hand-ins and spec."""
    context = run.store.load_context(merged)
    if not context.run or context.run.integrated is None:
        return []
    return named_files(_documents(run, subject_of(context)), run.spec)


def _documents(run: Run, subject: Subject) -> dict[str, JsonObject]:
    refs = subject.tracks
    return dict(zip(refs, run.store.load_many(list(refs.values())), strict=True))


def contract_files(run: Run, context: Context, before: Sequence[Evidence]) -> Evidence:
    """Return the evidence of what was read: an earlier run's where all was read and nothing changed, or a new one.

    Args:
        run: The run.
        context: A context that names the integrated commit.
        before: Evidence of earlier runs.
    """
    name = check_name(run.spec)
    subject = subject_of(context)
    named = named_files(_documents(run, subject), run.spec)
    inputs = _inputs(run, subject, named)
    same = (one for one in before if one.kind == KIND and one.inputs == inputs and one.status == "passed")
    if (earlier := next(same, None)) is not None:
        report(Progress(run.workflow_id, "check", name, "passed", "reused: same tree, same files", earlier.seconds))
        return earlier.changed(reused=True)
    report(Progress(run.workflow_id, "check", name, "running"))
    evidence = _read(run, name, subject, named).changed(tree=subject.tree, inputs=inputs)
    report(Progress(run.workflow_id, "check", name, evidence.status, evidence.reason or "", evidence.seconds))
    return evidence


def _inputs(run: Run, subject: Subject, named: Sequence[Named]) -> str:
    """Return the digest of everything that decides what is read: the tree, the files, and the tools."""
    return digest(
        {
            "format": INPUTS_FORMAT,
            "tree": subject.tree,
            "files": [[one.key, one.path, one.file.to_json() if one.file else None] for one in named],
            "setup": run.spec.verification.setup,
            "tools": {"python": sys.version, "node": which("node"), "protoc": which("protoc"), **_versions()},
        }
    )


def _versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name in _TOOLS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def _read(run: Run, name: str, subject: Subject, named: Sequence[Named]) -> Evidence:
    place = run.repository.root / "checks" / name
    remove_folder(place)
    bench = Bench(
        tree=place / "tree",
        place=place,
        folder=run.folder,
        cancel=run.cancel,
        seconds=_SECONDS,
        on_line=lambda line: report(Progress(run.workflow_id, "line", name, "running", line)),
    )
    began, started = now(), time.monotonic()
    run.repository.checkout(subject.commit, bench.tree, as_repository=True)
    before = stamps(bench.tree)
    read = read_files(named, bench, lambda: set_up(run, bench, bench.tree))
    findings = [*read.findings]
    touched = rewritten(bench.tree, before, lambda path: content_at(run, subject.commit, path))
    if touched:
        names = first_of([readable(one) for one in touched], 5)
        said = f"reading contract files rewrote files of the tree: {names}; what was read later may rest on that"
        findings.append(Finding(rule="evidence/tree-rewritten", severity="warning", message=said, sources=()))
    kept = [(step, *keep_log(run, step)) for step in bench.steps]
    findings += [one for _, _, found in kept for one in found]
    blob = run.store.put_json(run.workflow_id, read.report.to_json())
    figures = ContractFileFigures(read=len(named) - read.unread, unread=read.unread)
    remove_folder(place)
    return Evidence(
        check=name,
        kind=KIND,
        status="unverified" if read.unread else "passed",
        argv=[],
        seconds=round(time.monotonic() - started, 3),
        started_at=began,
        result=CheckFigures(contract_files=figures),
        reports={REPORT: blob},
        reason=read.summary if read.unread else None,
        steps=[step_record(bench, step, log) for step, log, _ in kept] or None,
        findings=findings or None,
        notes=list(notes_on(bench.steps)) or None,
    ).compact()


def files_read(run: Run, evidence: Sequence[Evidence]) -> Mapping[str, list[FileRead]]:
    """Return what was read of contract files, by track; nothing where none are named."""
    record = next((one for one in evidence if one.kind == KIND), None)
    blob = (record.reports or {}).get(REPORT) if record else None
    if blob is None:
        return {}
    found: dict[str, list[FileRead]] = {}
    for one in FilesRead.model_validate_json(run.store.get_blob(run.workflow_id, blob)).files:
        found.setdefault(one.track, []).append(one)
    return found
