"""Typed decisions of people: waive, settle, approve, reject. Each takes a context and returns the new one.

Nothing is judged here: a decision is added to the document, and the next run honours it. So a decision can be read,
compared and dated like everything else that was saved.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from contexts.documents.base import JsonObject, parse_instant
from contexts.documents.deployment import ApprovalEntry
from contexts.documents.verification import SettlementEntry, WaiverEntry
from contexts.errors import InputError
from contexts.json.values import entries, section
from contexts.verification.open_items import Item, all_items, concern_fingerprint, find_items, fingerprint

Answer = Literal["approve", "reject", "rerun", "done"]
EDITOR = "editor"
"""The ``current_agent`` of a revision that a person's decision made."""
_GOOD = {"met", "passed"}


def waive(document: JsonObject, target: str, *, by: str, why: str, at: str, every: bool = False) -> JsonObject:
    """Accept a criterion, a check or a finding as it is.

    A finding's waiver is bound to its fingerprint: another finding of the same rule is not waived by it.

    Args:
        document: The newest context.
        target: Name of a criterion or check; fingerprint, rule, or ``rule:pointer`` of a finding.
        by: Who decides.
        why: The reason.
        at: When, ISO 8601.
        every: Accept every present finding the name fits, not just one.

    Raises:
        InputError: Nothing, or more than one thing, is called so; or there is nothing to waive.
    """
    _require_given(by=by, why=why)
    workflow_id = str(document["workflow_id"])
    found = find_items([one for one in all_items(document) if one.kind not in {"concern", "gate"}], target, workflow_id)
    if len({one.kind for one in found}) > 1:
        kinds = " or ".join(f"{one.kind}:{target}" for one in found)
        raise InputError(f"{target!r} is the name of several things; say {kinds}", name=target)
    todo = {one.name: one for one in found if one.status not in _GOOD and not _is_waived(document, one)}
    if not todo:
        state = "met" if found[0].status in _GOOD else "waived already"
        raise InputError(f"{found[0].kind} {target} of {workflow_id} is {state}: there is nothing to waive")
    if len(todo) > 1 and not every:
        names = ", ".join(todo)
        raise InputError(f"{target!r} fits {len(todo)} findings: name one of {names}, or pass --all to waive them all")
    new = [_waiver(one, by=by, why=why, at=at) for one in todo.values()]
    return _with(document, "waivers", new, at)


def said_of(document: JsonObject, item: Item) -> str:
    """Say who decided what on an item, and whether the last run knew of it; empty where nobody did."""
    if item.kind == "concern":
        made = _settlements(document, concern_fingerprint(item.entry))
        honoured = section(item.entry, "settlement")
        if made and any(made[-1].get(key) != value for key, value in honoured.items()):
            return f"settled again by {made[-1]['by']}: {made[-1]['choice']}; the next run honours it"
        if honoured:
            return f"settled by {honoured['by']}: {honoured['choice']} ({honoured['why']})"
        return f"settled by {made[-1]['by']}; the next run honours it" if made else ""
    waiver: JsonObject = section(item.entry, "waived")
    if waiver:
        return f"waived by {waiver['by']}: {waiver['why']}"
    waived = [one for one in entries(document, "waivers") if _fits(one, item)]
    if not waived or item.status == "waived":  # a waived criterion's own reason says by whom
        return ""
    if item.kind == "check" and _began_after(document, waived[-1]):  # evidence stays as it is, whatever is waived
        return f"waived by {waived[-1]['by']}: {waived[-1]['why']}"
    return f"waived by {waived[-1]['by']}; the next run honours it"


def _began_after(document: JsonObject, decision: JsonObject) -> bool:
    began: object = section(document, "run").get("started_at")
    return isinstance(began, str) and parse_instant(began) >= parse_instant(str(decision["timestamp"]))


def superseded_by(document: JsonObject, settlement: JsonObject) -> JsonObject | None:
    """Return the settlement of the same concern that stood before this one, None where it is the first."""
    made = _settlements(document, settlement.get("fingerprint"))
    place = made.index(settlement)
    return made[place - 1] if place else None


def _settlements(document: JsonObject, mark: object) -> list[JsonObject]:
    return [one for one in entries(document, "settlements") if one.get("fingerprint") == mark]


def _is_waived(document: JsonObject, item: Item) -> bool:
    return any(_fits(one, item) for one in entries(document, "waivers"))


def _fits(waiver: JsonObject, item: Item) -> bool:
    if item.kind == "finding":
        return waiver.get("fingerprint") == item.name
    return waiver.get("target") == item.name and waiver.get("kind", item.kind) == item.kind


def _waiver(item: Item, *, by: str, why: str, at: str) -> JsonObject:
    given: JsonObject = {"target": item.name, "kind": item.kind, "by": by, "why": why, "timestamp": at}
    if item.kind == "finding":
        sources: list[JsonObject] = entries(item.entry, "sources")
        given |= {"target": str(item.entry["rule"]), "fingerprint": item.name}
        if sources:
            given |= {"document": str(sources[0].get("document")), "pointer": str(sources[0].get("pointer"))}
    return WaiverEntry.model_validate(given).to_json()


def settle(document: JsonObject, target: str, *, by: str, choice: str, why: str, at: str) -> JsonObject:
    """Settle a concern the merge could not settle alone; a later settlement supersedes an earlier one.

    Args:
        document: The newest context.
        target: The concern's number as listed, its fingerprint, or ``kind:track,track``.
        by: Who decides.
        choice: What shall hold.
        why: The reason.
        at: When, ISO 8601.

    Raises:
        InputError: No concern, or more than one, is called so; or that very choice holds already.
    """
    _require_given(by=by, choice=choice, why=why)
    workflow_id = str(document["workflow_id"])
    found = find_items([one for one in all_items(document) if one.kind == "concern"], target, workflow_id)
    if len(found) > 1:
        raise InputError(f"{target!r} fits concerns {', '.join(one.name for one in found)}: name one by its number")
    item = next(iter(found))
    mark = concern_fingerprint(item.entry)
    made = _settlements(document, mark)
    if made and made[-1].get("choice") == choice:
        raise InputError(f"concern {item.name} of {workflow_id} is settled so already, by {made[-1].get('by')}")
    entry: JsonObject = {
        "target": item.text,
        "fingerprint": mark,
        "choice": choice,
        "by": by,
        "why": why,
        "timestamp": at,
        **{key: item.entry[key] for key in ("kind", "tracks") if item.entry.get(key)},
    }
    return _with(document, "settlements", [SettlementEntry.model_validate(entry).to_json()], at)


def answer_gate(
    document: JsonObject, gate: str, *, answer: Answer, by: str, note: str, at: str, ticked: Sequence[str] = ()
) -> JsonObject:
    """Answer at a gate; an approval that leaves a manual prerequisite unticked is refused.

    Args:
        document: The newest context, which says that it waits.
        gate: The gate.
        answer: ``rerun`` and ``done`` answer a production deployment whose end is not known, or that failed.
        by: Who decides.
        note: What is to be remembered with it.
        at: When, ISO 8601.
        ticked: Manual prerequisites this person vouches for.

    Raises:
        InputError: No gate is called so, nothing waits there, or a prerequisite is unknown or left unticked.
    """
    _require_given(by=by, **({"note": note} if answer == "reject" else {}))
    production = _gate(document, gate)
    left = check_ticks(production, ticked)
    status, attempt = production.get("status"), section(production, "evidence").get("id")
    unsure = attempt is not None
    if answer in {"rerun", "done"} and not unsure:
        raise InputError(f"--{answer} answers a production deployment that did not end well, and gate {gate} has none")
    if answer == "approve":
        if unsure:
            raise InputError(
                f"the production deployment of {document['workflow_id']} is {status}: look what it did, then say "
                "--rerun to run it again, --done if it is deployed after all, or --reject"
            )
        if left:
            raise InputError(f"prerequisite {left[0]} is not ticked: pass --tick {left[0]} if it holds, or --reject")
    decision = {"approve": "approved", "reject": "rejected"}.get(answer, answer)
    return _approval(document, production, decision, by, note, at, ticked, attempt if unsure else None)


def tick(document: JsonObject, gate: str, *, by: str, note: str, at: str, ticked: Sequence[str]) -> JsonObject:
    """Vouch for manual prerequisites without opening the gate.

    Raises:
        InputError: No gate is called so, nothing waits there, or there is no such prerequisite.
    """
    _require_given(by=by)
    production = _gate(document, gate)
    check_ticks(production, ticked)
    return _approval(document, production, "ticked", by, note, at, ticked, None)


def check_ticks(production: JsonObject, ticked: Sequence[str]) -> list[str]:
    """Return the manual prerequisites that would still be unticked.

    Raises:
        InputError: Something ticked is no manual prerequisite of this gate.
    """
    manual = [str(one["id"]) for one in entries(production, "prerequisites") if one.get("manual")]
    for name in ticked:
        if name not in manual:
            there = f"there are {', '.join(manual)}" if manual else "there are none"
            raise InputError(f"{name!r} is no manual prerequisite of gate {production['gate']}; {there}", name=name)
    return [
        str(one["id"])
        for one in entries(production, "prerequisites")
        if one.get("manual") and one.get("status") != "met" and one["id"] not in ticked
    ]


def _gate(document: JsonObject, gate: str) -> JsonObject:
    workflow_id = str(document["workflow_id"])
    items = [one for one in all_items(document) if one.kind == "gate"]
    if not items:
        raise InputError(f"{workflow_id} waits at no gate; `plait run` brings it there once everything is verified")
    item = find_items(items, gate, workflow_id)[0]
    if item.status not in {"waiting", "unknown", "failed", "rejected", "deploying"}:
        raise InputError(f"gate {gate} of {workflow_id} is {item.status}: nothing waits there")
    return item.entry


def _approval(
    document: JsonObject,
    production: JsonObject,
    decision: str,
    by: str,
    note: str,
    at: str,
    ticked: Sequence[str],
    attempt: str | None,
) -> JsonObject:
    entry: JsonObject = {
        "gate": production["gate"],
        "subject": production["subject"],
        "decision": decision,
        "by": by,
        "note": note,
        "timestamp": at,
        **({"ticked": list(dict.fromkeys(ticked))} if ticked else {}),
        **({"attempt": attempt} if attempt else {}),
        **({"tree": section(document, "run")["tree"]} if section(document, "run").get("tree") else {}),
    }
    return _with(document, "approvals", [ApprovalEntry.model_validate(entry).to_json()], at)


def _with(document: JsonObject, key: str, new: list[JsonObject], at: str) -> JsonObject:
    kept = {name: value for name, value in document.items() if name != "_checksum"}
    return {**kept, key: [*entries(document, key), *new], "timestamp": at, "current_agent": EDITOR}


def _require_given(**given: str) -> None:
    for name, value in given.items():
        if not value.strip():
            raise InputError(f"--{name} is empty: a decision needs a name and a reason that can be read later")


def apply_waivers(findings: Sequence[JsonObject], waivers: Sequence[JsonObject]) -> list[JsonObject]:
    """Return findings with their fingerprints, and with the waiver on those that are waived."""
    by_mark = {str(one["fingerprint"]): one for one in waivers if one.get("fingerprint")}
    marked: list[JsonObject] = []
    for one in findings:
        mark = fingerprint(one)
        waiver = by_mark.get(mark)
        said = {"waived": {key: waiver[key] for key in ("by", "why", "timestamp")}} if waiver else {}
        marked.append({**{key: value for key, value in one.items() if key != "waived"}, "fingerprint": mark, **said})
    return marked


def apply_settlements(concerns: Sequence[JsonObject], settlements: Sequence[JsonObject]) -> list[JsonObject]:
    """Return concerns, those that a person has settled with the status ``settled`` and the choice.

    The last settlement holds; those it superseded are kept beside it as ``settled_before``, oldest first.
    """
    made: dict[str, list[JsonObject]] = {}
    for one in settlements:
        said = {key: one[key] for key in ("choice", "by", "why", "timestamp")}
        made.setdefault(str(one["fingerprint"]), []).append(said)
    return [_settled(one, made.get(concern_fingerprint(one), [])) for one in concerns]


def _settled(concern: JsonObject, made: Sequence[JsonObject]) -> JsonObject:
    if not made:
        return concern
    before = {"settled_before": list(made[:-1])} if len(made) > 1 else {}
    return {**concern, "status": "settled", "settlement": made[-1], **before}
