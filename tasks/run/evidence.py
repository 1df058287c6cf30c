"""Evidence: run a check on a tree of its own, or take over its pass on the very same inputs, and keep the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from contexts.documents.context import Context
from contexts.documents.findings import Finding
from contexts.documents.refs import ContextRef
from contexts.documents.verification import AtBase, Evidence
from contexts.errors import DocumentError
from contexts.failpoints import failpoint
from contexts.redaction import head_of
from contexts.spec.checks import ApiCheck, Check, ContractCheck, TestsCheck
from contexts.spec.model import Spec
from contexts.spec.programs import Known
from contexts.text.plural import counted, first_of
from tasks.checks.bench import Bench, StepFailed, lend_ports_for
from tasks.checks.migration_heads import migration_conflicts
from tasks.checks.own_files import changed_files
from tasks.checks.results import CheckResult, CheckRun, notes_on
from tasks.checks.rewritten_files import rewritten, stamps
from tasks.checks.run import check_inputs, run_on, still_holds
from tasks.checks.silenced_warnings import silenced
from tasks.filesystem import remove_folder
from tasks.git.paths import readable
from tasks.run.check_trees import base_tree, changes_of, content_at, keep_log, paths_of, prepare, step_record
from tasks.run.progress import Progress, report
from tasks.run.run import Run
from tasks.run.second_pass import run_second_pass, settled

_AT_BASE = "checks-at-base"
"""Folder of the trees in which checks are tried at the base commit."""


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
    if evidence.status == "failed" and tried_at_base(check) and run.has_repository and subject.commit != run.base:
        evidence = _with_base(run, check, evidence, before)
    report(Progress(run.workflow_id, "check", check.id, evidence.status, evidence.reason or "", evidence.seconds))
    return evidence


def tried_at_base(check: Check) -> bool:
    """Say whether a check is one that the base commit can pass or fail; what compares tracks is not."""
    return not isinstance(check, ContractCheck | ApiCheck)


def check_at_base(run: Run, check: Check) -> Evidence:
    """Run a check on the base commit and return its record; nothing of its tree is left."""
    try:
        return run_check_on(run, check, _base_of(run), folder=_AT_BASE)
    finally:
        remove_folder(run.repository.root / _AT_BASE / check.id)


def _base_of(run: Run) -> Subject:
    return Subject(run.base, run.repository.tree(run.base), {}, {})


def _with_base(run: Run, check: Check, evidence: Evidence, before: Sequence[Evidence]) -> Evidence:
    """Return the evidence of a failed check with how it ends on the base commit, which is tried once."""
    inputs = inputs_of(run, check, _base_of(run))
    known = (one.at_base for one in before if one.at_base and one.at_base.inputs == inputs)
    at_base = next(known, None)
    if at_base is None:
        report(Progress(run.workflow_id, "check", check.id, "running", "failed; tried at the base commit"))
        there = check_at_base(run, check)
        at_base = AtBase(status=there.status, reason=there.reason, inputs=inputs).compact()
    if at_base.status == "failed":
        reason = head_of(f"{evidence.reason}; it fails at the base too: {at_base.reason}", 4000)
        return evidence.changed(at_base=at_base, reason=reason)
    return evidence.changed(at_base=at_base)


def conflicts_of_migrations(run: Run, context: Context) -> tuple[Finding, ...]:
    """Return what tracks' migrations do to each other in the integrated commit; nothing where there is none.

    Args:
        run: The run.
        context: A context that names the integrated commit.
    """
    commit = context.run.integrated if context.run else None
    if not commit or not run.has_repository or commit == run.base:
        return ()
    base, merged = (paths_of(run, one) for one in (run.base, commit))
    return migration_conflicts(base, merged, _changed_by(context), lambda path: content_at(run, commit, path))


def earlier_pass(check: Check, inputs: str, before: Sequence[Evidence]) -> Evidence | None:
    """Return the evidence of an earlier pass on the very same inputs that still holds.

    One that the base commit's tests did not bear out is tried again: they may have been unlucky.
    """
    passed = (one for one in before if one.inputs == inputs and one.status == "passed")
    same = (one for one in passed if one.second_pass is None or one.second_pass.status in {"same", "not-run"})
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


def run_check_on(run: Run, check: Check, subject: Subject, *, folder: str = "checks") -> Evidence:
    """Run a check and return its record, logs and reports kept as blobs.

    Args:
        run: The run.
        check: The check.
        subject: What it is run on.
        folder: Where its trees are made, below the workflow's own folder.
    """
    with lend_ports_for(check) as lent:
        bench = _bench(run, check, subject, run.repository.root / folder / check.id, lent.ports)
        ran, found = _run(run, check, bench, subject.commit)
        second = None
        passed = run.has_repository and ran.judged.status == "passed"
        if passed and isinstance(check, TestsCheck) and check.second_pass == "auto":  # noqa: S105 - no password
            second, more = run_second_pass(run, check, bench, subject.commit, ran.judged.cases)
            found = [*settled(found, second), *more]
    evidence = _evidence(run, check, bench, ran, found)
    evidence = evidence.changed(tree=subject.tree, inputs=inputs_of(run, check, subject))
    if second:
        evidence = evidence.changed(second_pass=second)
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


def _bench(run: Run, check: Check, subject: Subject, place: Path, ports: tuple[int, ...]) -> Bench:
    remove_folder(place)
    wanted: Mapping[str, ContextRef] = subject.tracks if isinstance(check, ContractCheck | ApiCheck) else {}
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
        prepare(run, bench, commit, bench.tree)
    except StepFailed as error:
        return CheckRun(CheckResult("unverified", str(error)), tuple(bench.steps), notes_on(bench.steps), 0.0), []
    found: list[Finding] = []
    if run.has_repository:
        bench.base = partial(base_tree, run, bench)
        found += changed_files(
            check,
            bench.tree,
            changes_of(run, commit),
            bench.changed_by,
            lambda path: (content_at(run, run.base, path), content_at(run, commit, path)),
            run.spec.verification.setup,
            tests_run_twice=any(
                isinstance(one, TestsCheck) and one.second_pass == "auto"  # noqa: S105 - no password
                for one in run.spec.verification.checks
            ),
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


def _evidence(run: Run, check: Check, bench: Bench, ran: CheckRun, more: Sequence[Finding]) -> Evidence:
    judged = ran.judged
    only = ran.steps[0] if len(ran.steps) == 1 else None
    kept = [keep_log(run, step) for step in ran.steps]
    logs = [log for log, _ in kept]
    findings = [*judged.findings, *more, *(one for _, found in kept for one in found)]
    steps = [step_record(bench, step, log) for step, log in zip(ran.steps, logs, strict=True)]
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
