"""The lists of a merged document, derived from the whole map of contributions in spec order."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from contexts.documents.findings import Source
from contexts.documents.merged import Concern, Omission
from contexts.merge.contribution import Contribution, Contributions

Origin = str | list[str]
"""Most items have one source: kept as a text, because a list each costs more than the item."""


@dataclass(slots=True)
class Derived:
    """Everything a merge derives.

    Attributes:
        lists: The four merged lists.
        sources: For every list, per item, the source as ``task_id#pointer``, or several.
        concerns: What could not be settled, and what tracks said differently.
        omissions: What was not taken over as it stood, with the reason and the value.
    """

    lists: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])
    sources: dict[str, list[Origin]] = field(default_factory=dict[str, "list[Origin]"])
    concerns: list[Concern] = field(default_factory=list[Concern])
    omissions: list[Omission] = field(default_factory=list[Omission])

    @property
    def provenance(self) -> dict[str, list[list[str]]]:
        """For every list, per item, all its sources."""
        return {
            name: [[one] if isinstance(one, str) else one for one in sources] for name, sources in self.sources.items()
        }

    def take_provenance_json(self) -> dict[str, orjson.Fragment]:
        """Return the same as JSON and let go of the sources, so that both are never in memory at once.

        Ids and pointers need no escapes.
        """
        taken: dict[str, orjson.Fragment] = {}
        for name in tuple(self.sources):
            sources = self.sources.pop(name)
            inner = '"],["'.join([one if isinstance(one, str) else '","'.join(one) for one in sources])
            taken[name] = orjson.Fragment(f'[["{inner}"]]' if sources else "[]")
        return taken


def derive(contributions: Contributions, order: Sequence[str]) -> Derived:
    """Return lists, provenance, concerns and omissions of a map of contributions.

    Args:
        contributions: The state of the merge.
        order: task_ids in spec order; contributions it does not name follow, sorted by task_id.
    """
    named = [contributions[task_id] for task_id in order if task_id in contributions]
    known = set(order)
    named += [contributions[task_id] for task_id in sorted(contributions) if task_id not in known]
    derived = Derived()
    _files(derived, named)
    _concatenated(derived, named, "decisions")
    _differences(derived, named)
    _actions(derived, named)
    _concatenated(derived, named, "error_log")
    return derived


def _files(derived: Derived, named: Sequence[Contribution]) -> None:
    sources: dict[str, Origin] = {}
    for one in named:
        start = f"{one.task_id}#/files_modified/"
        for index, path in enumerate(one.lists.get("files_modified", ())):
            sources[path] = _joined(sources.get(path), f"{start}{index}")
    derived.lists["files_modified"] = list(sources)
    derived.sources["files_modified"] = list(sources.values())


def _joined(known: Origin | None, source: str) -> Origin:
    if known is None:
        return source
    if isinstance(known, str):
        return [known, source]
    known.append(source)
    return known


def _concatenated(derived: Derived, named: Sequence[Contribution], name: str) -> None:
    items: list[Any] = []
    sources: list[Origin] = []
    for one in named:
        own = one.lists.get(name)
        if own:
            items += own
            start = f"{one.task_id}#/{name}/"
            sources += [f"{start}{index}" for index in range(len(own))]
    derived.lists[name] = items
    derived.sources[name] = sources


def _differences(derived: Derived, named: Sequence[Contribution]) -> None:
    topics: dict[str, list[tuple[str, int, Mapping[str, object]]]] = {}
    for one in named:
        for index, decision in enumerate(one.lists.get("decisions", ())):
            if type(decision) is not str:
                topics.setdefault(_normal(decision["topic"]).casefold(), []).append((one.task_id, index, decision))
    for held in topics.values():
        choices = {_normal(str(decision.get("choice", ""))).casefold() for _, _, decision in held}
        if len(choices) < 2:
            continue
        topic = held[0][2]["topic"]
        said = "; ".join(f"{task_id}: {decision.get('choice')}" for task_id, _, decision in held)
        derived.concerns.append(
            Concern(
                concern=f"Differing decisions on {topic!r}: {said}",
                kind="differing-decisions",
                status="differing",
                tracks=list(dict.fromkeys(task_id for task_id, _, _ in held)),
                sources=[
                    Source(document=task_id, pointer=f"/decisions/{index}", quote=str(decision.get("choice")))
                    for task_id, index, decision in held
                ],
            )
        )


def _actions(derived: Derived, named: Sequence[Contribution]) -> None:
    kept: dict[str | tuple[str, str], int] = {}
    items: list[Any] = []
    sources: list[Origin] = []
    statuses: dict[int, list[tuple[str, str, Any]]] = {}
    for one in named:
        start = f"{one.task_id}#/pending_actions/"
        for index, action in enumerate(one.lists.get("pending_actions", ())):
            source = f"{start}{index}"
            status = None
            if type(action) is str:
                key = _normal(action)
            else:
                subject = _normal(str(action.get("subject") or ""))
                key = (_normal(action["action"]), subject) if subject else _normal(action["action"])
                status = action.get("status")
            place = kept.get(key)
            if place is None:
                place = kept[key] = len(items)
                items.append(action)
                sources.append(source)
            else:
                sources[place] = _joined(sources[place], source)
                if action != items[place]:
                    first = sources[place][0].partition("#")[0]
                    derived.omissions.append(
                        Omission(
                            what="pending action",
                            why=f"says the same as the one kept from {first}",
                            task_id=one.task_id,
                            pointer=f"/pending_actions/{index}",
                            value=action,
                        )
                    )
            if status is not None:
                statuses.setdefault(place, []).append((one.task_id, f"/pending_actions/{index}", status))
    derived.lists["pending_actions"] = items
    derived.sources["pending_actions"] = sources
    for place, said in statuses.items():
        if len({str(status) for _, _, status in said}) > 1:
            text = items[place] if isinstance(items[place], str) else items[place]["action"]
            derived.concerns.append(
                Concern(
                    concern=f"Differing statuses of pending action {text!r}: "
                    + "; ".join(f"{task_id}: {status}" for task_id, _, status in said),
                    kind="differing-statuses",
                    status="differing",
                    tracks=list(dict.fromkeys(task_id for task_id, _, _ in said)),
                    sources=[Source(document=task, pointer=where, quote=str(status)) for task, where, status in said],
                )
            )


def _normal(text: str) -> str:
    return text.strip() if text.isascii() else unicodedata.normalize("NFC", text).strip()
