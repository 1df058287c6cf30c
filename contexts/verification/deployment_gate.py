"""How far each environment is, and what may happen next: from evidence, people's answers and recorded attempts alone.

Everything is bound to a subject, the digest of what would be deployed and how. Other work, another command or other
prerequisites are another subject: nothing said of the first one speaks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from contexts.documents.codec import digest
from contexts.documents.context import Context
from contexts.documents.deployment import (
    ApprovalEntry,
    DeploymentAttempt,
    DeploymentReadiness,
    PrerequisiteResult,
    ProductionReadiness,
    Proof,
    StagingReadiness,
)
from contexts.documents.verification import CriterionResult, Evidence
from contexts.spec.load import programs_of
from contexts.spec.model import Spec
from contexts.spec.policy import Deployment, Prerequisite, Production, Staging
from contexts.spec.programs import Known
from contexts.text.plural import counted

Action = Literal["deploy", "ask", "end"]
_ANSWERS = {"approved", "rejected", "rerun", "done"}


def staging_subject(staging: Staging, tree: str, programs: Sequence[tuple[str, str]] = ()) -> str:
    """Return the digest of what staging would get: the same one is not deployed twice.

    Args:
        staging: The spec's word.
        tree: Id of the integrated tree.
        programs: Files of the spec's folder that the command names, with the sha256 of each.
    """
    settings = staging.model_dump(mode="json", exclude={"checks", "timeout_minutes"})
    return digest({"environment": "staging", "tree": tree, "settings": settings, "programs": list(programs)})


def production_subject(production: Production, tree: str, programs: Sequence[tuple[str, str]] = ()) -> str:
    """Return the digest of what a person approves: the work, the command, and what was to hold before it."""
    settings = production.model_dump(mode="json", exclude={"timeout_minutes"})
    return digest({"environment": "production", "tree": tree, "settings": settings, "programs": list(programs)})


def subjects_of(spec: Spec, tree: str, *, folder: Path, known: Known) -> dict[str, str]:
    """Return the digest of what each environment would get.

    Args:
        spec: The spec.
        tree: Id of the integrated tree.
        folder: The spec's folder.
        known: What counts instead of the files there, where the workflow goes on from its store.
    """
    deployment = spec.deployment
    subjects: dict[str, str] = {}
    if deployment and deployment.staging:
        programs = programs_of(deployment.staging.argv, folder=folder, known=known)
        subjects["staging"] = staging_subject(deployment.staging, tree, programs)
    if deployment and deployment.production:
        programs = programs_of(deployment.production.argv or (), folder=folder, known=known)
        subjects["production"] = production_subject(deployment.production, tree, programs)
    return subjects


@dataclass(frozen=True, slots=True)
class GateState:
    """What is known, and what follows.

    Attributes:
        readiness: The document's ``deployment_readiness``.
        action: ``deploy``: the production command may run now; ``ask``: a person is to answer; ``end``: nothing more.
        status: What the run's status becomes; None: what verification made it.
        exit_code: As the command line returns it.
        reasons: Why the work is not in production.
    """

    readiness: DeploymentReadiness
    action: Action
    status: str | None = None
    exit_code: int = 0
    reasons: tuple[str, ...] = ()


def assess_gate(spec: Spec, context: Context, subjects: Mapping[str, str]) -> GateState:
    """Return how far a verified workflow is on its way to production.

    Args:
        spec: The spec; it has a deployment.
        context: The verified context, with its approvals and deployments.
        subjects: The present subject of each environment.
    """
    deployment = spec.deployment or Deployment()
    attempt = last_attempt(context, "staging", subjects.get("staging"))
    staging, problems = _staging(spec, deployment.staging, attempt) if deployment.staging else (None, [])
    if deployment.production is None:
        readiness = DeploymentReadiness(staging=staging).compact()
        return GateState(readiness, "end", *(("staging-failed", 1, tuple(problems)) if problems else (None, 0, ())))
    proofs = [*(context.evidence or ()), *((attempt and attempt.checks) or ())]
    gate = _Gate(deployment.production, context, subjects["production"], proofs, staging)
    return gate.said("blocked", "end", "staging-failed", 1, *problems) if problems else gate.state()


def last_attempt(context: Context, environment: str, subject: str | None) -> DeploymentAttempt | None:
    """Return the last deployment of a subject to an environment, None if there was none."""
    made = [one for one in context.deployments or () if one.environment == environment and one.subject == subject]
    return made[-1] if made else None


def _staging(spec: Spec, staging: Staging, attempt: DeploymentAttempt | None) -> tuple[StagingReadiness, list[str]]:
    if attempt is None:
        pending = StagingReadiness(status="pending", validation="not deployed yet")
        return pending, ["staging was not deployed"]
    url = attempt.url or None
    if attempt.status != "done":
        why = f"the staging command {attempt.status}: {attempt.reason or 'see its log'}"
        return StagingReadiness(status="failed", url=url, validation=why, evidence=attempt).compact(), [why]
    checks = attempt.checks or []
    passed = [one.check for one in checks if one.status == "passed"]
    known = [*spec.verification.checks, *(spec.deployment.checks if spec.deployment else ())]
    required = {check.id for check in known if check.required}
    problems = [
        f"check {one.check} {one.status} on staging: {one.reason or 'see its log'}"
        for one in checks
        if one.status != "passed" and one.check in required
    ]
    missing = [name for name in staging.checks if name not in {one.check for one in checks}]
    problems += [f"check {name} was not run on staging" for name in missing]
    said = f"{len(passed)} of {counted(len(staging.checks), 'check')} passed on staging"
    good = f"{said}: {', '.join(passed)}" if passed else "no check was run against it"
    state = StagingReadiness(
        status="failed" if problems else "deployed",
        url=url,
        deployed_at=attempt.completed_at,
        validation=f"{said}; {'; '.join(problems)}" if problems else good,
        evidence=attempt,
    )
    return state.compact(), problems


class _Gate:
    """Production: its prerequisites, the answers given, and the last attempt."""

    def __init__(
        self,
        production: Production,
        context: Context,
        subject: str,
        proofs: Sequence[Evidence],
        staging: StagingReadiness | None,
    ) -> None:
        self.production = production
        self.staging = staging
        self.subject = subject
        self.answers = [
            one for one in context.approvals or () if one.subject == subject and one.gate == production.gate
        ]
        self.attempt = last_attempt(context, "production", subject)
        self.prerequisites = [
            _prerequisite(one, context.criteria or (), proofs, self.answers) for one in production.prerequisites
        ]
        self.workflow_id = context.workflow_id

    @property
    def last_answer(self) -> ApprovalEntry | None:
        given = [one for one in self.answers if one.decision in _ANSWERS]
        return given[-1] if given else None

    def said(self, status: str, action: Action, run: str, exit_code: int, *reasons: str) -> GateState:
        """Return the gate with production being that far."""
        attempt = self.attempt
        production = ProductionReadiness(
            status=status,
            gate=self.production.gate,
            subject=self.subject,
            prerequisites=[*self.prerequisites],
            approval=self.last_answer,
            deployed_at=attempt.completed_at if attempt and (status, attempt.status) == ("deployed", "done") else None,
            evidence=attempt,
        )
        readiness = DeploymentReadiness(staging=self.staging, production=production.compact())
        return GateState(readiness.compact(), action, run, exit_code, reasons)

    def state(self) -> GateState:
        answer, attempt = self.last_answer, self.attempt
        gate = f"gate {self.production.gate}"
        if attempt and attempt.status == "done":
            return self.said("deployed", "end", "deployed", 0)
        if attempt:
            return self._after_bad_end(attempt)
        unmet = [one for one in self.prerequisites if one.status == "unmet"]
        if unmet:
            reasons = (f"prerequisite {one.id} is unmet: {one.reason}" for one in unmet)
            return self.said("blocked", "end", "deployment-blocked", 1, *reasons)
        if answer and answer.decision == "rejected":
            return self.said("rejected", "end", "rejected", 1, f"{gate} rejected by {answer.by}: {answer.note}")
        pending = [one.id for one in self.prerequisites if one.status == "pending"]
        if answer is None or pending:
            ticks = "".join(f" --tick {name}" for name in pending)
            command = f"plait approve {self.workflow_id} {self.production.gate} --by NAME --note TEXT{ticks}"
            return self.said(
                "waiting",
                "ask",
                "waiting-for-approval",
                5,
                f"{gate} waits for a person: `{command}`, then `plait resume {self.workflow_id}`",
            )
        return self.said("approved", "end" if self.production.argv is None else "deploy", "approved", 0)

    def _after_bad_end(self, attempt: DeploymentAttempt) -> GateState:
        answers = [one for one in self.answers if one.attempt == attempt.id]
        answer = answers[-1] if answers else None
        if answer and answer.decision == "rerun":
            return self.said("approved", "deploy", "approved", 0)
        if answer and answer.decision == "done":
            return self.said("deployed", "end", "deployed", 0)
        if answer:
            return self.said("rejected", "end", "rejected", 1, f"given up by {answer.by}: {answer.note}")
        consent = (
            f"look what it did, then `plait approve {self.workflow_id} {self.production.gate} --by NAME --note TEXT` "
            "with --rerun (run it again), --done (it is deployed after all) or --reject"
        )
        if attempt.status == "failed":
            why = f"the production command failed: {attempt.reason or 'see its log'}; {consent}"
            return self.said("failed", "ask", "deployment-failed", 1, why)
        return self.said(
            "unknown",
            "ask",
            "deployment-unknown",
            5,
            f"how the production deployment begun at {attempt.started_at} ended is not known; {consent}",
        )


def _prerequisite(
    one: Prerequisite, criteria: Iterable[CriterionResult], proofs: Sequence[Evidence], answers: Sequence[ApprovalEntry]
) -> PrerequisiteResult:
    if one.manual:
        by = next((answer.by for answer in reversed(answers) if one.id in (answer.ticked or ())), None)
        if by:
            return PrerequisiteResult(id=one.id, text=one.text, status="met", manual=True, by=by)
        reason = "a person ticks it"
        return PrerequisiteResult(id=one.id, text=one.text, status="pending", manual=True, reason=reason)
    if one.criterion:
        met, reason, proof = _by_criterion(one.criterion, criteria)
    else:
        met, reason, proof = _by_check(str(one.check), proofs)
    status = "met" if met else "unmet"
    return PrerequisiteResult(id=one.id, text=one.text, status=status, reason=reason, evidence=proof).compact()


def _by_criterion(name: str, criteria: Iterable[CriterionResult]) -> tuple[bool, str, Proof | None]:
    found = next((each for each in criteria if each.id == name), None)
    if found is None:
        return False, f"criterion {name} was not decided", None
    proof = Proof(
        criterion=name, status=found.status, reason=found.reason or None, evidence=found.evidence or None
    ).compact()
    return found.status in {"met", "waived"}, f"criterion {name} is {found.status}: {found.reason}", proof


def _by_check(name: str, proofs: Sequence[Evidence]) -> tuple[bool, str, Proof | None]:
    # The last record: a check run on staging speaks after its run on the tree.
    record = next((each for each in reversed(proofs) if each.check == name), None)
    if record is None:
        return False, f"check {name} gave no evidence", None
    proof = Proof(
        check=record.check,
        status=record.status,
        exit_code=record.exit_code,
        seconds=record.seconds,
        tree=record.tree,
        reason=record.reason,
        log=record.log,
    ).compact()
    why = f": {record.reason}" if record.reason else ""
    return record.status == "passed", f"check {name} {record.status}{why}", proof
