"""What in a workflow's context still waits for a person: criteria, checks, findings, concerns, gates; and their names.

A finding or concern is told apart by its fingerprint: what it says, and every place it quotes with the quote itself.
The same rule at another place, or at the same place about another value, is another finding.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import sha256
from typing import Literal

from contexts.documents.base import Items, Open
from contexts.documents.codec import digest
from contexts.documents.context import Context
from contexts.documents.deployment import ProductionReadiness
from contexts.documents.findings import Finding, Source, Waived
from contexts.documents.merged import Concern, Settled
from contexts.documents.verification import CriterionResult, Evidence
from contexts.errors import InputError

Kind = Literal["criterion", "check", "finding", "concern", "gate"]
_SHORT = 12
_LEAST_DIGITS = 6


def fingerprint(finding: Finding) -> str:
    """Return twelve hex digits that tell a finding from every other: rule, and its sources with their quotes."""
    places = sorted(_place(one) for one in finding.sources)
    # Only without any place does the sentence tell two findings of one rule apart.
    return digest({"rule": finding.rule, "places": places or finding.message})[:_SHORT]


def _place(source: Source) -> list[str]:
    """Return a source as fingerprints see it, which people have noted: what it does not say is ``None`` there."""
    said = source.model_fields_set
    document = source.document if "document" in said else "None"
    pointer = source.pointer if "pointer" in said else "None"
    quote = source.quote if "quote" in said else "None"
    return [document, pointer, sha256(quote.encode()).hexdigest()]


def concern_fingerprint(concern: Concern) -> str:
    """Return twelve hex digits that tell a concern from every other: kind, words, tracks and files."""
    return digest(
        {
            "kind": concern.kind,
            "concern": concern.concern,
            "tracks": sorted(concern.tracks or ()),
            "files": sorted(concern.files or ()),
        }
    )[:_SHORT]


class ListedItem(Open):
    """An item as ``plait edit WORKFLOW list --json`` prints it.

    Attributes:
        decided: Who decided what on it, in words.
        waived: What a finding says of it, where a run has honoured the waiver.
        settlement: The same of a concern.
        settled_before: What that superseded.
    """

    kind: Kind
    name: str
    also: Items[str]
    status: str
    text: str
    decided: str | None
    waived: Waived | None = None
    settlement: Settled | None = None
    settled_before: list[Settled] | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that waits for a person.

    Attributes:
        name: What to call it on the command line.
        also: Other names it answers to.
        entry: The entry of the document.
    """

    kind: Kind
    name: str
    status: str
    text: str
    also: tuple[str, ...]
    entry: CriterionResult | Evidence | Finding | Concern | ProductionReadiness

    def listed(self, said: str) -> ListedItem:
        """Return the item to be printed, with what is said of decisions on it."""
        line = ListedItem(
            kind=self.kind, name=self.name, also=self.also, status=self.status, text=self.text, decided=said or None
        )
        if isinstance(self.entry, Finding) and self.entry.waived:
            line = line.changed(waived=self.entry.waived)
        if isinstance(self.entry, Concern) and self.entry.settlement:
            line = line.changed(settlement=self.entry.settlement)
        if isinstance(self.entry, Concern) and self.entry.settled_before:
            line = line.changed(settled_before=self.entry.settled_before)
        return line


def open_items(context: Context) -> tuple[Item, ...]:
    """Return everything in a context that is open, in the order of the document."""
    return tuple(one for one in all_items(context) if one.status not in {"met", "passed", "settled", "approved"})


def all_items(context: Context) -> tuple[Item, ...]:
    """Return everything a person may decide on, settled or not."""
    return (
        *_criteria(context),
        *_checks(context),
        *_findings(context),
        *_concerns(context),
        *_gates(context),
    )


def _criteria(context: Context) -> Iterable[Item]:
    for one in context.criteria or ():
        yield Item("criterion", one.id, one.status, f"{one.text} ({one.reason})", (), one)


def _checks(context: Context) -> Iterable[Item]:
    for one in context.evidence or ():
        yield Item("check", one.check, one.status, one.reason or "", (), one)


def _findings(context: Context) -> Iterable[Item]:
    for one in context.findings or ():
        rule = one.rule
        pointer = one.sources[0].pointer if one.sources else ""
        also = (rule, rule.rpartition("/")[2], *((f"{rule}:{pointer}",) if pointer else ()))
        status = "waived" if one.waived else one.severity
        yield Item("finding", fingerprint(one), status, f"{rule}: {one.message}", also, one)


def _concerns(context: Context) -> Iterable[Item]:
    for number, one in enumerate(context.integration_concerns or (), 1):
        if not one.asks:
            continue
        also = (concern_fingerprint(one), *((f"{one.kind}:{','.join(one.tracks or ())}",) if one.kind else ()))
        yield Item("concern", str(number), one.status or "open", one.concern, also, one)


def _gates(context: Context) -> Iterable[Item]:
    production = context.production
    if production and production.gate:
        waiting = [one.id for one in production.known if one.status == "pending"]
        text = f"to be ticked: {', '.join(waiting)}" if waiting else ""
        yield Item("gate", production.gate, str(production.status), text, (), production)


def _begun(items: Iterable[Item], digits: str) -> tuple[Item, ...]:
    """Return what the first digits of a fingerprint mean; nothing where they are too few, or begin none.

    Raises:
        InputError: They begin several fingerprints.
    """
    if len(digits) < _LEAST_DIGITS or not set(digits) <= set("0123456789abcdef"):
        return ()
    begun: dict[str, list[Item]] = {}
    for one in items:
        mark = {"finding": one.name, "concern": one.also[0] if one.also else ""}.get(one.kind, "")
        if mark.startswith(digits):
            begun.setdefault(mark, []).append(one)
    if len(begun) > 1:
        marks = ", ".join(sorted(begun))
        raise InputError(f"{digits!r} begins {len(begun)} fingerprints, {marks}: give more digits", name=digits)
    return tuple(one for same in begun.values() for one in same)


def find_items(items: Iterable[Item], name: str, workflow_id: str) -> tuple[Item, ...]:
    """Return the items a name means: one by its own name or fingerprint, or all that share an other name, as a rule's.

    ``criterion:``, ``check:`` and ``finding:`` before a name say which kind is meant. The first six or more digits of
    a fingerprint do for it where no other begins so.

    Raises:
        InputError: Nothing is called so; says which names are near. Or digits begin several fingerprints.
    """
    known = list(items)
    kind, colon, rest = name.partition(":")
    if colon and kind in {"criterion", "check", "finding", "concern"}:
        known, name = [one for one in known if one.kind == kind], rest
    for found in ([one for one in known if one.name == name], [one for one in known if name in one.also]):
        if found:
            return tuple(found)
    if begun := _begun(known, name):
        return begun
    names = list(dict.fromkeys(each for one in known for each in (one.name, *one.also)))
    near = get_close_matches(name, names, n=3, cutoff=0.5) or [each for each in names if each.startswith(name)][:3]
    hint = f"did you mean {' or '.join(near)}?" if near else f"`plait edit {workflow_id} list` shows what there is"
    raise InputError(f"{workflow_id} has nothing called {name[:80]!r} to decide on; {hint}", name=name)
