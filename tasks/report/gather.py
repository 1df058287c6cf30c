"""Gather everything a report says from the store: the final context, its tracks, earlier phases, logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contexts.documents.context import Context
from contexts.documents.findings import Finding
from contexts.documents.parts import Usage
from contexts.documents.records import RunRecord
from contexts.documents.refs import ContextRef
from contexts.documents.verification import CriterionResult
from contexts.errors import NotFound
from contexts.store.contexts import ContextStore, Saved
from contexts.text.amounts import duration
from tasks.report.bounds import listed
from tasks.report.contract_matrix import contract_matrix
from tasks.report.data import ReportData, Size, TrackRow
from tasks.report.deployment import deployment
from tasks.report.evidence import ReadLog, evidence, log_reader
from tasks.report.lists import claims, concerns, criteria, findings, measures, merged_list
from tasks.report.rulings import check_waivers
from tasks.report.text import cut, instant, noun, number, plain
from tasks.report.timeline import build_timeline
from tasks.report.values import MEANINGS, QUESTIONS, Listed, Log, Status, status

_LOOK_BACK = 8
"""Earlier revisions searched for the contexts the phases of this run saved."""
_MOST_LOGS = 40
"""Tracks whose last log is shown: those that did not complete."""
_MOST_SIZES = 12


def gather(store: ContextStore, final: ContextRef) -> ReportData:
    """Return the data of a report.

    Raises:
        NotFound: The final context, or a track document it names, is not in the store.
        ChecksumMismatch: One of them is not what was saved.
        DocumentError: One of them is not of the format it says.
    """
    context = store.load_context(final)
    run = context.run or RunRecord(status="none is recorded")
    records = _records(context)
    refs = {one.task_id: one.ref for one in records if one.ref}
    documents = store.load_many(refs.values())
    own = {name: Saved(refs[name], one).context for name, one in zip(refs, documents, strict=True)}
    parent, merged = _phases(store, final, run)
    timeline = build_timeline(context, own.values(), merged.context.timestamp if merged else None)
    read = log_reader(store, final.workflow_id)
    tracks = _tracks(context, records, own, timeline.critical, read)
    feature = context.feature_spec
    word = plain((context.run.status if context.run else context.status) or context.phase, 80)
    started, completed = instant(run.started_at), instant(run.completed_at)
    return ReportData(
        workflow_id=final.workflow_id,
        name=plain(feature.name if feature else None, 200) or final.workflow_id,
        description=plain(feature.description if feature else None),
        status=status(word),
        meaning=_meaning(word, context),
        summary=plain(context.context_summary),
        document=str(final),
        run_id=plain(run.id, 80),
        started=started,
        completed=completed,
        facts=_facts(context, run, (completed - started).total_seconds() if started and completed else None),
        counts=_counts(context, records),
        question=QUESTIONS.get(word, "Why it is not verified"),
        reasons=listed([plain(one) for one in run.reasons or ()], lambda one: one, most=500, budget=200_000),
        deployment=deployment(context, read),
        timeline=timeline,
        measures=measures(context),
        tracks=tracks,
        decisions=merged_list(context, "decisions"),
        pending_actions=merged_list(context, "pending_actions"),
        concerns=concerns(context),
        contracts=contract_matrix(documents),
        findings=findings(context),
        criteria=criteria(context),
        claims=claims(context),
        evidence=evidence(context, read),
        sizes=_sizes(parent, merged, final, list(refs.items())),
    )


def _meaning(word: str, context: Context) -> str:
    said = MEANINGS.get(word, "")
    waived = any(one.status == "waived" for one in context.criteria or ()) or any(
        one.waived for one in context.findings or ()
    )
    if not waived and not check_waivers(context):
        return said
    return said.replace("is done and good", "is done and good, or was waived by a person").replace(
        "Everything required is verified", "Everything required is verified, or was waived by a person"
    )


@dataclass(frozen=True, slots=True)
class _Ended:
    """How one track ended: as the run recorded it, else as the document lists it."""

    task_id: str
    status: str
    reused: bool = False
    attempts: int = 0
    seconds: float = 0.0
    reason: str | None = None
    ref: ContextRef | None = None


def _records(context: Context) -> Sequence[_Ended]:
    recorded = context.run.tracks if context.run else None
    if recorded:
        return [
            _Ended(one.task_id, one.status, one.reused, one.attempts, one.seconds, one.reason, one.ref)
            for one in recorded
            if one.task_id
        ]
    held = context.track_contexts or {}
    return [
        _Ended(one.task_id, one.status or "", ref=held[one.task_id].ref if one.task_id in held else None)
        for one in context.parallel_tasks or ()
    ]


def _phases(store: ContextStore, final: ContextRef, run: RunRecord) -> tuple[Saved | None, Saved | None]:
    """Return what the first phase and the merge of this run saved, where they are still there."""
    first: Saved | None = None
    merged: Saved | None = None
    for revision in range(final.revision - 1, max(0, final.revision - 1 - _LOOK_BACK), -1):
        try:
            saved = store.load_revision(final.workflow_id, final.document, revision)
        except NotFound:
            break
        earlier = saved.context
        ours = run.id is not None and earlier.run is not None and earlier.run.id == run.id
        if merged is None and "merge" in earlier.phase:
            merged = saved
        elif ours and earlier.phase == "parallel-execution":
            first = saved
        if first and merged:
            break
    return first, merged


def _facts(context: Context, run: RunRecord, seconds: float | None) -> tuple[tuple[str, str], ...]:
    usage = context.usage or Usage()
    spent = [plain(count, 40) for count in (usage.input_tokens, usage.output_tokens)]
    facts = [
        ("Took", duration(seconds) if seconds is not None and seconds >= 0 else ""),
        ("Branch", plain(run.branch, 200)),
        ("Base commit", plain(run.base, 80)[:12]),
        ("Integrated commit", plain(run.integrated, 80)[:12]),
        ("Exit code", plain(run.exit_code, 20)),
        ("Run", plain(run.id, 80)),
        ("Tokens", " in, ".join(spent) + " out" if all(spent) else ""),
        ("Cost", f"{number(usage.cost_usd):.2f} USD" if usage.cost_usd else ""),
    ]
    return tuple((name, value) for name, value in facts if value)


def _counts(context: Context, records: Sequence[_Ended]) -> tuple[tuple[str, str, str], ...]:
    """Return the headline numbers: what, how many, and a word on them."""
    done = sum(one.status == "completed" for one in records)
    reused = sum(one.reused for one in records)
    checks = context.evidence or []
    passed = sum(one.status == "passed" for one in checks)
    accepted = check_waivers(context)
    let = sum(one.status != "passed" and plain(one.check, 120) in accepted for one in checks)
    found = context.findings or []
    concerned = [one for one in context.integration_concerns or () if one.asks]
    settled = sum(one.status == "settled" for one in concerned)
    changed = len(context.files_modified or ())
    return (
        (f"{noun('tracks', len(records))} completed", _part(done, len(records)), f"{reused} reused" if reused else ""),
        (f"{noun('checks', len(checks))} passed", _part(passed, len(checks)), f"{let} waived" if let else ""),
        _criteria_count(context.criteria or []),
        (noun("findings", len(found)), str(len(found)), _weights(found)),
        (noun("concerns", len(concerned)), str(len(concerned)), f"{settled} settled" if settled else ""),
        (f"{noun('files', changed)} changed", str(changed), ""),
    )


def _criteria_count(wanted: Sequence[CriterionResult]) -> tuple[str, str, str]:
    met = sum(one.status == "met" for one in wanted)
    waived = sum(one.status == "waived" for one in wanted)
    if not waived:
        return f"{noun('criteria', len(wanted))} met", _part(met, len(wanted)), ""
    rest = len(wanted) - met - waived
    more = f"{met} met, {waived} waived" + (f", {rest} not met" if rest else "")
    return noun("criteria", len(wanted)), str(len(wanted)), more


def _weights(found: Sequence[Finding]) -> str:
    waived = sum(one.waived is not None for one in found)
    blocking = sum(one.blocks for one in found)
    if waived:
        return f"{blocking} blocking, {waived} waived"
    return f"{blocking} blocking" if blocking else ""


def _part(some: int, every: int) -> str:
    return f"{some} of {every}" if every else "none set"


def _tracks(
    context: Context, records: Sequence[_Ended], own: Mapping[str, Context], critical: Sequence[str], read: ReadLog
) -> Listed[TrackRow]:
    entries = {one.task_id: one for one in context.parallel_tasks or ()}
    left_out = set((context.run.left_out if context.run else None) or ())
    undone = [one.task_id for one in records if one.status != "completed"]
    with_logs = set(undone[:_MOST_LOGS])
    words = 1_000 if len(records) <= 100 else 240

    def row(one: _Ended) -> TrackRow:
        name, ref = one.task_id, one.ref
        entry, track = entries.get(name), own.get(name)
        reason = plain(one.reason, words)
        if name in left_out:
            reason = f"{reason} Its branch conflicts and was left out of the integration.".strip()
        agent = (entry.agent if entry else None) or (track.current_agent if track else None)
        return TrackRow(
            task_id=plain(name, 200),
            agent=plain(agent, 200),
            scope=plain(entry.scope if entry else None, words),
            status=_track_status(one, left_out=name in left_out),
            attempts=one.attempts,
            seconds=number(one.seconds),
            files=len(track.files_modified or ()) if track else 0,
            document=str(ref) if ref else "",
            size=ref.size if ref else 0,
            needs=tuple(plain(need, 80) for need in (entry.needs if entry else ())[:40]),
            reason=reason,
            summary=plain(track.context_summary, words) if track and one.status == "completed" else "",
            critical=name in critical,
            logs=_last_log(track, read) if track and name in with_logs else (),
        )

    return listed(records, row, most=2_000, budget=1_600_000)


def _track_status(one: _Ended, *, left_out: bool) -> Status:
    said = plain(one.status, 80)
    if said == "completed" and left_out:
        return status("left-out")
    return status("reused" if said == "completed" and one.reused else said)


def _last_log(track: Context, read: ReadLog) -> tuple[Log, ...]:
    tried = track.execution.attempts if track.execution else ()
    log = read(tried[-1].log) if tried else None
    return (log,) if log else ()


def _sizes(
    first: Saved | None, merged: Saved | None, final: ContextRef, tracks: Sequence[tuple[str, ContextRef]]
) -> Listed[Size]:
    shown = list(tracks)
    if len(shown) > _MOST_SIZES:
        shown = sorted(shown, key=lambda one: one[1].size, reverse=True)[:_MOST_SIZES]
    named = [Size("initial", first.ref.size)] if first else []
    named += [Size(cut(name, 80), ref.size) for name, ref in shown]
    if len(tracks) > len(shown):
        rest = sum(ref.size for _, ref in tracks) - sum(ref.size for _, ref in shown)
        count = len(tracks) - len(shown)
        named.append(Size(f"{count} smaller {noun('tracks', count)}", rest // count, "each, on average"))
    named += [Size("merged", merged.ref.size)] if merged else []
    named.append(Size("final", final.size))
    return Listed(tuple(named), len(named))
