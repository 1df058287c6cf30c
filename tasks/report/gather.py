"""Gather everything a report says from the store: the final context, its tracks, earlier phases, logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from contexts.documents.base import JsonObject
from contexts.documents.refs import ContextRef
from contexts.errors import NotFound
from contexts.json.values import items, mapping
from contexts.store.contexts import ContextStore
from contexts.text.amounts import duration
from tasks.report.bounds import listed
from tasks.report.contract_matrix import contract_matrix
from tasks.report.data import ReportData, Size, TrackRow
from tasks.report.decided import check_waivers
from tasks.report.deployment import deployment
from tasks.report.evidence import ReadLog, evidence, log_reader
from tasks.report.lists import concerns, criteria, findings, measures, merged_list
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
    """
    document = store.load(final)
    run = mapping(document.get("run"))
    records = _records(document)
    refs = {str(one.get("task_id")): ref for one in records if (ref := _ref(one.get("ref")))}
    documents = dict(zip(refs, store.load_many(refs.values()), strict=True))
    parent, merged = _phases(store, final, document)
    timeline = build_timeline(document, documents.values(), str(merged[1].get("timestamp")) if merged else None)
    read = log_reader(store, final.workflow_id)
    tracks = _tracks(document, records, documents, refs, timeline.critical, read)
    feature = mapping(document.get("feature_spec"))
    word = plain(run.get("status") or document.get("status") or document.get("phase"), 80)
    started, completed = instant(run.get("started_at")), instant(run.get("completed_at"))
    return ReportData(
        workflow_id=final.workflow_id,
        name=plain(feature.get("name"), 200) or final.workflow_id,
        description=plain(feature.get("description")),
        status=status(word),
        meaning=_meaning(word, document),
        summary=plain(document.get("context_summary")),
        document=str(final),
        run_id=plain(run.get("id"), 80),
        started=started,
        completed=completed,
        facts=_facts(document, run, (completed - started).total_seconds() if started and completed else None),
        counts=_counts(document, records),
        question=QUESTIONS.get(word, "Why it is not verified"),
        reasons=listed([plain(one) for one in items(run.get("reasons"))], lambda one: one, most=500, budget=200_000),
        deployment=deployment(document, read),
        timeline=timeline,
        measures=measures(document),
        tracks=tracks,
        decisions=merged_list(document, "decisions"),
        pending_actions=merged_list(document, "pending_actions"),
        concerns=concerns(document),
        contracts=contract_matrix(documents.values()),
        findings=findings(document),
        criteria=criteria(document),
        evidence=evidence(document, read),
        sizes=_sizes(parent, merged, final, [(name, refs[name]) for name in refs]),
    )


def _meaning(word: str, document: JsonObject) -> str:
    said = MEANINGS.get(word, "")
    accepted = [one for name in ("criteria", "findings") for one in items(document.get(name))]
    waived = any(mapping(one).get("status") == "waived" or mapping(one).get("waived") for one in accepted)
    if not waived and not check_waivers(document):
        return said
    return said.replace("is done and good", "is done and good, or was waived by a person").replace(
        "Everything required is verified", "Everything required is verified, or was waived by a person"
    )


def _records(document: JsonObject) -> list[JsonObject]:
    """Return how each track ended: as the run recorded it, else as the document lists it."""
    recorded = [mapping(one) for one in items(mapping(document.get("run")).get("tracks"))]
    if recorded:
        return [one for one in recorded if one.get("task_id")]
    held = mapping(document.get("track_contexts"))
    return [
        {**one, "ref": mapping(held.get(str(one["task_id"]))).get("ref")}
        for one in map(mapping, items(document.get("parallel_tasks")))
        if one.get("task_id")
    ]


def _ref(value: object) -> ContextRef | None:
    try:
        return ContextRef.model_validate(value)
    except ValidationError:
        return None


Saved = tuple[ContextRef, JsonObject]


def _phases(store: ContextStore, final: ContextRef, document: JsonObject) -> tuple[Saved | None, Saved | None]:
    """Return what the first phase and the merge of this run saved, where they are still there."""
    run_id = mapping(document.get("run")).get("id")
    first: Saved | None = None
    merged: Saved | None = None
    for revision in range(final.revision - 1, max(0, final.revision - 1 - _LOOK_BACK), -1):
        try:
            ref, earlier = store.load_revision(final.workflow_id, final.document, revision)
        except NotFound:
            break
        ours = run_id is not None and mapping(earlier.get("run")).get("id") == run_id
        phase = str(earlier.get("phase"))
        if merged is None and "merge" in phase:
            merged = ref, earlier
        elif ours and phase == "parallel-execution":
            first = ref, earlier
        if first and merged:
            break
    return first, merged


def _facts(document: JsonObject, run: JsonObject, seconds: float | None) -> tuple[tuple[str, str], ...]:
    usage = mapping(document.get("usage"))
    spent = [plain(usage.get(key), 40) for key in ("input_tokens", "output_tokens")]
    facts = [
        ("Took", duration(seconds) if seconds is not None and seconds >= 0 else ""),
        ("Branch", plain(run.get("branch"), 200)),
        ("Base commit", plain(run.get("base"), 80)[:12]),
        ("Integrated commit", plain(run.get("integrated"), 80)[:12]),
        ("Exit code", plain(run.get("exit_code"), 20)),
        ("Run", plain(run.get("id"), 80)),
        ("Tokens", " in, ".join(spent) + " out" if all(spent) else ""),
        ("Cost", f"{number(usage.get('cost_usd')):.2f} USD" if usage.get("cost_usd") else ""),
    ]
    return tuple((name, value) for name, value in facts if value)


def _counts(document: JsonObject, records: Sequence[JsonObject]) -> tuple[tuple[str, str, str], ...]:
    """Return the headline numbers: what, how many, and a word on them."""
    done = sum(one.get("status") == "completed" for one in records)
    reused = sum(bool(one.get("reused")) for one in records)
    checks = [mapping(one) for one in items(document.get("evidence"))]
    passed = sum(one.get("status") == "passed" for one in checks)
    accepted = check_waivers(document)
    let = sum(one.get("status") != "passed" and plain(one.get("check"), 120) in accepted for one in checks)
    found = [mapping(one) for one in items(document.get("findings"))]
    concerned = len(items(document.get("integration_concerns")))
    settled = sum(mapping(one).get("status") == "settled" for one in items(document.get("integration_concerns")))
    changed = len(items(document.get("files_modified")))
    return (
        (f"{noun('tracks', len(records))} completed", _part(done, len(records)), f"{reused} reused" if reused else ""),
        (f"{noun('checks', len(checks))} passed", _part(passed, len(checks)), f"{let} waived" if let else ""),
        _criteria_count([mapping(one) for one in items(document.get("criteria"))]),
        (noun("findings", len(found)), str(len(found)), _weights(found)),
        (noun("concerns", concerned), str(concerned), f"{settled} settled" if settled else ""),
        (f"{noun('files', changed)} changed", str(changed), ""),
    )


def _criteria_count(wanted: Sequence[JsonObject]) -> tuple[str, str, str]:
    met = sum(one.get("status") == "met" for one in wanted)
    waived = sum(one.get("status") == "waived" for one in wanted)
    if not waived:
        return f"{noun('criteria', len(wanted))} met", _part(met, len(wanted)), ""
    rest = len(wanted) - met - waived
    more = f"{met} met, {waived} waived" + (f", {rest} not met" if rest else "")
    return noun("criteria", len(wanted)), str(len(wanted)), more


def _weights(found: Sequence[JsonObject]) -> str:
    waived = sum(bool(one.get("waived")) for one in found)
    blocking = sum(one.get("severity") == "blocking" and not one.get("waived") for one in found)
    if waived:
        return f"{blocking} blocking, {waived} waived"
    return f"{blocking} blocking" if blocking else ""


def _part(some: int, every: int) -> str:
    return f"{some} of {every}" if every else "none set"


def _tracks(
    document: JsonObject,
    records: Sequence[JsonObject],
    documents: Mapping[str, JsonObject],
    refs: Mapping[str, ContextRef],
    critical: Sequence[str],
    read: ReadLog,
) -> Listed[TrackRow]:
    entries = {str(one.get("task_id")): one for one in map(mapping, items(document.get("parallel_tasks")))}
    left_out = {str(one) for one in items(mapping(document.get("run")).get("left_out"))}
    undone = [str(one["task_id"]) for one in records if one.get("status") != "completed"]
    with_logs = set(undone[:_MOST_LOGS])
    words = 1_000 if len(records) <= 100 else 240

    def row(one: JsonObject) -> TrackRow:
        name = str(one["task_id"])
        entry, own, ref = entries.get(name, {}), documents.get(name, {}), refs.get(name)
        reason = plain(one.get("reason"), words)
        if name in left_out:
            reason = f"{reason} Its branch conflicts and was left out of the integration.".strip()
        return TrackRow(
            task_id=plain(name, 200),
            agent=plain(entry.get("agent") or own.get("current_agent"), 200),
            scope=plain(entry.get("scope"), words),
            status=_track_status(one, left_out=name in left_out),
            attempts=int(number(one.get("attempts"))),
            seconds=number(one.get("seconds")),
            files=len(items(own.get("files_modified"))),
            document=str(ref) if ref else "",
            size=ref.size if ref else 0,
            needs=tuple(plain(need, 80) for need in items(entry.get("needs"))[:40]),
            reason=reason,
            summary=plain(own.get("context_summary"), words) if one.get("status") == "completed" else "",
            critical=name in critical,
            logs=_last_log(own, read) if name in with_logs else (),
        )

    return listed(list(records), row, most=2_000, budget=1_600_000)


def _track_status(one: JsonObject, *, left_out: bool) -> Status:
    said = plain(one.get("status"), 80)
    if said == "completed" and left_out:
        return status("left-out")
    return status("reused" if said == "completed" and one.get("reused") else said)


def _last_log(document: JsonObject, read: ReadLog) -> tuple[Log, ...]:
    tried = [mapping(one) for one in items(mapping(document.get("execution")).get("attempts"))]
    log = read(tried[-1].get("log")) if tried else None
    return (log,) if log else ()


def _sizes(
    first: Saved | None, merged: Saved | None, final: ContextRef, tracks: Sequence[tuple[str, ContextRef]]
) -> Listed[Size]:
    shown = list(tracks)
    if len(shown) > _MOST_SIZES:
        shown = sorted(shown, key=lambda one: one[1].size, reverse=True)[:_MOST_SIZES]
    named = [Size("initial", first[0].size)] if first else []
    named += [Size(cut(name, 80), ref.size) for name, ref in shown]
    if len(tracks) > len(shown):
        rest = sum(ref.size for _, ref in tracks) - sum(ref.size for _, ref in shown)
        count = len(tracks) - len(shown)
        named.append(Size(f"{count} smaller {noun('tracks', count)}", rest // count, "each, on average"))
    named += [Size("merged", merged[0].size)] if merged else []
    named.append(Size("final", final.size))
    return Listed(tuple(named), len(named))
