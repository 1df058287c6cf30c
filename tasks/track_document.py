"""The document of a track: what the agent left, under a head plait vouches for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson
from pydantic import ValidationError

from contexts.codec import describe
from contexts.errors import DocumentError
from contexts.model.base import JsonObject, entries
from contexts.model.document import Context
from contexts.model.records import Execution
from contexts.model.spec import Track
from contexts.model.version import FORMAT_VERSION
from contexts.quantity import counted
from contexts.secrets import LineHit
from tasks.run import Run, now
from tasks.workspaces import Work

OURS = frozenset(
    {
        "_checksum", "execution", "run", "kind", "group_id", "evidence", "findings", "criteria", "waivers",
        "settlements", "provenance", "omissions", "track_contexts", "contributions", "spec",
    }
)  # fmt: skip
"""Fields only plait writes; an agent's own go under ``claims``, where nothing believes them."""


_MOST_FINDINGS = 50
"""Findings of one kind that are listed one by one: a document has a limit, and a reader too."""


def describe_success(run: Run, track: Track, left: JsonObject, work: Work | None) -> JsonObject:
    """Return the track's document without its execution.

    A recorded document keeps its own head. ``files_modified`` is what git says where files were worked on.

    Raises:
        DocumentError: What the agent left does not fit the format, or is another track's.
    """
    claimed = left.get("task_id")
    if claimed is not None and claimed != track.task_id:
        raise DocumentError(f"context.json says task_id {str(claimed)[:80]!r}, but this is track {track.task_id!r}")
    document: JsonObject = {
        "version": FORMAT_VERSION,
        "workflow_id": f"{run.workflow_id}-{track.task_id}",
        "timestamp": now(),
        "current_agent": track.agent,
        "next_agent": None,
        "phase": f"{track.task_id}-complete",
        **{key: value for key, value in left.items() if key not in OURS},
        "task_id": track.task_id,
        "parent_workflow_id": run.workflow_id,
        "kind": "track",
        "status": "completed",
    }
    if work is not None:
        document["workflow_id"] = f"{run.workflow_id}-{track.task_id}"
        document["files_modified"] = list(work.files)
    claims = {key: left[key] for key in sorted(OURS & left.keys())}
    if claims:
        document["claims"] = claims
    findings = _findings(track, left, work)
    if findings:
        document["findings"] = [*entries(document, "findings"), *findings]
    try:
        Context.model_validate_json(orjson.dumps(document))
    except ValidationError as error:
        raise DocumentError(f"context.json does not fit the format: {describe(error)}") from error
    return document


def _findings(track: Track, left: JsonObject, work: Work | None) -> list[JsonObject]:
    if work is None:
        return []
    findings: list[JsonObject] = []
    claimed: Any = left.get("files_modified")
    if isinstance(claimed, list):
        said = {str(path) for path in claimed}  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType] JSON
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


def in_log(track: Track, hits: Sequence[LineHit]) -> list[JsonObject]:
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


def _finding(rule: str, severity: str, message: str, track: Track, pointer: str, quote: str) -> JsonObject:
    return {
        "rule": rule,
        "severity": severity,
        "message": message,
        "sources": [{"document": f"tracks/{track.task_id}", "pointer": pointer, "quote": quote}],
    }


def describe_unfinished(
    run: Run, track: Track, status: str, execution: Execution, *, reason: str = "", checkpoint: JsonObject | None = None
) -> JsonObject:
    """Return the document of a track that has not delivered: why, where its logs are, what it had left so far.

    Args:
        run: The run.
        track: The track.
        status: ``running`` for a checkpoint, ``cancelled`` or ``failed``.
        execution: The attempts so far.
        reason: Why it did not deliver.
        checkpoint: What the agent had left in its context file.
    """
    document: JsonObject = {
        "version": FORMAT_VERSION,
        "workflow_id": f"{run.workflow_id}-{track.task_id}",
        "parent_workflow_id": run.workflow_id,
        "task_id": track.task_id,
        "timestamp": now(),
        "current_agent": track.agent,
        "next_agent": track.agent,
        "phase": f"{track.task_id}-{status}",
        "kind": "track",
        "status": status,
        "context_summary": f"{status.capitalize()}: {reason}"[:500] if reason else status.capitalize(),
        "execution": execution.to_json(),
    }
    if reason:
        document["error_log"] = [{"timestamp": now(), "agent": track.agent, "error": reason, "resolved": False}]
    if checkpoint is not None:
        document["checkpoint"] = checkpoint
        document["checkpoints"] = [
            {"id": f"{track.task_id}-{execution.attempts[-1].number}", "timestamp": now(), "phase": status}
        ]
    return document
