"""Phase verify, second half: audit, criteria and verdict, saved as the workflow's final context."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from prefect import task
from prefect.cache_policies import NO_CACHE

from contexts.audit.saved import audit_saved, by_severity, without_proven
from contexts.documents.base import JsonObject, now
from contexts.documents.codec import dump  # joint
from contexts.documents.context import Context  # joint
from contexts.documents.records import RunRecord, TrackRecord
from contexts.documents.refs import BlobRef, ContextRef
from contexts.documents.verification import DECIDED
from contexts.failpoints import failpoint
from contexts.json.values import entries, section
from contexts.redaction import head_of
from contexts.store.contexts import CONTEXT, ContextStore
from contexts.text.plural import counted
from contexts.verification.areas import areas_of
from contexts.verification.criteria import decide
from contexts.verification.decisions import apply_settlements, apply_waivers
from contexts.verification.open_items import fingerprint
from contexts.verification.verdict import Verdict, reach_verdict
from tasks.prefect_ui import events
from tasks.prefect_ui.run_metrics import measure
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
    document = run.store.load(merged)
    # The merge may be of an earlier run; the spec, and what people decided since, is in this run's first context.
    document.update({key: value for key, value in run.store.load(parent).items() if key in {*DECIDED, "spec"}})
    records: list[JsonObject] = [orjson.loads(run.store.get_blob(run.workflow_id, blob)) for blob in evidence]
    waivers: list[JsonObject] = entries(document, "waivers")
    criteria = decide(run.spec, records, waivers)
    proven = _proven(records)
    audited = without_proven(_audit(run.store, parent, document), proven)
    findings = apply_waivers(by_severity([*entries(document, "findings"), *proven, *audited]), waivers)
    verdict = reach_verdict(
        run.spec,
        tracks={one.task_id: one.status for one in tracks},
        left_out=document["run"].get("left_out") or [],
        evidence=records,
        criteria=criteria,
        findings=findings,
        waivers=waivers,
    )
    failpoint("verify.decided")
    record = _record(run, document["run"], verdict, tracks, began)
    document.update(
        timestamp=now(),  # after everything the document reports
        current_agent="integration-verifier",
        next_agent=None,
        phase=verdict.phase,
        status=verdict.status,
        verification_results=areas_of(records),
        evidence=records,
        criteria=[one.model_dump(mode="json", exclude_none=True) for one in criteria],
        findings=findings,
        integration_concerns=apply_settlements(
            entries(document, "integration_concerns"), entries(document, "settlements")
        ),
        run=record,
        context_summary=_summary(verdict, tracks, records),
    )
    document.pop("_checksum", None)
    context = Context.model_validate_json(dump(document))  # joint
    computed, _ = measure(context, [("initialize", parent), ("merge", merged)])
    document["metrics"] = {**section(document, "metrics"), **computed.model_dump(mode="json", exclude_none=True)}
    failpoint("verify.before-save")
    ref = run.save(CONTEXT, document)
    failpoint("verify.after-save")
    if verdict.exit_code:
        events.verification_failed(run.workflow_id, verdict.status, verdict.reasons, findings)
    report(Progress(run.workflow_id, "phase", "verify", "done" if not verdict.exit_code else "failed", verdict.status))
    return ref


def _audit(store: ContextStore, parent: ContextRef, merged: JsonObject) -> list[JsonObject]:
    """Return the findings of the audit over the workflow's first context, its tracks' documents and the merged one.

    Args:
        store: Where the documents are.
        parent: The workflow's context as initialize saved it.
        merged: The merged context, as stored.
    """
    tracks: list[JsonObject] = list(section(merged, "track_contexts").values())
    refs = [ContextRef.model_validate(track["ref"]) for track in tracks if track.get("ref")]
    loaded = store.load_many([parent, *refs])
    named = {ref.document: document for ref, document in zip([parent, *refs], loaded, strict=True)}
    return audit_saved({**named, "merged": merged})


def _proven(records: Sequence[JsonObject]) -> list[JsonObject]:
    """Return what checks found, each thing once: what several of them say names them all."""
    found: dict[str, JsonObject] = {}
    named: dict[str, list[str]] = {}
    for record in records:
        for one in entries(record, "findings"):
            mark = fingerprint(one)
            found.setdefault(mark, one)
            named.setdefault(mark, []).append(str(record["check"]))
    return [
        {**one, "message": f"{one['message']} (checks {', '.join(named[mark])})"} if len(named[mark]) > 1 else one
        for mark, one in found.items()
    ]


def _record(run: Run, before: JsonObject, verdict: Verdict, tracks: Sequence[TrackOutcome], began: str) -> JsonObject:
    branch = _deliver(run, before)
    failpoint("verify.delivered")
    record = RunRecord.model_validate(
        {
            **before,
            "id": run.id,
            "status": verdict.status,
            "exit_code": verdict.exit_code,
            "started_at": run.started_at,
            "completed_at": now(),
            "programs": run.programs,
            "reasons": list(verdict.reasons),
            **({"branch": branch, "delivered": before["integrated"]} if branch else {}),
        }
    )
    lines = [
        TrackRecord(
            task_id=one.task_id, status=one.status, reused=one.reused, attempts=one.attempts,
            seconds=round(one.seconds, 3), reason=one.reason or None, ref=one.ref,
            started_at=one.started_at, completed_at=one.completed_at, recorded=one.recorded or None,
        ).model_dump(mode="json", exclude_none=True)
        for one in tracks
    ]  # fmt: skip
    phases = [*run.phases, {"name": "verify", "started_at": began, "completed_at": now()}]
    return {
        **orjson.loads(record.model_dump_json(exclude_none=True)),
        "tracks": lines,
        "phases": phases,
        "max_parallel": run.spec.max_parallel,
    }


def _deliver(run: Run, before: JsonObject) -> str | None:
    """Give the user the branch with everything that could be integrated, verified or not, and return its name."""
    commit = before.get("integrated")
    if not run.delivers or not commit or commit == run.base:
        return None
    return run.repository.deliver(f"plait/{run.workflow_id}", str(commit), previous=before.get("delivered"))


def _summary(verdict: Verdict, tracks: Sequence[TrackOutcome], evidence: Sequence[JsonObject]) -> str:
    done = sum(one.status == "completed" for one in tracks)
    passed = sum(one["status"] == "passed" for one in evidence)
    text = f"{verdict.status}: {done} of {counted(len(tracks), 'track')} completed, "
    text += f"{passed} of {counted(len(evidence), 'check')} passed."
    if verdict.reasons:
        text += " " + "; ".join(verdict.reasons)
    return text if len(text) <= 500 else head_of(text, 497) + "..."
