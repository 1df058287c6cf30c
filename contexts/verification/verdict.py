"""The verdict of a run: status, phase and exit code from what is known, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contexts.documents.findings import Finding
from contexts.documents.verification import CriterionResult, Evidence, WaiverEntry
from contexts.spec.model import Spec
from contexts.text.plural import counted

_PHASES = {
    "verified": "integration-verified",
    "completed": "integration-unverified",
    "waiting-for-approval": "integration-verified-ready-for-deployment",
    "approved": "deployment-approved",
    "rejected": "deployment-rejected",
}
WAITING = 5
"""Exit code of a run that waits for a person."""
PAST_VERIFICATION = frozenset(
    {
        "verified", "waiting-for-approval", "approved", "deployed", "rejected", "staging-failed", "deployment-blocked",
        "deployment-failed", "deployment-unknown",
    }
)  # fmt: skip
"""Statuses of work that verification let pass."""
STATE_NAMES = {
    "verified": "Completed",
    "completed": "Completed",
    "partial": "Partial",
    "out-of-budget": "OutOfBudget",
    "verification-failed": "VerificationFailed",
    "verification-incomplete": "VerificationIncomplete",
    "waiting-for-approval": "WaitingForApproval",
    "approved": "Completed",
    "deployed": "Completed",
    "rejected": "Rejected",
    "staging-failed": "StagingFailed",
    "deployment-blocked": "DeploymentBlocked",
    "deployment-failed": "DeploymentFailed",
    "deployment-unknown": "DeploymentUnknown",
}
"""What the flow run's state is called, by status."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a run ended.

    Attributes:
        status: ``verified``, ``completed`` (there was nothing to verify), ``verification-failed``,
            ``verification-incomplete``, ``partial`` or ``out-of-budget``; what comes after verification adds those of
            `contexts.verification.deployment_gate`.
        exit_code: As the command line returns it.
        reasons: Why it is not simply verified, most important first.
    """

    status: str
    exit_code: int
    reasons: tuple[str, ...]

    @property
    def phase(self) -> str:
        """The phase the final context is in."""
        return phase_of(self.status)


def phase_of(status: str) -> str:
    """Return the phase a context of that status is in."""
    return _PHASES.get(status, status)


def reach_verdict(
    spec: Spec,
    *,
    tracks: Mapping[str, str],
    left_out: Sequence[str],
    evidence: Sequence[Evidence],
    criteria: Sequence[CriterionResult],
    findings: Sequence[Finding],
    waivers: Sequence[WaiverEntry] = (),
) -> Verdict:
    """Return the verdict of a run.

    Args:
        spec: The spec.
        tracks: Status of every track, by task_id.
        left_out: Tracks whose branch conflicts.
        evidence: Evidence records of all checks.
        criteria: How each criterion ended.
        findings: What the audit says.
        waivers: Rulings of people on checks; criteria and findings say themselves that they are waived.
    """
    waived = {one.target for one in waivers if one.kind in {None, "check"}}
    partial = _gaps(spec, tracks, left_out)
    failed = [f"{one.rule}: {one.message}" for one in findings if one.blocks]
    required = {check.id: None for check in spec.verification.checks if check.required}
    failed += [
        f"check {one.check} failed: {one.reason or 'see its log'}"
        for one in evidence
        if one.status == "failed" and one.check in required and one.check not in waived
    ]
    failed += [
        f"criterion {one.id} is unmet: {one.reason}" for one in criteria if one.required and one.status == "unmet"
    ]
    told = {one.check for one in evidence} | waived
    unknown = [f"check {name} gave no evidence" for name in required if name not in told]
    unknown += [
        f"check {one.check} could not be verified: {one.reason or 'it did not run'}"
        for one in evidence
        if one.status == "unverified" and one.check in required and one.check not in waived
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
    if not spec.verification.checks and not criteria:
        return Verdict("completed", 0, ("the spec has neither checks nor criteria, so nothing was verified",))
    return Verdict("verified", 0, ())


def remarks_on(evidence: Sequence[Evidence]) -> list[str]:
    """Return what is to be said of checks that passed: tests skipped or passed at a later try, output dropped."""
    return [f"check {one.check}: {note}" for one in evidence if one.status == "passed" for note in one.notes or ()]


def _gaps(spec: Spec, tracks: Mapping[str, str], left_out: Sequence[str]) -> list[str]:
    statuses = {track.task_id: tracks.get(track.task_id, "never ran") for track in spec.parallel_tasks}
    reasons = [f"branch of track {task_id} conflicts and was left out" for task_id in left_out]
    if spec.policy.quorum is not None:
        done = sum(status == "completed" for status in statuses.values())
        short = f"{done} of {counted(spec.policy.quorum, 'track')} that make the quorum completed"
        return [short, *reasons] if done < spec.policy.quorum else reasons
    return [
        f"required track {track.task_id} {statuses[track.task_id]}"
        for track in spec.parallel_tasks
        if track.required and statuses[track.task_id] != "completed"
    ] + reasons
