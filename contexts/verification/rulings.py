"""Rulings of people: waive, settle, approve, reject. Each takes a context and returns the new one.

Nothing is judged here: a ruling is added to the document, and the next run honours it. So a ruling can be read,
compared and dated like everything else that was saved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from contexts.documents.base import parse_instant
from contexts.documents.context import Context
from contexts.documents.deployment import ApprovalEntry, ProductionReadiness
from contexts.documents.findings import Finding, Waived
from contexts.documents.merged import Concern, Settled
from contexts.documents.verification import SettlementEntry, WaiverEntry
from contexts.errors import InputError
from contexts.verification.open_items import Item, all_items, concern_fingerprint, find_items, fingerprint

Answer = Literal["approve", "reject", "rerun", "done"]
EDITOR = "editor"
"""The ``current_agent`` of a revision that a person's ruling made."""
_GOOD = {"met", "passed"}
_Decision = Literal["approved", "rejected", "ticked", "rerun", "done"]
_DECISIONS: Mapping[Answer, _Decision] = {
    "approve": "approved",
    "reject": "rejected",
    "rerun": "rerun",
    "done": "done",
}


def waive(context: Context, target: str, *, by: str, why: str, at: str, every: bool = False) -> Context:
    """Accept a criterion, a check or a finding as it is.

    A finding's waiver is bound to its fingerprint: another finding of the same rule is not waived by it.

    Args:
        context: The newest context.
        target: Name of a criterion or check; fingerprint, rule, or ``rule:pointer`` of a finding.
        by: Who decides.
        why: The reason.
        at: When, ISO 8601.
        every: Accept every present finding the name fits, not just one.

    Raises:
        InputError: Nothing, or more than one thing, is called so; or there is nothing to waive.
    """
    _require_given(by=by, why=why)
    workflow_id = context.workflow_id
    found = find_items([one for one in all_items(context) if one.kind not in {"concern", "gate"}], target, workflow_id)
    if len({one.kind for one in found}) > 1:
        kinds = " or ".join(f"{one.kind}:{target}" for one in found)
        raise InputError(f"{target!r} is the name of several things; say {kinds}", name=target)
    todo = {one.name: one for one in found if one.status not in _GOOD and not _is_waived(context, one)}
    if not todo:
        state = "met" if found[0].status in _GOOD else "waived already"
        raise InputError(f"{found[0].kind} {target} of {workflow_id} is {state}: there is nothing to waive")
    if len(todo) > 1 and not every:
        names = ", ".join(todo)
        raise InputError(f"{target!r} fits {len(todo)} findings: name one of {names}, or pass --all to waive them all")
    new = [_waiver(one, by=by, why=why, at=at) for one in todo.values()]
    return _edited(context, at).changed(waivers=[*(context.waivers or ()), *new])


def said_of(context: Context, item: Item) -> str:
    """Say who decided what on an item, and whether the last run knew of it; empty where nobody did."""
    if isinstance(item.entry, Concern):
        return _said_of_concern(context, item.entry)
    if isinstance(item.entry, Finding) and (waiver := item.entry.waived):
        return f"waived by {waiver.by}: {waiver.why}"
    waived = [one for one in context.waivers or () if _fits(one, item)]
    if not waived or item.status == "waived":  # a waived criterion's own reason says by whom
        return ""
    if item.kind == "check" and _began_after(context, waived[-1]):  # evidence stays as it is, whatever is waived
        return f"waived by {waived[-1].by}: {waived[-1].why}"
    return f"waived by {waived[-1].by}; the next run honours it"


def _said_of_concern(context: Context, concern: Concern) -> str:
    made = _settlements(context, concern_fingerprint(concern))
    honoured = concern.settlement
    if honoured and made and _choice(made[-1]) != honoured:
        return f"settled again by {made[-1].by}: {made[-1].choice}; the next run honours it"
    if honoured:
        return f"settled by {honoured.by}: {honoured.choice} ({honoured.why})"
    return f"settled by {made[-1].by}; the next run honours it" if made else ""


def _began_after(context: Context, ruling: WaiverEntry) -> bool:
    began = context.run.started_at if context.run else None
    return began is not None and parse_instant(began) >= parse_instant(ruling.timestamp)


def superseded_by(context: Context, settlement: SettlementEntry) -> SettlementEntry | None:
    """Return the settlement of the same concern that stood before this one, None where it is the first."""
    made = _settlements(context, settlement.fingerprint)
    place = made.index(settlement)
    return made[place - 1] if place else None


def _settlements(context: Context, mark: str) -> list[SettlementEntry]:
    return [one for one in context.settlements or () if one.fingerprint == mark]


def _is_waived(context: Context, item: Item) -> bool:
    return any(_fits(one, item) for one in context.waivers or ())


def _fits(waiver: WaiverEntry, item: Item) -> bool:
    if item.kind == "finding":
        return waiver.fingerprint == item.name
    return waiver.target == item.name and (waiver.kind or item.kind) == item.kind


def _waiver(item: Item, *, by: str, why: str, at: str) -> WaiverEntry:
    if isinstance(item.entry, Finding):
        source = item.entry.sources[0] if item.entry.sources else None
        return WaiverEntry(
            target=item.entry.rule,
            kind="finding",
            by=by,
            why=why,
            timestamp=at,
            fingerprint=item.name,
            document=source.document if source else None,
            pointer=source.pointer if source else None,
        ).compact()
    kind = "check" if item.kind == "check" else "criterion"
    return WaiverEntry(target=item.name, kind=kind, by=by, why=why, timestamp=at)


def settle(context: Context, target: str, *, by: str, choice: str, why: str, at: str) -> Context:
    """Settle a concern the merge could not settle alone; a later settlement supersedes an earlier one.

    Args:
        context: The newest context.
        target: The concern's number as listed, its fingerprint, or ``kind:track,track``.
        by: Who decides.
        choice: What shall hold.
        why: The reason.
        at: When, ISO 8601.

    Raises:
        InputError: No concern, or more than one, is called so; or that very choice holds already.
    """
    _require_given(by=by, choice=choice, why=why)
    workflow_id = context.workflow_id
    found = find_items([one for one in all_items(context) if one.kind == "concern"], target, workflow_id)
    if len(found) > 1:
        raise InputError(f"{target!r} fits concerns {', '.join(one.name for one in found)}: name one by its number")
    number, concern = next((one.name, one.entry) for one in found if isinstance(one.entry, Concern))
    mark = concern_fingerprint(concern)
    made = _settlements(context, mark)
    if made and made[-1].choice == choice:
        raise InputError(f"concern {number} of {workflow_id} is settled so already, by {made[-1].by}")
    entry = SettlementEntry(
        target=concern.concern,
        fingerprint=mark,
        choice=choice,
        by=by,
        why=why,
        timestamp=at,
        kind=concern.kind or None,
        tracks=concern.tracks or None,
    )
    return _edited(context, at).changed(settlements=[*(context.settlements or ()), entry.compact()])


def answer_gate(
    context: Context, gate: str, *, answer: Answer, by: str, note: str, at: str, ticked: Sequence[str] = ()
) -> Context:
    """Answer at a gate; an approval that leaves a manual prerequisite unticked is refused.

    Args:
        context: The newest context, which says that it waits.
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
    production = _gate(context, gate)
    left = check_ticks(production, ticked)
    attempt = production.evidence.id if production.evidence else None
    if answer in {"rerun", "done"} and attempt is None:
        raise InputError(f"--{answer} answers a production deployment that did not end well, and gate {gate} has none")
    if answer == "approve":
        if attempt is not None:
            raise InputError(
                f"the production deployment of {context.workflow_id} is {production.status}: look what it did, then "
                "say --rerun to run it again, --done if it is deployed after all, or --reject"
            )
        if left:
            raise InputError(f"prerequisite {left[0]} is not ticked: pass --tick {left[0]} if it holds, or --reject")
    entry = _approval(context, production, _DECISIONS[answer], by=by, note=note, at=at, ticked=ticked, attempt=attempt)
    return _edited(context, at).changed(approvals=[*(context.approvals or ()), entry])


def tick(context: Context, gate: str, *, by: str, note: str, at: str, ticked: Sequence[str]) -> Context:
    """Vouch for manual prerequisites without opening the gate.

    Raises:
        InputError: No gate is called so, nothing waits there, or there is no such prerequisite.
    """
    _require_given(by=by)
    production = _gate(context, gate)
    check_ticks(production, ticked)
    entry = _approval(context, production, "ticked", by=by, note=note, at=at, ticked=ticked)
    return _edited(context, at).changed(approvals=[*(context.approvals or ()), entry])


def check_ticks(production: ProductionReadiness, ticked: Sequence[str]) -> list[str]:
    """Return the manual prerequisites that would still be unticked.

    Raises:
        InputError: Something ticked is no manual prerequisite of this gate.
    """
    manual = [one for one in production.known if one.manual]
    names = [one.id for one in manual]
    for name in ticked:
        if name not in names:
            there = f"there are {', '.join(names)}" if names else "there are none"
            raise InputError(f"{name!r} is no manual prerequisite of gate {production.gate}; {there}", name=name)
    return [one.id for one in manual if one.status != "met" and one.id not in ticked]


def _gate(context: Context, gate: str) -> ProductionReadiness:
    workflow_id = context.workflow_id
    items = [one for one in all_items(context) if one.kind == "gate"]
    if not items or context.production is None:
        raise InputError(f"{workflow_id} waits at no gate; `plait run` brings it there once everything is verified")
    item = find_items(items, gate, workflow_id)[0]
    if item.status not in {"waiting", "unknown", "failed", "rejected", "deploying"}:
        raise InputError(f"gate {gate} of {workflow_id} is {item.status}: nothing waits there")
    return context.production


def _approval(
    context: Context,
    production: ProductionReadiness,
    decision: _Decision,
    *,
    by: str,
    note: str,
    at: str,
    ticked: Sequence[str],
    attempt: str | None = None,
) -> ApprovalEntry:
    return ApprovalEntry(
        gate=str(production.gate),
        subject=str(production.subject),
        decision=decision,
        by=by,
        note=note,
        timestamp=at,
        ticked=list(dict.fromkeys(ticked)) or None,
        attempt=attempt or None,
        tree=(context.run.tree if context.run else None) or None,
    ).compact()


def _edited(context: Context, at: str) -> Context:
    """Return a context as a person leaves it, who has yet to write the ruling into it."""
    return context.without("checksum_").changed(timestamp=at, current_agent=EDITOR)


def _require_given(**given: str) -> None:
    for name, value in given.items():
        if not value.strip():
            raise InputError(f"--{name} is empty: a ruling needs a name and a reason that can be read later")


def apply_waivers(findings: Sequence[Finding], waivers: Sequence[WaiverEntry]) -> list[Finding]:
    """Return findings with their fingerprints, and with the waiver on those that are waived."""
    by_mark = {one.fingerprint: one for one in waivers if one.fingerprint}
    marked: list[Finding] = []
    for one in findings:
        mark = fingerprint(one)
        waiver = by_mark.get(mark)
        plain = one.without("waived").changed(fingerprint=mark)
        said = Waived(by=waiver.by, why=waiver.why, timestamp=waiver.timestamp) if waiver else None
        marked.append(plain.changed(waived=said) if said else plain)
    return marked


def apply_settlements(concerns: Sequence[Concern], settlements: Sequence[SettlementEntry]) -> list[Concern]:
    """Return concerns, those that a person has settled with the status ``settled`` and the choice.

    The last settlement holds; those it superseded are kept beside it as ``settled_before``, oldest first.
    """
    made: dict[str, list[Settled]] = {}
    for one in settlements:
        made.setdefault(one.fingerprint, []).append(_choice(one))
    return [_settled(one, made.get(concern_fingerprint(one), [])) for one in concerns]


def _choice(settlement: SettlementEntry) -> Settled:
    return Settled(choice=settlement.choice, by=settlement.by, why=settlement.why, timestamp=settlement.timestamp)


def _settled(concern: Concern, made: Sequence[Settled]) -> Concern:
    if not made:
        return concern
    settled = concern.changed(status="settled", settlement=made[-1])
    return settled.changed(settled_before=list(made[:-1])) if len(made) > 1 else settled
