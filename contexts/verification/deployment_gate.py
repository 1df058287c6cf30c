"""How far each environment is, and what may happen next: from evidence, people's answers and recorded attempts alone.

Everything is bound to a subject, the digest of what would be deployed and how. Other work, another command or other
prerequisites are another subject: nothing said of the first one speaks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from contexts.documents.base import JsonObject
from contexts.documents.codec import digest
from contexts.json.values import entries
from contexts.spec.load import programs_of
from contexts.spec.model import Spec
from contexts.spec.policy import Deployment, Prerequisite, Production, Staging
from contexts.spec.programs import Known
from contexts.text.plural import counted

Action = Literal["deploy", "ask", "end"]
_ANSWERS = {"approved", "rejected", "rerun", "done"}
_PROVEN = {"check", "status", "exit_code", "seconds", "tree", "reason", "log"}


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

    readiness: JsonObject
    action: Action
    status: str | None = None
    exit_code: int = 0
    reasons: tuple[str, ...] = ()


def assess_gate(spec: Spec, document: JsonObject, subjects: Mapping[str, str]) -> GateState:
    """Return how far a verified workflow is on its way to production.

    Args:
        spec: The spec; it has a deployment.
        document: The verified context, with its approvals and deployments.
        subjects: The present subject of each environment.
    """
    deployment = spec.deployment or Deployment()
    readiness: JsonObject = {}
    attempt = _last(document, "staging", subjects.get("staging"))
    proofs = [*entries(document, "evidence"), *entries(attempt or {}, "checks")]
    problems: list[str] = []
    if deployment.staging:
        readiness["staging"], problems = _staging(spec, deployment.staging, attempt)
    if deployment.production is None:
        return GateState(readiness, "end", *(("staging-failed", 1, tuple(problems)) if problems else (None, 0, ())))
    gate = _Gate(deployment.production, document, subjects["production"], proofs)
    readiness["production"] = state = gate.state()
    if problems:
        state["status"] = "blocked"
        return GateState(readiness, "end", "staging-failed", 1, tuple(problems))
    return gate.gate_state(readiness)


def _last(document: JsonObject, environment: str, subject: str | None) -> JsonObject | None:
    made = [
        one
        for one in entries(document, "deployments")
        if one["environment"] == environment and one["subject"] == subject
    ]
    return made[-1] if made else None


def last_attempt(document: JsonObject, environment: str, subject: str) -> JsonObject | None:
    """Return the last deployment of a subject to an environment, None if there was none."""
    return _last(document, environment, subject)


def _staging(spec: Spec, staging: Staging, attempt: JsonObject | None) -> tuple[JsonObject, list[str]]:
    if attempt is None:
        return {"status": "pending", "validation": "not deployed yet"}, ["staging was not deployed"]
    url = {"url": attempt["url"]} if attempt.get("url") else {}
    if attempt["status"] != "done":
        why = f"the staging command {attempt['status']}: {attempt.get('reason') or 'see its log'}"
        return {"status": "failed", **url, "validation": why, "evidence": attempt}, [why]
    checks: list[JsonObject] = entries(attempt, "checks")
    passed = [str(one["check"]) for one in checks if one["status"] == "passed"]
    known = [*spec.verification.checks, *(spec.deployment.checks if spec.deployment else ())]
    required = {check.id for check in known if check.required}
    problems = [
        f"check {one['check']} {one['status']} on staging: {one.get('reason') or 'see its log'}"
        for one in checks
        if one["status"] != "passed" and one["check"] in required
    ]
    missing = [name for name in staging.checks if name not in {one["check"] for one in checks}]
    problems += [f"check {name} was not run on staging" for name in missing]
    said = f"{len(passed)} of {counted(len(staging.checks), 'check')} passed on staging"
    state: JsonObject = {
        "status": "failed" if problems else "deployed",
        **url,
        "deployed_at": attempt["completed_at"],
        "validation": f"{said}: {', '.join(passed)}" if passed else "no check was run against it",
        "evidence": attempt,
    }
    if problems:
        state["validation"] = f"{said}; {'; '.join(problems)}"
    return state, problems


class _Gate:
    """Production: its prerequisites, the answers given, and the last attempt."""

    def __init__(
        self, production: Production, document: JsonObject, subject: str, proofs: Sequence[JsonObject]
    ) -> None:
        self.production = production
        self.subject = subject
        self.answers = [
            one
            for one in entries(document, "approvals")
            if one["subject"] == subject and one["gate"] == production.gate
        ]
        self.attempt = _last(document, "production", subject)
        self.prerequisites = [
            _prerequisite(one, entries(document, "criteria"), proofs, self.answers) for one in production.prerequisites
        ]
        self.workflow_id = str(document["workflow_id"])

    @property
    def last_answer(self) -> JsonObject | None:
        given = [one for one in self.answers if one["decision"] in _ANSWERS]
        return given[-1] if given else None

    def state(self) -> JsonObject:
        answer, attempt = self.last_answer, self.attempt
        return {
            "status": "waiting",
            "gate": self.production.gate,
            "subject": self.subject,
            "prerequisites": self.prerequisites,
            **({"approval": answer} if answer else {}),
            **({"evidence": attempt} if attempt else {}),
        }

    def gate_state(self, readiness: JsonObject) -> GateState:
        state: JsonObject = readiness["production"]

        def said(status: str, action: Action, run: str, exit_code: int, *reasons: str) -> GateState:
            state["status"] = status
            return GateState(readiness, action, run, exit_code, reasons)

        answer, attempt = self.last_answer, self.attempt
        gate = f"gate {self.production.gate}"
        if attempt and attempt["status"] == "done":
            state["deployed_at"] = attempt["completed_at"]
            return said("deployed", "end", "deployed", 0)
        if attempt:
            return self._after_bad_end(said, attempt)
        unmet = [one for one in self.prerequisites if one["status"] == "unmet"]
        if unmet:
            reasons = (f"prerequisite {one['id']} is unmet: {one['reason']}" for one in unmet)
            return said("blocked", "end", "deployment-blocked", 1, *reasons)
        if answer and answer["decision"] == "rejected":
            return said("rejected", "end", "rejected", 1, f"{gate} rejected by {answer['by']}: {answer['note']}")
        pending = [str(one["id"]) for one in self.prerequisites if one["status"] == "pending"]
        if answer is None or pending:
            ticks = "".join(f" --tick {name}" for name in pending)
            command = f"plait approve {self.workflow_id} {self.production.gate} --by NAME --note TEXT{ticks}"
            return said(
                "waiting",
                "ask",
                "waiting-for-approval",
                5,
                f"{gate} waits for a person: `{command}`, then `plait resume {self.workflow_id}`",
            )
        if self.production.argv is None:
            return said("approved", "end", "approved", 0)
        return said("approved", "deploy", "approved", 0)

    def _after_bad_end(self, said: Any, attempt: JsonObject) -> GateState:
        answers = [one for one in self.answers if one.get("attempt") == attempt["id"]]
        answer = answers[-1] if answers else None
        if answer and answer["decision"] == "rerun":
            return said("approved", "deploy", "approved", 0)
        if answer and answer["decision"] == "done":
            return said("deployed", "end", "deployed", 0)
        if answer:
            return said("rejected", "end", "rejected", 1, f"given up by {answer['by']}: {answer['note']}")
        consent = (
            f"look what it did, then `plait approve {self.workflow_id} {self.production.gate} --by NAME --note TEXT` "
            "with --rerun (run it again), --done (it is deployed after all) or --reject"
        )
        if attempt["status"] == "failed":
            why = f"the production command failed: {attempt.get('reason') or 'see its log'}; {consent}"
            return said("failed", "ask", "deployment-failed", 1, why)
        began = attempt["started_at"]
        return said(
            "unknown",
            "ask",
            "deployment-unknown",
            5,
            f"how the production deployment begun at {began} ended is not known; {consent}",
        )


def _prerequisite(
    one: Prerequisite, criteria: Iterable[JsonObject], proofs: Sequence[JsonObject], answers: Sequence[JsonObject]
) -> JsonObject:
    state: JsonObject = {"id": one.id, "text": one.text}
    if one.manual:
        by = next((answer["by"] for answer in reversed(answers) if one.id in entries(answer, "ticked")), None)
        said: JsonObject = {"status": "met", "by": by} if by else {"status": "pending", "reason": "a person ticks it"}
        return {**state, "manual": True, **said}
    if one.criterion:
        found = next((each for each in criteria if each["id"] == one.criterion), None)
        if found is None:
            return {**state, "status": "unmet", "reason": f"criterion {one.criterion} was not decided"}
        met = found["status"] in {"met", "waived"}
        proof = {key: found[key] for key in ("status", "reason", "evidence") if found.get(key)}
        return {
            **state,
            "status": "met" if met else "unmet",
            "reason": f"criterion {one.criterion} is {found['status']}: {found['reason']}",
            "evidence": {"criterion": one.criterion, **proof},
        }
    # The last record: a check run on staging speaks after its run on the tree.
    record = next((each for each in reversed(proofs) if each["check"] == one.check), None)
    if record is None:
        return {**state, "status": "unmet", "reason": f"check {one.check} gave no evidence"}
    return {
        **state,
        "status": "met" if record["status"] == "passed" else "unmet",
        "reason": f"check {one.check} {record['status']}" + (f": {record['reason']}" if record.get("reason") else ""),
        "evidence": {key: record[key] for key in record if key in _PROVEN},
    }
