"""Find and change values in sets of context documents, and tell whether a change was found at its place."""

from __future__ import annotations

import copy
import json
import os
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from contexts.audit import Finding, SourceDocument, audit
from contexts.json.pointer import pointer
from contexts.json.values import walk

Documents = dict[str, Any]
Place = tuple[str, str]
Path_ = tuple[str | int, ...]

CORPORA = Path(__file__).parent / "corpora"
QUICK = ("mobile", "orders", "warehouse")
"""Domains of three styles: what `make test` changes; `make test-audit` changes all."""
CLEAN = sorted(
    path
    for path in CORPORA.glob("*/clean")
    if path.parent.name in QUICK or os.environ.get("PLAIT_TEST_ALL_CORPORA") == "1"
)


def load_set(folder: Path) -> Documents:
    files = sorted(path for path in folder.glob("*.json") if path.name != "expected.json")
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in files}


def findings(documents: Documents) -> tuple[Finding, ...]:
    sources = [SourceDocument(name, copy.deepcopy(data)) for name, data in documents.items()]
    return audit(sources).findings


def fresh(before: tuple[Finding, ...], after: tuple[Finding, ...], *, notes: bool = False) -> list[Finding]:
    """Return the findings that were not there before; a group that only lost or gained a place counts as new."""
    known = {(f.rule, f.message) for f in before}
    return [f for f in after if (f.rule, f.message) not in known and (notes or f.severity != "note")]


def is_at(finding: Finding, places: list[Place]) -> bool:
    """Tell whether a finding names one of the places, a value inside it, or the object or list right around it."""
    for source in finding.sources:
        for document, where in places:
            if source.document == document and (
                source.pointer == where
                or source.pointer.startswith(where + "/")
                or (where.startswith(source.pointer + "/") and source.pointer.count("/") >= where.count("/") - 1)
            ):
                return True
    return False


class Editor:
    """A set of documents to be changed, with a seeded source of choices."""

    def __init__(self, documents: Documents, seed: int) -> None:
        self.documents = copy.deepcopy(documents)
        self.random = random.Random(seed)
        self.places: list[Place] = []

    @property
    def parent(self) -> str:
        return next(iter(self.documents))

    @property
    def tracks(self) -> list[str]:
        return [name for name, data in self.documents.items() if data.get("task_id")]

    @property
    def merged(self) -> str:
        return list(self.documents)[-2]

    @property
    def verified(self) -> str:
        return list(self.documents)[-1]

    def walk(self, *names: str) -> Iterator[tuple[str, Path_, Any]]:
        for name in names or self.documents:
            for path, value in walk(self.documents[name]):
                yield name, path, value

    def get(self, name: str, *path: str | int) -> Any:
        value = self.documents[name]
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def set(self, name: str, path: Path_, value: Any) -> None:
        self.get(name, *path[:-1])[path[-1]] = value
        self.mark(name, path)

    def remove(self, name: str, path: Path_) -> None:
        del self.get(name, *path[:-1])[path[-1]]

    def mark(self, name: str, path: Path_) -> None:
        self.places.append((name, pointer(*path)))

    def choose(self, found: Iterator[Any] | list[Any]) -> Any:
        options = list(found)
        return self.random.choice(options) if options else None

    def texts(self, *names: str, key: str = "", matching: str = "") -> Iterator[tuple[str, Path_, str]]:
        """Yield the texts whose path and content match two regular expressions."""
        for name, path, value in self.walk(*names):
            if isinstance(value, str) and re.search(key, pointer(*path)) and re.search(matching, value):
                yield name, path, value

    def replace(self, found: tuple[str, Path_, str] | None, pattern: str, by: str | Callable[..., str]) -> bool:
        """Replace the first match in a chosen text; tell whether anything changed."""
        if found is None:
            return False
        name, path, value = found
        changed = re.sub(pattern, by, value, count=1)
        if changed == value:
            return False
        self.set(name, path, changed)
        return True
