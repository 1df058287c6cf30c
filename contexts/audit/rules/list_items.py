"""List items as a merge must keep them: one form for equality; what is lost, changed, invented."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from contexts.audit.source_document import SourceDocument
from contexts.documents.findings import Source
from contexts.json.values import Path, mapping, sequence, text, walk
from contexts.text.subjects import overlap, plain

_LABEL = re.compile(r"\A(?:\[[\w .\-]{1,60}\]|[\w\-]{1,40}:)\s{1,3}(?=\S)")
_TEXT_KEYS = ("choice", "decision", "action", "title", "error", "text", "description", "name", "subject")
# Pairing lost with invented items compares each with each; beyond this they are listed apart.
_MOST_PAIRED = 120


@dataclass(frozen=True, slots=True)
class Item:
    """One element of a list in a document; two are the same where any of their forms is."""

    document: SourceDocument
    path: Path
    shown: str
    forms: tuple[str, ...]

    def source(self) -> Source:
        """Return where the item is."""
        return self.document.source(self.path)


@dataclass(frozen=True)
class Comparison:
    """What became of items: ``lost`` have no equal, ``invented`` had none, ``changed`` are pairs of like ones."""

    lost: tuple[Item, ...]
    invented: tuple[Item, ...]
    changed: tuple[tuple[Item, Item], ...]


def items(document: SourceDocument, *keys: str) -> list[Item]:
    """Return the elements of a list, or the texts of an object of lists."""
    value: Any = document.data
    for key in keys:
        value = mapping(value).get(key)
    if isinstance(value, list):
        return [_item(document, (*keys, index), raw) for index, raw in enumerate(sequence(value))]
    if isinstance(value, dict):
        return [_item(document, path, raw) for path, raw in walk(mapping(value), keys) if isinstance(raw, str)]
    return []


def _item(document: SourceDocument, path: Path, raw: Any) -> Item:
    if isinstance(raw, str):
        label = _LABEL.match(raw, 0, 120)
        forms = (plain(raw), plain(raw[label.end() :])) if label else (plain(raw),)
        return Item(document, path, raw, forms)
    data = mapping(raw)
    main = next((text(data.get(key)) for key in _TEXT_KEYS if text(data.get(key))), "")
    topic = text(data.get("topic"))
    if main:
        forms = (plain(f"{topic}: {main}"), plain(main)) if topic else (plain(main),)
        return Item(document, path, f"{topic}: {main}" if topic else main, forms)
    shown = json.dumps(raw, sort_keys=True, ensure_ascii=False)
    return Item(document, path, shown, (shown,))


def compare_items(
    before: Sequence[Item], after: Sequence[Item], elsewhere: Callable[[], Iterable[str]] = tuple
) -> Comparison:
    """Compare two lists as sets of items.

    Args:
        before: What must be kept.
        after: What is there.
        elsewhere: Gives texts that count as kept, too: another place of the document says what became of an item. It
            is asked only where something is missing.
    """
    kept = {form for item in after for form in item.forms}
    known = {form for item in before for form in item.forms}
    lost = _distinct(item for item in before if kept.isdisjoint(item.forms))
    if lost:
        kept = {plain(value) for value in elsewhere()}
        lost = [item for item in lost if kept.isdisjoint(item.forms)]
    invented = _distinct(item for item in after if known.isdisjoint(item.forms))
    changed = list[tuple[Item, Item]]()
    if len(lost) <= _MOST_PAIRED and len(invented) <= _MOST_PAIRED:
        scored = sorted(
            ((overlap(old.shown, new.shown), i, j) for i, old in enumerate(lost) for j, new in enumerate(invented)),
            key=lambda entry: (-entry[0], entry[1], entry[2]),
        )
        used_old, used_new = set[int](), set[int]()
        for score, i, j in scored:
            if score >= 0.5 and i not in used_old and j not in used_new:
                used_old.add(i)
                used_new.add(j)
                changed.append((lost[i], invented[j]))
        lost = [item for i, item in enumerate(lost) if i not in used_old]
        invented = [item for j, item in enumerate(invented) if j not in used_new]
    return Comparison(tuple(lost), tuple(invented), tuple(changed))


def _distinct(found: Iterable[Item]) -> list[Item]:
    seen: dict[tuple[str, ...], Item] = {}
    for item in found:
        seen.setdefault(item.forms, item)
    return list(seen.values())
