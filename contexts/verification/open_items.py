"""What in a workflow's context still waits for a person: criteria, checks, findings, concerns, gates; and their names.

A finding or concern is told apart by its fingerprint: what it says, and every place it quotes with the quote itself.
The same rule at another place, or at the same place about another value, is another finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import sha256
from typing import Literal

from contexts.documents.base import JsonObject
from contexts.documents.codec import digest
from contexts.errors import InputError
from contexts.json.values import entries, section

Kind = Literal["criterion", "check", "finding", "concern", "gate"]
_SHORT = 12
_LEAST_DIGITS = 6


def fingerprint(finding: Mapping[str, object]) -> str:
    """Return twelve hex digits that tell a finding from every other: rule, and its sources with their quotes."""
    sources: list[JsonObject] = entries(finding, "sources")
    places = sorted(
        [str(one.get("document")), str(one.get("pointer")), sha256(str(one.get("quote")).encode()).hexdigest()]
        for one in sources
    )
    # Only without any place does the sentence tell two findings of one rule apart.
    return digest({"rule": finding.get("rule"), "places": places or str(finding.get("message"))})[:_SHORT]


def concern_fingerprint(concern: Mapping[str, object]) -> str:
    """Return twelve hex digits that tell a concern from every other: kind, words, tracks and files."""
    return digest(
        {
            "kind": concern.get("kind"),
            "concern": concern.get("concern"),
            "tracks": sorted(entries(concern, "tracks")),
            "files": sorted(entries(concern, "files")),
        }
    )[:_SHORT]


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
    entry: JsonObject


def open_items(document: Mapping[str, object]) -> tuple[Item, ...]:
    """Return everything in a context that is open, in the order of the document."""
    return tuple(one for one in all_items(document) if one.status not in {"met", "passed", "settled", "approved"})


def all_items(document: Mapping[str, object]) -> tuple[Item, ...]:
    """Return everything a person may decide on, settled or not."""
    return (
        *_criteria(document),
        *_checks(document),
        *_findings(document),
        *_concerns(document),
        *_gates(document),
    )


def _criteria(document: Mapping[str, object]) -> Iterable[Item]:
    for one in entries(document, "criteria"):
        text = f"{one['text']} ({one['reason']})"
        yield Item("criterion", str(one["id"]), str(one["status"]), text, (), one)


def _checks(document: Mapping[str, object]) -> Iterable[Item]:
    for one in entries(document, "evidence"):
        yield Item("check", str(one["check"]), str(one["status"]), str(one.get("reason") or ""), (), one)


def _findings(document: Mapping[str, object]) -> Iterable[Item]:
    for one in entries(document, "findings"):
        sources: list[JsonObject] = entries(one, "sources")
        rule = str(one["rule"])
        pointer = str(sources[0].get("pointer")) if sources else ""
        also = (rule, rule.rpartition("/")[2], *((f"{rule}:{pointer}",) if pointer else ()))
        status = "waived" if one.get("waived") else str(one["severity"])
        yield Item("finding", fingerprint(one), status, f"{rule}: {one['message']}", also, one)


def _concerns(document: Mapping[str, object]) -> Iterable[Item]:
    for number, one in enumerate(entries(document, "integration_concerns"), 1):
        tracks = ",".join(map(str, entries(one, "tracks")))
        also = (concern_fingerprint(one), *((f"{one['kind']}:{tracks}",) if one.get("kind") else ()))
        yield Item("concern", str(number), str(one.get("status") or "open"), str(one.get("concern")), also, one)


def _gates(document: Mapping[str, object]) -> Iterable[Item]:
    production = section(section(document, "deployment_readiness"), "production")
    if production.get("gate"):
        waiting = [str(one["id"]) for one in entries(production, "prerequisites") if one.get("status") == "pending"]
        text = f"to be ticked: {', '.join(waiting)}" if waiting else ""
        yield Item("gate", str(production["gate"]), str(production["status"]), text, (), production)


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
