"""Evidence: run a check on a tree of its own, or take over its pass on the very same inputs, and keep the record."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from contexts.documents.context import Context
from contexts.documents.findings import Finding
from contexts.documents.refs import BlobRef, ContextRef
from contexts.documents.verification import Evidence, EvidenceStep
from contexts.errors import DocumentError
from contexts.failpoints import failpoint
from contexts.redaction import head_of
from contexts.spec.checks import Check
from contexts.spec.model import Spec
from contexts.spec.programs import Known
from contexts.text.plural import counted, first_of
from tasks.checks.bench import Bench, Step, StepFailed, lend_ports_for
from tasks.checks.own_files import Change, changed_files
from tasks.checks.results import CheckResult, CheckRun, notes_on
from tasks.checks.rewritten_files import rewritten, stamps
from tasks.checks.run import check_inputs, run_on, still_holds
from tasks.checks.silenced_warnings import silenced
from tasks.filesystem import remove_folder
from tasks.git.paths import readable
from tasks.run.progress import Progress, report
from tasks.run.run import Run
from tasks.sandbox.clean_log import clean_log


@dataclass(frozen=True, slots=True)
class Subject:
    """What checks are run on.

    Attributes:
        commit: The commit.
        tree: Its tree.
        changed_by: The files each track changed.
        tracks: Documents of the tracks whose work is in it.
    """

    commit: str
    tree: str
    changed_by: Mapping[str, Sequence[str]]
    tracks: Mapping[str, ContextRef]


def subject_of(context: Context, commit: str | None = None, tree: str | None = None) -> Subject:
    """Return what a merged context says was integrated; another commit and tree may take its place.

    Raises:
        DocumentError: It names no commit and tree, or its provenance is of another list.
    """
    if context.run:
        commit, tree = commit or context.run.integrated, tree or context.run.tree
    if commit is None or tree is None:
        raise DocumentError(f"{context.workflow_id} does not say what was integrated; run it again", pointer="/run")
    return Subject(commit, tree, _changed_by(context), _track_refs(context))


def evidence_for(run: Run, context: Context, check: Check, before: Sequence[Evidence]) -> Evidence:
    """Return a check's evidence on the integrated tree: an earlier pass on the very same inputs, or a new run.

    Args:
        run: The run.
        context: A context that names the integrated commit.
        check: The check.
        before: Evidence of earlier runs.
    """
    subject = subject_of(context)
    inputs = inputs_of(run, check, subject)
    earlier = earlier_pass(check, inputs, before)
    if earlier is not None:
        why = "reused: same tree, same command"
        report(Progress(run.workflow_id, "check", check.id, "passed", why, earlier.seconds))
        return earlier.changed(reused=True)
    report(Progress(run.workflow_id, "check", check.id, "running"))
    failpoint("check.before-run")
    evidence = run_check_on(run, check, subject)
    failpoint("check.after-run")
    report(Progress(run.workflow_id, "check", check.id, evidence.status, evidence.reason or "", evidence.seconds))
    return evidence


def earlier_pass(check: Check, inputs: str, before: Sequence[Evidence]) -> Evidence | None:
    """Return the evidence of an earlier pass on the very same inputs that still holds."""
    same = (one for one in before if one.inputs == inputs and one.status == "passed")
    return next((one for one in same if still_holds(check, one)), None)


def inputs_of(run: Run, check: Check, subject: Subject) -> str:
    """Return the digest that tells whether a check's pass still speaks for a subject."""
    return inputs_at(run.spec, check, subject, folder=run.folder, known=run.known, base=run.base)


def inputs_at(spec: Spec, check: Check, subject: Subject, *, folder: Path, known: Known, base: str) -> str:
    """As `inputs_of`, for whoever has no run yet."""
    return check_inputs(
        check,
        subject.tree,
        folder=folder,
        known=known,
        base=base,
        setup=spec.verification.setup,
        changed_by=subject.changed_by,
        consumers=[ref.sha256 for ref in subject.tracks.values()],
    )


def run_check_on(run: Run, check: Check, subject: Subject) -> Evidence:
    """Run a check and return its record, logs and reports kept as blobs."""
    with lend_ports_for(check) as lent:
        bench = _bench(run, check, subject, lent.ports)
        ran, more = _run(run, check, bench, subject.commit)
    evidence = _evidence(run, check, bench, ran, more).changed(tree=subject.tree, inputs=inputs_of(run, check, subject))
    if ran.judged.status == "passed":
        remove_folder(bench.place)
    return evidence


def _changed_by(context: Context) -> dict[str, list[str]]:
    """Return the files each track changed, from the merged document's provenance; nothing where it has none.

    Raises:
        DocumentError: The provenance is of another list.
    """
    changed: dict[str, list[str]] = {}
    files = context.files_modified or []
    told = (context.provenance or {}).get("files_modified") or []
    if told and len(told) != len(files):
        raise DocumentError(
            f"provenance.files_modified of {context.workflow_id} says where "
            f"{counted(len(told), 'file comes', 'files come')} from, and files_modified has {len(files)}: "
            "somebody changed the merged document; merge its tracks anew",
            pointer="/provenance/files_modified",
        )
    for path, sources in zip(files if told else (), told, strict=True):
        for source in sources:
            changed.setdefault(source.partition("#")[0], []).append(path)
    return changed


def _track_refs(context: Context) -> dict[str, ContextRef]:
    """Return the documents of the tracks whose work is in the integrated tree."""
    left_out = (context.run.left_out if context.run else None) or ()
    return {
        task_id: one.ref
        for task_id, one in (context.track_contexts or {}).items()
        if one.ref and task_id not in left_out
    }


def _bench(run: Run, check: Check, subject: Subject, ports: tuple[int, ...]) -> Bench:
    place = run.repository.root / "checks" / check.id
    remove_folder(place)
    wanted: Mapping[str, ContextRef] = subject.tracks if check.kind == "contract" else {}
    return Bench(
        tree=place / "tree",
        place=place,
        folder=run.folder,
        cancel=run.cancel,
        seconds=float(check.timeout_minutes) * 60,
        changed_by=subject.changed_by,
        consumers=dict(zip(wanted, run.store.load_many(list(wanted.values())), strict=True)),
        on_line=lambda line: report(Progress(run.workflow_id, "line", check.id, "running", line)),
        env=check.env,
        ports=ports,
    )


def _run(run: Run, check: Check, bench: Bench, commit: str) -> tuple[CheckRun, list[Finding]]:
    """Run a check in a tree of its own; also return what is to be said of its own files and of the tree's."""
    try:
        _prepare(run, bench, commit, bench.tree)
    except StepFailed as error:
        return CheckRun(CheckResult("unverified", str(error)), tuple(bench.steps), notes_on(bench.steps), 0.0), []
    found: list[Finding] = []
    if run.has_repository:
        bench.base = partial(_base, run, bench)
        found += changed_files(
            check,
            bench.tree,
            _changes(run, commit),
            bench.changed_by,
            lambda path: (content_at(run, run.base, path), content_at(run, commit, path)),
            run.spec.verification.setup,
        )
        found += silenced(check, run.repository.diff_text(run.base, commit), bench.changed_by)
    before = stamps(bench.tree)
    prepared = len(bench.steps)
    ran = run_on(check, bench)
    touched = rewritten(bench.tree, before, lambda path: content_at(run, commit, path))
    if touched:
        names = first_of([readable(name) for name in touched], 5)
        message = f"check {check.id} rewrote files of the tree it checks: {names}; no other check sees that"
        found.append(Finding(rule="evidence/tree-rewritten", severity="warning", message=message, sources=()))
    return CheckRun(ran.judged, ran.steps[prepared:], ran.notes, ran.seconds), found


def _prepare(run: Run, bench: Bench, commit: str, folder: Path) -> None:
    """Write a commit's files into a folder and run the spec's setup there.

    Raises:
        StepFailed: A setup command failed.
    """
    run.repository.checkout(commit, folder, as_repository=True)
    set_up(run, bench, folder)


def set_up(run: Run, bench: Bench, folder: Path) -> None:
    """Run the spec's setup in a folder.

    Raises:
        StepFailed: A setup command failed.
    """
    for argv in run.spec.verification.setup:
        step = bench.run(f"verification.setup {' '.join(argv)}", bench.resolve(argv), cwd=folder)
        if not step.succeeded:
            raise StepFailed(step.problem)


def _base(run: Run, bench: Bench) -> Path:
    """Return a folder with the base commit's tree, prepared like the integrated one."""
    folder = bench.place / "base"
    if not folder.exists():
        _prepare(run, bench, run.base, folder)
    return folder


def _changes(run: Run, commit: str) -> dict[str, Change]:
    """Return the paths that differ between the base commit and another, and how."""
    listed = run.repository.git.run("diff-tree", "-r", "-z", "--no-renames", "--name-status", run.base, commit)
    words = [os.fsdecode(word) for word in listed.split(b"\0")[:-1]]
    kinds: Mapping[str, Change] = {"A": "added", "D": "removed"}
    return {path: kinds.get(kind, "changed") for kind, path in zip(words[::2], words[1::2], strict=True)}


def content_at(run: Run, commit: str, path: str) -> bytes | None:
    """Return what the commit says a file holds, None for a file that it does not have."""
    done = run.repository.git.call("cat-file", "blob", f"{commit}:{path}")
    return done.stdout if done.returncode == 0 else None


def _evidence(run: Run, check: Check, bench: Bench, ran: CheckRun, more: Sequence[Finding]) -> Evidence:
    judged = ran.judged
    only = ran.steps[0] if len(ran.steps) == 1 else None
    kept = [keep_log(run, step) for step in ran.steps]
    logs = [log for log, _ in kept]
    findings = [*judged.findings, *more, *(one for _, found in kept for one in found)]
    steps = [
        EvidenceStep(
            name=step.name,
            argv=bench.shown(step.argv),
            exit_code=step.outcome.exit_code,
            seconds=round(step.outcome.seconds, 3),
            outcome=step.outcome.message,
            log=log,
        ).compact()
        for step, log in zip(ran.steps, logs, strict=True)
    ]
    reports = {name: run.store.put_blob(run.workflow_id, raw, media) for name, (raw, media) in judged.reports.items()}
    return Evidence(
        check=check.id,
        kind=check.kind,
        status=judged.status,
        argv=list(check.argv),
        exit_code=only.outcome.exit_code if only else None,
        seconds=round(only.outcome.seconds, 3) if only else ran.seconds,
        started_at=ran.steps[0].started_at if ran.steps else None,
        result=judged.result if judged.result.model_fields_set else None,
        log=logs[0] if only else None,
        reports=reports or None,
        reason=head_of(judged.reason, 4000) or None,
        steps=None if only else steps or None,
        findings=findings or None,
        notes=list(ran.notes) or None,
    ).compact()


def keep_log(run: Run, step: Step) -> tuple[BlobRef | None, list[Finding]]:
    """Store a step's log; also return what is to be said of the secret values that were taken out of it."""
    if not step.log.is_file():
        return None, []
    try:
        clean, hits = run.store.cleaned(run.workflow_id, step.log.read_bytes(), "text/plain")
    finally:
        clean_log(step.log)
    kinds = sorted({hit.kind for hit in hits if hit.certain})
    found = [
        Finding(
            rule="secrets/value-in-log",
            severity="warning",
            message=f"the log of {step.name} held a secret value ({kind}); revoke it",
            sources=(),
        )
        for kind in kinds
    ]
    return run.store.put_blob(run.workflow_id, clean, "text/plain", scanned=True), found
