"""The document of a track: what the agent left, under a head plait vouches for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from contexts.documents.base import JsonObject, now
from contexts.documents.context import Context
from contexts.documents.findings import Finding, Severity, Source
from contexts.documents.fitting import fit
from contexts.documents.handed_in import members_of
from contexts.documents.lenient import can_be_read, claimed, keep, shown
from contexts.documents.parts import Checkpoint, ErrorEntry
from contexts.documents.records import Execution
from contexts.documents.version import FORMAT_VERSION, SUMMARY_LIMIT
from contexts.json.pointer import pointer
from contexts.redaction import LineHit
from contexts.spec.model import Track
from contexts.store.keys import track_document
from contexts.text.plural import counted
from tasks.agents.backend import Delivery
from tasks.run.track_runtime import TrackRuntime
from tasks.track.workspace import Work

OURS = frozenset(
    {
        "_checksum", "execution", "run", "kind", "group_id", "evidence", "findings", "criteria", "waivers",
        "settlements", "provenance", "omissions", "track_contexts", "contributions", "spec",
        "compared_claims", "left_out",
    }
)  # fmt: skip
"""Fields only plait writes; an agent's own go under ``claims``, where nothing believes them."""


_MOST_FINDINGS = 50
"""Findings of one kind that are listed one by one: a document has a limit, and a reader too."""


def describe_success(run: TrackRuntime, track: Track, delivery: Delivery, work: Work | None) -> Context:
    """Return the track's document without its execution.

    A recorded document keeps its own head. ``files_modified`` is what git says where files were worked on. What the
    agent left that does not fit the format goes under ``claims``, and one warning names it.
    """
    left: JsonObject = delivery.context or {}
    claims: JsonObject = dict(delivery.claims)
    members, unread = members_of({key: value for key, value in left.items() if key not in OURS}, claims)
    odd = [*delivery.odd, *unread]
    for key, value in _strangers(run, track, members, worked=work is not None):
        claims[key] = value
        odd.append(pointer(key))
        if key == "context_summary":
            members[key] = f"{value[: SUMMARY_LIMIT - 3]}..."
        else:
            del members[key]

    def make(fitting: JsonObject) -> JsonObject:
        document: JsonObject = {
            "version": FORMAT_VERSION,
            "workflow_id": f"{run.workflow_id}-{track.task_id}",
            "timestamp": now(),
            "current_agent": track.agent,
            "next_agent": None,
            "phase": f"{track.task_id}-complete",
            **fitting,
            "task_id": track.task_id,
            "parent_workflow_id": run.workflow_id,
            "kind": "track",
            "status": "completed",
        }
        if work is not None:
            document["workflow_id"] = f"{run.workflow_id}-{track.task_id}"
        return document

    context, unfit = fit(members, make)
    said = context.files_modified
    if work is not None:
        context = context.changed(files_modified=list(work.files))
    for place, value in unfit.items():
        keep(claims, place, value)
        odd.append(pointer(*place))
    own = {key: left[key] for key in sorted(OURS & left.keys())}
    before = {key: value for key, value in (context.model_extra or {}).items() if key == "claims"}
    if claims or own or not isinstance(before.get("claims", {}), dict):
        context = context.changed(claims=claimed({**before, **claims, **own}))
    findings = [*_misfit(track, odd), *_findings(track, said, work)]
    return context.changed(findings=findings) if findings else context


def _strangers(run: TrackRuntime, track: Track, members: JsonObject, *, worked: bool) -> Iterator[tuple[str, Any]]:
    """Yield members that have the right type and are not this track's, or are too long."""
    known = {
        "task_id": {track.task_id},
        "parent_workflow_id": {run.workflow_id},
        "workflow_id": {run.workflow_id, f"{run.workflow_id}-{track.task_id}"},
        "status": {"completed"},
    }
    for key, values in known.items():
        value = members.get(key)
        if (
            value is not None
            and (worked or key in {"task_id", "status"})
            and not (isinstance(value, str) and value in values)
        ):
            yield key, value
    if "version" in members and not can_be_read(members["version"]):
        yield "version", members["version"]
    summary = members.get("context_summary")
    if isinstance(summary, str) and len(summary) > SUMMARY_LIMIT:
        yield "context_summary", summary


def _misfit(track: Track, odd: Sequence[str]) -> list[Finding]:
    if not odd:
        return []
    message = f"context.json holds what does not fit a context: {shown(odd)}; it is kept under claims"
    return [_finding("claims/context-misfit", "warning", message, track, "/claims", shown(odd, 1))]


def _findings(track: Track, claimed: Sequence[str] | None, work: Work | None) -> list[Finding]:
    if work is None:
        return []
    findings: list[Finding] = []
    if claimed is not None:
        said = {path.removeprefix("./") for path in claimed}
        found = set(work.files)
        differ = sorted(said ^ found)
        for path in differ[:_MOST_FINDINGS]:
            how = (
                "was claimed as modified, but git shows no change" if path in said else "was modified, but not claimed"
            )
            findings.append(
                _finding("claims/files-modified", "warning", f"{path} {how}", track, "/files_modified", path)
            )
        if len(differ) > _MOST_FINDINGS:
            more = f"{len(differ) - _MOST_FINDINGS} more paths differ between what was claimed and what git shows"
            findings.append(_finding("claims/files-modified", "warning", more, track, "/files_modified", ""))
    findings += [
        _finding(
            "workspace/refused", "warning", f"{one.path} was left out: {one.why}", track, "/files_modified", one.path
        )
        for one in work.refused[:_MOST_FINDINGS]
    ]
    if len(work.refused) > _MOST_FINDINGS:
        more = f"{len(work.refused) - _MOST_FINDINGS} more paths were left out; the workspace still holds them"
        findings.append(_finding("workspace/refused", "warning", more, track, "/files_modified", ""))
    findings += [
        _finding(
            "secrets/value-in-file",
            "blocking",
            f"{where} holds a secret value ({kind}), which was redacted",
            track,
            "",
            where,
        )
        for where, kind in work.secrets
    ]
    findings += [
        _finding(
            "secrets/value-by-name",
            "warning",
            f"{where} looks like a secret value ({kind}) by its name; it was left as it is: make sure that it is none",
            track,
            "",
            where,
        )
        for where, kind in work.guesses[:_MOST_FINDINGS]
    ]
    if len(work.guesses) > _MOST_FINDINGS:
        more = f"{len(work.guesses) - _MOST_FINDINGS} more values look like secrets by their names"
        findings.append(_finding("secrets/value-by-name", "warning", more, track, "", ""))
    return findings


def in_log(track: Track, hits: Sequence[LineHit]) -> list[Finding]:
    """Return what is to be said of secret values that were taken out of a track's log; nothing of guesses."""
    kinds = Counter(hit.kind for hit in hits if hit.certain)
    return [
        _finding(
            "secrets/value-in-log",
            "warning",
            f"its log held a secret value ({kind}) {counted(count, 'time')}, which was redacted; revoke it",
            track,
            "",
            f"[redacted:{kind}]",
        )
        for kind, count in sorted(kinds.items())
    ]


def _finding(rule: str, severity: Severity, message: str, track: Track, pointer: str, quote: str) -> Finding:
    where = Source(document=track_document(track.task_id), pointer=pointer, quote=quote)
    return Finding(rule=rule, severity=severity, message=message, sources=(where,))


def describe_unfinished(
    run: TrackRuntime,
    track: Track,
    status: str,
    execution: Execution,
    reason: str = "",
    checkpoint: JsonObject | None = None,
    work: Work | None = None,
    findings: Sequence[Finding] = (),
) -> Context:
    """Return the document of a track that has not delivered: why, where its logs are, what it had left so far.

    Args:
        run: The run.
        track: The track.
        status: ``running`` for a checkpoint, ``cancelled`` or ``failed``.
        execution: The attempts so far.
        reason: Why it did not deliver.
        checkpoint: What the agent had left in its context file.
        work: What it left in its workspace, where that was taken over.
        findings: What is to be said of what it left.
    """
    context = Context(
        version=FORMAT_VERSION,
        workflow_id=f"{run.workflow_id}-{track.task_id}",
        parent_workflow_id=run.workflow_id,
        task_id=track.task_id,
        timestamp=now(),
        current_agent=track.agent,
        next_agent=track.agent,
        phase=f"{track.task_id}-{status}",
        kind="track",
        status=status,
        context_summary=f"{status.capitalize()}: {reason}"[:SUMMARY_LIMIT] if reason else status.capitalize(),
        execution=execution,
    )
    more: dict[str, object] = {}
    if reason:
        more["error_log"] = [ErrorEntry(timestamp=now(), agent=track.agent, error=reason, resolved=False)]
    if work is not None:
        more["files_modified"] = list(work.files)
    if findings:
        more["findings"] = list(findings)
    if checkpoint is not None:
        more["checkpoint"] = checkpoint
        number = execution.attempts[-1].number
        more["checkpoints"] = [Checkpoint(id=f"{track.task_id}-{number}", timestamp=now(), phase=status)]
    return context.changed(**more)
