"""The deployment of a report: staging, the gate and who answered there, production, and what was tried before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from contexts.documents.base import JsonObject
from contexts.json.values import items, mapping
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


def deployment(document: JsonObject, read: ReadLog) -> Deployed | None:
    """Return how far the work is on its way to production, None where the document says nothing of one."""
    readiness = mapping(document.get("deployment_readiness"))
    attempts = [mapping(one) for one in items(document.get("deployments"))]
    approvals = [mapping(one) for one in items(document.get("approvals"))]
    if not readiness and not attempts and not approvals:
        return None
    run = mapping(document.get("run"))
    staging, production = mapping(readiness.get("staging")), mapping(readiness.get("production"))
    shown = [mapping(one.get("evidence")).get("id") for one in (staging, production)]
    earlier = [one for one in reversed(attempts) if one.get("id") not in shown]
    return Deployed(
        staging=_environment(staging, run, read, plain(staging.get("validation"))) if staging else None,
        gate=_gate(production, approvals) if production or approvals else None,
        production=_environment(production, run, read, _SAID.get(str(production.get("status")), ""))
        if production
        else None,
        earlier=listed(earlier, lambda one: _earlier(one, run), **_LISTS),
    )


def _environment(state: JsonObject, run: JsonObject, read: ReadLog, otherwise: str) -> Environment:
    attempt = mapping(state.get("evidence"))
    checks = [mapping(one) for one in items(attempt.get("checks"))]
    url = plain(state.get("url") or attempt.get("url"), 400)
    deployed = moment(instant(state.get("deployed_at")))
    return Environment(
        status=_word(state.get("status")),
        argv=tuple(plain(word, 300) for word in items(attempt.get("argv"))[:60]),
        facts=_named(("URL", url), ("Deployed", deployed), *_facts(attempt, run, ended=not deployed)),
        reason=_sentences(otherwise, attempt.get("reason")),
        checks=listed(checks, lambda one: evidence_row(one, read), **_CHECKS),
        log=read(attempt.get("log")),
    )


def _facts(attempt: JsonObject, run: JsonObject, *, ended: bool) -> tuple[tuple[str, str], ...]:
    """Return what was deployed, when, and how it ended; the commit is known of the tree the last run integrated."""
    tree = plain(attempt.get("tree"), 80)
    commit = plain(run.get("integrated"), 80) if tree and attempt.get("tree") == run.get("tree") else ""
    seconds = attempt.get("seconds")
    return (
        ("Tree", tree[:12]),
        ("Commit", commit[:12]),
        ("Began", moment(instant(attempt.get("started_at")))),
        ("Ended", moment(instant(attempt.get("completed_at"))) if ended else ""),
        ("Took", duration(number(seconds)) if seconds is not None else ""),
        ("Exit code", plain(attempt.get("exit_code"), 20)),
    )


def _named(*facts: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in facts if value)


def _sentences(said: str, reason: Any) -> str:
    why = plain(reason)
    return said if not why or why in said else f"{said} {why}".strip()


def _word(value: Any) -> Status:
    return status(plain(value, 80) or "unknown")


def _gate(production: JsonObject, approvals: Sequence[JsonObject]) -> Gate | None:
    newest = approvals[-1] if approvals else {}
    name, subject = production.get("gate") or newest.get("gate"), production.get("subject")
    given = [one for one in approvals if one.get("gate") == name] if name else list(approvals)
    prerequisites = items(production.get("prerequisites"))
    if not name and not prerequisites and not given:
        return None
    holding = [
        str(one.get("decision"))
        for one in given
        if one.get("subject") == subject and str(one.get("decision")) in _DECISIVE
    ]
    word = holding[-1] if holding else "blocked" if production.get("status") == "blocked" else "waiting"
    return Gate(
        name=plain(name, 120),
        status=status(word if word in {"rejected", "blocked", "waiting"} else "approved"),
        prerequisites=listed(prerequisites, _prerequisite, **_LISTS),
        answers=listed(list(reversed(given)), lambda one: _answer(one, subject), **_LISTS),
    )


def _prerequisite(item: Any) -> PrerequisiteRow:
    one = mapping(item) or {"text": item}
    manual, by = one.get("manual") is True, plain(one.get("by"), 80)
    reason = f"ticked by {by}" if manual and by else plain(one.get("reason"), 600)
    return PrerequisiteRow(
        name=plain(one.get("id"), 120),
        text=plain(one.get("text"), 600),
        status=_word(one.get("status")),
        reason=reason,
        manual=manual,
    )


def _answer(one: JsonObject, subject: Any) -> Answer:
    word = plain(one.get("decision"), 80)
    tree = plain(one.get("tree"), 80)[:12]
    other = subject is not None and one.get("subject") != subject
    about = f"said of other work, command or prerequisites{f' (tree {tree})' if tree else ''}" if other else ""
    return Answer(
        status=Status(_ANSWERS[word], "quiet") if word in _ANSWERS else _word(word),
        by=plain(one.get("by"), 80) or "an unnamed person",
        at=moment(instant(one.get("timestamp"))),
        note=plain(one.get("note"), 1_000),
        ticked=tuple(plain(name, 120) for name in items(one.get("ticked"))[:50]),
        about=about,
    )


def _earlier(one: JsonObject, run: JsonObject) -> Attempt:
    word = plain(one.get("status"), 80)
    return Attempt(
        environment=plain(one.get("environment"), 80),
        status=_ENDS.get(word) or _word(word),
        facts=_named(*_facts(one, run, ended=True)),
        reason=plain(one.get("reason"), 1_000),
    )
