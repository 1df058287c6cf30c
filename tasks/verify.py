"""Phase verify, second half: audit, criteria and verdict, saved as the workflow's final context."""

from __future__ import annotations

from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from contexts.audit.saved import audit_saved, without_proven
from contexts.documents.base import now
from contexts.documents.context import Context
from contexts.documents.findings import SEVERITIES, Finding, by_severity
from contexts.documents.records import PhaseRecord, RunRecord, TrackRecord
from contexts.documents.refs import BlobRef, ContextRef
from contexts.documents.verification import RULINGS, Evidence
from contexts.documents.version import SUMMARY_LIMIT
from contexts.failpoints import failpoint
from contexts.redaction import head_of
from contexts.store.contexts import CONTEXT, ContextStore
from contexts.store.keys import TRACKS
from contexts.text.plural import counted
from contexts.verification.areas import areas_of
from contexts.verification.claims import compare_claims
from contexts.verification.constraints import against_constraints
from contexts.verification.criteria import decide
from contexts.verification.open_items import fingerprint
from contexts.verification.rulings import apply_settlements, apply_waivers
from contexts.verification.verdict import Verdict, reach_verdict, remarks_on
from tasks.checks.contract_files.named import at_its_entry, is_of_a_file, with_read
from tasks.prefect_ui import events
from tasks.prefect_ui.run_metrics import measure
from tasks.run.contract_files import files_read
from tasks.run.evidence import conflicts_of_migrations
from tasks.run.outcome import TrackOutcome
from tasks.run.progress import Progress, report
from tasks.run.run import Run


@task(name="verify", task_run_name="verify {run.workflow_id}", cache_policy=NO_CACHE)
def verify(
    run: Run, parent: ContextRef, merged: ContextRef, evidence: Sequence[BlobRef], tracks: Sequence[TrackOutcome]
) -> ContextRef:
    """Decide every criterion by evidence, deliver the branch, and save the final context.

    Args:
        run: The run.
        parent: The workflow's context as initialize saved it.
        merged: The merged context.
        evidence: References of the checks' evidence records.
        tracks: How each track ended.

    Returns:
        The final context; ``run.status``, ``run.exit_code`` and ``run.reasons`` in it are the verdict.
    """
    report(Progress(run.workflow_id, "phase", "verify", "running"))
    began = now()
    context = run.store.load_context(merged)
    # The merge may be of an earlier run; the spec, and what people decided since, is in this run's first context.
    first = run.store.load_context(parent)
    context = context.changed(
        **{name: getattr(first, name) for name in (*RULINGS, "spec") if name in first.model_fields_set}
    )
    records = [Evidence.model_validate_json(run.store.get_blob(run.workflow_id, blob)) for blob in evidence]
    waivers = context.waivers or []
    criteria = decide(run.spec, records, waivers)
    proven = _proven(records)
    documents = _tracks(run.store, context)
    read = files_read(run, records)
    saved = {
        f"{TRACKS}{task_id}": with_read(one.to_json(), task_id, read.get(task_id, ()))
        for task_id, one in documents.items()
    }
    judged = audit_saved(
        {parent.document: first.to_json(), **saved, "merged": context.to_json()}, prose=run.spec.audit.prose != "off"
    )
    audited = without_proven((at_its_entry(one, read) for one in judged if not is_of_a_file(one)), proven)
    claims, doubted = compare_claims(documents, records)
    told = [*doubted, *against_constraints(documents, run.spec.constraints)]
    clashes = conflicts_of_migrations(run, context)
    findings = by_severity([*(context.findings or ()), *clashes, *proven, *audited, *told])
    findings = apply_waivers(findings, waivers)
    record = context.run_record
    verdict = reach_verdict(
        run.spec,
        tracks={one.task_id: one.status for one in tracks},
        left_out=record.left_out or [],
        evidence=records,
        criteria=criteria,
        findings=findings,
        waivers=waivers,
    )
    failpoint("verify.decided")
    record = _record(run, record, verdict, tracks, began)
    concerns = apply_settlements(context.integration_concerns or (), context.settlements or ())
    context = context.changed(
        timestamp=now(),  # after everything the document reports
        current_agent="integration-verifier",
        next_agent=None,
        phase=verdict.phase,
        status=verdict.status,
        verification_results=areas_of(records),
        evidence=records,
        compared_claims=claims or None,
        criteria=list(criteria),
        findings=findings,
        integration_concerns=concerns,
        run=record,
        context_summary=_summary(verdict, tracks, records),
        checksum_=None,
    )
    computed, _ = measure(context, [("initialize", parent), ("merge", merged)])
    metrics = {**(context.metrics or {}), **computed.model_dump(mode="json", exclude_none=True)}
    failpoint("verify.before-save")
    ref = run.save(CONTEXT, context.changed(metrics=metrics))
    failpoint("verify.after-save")
    if verdict.exit_code:
        events.verification_failed(run.workflow_id, verdict.status, verdict.reasons, findings)
    report(Progress(run.workflow_id, "phase", "verify", "done" if not verdict.exit_code else "failed", verdict.status))
    return ref


def _tracks(store: ContextStore, merged: Context) -> dict[str, Context]:
    """Return the documents of the tracks that a merged document is made of, by task_id."""
    refs = {task_id: track.ref for task_id, track in (merged.track_contexts or {}).items() if track.ref}
    return dict(zip(refs, store.load_contexts(refs.values()), strict=True))


def _proven(records: Sequence[Evidence]) -> list[Finding]:
    """Return what checks found, each thing once: what several of them say names them all."""
    found: dict[str, Finding] = {}
    named: dict[str, list[str]] = {}
    for record in records:
        for one in record.findings or ():
            mark = fingerprint(one)
            if mark not in found or SEVERITIES.index(one.severity) < SEVERITIES.index(found[mark].severity):
                found[mark] = one
            named.setdefault(mark, []).append(record.check)
    return [
        one.changed(message=f"{one.message} (checks {', '.join(named[mark])})") if len(named[mark]) > 1 else one
        for mark, one in found.items()
    ]


def _record(run: Run, before: RunRecord, verdict: Verdict, tracks: Sequence[TrackOutcome], began: str) -> RunRecord:
    branch = _deliver(run, before)
    failpoint("verify.delivered")
    completed_at = now()
    lines = [
        TrackRecord(
            task_id=one.task_id, status=one.status, reused=one.reused, attempts=one.attempts,
            seconds=round(one.seconds, 3), reason=one.reason or None, ref=one.ref,
            started_at=one.started_at, completed_at=one.completed_at, recorded=one.recorded or None,
        ).compact()
        for one in tracks
    ]  # fmt: skip
    return before.changed(
        id=run.id,
        status=verdict.status,
        exit_code=verdict.exit_code,
        started_at=run.started_at,
        completed_at=completed_at,
        programs=run.programs,
        reasons=list(verdict.reasons),
        tracks=lines,
        phases=[*run.phases, PhaseRecord(name="verify", started_at=began, completed_at=now())],
        max_parallel=run.spec.max_parallel,
        **({"branch": branch, "delivered": before.integrated} if branch else {}),
    ).compact()


def _deliver(run: Run, before: RunRecord) -> str | None:
    """Give the user the branch with everything that could be integrated, verified or not, and return its name."""
    commit = before.integrated
    if not run.delivers or not commit or commit == run.base:
        return None
    return run.repository.deliver(f"plait/{run.workflow_id}", commit, previous=before.delivered)


def _summary(verdict: Verdict, tracks: Sequence[TrackOutcome], evidence: Sequence[Evidence]) -> str:
    done = sum(one.status == "completed" for one in tracks)
    passed = sum(one.status == "passed" for one in evidence)
    text = f"{verdict.status}: {done} of {counted(len(tracks), 'track')} completed, "
    text += f"{passed} of {counted(len(evidence), 'check')} passed."
    if said := [*verdict.reasons, *remarks_on(evidence)]:
        text += " " + "; ".join(said)
    return text if len(text) <= SUMMARY_LIMIT else head_of(text, SUMMARY_LIMIT - 3) + "..."
