"""The deployment of a report: staging, the gate and who answered there, production, and what was tried before."""

from __future__ import annotations

from collections.abc import Sequence

from contexts.documents.context import Context
from contexts.documents.deployment import (
    ApprovalEntry,
    DeploymentAttempt,
    PrerequisiteResult,
    ProductionReadiness,
    StagingReadiness,
)
from contexts.documents.records import RunRecord
from contexts.text.amounts import duration
from tasks.report.bounds import listed
from tasks.report.deployment_data import Answer, Attempt, Deployed, Environment, Gate, PrerequisiteRow
from tasks.report.evidence import ReadLog, evidence_row
from tasks.report.text import instant, moment, number, plain
from tasks.report.values import Status, status

_SAID = {
    "waiting": "Nothing was deployed: the gate waits for a person.",
    "blocked": "Nothing was deployed: what must hold before it does not.",
    "rejected": "A person refused it.",
    "approved": "Approved; no command of the spec deploys it, so a person does.",
    "deploying": "The deployment was recorded as begun, and its end is not recorded.",
    "unknown": "The deployment began and did not report its end.",
}
"""What a status of production means, where its attempt gives no reason."""
_ANSWERS = {"rerun": "run once more", "done": "said to be deployed", "ticked": "ticked only"}
_DECISIVE = {"approved", "rejected", "rerun", "done"}
_ENDS = {"done": status("deployed"), "running": Status("began, end not recorded", "warn")}
_CHECKS = {"most": 40, "budget": 200_000}
_LISTS = {"most": 200, "budget": 150_000}


def deployment(context: Context, read: ReadLog) -> Deployed | None:
    """Return how far the work is on its way to production, None where the document says nothing of one."""
    readiness, attempts, approvals = context.deployment_readiness, context.deployments or (), context.approvals or ()
    staging, production = (readiness.staging, readiness.production) if readiness else (None, None)
    if not (staging or production or attempts or approvals):
        return None
    run = context.run
    shown = {one.evidence.id for one in (staging, production) if one and one.evidence}
    earlier = [one for one in reversed(attempts) if one.id not in shown]
    return Deployed(
        staging=_environment(staging, run, read, plain(staging.validation)) if staging else None,
        gate=_gate(production or ProductionReadiness(), approvals) if production or approvals else None,
        production=_environment(production, run, read, _SAID.get(production.status or "", "")) if production else None,
        earlier=listed(earlier, lambda one: _earlier(one, run), **_LISTS),
    )


def _environment(
    state: StagingReadiness | ProductionReadiness, run: RunRecord | None, read: ReadLog, otherwise: str
) -> Environment:
    attempt = state.evidence
    deployed = moment(instant(state.deployed_at))
    url = (state.url if isinstance(state, StagingReadiness) else None) or (attempt.url if attempt else None)
    return Environment(
        status=_word(state.status),
        argv=tuple(plain(word, 300) for word in attempt.argv[:60]) if attempt else (),
        facts=_named(
            ("URL", plain(url, 400)),
            ("Deployed", deployed),
            *(_facts(attempt, run, ended=not deployed) if attempt else ()),
        ),
        reason=_sentences(otherwise, attempt.reason if attempt else None),
        checks=listed(attempt.checks or [] if attempt else [], lambda one: evidence_row(one, read), **_CHECKS),
        log=read(attempt.log) if attempt else None,
    )


def _facts(attempt: DeploymentAttempt, run: RunRecord | None, *, ended: bool) -> tuple[tuple[str, str], ...]:
    """Return what was deployed, when, and how it ended; the commit is known of the tree the last run integrated."""
    tree = plain(attempt.tree, 80)
    commit = plain(run.integrated, 80) if run and tree and attempt.tree == run.tree else ""
    return (
        ("Tree", tree[:12]),
        ("Commit", commit[:12]),
        ("Began", moment(instant(attempt.started_at))),
        ("Ended", moment(instant(attempt.completed_at)) if ended else ""),
        ("Took", duration(number(attempt.seconds)) if attempt.seconds is not None else ""),
        ("Exit code", plain(attempt.exit_code, 20)),
    )


def _named(*facts: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in facts if value)


def _sentences(said: str, reason: str | None) -> str:
    why = plain(reason)
    return said if not why or why in said else f"{said} {why}".strip()


def _word(value: str | None) -> Status:
    return status(plain(value, 80) or "unknown")


def _gate(production: ProductionReadiness, approvals: Sequence[ApprovalEntry]) -> Gate | None:
    name, subject = production.gate or (approvals[-1].gate if approvals else ""), production.subject
    given = [one for one in approvals if one.gate == name] if name else list(approvals)
    prerequisites = production.prerequisites or []
    if not name and not prerequisites and not given:
        return None
    holding = [one.decision for one in given if one.subject == subject and one.decision in _DECISIVE]
    word = holding[-1] if holding else "blocked" if production.status == "blocked" else "waiting"
    return Gate(
        name=plain(name, 120),
        status=status(word if word in {"rejected", "blocked", "waiting"} else "approved"),
        prerequisites=listed(prerequisites, _prerequisite, **_LISTS),
        answers=listed(list(reversed(given)), lambda one: _answer(one, subject), **_LISTS),
    )


def _prerequisite(one: str | PrerequisiteResult) -> PrerequisiteRow:
    if isinstance(one, str):
        return PrerequisiteRow(name="", text=plain(one, 600), status=_word(None), reason="", manual=False)
    manual, by = one.manual is True, plain(one.by, 80)
    return PrerequisiteRow(
        name=plain(one.id, 120),
        text=plain(one.text, 600),
        status=_word(one.status),
        reason=f"ticked by {by}" if manual and by else plain(one.reason, 600),
        manual=manual,
    )


def _answer(one: ApprovalEntry, subject: str | None) -> Answer:
    tree = plain(one.tree, 80)[:12]
    other = subject is not None and one.subject != subject
    about = f"said of other work, command or prerequisites{f' (tree {tree})' if tree else ''}" if other else ""
    return Answer(
        status=Status(_ANSWERS[one.decision], "quiet") if one.decision in _ANSWERS else _word(one.decision),
        by=plain(one.by, 80) or "an unnamed person",
        at=moment(instant(one.timestamp)),
        note=plain(one.note, 1_000),
        ticked=tuple(plain(name, 120) for name in (one.ticked or [])[:50]),
        about=about,
    )


def _earlier(one: DeploymentAttempt, run: RunRecord | None) -> Attempt:
    return Attempt(
        environment=plain(one.environment, 80),
        status=_ENDS.get(one.status) or _word(one.status),
        facts=_named(*_facts(one, run, ended=True)),
        reason=plain(one.reason, 1_000),
    )
