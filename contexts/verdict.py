"""The verdict of a run: status, phase and exit code from what is known, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contexts.model.base import JsonObject
from contexts.model.parts import CriterionResult
from contexts.model.spec import Spec

AREAS = {
    "contract": "api_contract_alignment",
    "tests": "test_execution",
    "coverage": "test_execution",
    "command": "test_execution",
    "performance": "performance",
    "security": "security",
    "migrations": "database_migration",
}
"""Which of the five areas of verification a kind of check belongs to."""


STATE_NAMES = {
    "verified": "Completed",
    "partial": "Partial",
    "out-of-budget": "OutOfBudget",
    "verification-failed": "VerificationFailed",
    "verification-incomplete": "VerificationIncomplete",
}
"""What the flow run's state is called, by status."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a run ended.

    Attributes:
        status: ``verified``, ``verification-failed``, ``verification-incomplete``, ``partial`` or ``out-of-budget``.
        exit_code: As the command line returns it.
        reasons: Why it is not simply verified, most important first.
    """

    status: str
    exit_code: int
    reasons: tuple[str, ...]

    @property
    def phase(self) -> str:
        """The phase the final context is in."""
        return "integration-verified" if self.status == "verified" else self.status


def reach_verdict(
    spec: Spec,
    *,
    tracks: Mapping[str, str],
    left_out: Sequence[str],
    evidence: Sequence[JsonObject],
    criteria: Sequence[CriterionResult],
    findings: Sequence[JsonObject],
    waivers: Sequence[JsonObject] = (),
) -> Verdict:
    """Return the verdict of a run.

    Args:
        spec: The spec.
        tracks: Status of every track, by task_id.
        left_out: Tracks whose branch conflicts.
        evidence: Evidence records of all checks.
        criteria: How each criterion ended.
        findings: What the audit says.
        waivers: Typed human decisions; ``target`` names a criterion or a finding's rule.
    """
    waived = {str(one["target"]) for one in waivers}
    partial = _gaps(spec, tracks, left_out)
    failed = [
        f"{one['rule']}: {one['message']}"
        for one in findings
        if one["severity"] == "blocking" and one["rule"] not in waived
    ]
    required = {check.id for check in spec.verification.checks if check.required}
    failed += [
        f"check {one['check']} failed: {one.get('reason') or 'see its log'}"
        for one in evidence
        if one["status"] == "failed" and one["check"] in required and one["check"] not in waived
    ]
    failed += [
        f"criterion {one.id} is unmet: {one.reason}" for one in criteria if one.required and one.status == "unmet"
    ]
    unknown = [
        f"check {one['check']} could not be verified: {one.get('reason') or 'it did not run'}"
        for one in evidence
        if one["status"] == "unverified" and one["check"] in required and one["check"] not in waived
    ]
    unknown += [
        f"criterion {one.id} is unverified: {one.reason}"
        for one in criteria
        if one.required and one.status == "unverified"
    ]
    reasons = (*partial, *failed, *unknown)
    if "out-of-budget" in tracks.values():
        return Verdict("out-of-budget", 4, reasons)
    if partial:
        return Verdict("partial", 3, reasons)
    if failed:
        return Verdict("verification-failed", 1, reasons)
    if unknown:
        return Verdict("verification-incomplete", 1, reasons)
    return Verdict("verified", 0, ())


def _gaps(spec: Spec, tracks: Mapping[str, str], left_out: Sequence[str]) -> list[str]:
    required = {track.task_id for track in spec.parallel_tasks if track.required}
    reasons = [f"branch of track {task_id} conflicts and was left out" for task_id in left_out]
    missing = {task_id: status for task_id, status in tracks.items() if status != "completed"}
    if spec.policy.quorum is not None:
        done = len(tracks) - len(missing)
        if done < spec.policy.quorum:
            reasons.append(f"{done} of {spec.policy.quorum} tracks that make the quorum completed")
        return reasons
    return [
        f"required track {task_id} {status}" for task_id, status in missing.items() if task_id in required
    ] + reasons


def areas_of(evidence: Sequence[JsonObject]) -> dict[str, JsonObject]:
    """Return the five areas of verification, each with the evidence that decided it.

    An area without evidence is ``unverified``, never passed.
    """
    areas: dict[str, JsonObject] = {}
    for area in dict.fromkeys(AREAS.values()):
        own = [one for one in evidence if AREAS.get(str(one["kind"])) == area]
        statuses = {one["status"] for one in own}
        status = next((each for each in ("failed", "unverified", "passed") if each in statuses), "unverified")
        entry: JsonObject = {"status": status, "checks": [_line(one) for one in own]}
        if not own:
            entry["reason"] = "the spec has no check of this area"
        areas[area] = entry
    return areas


def _line(one: JsonObject) -> JsonObject:
    line: JsonObject = {
        "check": one["check"],
        "status": one["status"],
        "exit_code": one.get("exit_code"),
        "seconds": one["seconds"],
        "tree": one.get("tree"),
    }
    for key in ("result", "log", "reason", "notes", "steps"):
        if one.get(key):
            line[key] = one[key]
    return line
