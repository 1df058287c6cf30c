"""What decides a track's result: the digest that tells whether finished work can be used again.

Two digests per track. The inputs digest covers everything that can change what the track produces; the result digest
covers what it produced, and enters the inputs digest of the tracks that need it. Every field of the spec is consciously
in or out, and a test fails when a new field is in neither list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from contexts.documents.codec import canonical
from contexts.json.values import is_list, is_object
from contexts.spec.model import Spec, Track
from contexts.spec.policy import CommandAgent
from contexts.spec.programs import NOTHING_KNOWN, SPEC_DIR, Known, content_of, path_of

FORMAT = 1
"""Raised when the meaning of the digest changes, so that older results are not mistaken for present ones."""

TRACK_IN = frozenset({"task_id", "agent", "scope", "needs", "owns", "migrations", "criteria"})
TRACK_OUT = frozenset(
    {
        "required", "retries", "timeout_minutes", "estimate_minutes", "checkpoint_minutes", "ports", "metadata",
        "context_ref", "status", "started_at", "contracts",
    }
)  # fmt: skip
"""`TRACK_IN` and `SPEC_IN` count by what they lead to where that says more: ``needs`` by the prerequisites' results,
``agents`` by what `agent_inputs` says, ``repository`` by the pinned commit and its setup."""

SPEC_IN = frozenset(
    {"feature_spec", "shared_constraints", "integration_requirements", "success_criteria", "agents", "repository"}
)
SPEC_OUT = frozenset(
    {
        "workflow_id", "parallel_tasks", "version", "timestamp", "current_agent", "next_agent", "phase",
        "context_summary", "metadata", "groups", "verification", "deployment", "budget", "policy", "max_parallel",
        "secrets", "constraints", "audit",
    }
)  # fmt: skip
COMMAND_IN = frozenset({"backend", "argv", "env"})
COMMAND_OUT = frozenset({"retryable_exit_codes"})
REPLAY_IN = frozenset({"backend", "path"})
"""The path counts by the recording it leads to."""

RESULT_OUT = frozenset(
    {
        "_checksum", "version", "workflow_id", "parent_workflow_id", "timestamp", "usage", "execution", "findings",
        "checkpoints", "conversation_history", "metadata", "provenance", "run", "started_at", "completed_at",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Inputs:
    """What decides a track's result.

    Attributes:
        digest: sha256 over all of it, in hexadecimal.
        parts: The first half of a sha256 per part, so that a later run can say which part changed.
    """

    digest: str
    parts: Mapping[str, str]


def criteria_of(spec: Spec, track: Track) -> dict[str, list[Any]]:
    """Return the success criteria that reach a track, by area, as plain values.

    The areas it names; else the area called like it; else all of them.
    """
    if track.criteria is not None:
        areas: Sequence[str] = track.criteria
    elif track.task_id in spec.success_criteria:
        areas = (track.task_id,)
    else:
        areas = tuple(spec.success_criteria)
    return {
        area: [
            one if isinstance(one, str) else one.model_dump(mode="json", exclude_unset=True)
            for one in spec.success_criteria[area]
        ]
        for area in areas
    }


def track_inputs(
    spec: Spec,
    track: Track,
    *,
    base: str | None,
    prerequisites: Mapping[str, str],
    agent: Mapping[str, object],
) -> Inputs:
    """Return what decides a track's result.

    Args:
        spec: The spec.
        track: The track.
        base: Full sha of the pinned base commit, None without a repository.
        prerequisites: Result digests of the transitive prerequisites, by task_id.
        agent: What `agent_inputs` or `recording_inputs` says of the backend.
    """
    parts = {
        "task_id": track.task_id,
        "role": track.agent,
        "scope": track.scope,
        "owns": track.owns,
        "migrations": track.migrations,
        "feature": spec.feature_spec.to_json(),
        "constraints": spec.shared_constraints,
        "integration requirements": spec.integration_requirements,
        "criteria": criteria_of(spec, track),
        "base commit": base,
        "setup": spec.repository.setup if spec.repository else (),
        "prerequisites": dict(prerequisites),
        "agent": dict(agent),
    }
    digests = {name: sha256(canonical(value)).hexdigest()[:16] for name, value in parts.items()}
    return Inputs(sha256(canonical({"format": FORMAT, **parts})).hexdigest(), digests)


def recording_inputs(recording: bytes) -> Mapping[str, object]:
    """Return what of a recorded document, played back, decides a track's result: its content, and not its place."""
    return {"backend": "replay", "recording": sha256(recording).hexdigest()}


def agent_inputs(agent: CommandAgent, *, folder: Path, known: Known = NOTHING_KNOWN) -> Mapping[str, object]:
    """Return what of an agent decides a track's result.

    Programs and files an argument names outside the repository count by content; absolute paths and client versions
    do not count.

    Args:
        agent: The declared agent.
        folder: The spec's folder, for ``{spec_dir}``.
        known: What counts instead of the files that are there, where the workflow goes on from its store.

    Raises:
        InputError: A program it names cannot be read.
    """
    return {
        "backend": "command",
        "argv": [_argument(part, folder, known) for part in agent.argv],
        "env": dict(sorted(agent.env.items())),
    }


def _argument(text: str, folder: Path, known: Known) -> object:
    option, sign, given = text.rpartition("=") if text.startswith("-") else ("", "", text)
    path = path_of(given, folder)
    if not path.is_absolute():
        return text
    name = f"{option}{sign}{given if SPEC_DIR in given else path.name}"
    proof = content_of(given, path, known)
    return name if proof is None else {"name": name, "sha256": proof}


def result_digest(document: Mapping[str, object], tree: str | None) -> str:
    """Return the digest of what a track produced: its document without times and usage, and its tree."""
    kept = {key: value for key, value in document.items() if key not in RESULT_OUT}
    log = kept.get("error_log")
    if is_list(log):
        # When an error was met says nothing of what came of the work.
        kept["error_log"] = [_timeless(entry) for entry in log]
    return sha256(canonical({"format": FORMAT, "document": kept, "tree": tree})).hexdigest()


def _timeless(entry: Any) -> Any:
    if not is_object(entry):
        return entry
    return {key: value for key, value in entry.items() if key != "timestamp"}
