"""One document as read, and the indexes of it that rules share: its texts, objects, keys and contracts."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import accumulate
from typing import Any, Literal

from contexts.audit.findings import quote
from contexts.contracts.model import Contract
from contexts.contracts.read import read_contracts
from contexts.documents.findings import Source
from contexts.json.pointer import pointer, resolve
from contexts.json.values import Path, text, walk

Stage = Literal["parent", "merged", "verified"]
STAGES: tuple[Stage, ...] = ("parent", "merged", "verified")
# A sentence longer than this is a log or a blob, not a claim; grammars read only the beginning of it.
LONGEST_TEXT = 4_000
WORD = re.compile(r"[\w-]{2,120}")
DATA = frozenset({"contracts", "schema", "schemas", "openapi", "example", "examples", "claimed_results"})
"""Members that hold data about an interface, or claims that evidence is compared with: they state nothing."""


@dataclass(frozen=True, eq=False)
class SourceDocument:
    """One document as read.

    Attributes:
        name: File name, which findings quote.
        data: Parsed JSON; for prose ``{"lines": [...]}``.
        size: Bytes.
        prose: A report in words (Markdown or plain text), of which only figures are judged.
    """

    name: str
    data: Mapping[str, object]
    size: int = 0
    prose: bool = False

    @cached_property
    def memo(self) -> dict[str, Any]:
        """Return what rules have read out of the document, by their own keys; it ends with the document."""
        return {}

    @cached_property
    def values(self) -> tuple[tuple[Path, Any], ...]:
        """Return every value with its path, in document order."""
        return tuple(walk(self.data))

    @cached_property
    def texts(self) -> tuple[tuple[Path, str], ...]:
        """Return every string with its path, cut to what grammars read."""
        return tuple(
            entry if len(entry[1]) <= LONGEST_TEXT else (entry[0], entry[1][:LONGEST_TEXT])
            for entry in self.values
            if isinstance(entry[1], str)
        )

    @cached_property
    def objects(self) -> tuple[tuple[Path, Mapping[str, object]], ...]:
        """Return every JSON object with its path."""
        return tuple(entry for entry in self.values if isinstance(entry[1], dict))

    @cached_property
    def keys(self) -> Mapping[str, list[int]]:
        """Return every key of the document, with the indexes of the objects that have it."""
        holders: dict[str, list[int]] = {}
        for index, (_, members) in enumerate(self.objects):
            for key in members:
                holders.setdefault(key, []).append(index)
        return holders

    def objects_with(self, wanted: Callable[[str], bool]) -> list[tuple[Path, Mapping[str, object]]]:
        """Return the objects that have a wanted key, in document order: each key is asked about once."""
        chosen = {index for key, held in self.keys.items() if wanted(key) for index in held}
        return [self.objects[index] for index in sorted(chosen)]

    def has_key(self, wanted: Callable[[str], bool]) -> bool:
        """Tell whether any object has a wanted key."""
        return any(wanted(key) for key in self.keys)

    @cached_property
    def _lowered(self) -> tuple[str, list[int]]:
        lines = [f"\n{value.lower()}" for _, value in self.texts]
        return "".join(lines), list(accumulate(map(len, lines), initial=0))

    def holding(self, *signals: re.Pattern[str]) -> list[tuple[Path, str]]:
        """Return the texts in which a signal is found, and perhaps a few more: what grammars that take time read.

        One scan of all texts takes a fraction of the time that a call for each of them does.

        Args:
            signals: Patterns for lower case; a line break stands before each text. What begins with a plain character
                or a set of them is found fastest.
        """
        texts = self.texts
        return [texts[index] for index in sorted(self.indexes(*signals))]

    def indexes(self, *signals: re.Pattern[str]) -> set[int]:
        """Return the indexes of the texts in which a signal is found."""
        joined, starts = self._lowered
        indexes = set[int]()
        for signal in signals:
            found = signal.search(joined)
            while found is not None:
                index = bisect_right(starts, found.start()) - 1
                indexes.add(index)
                found = signal.search(joined, starts[index + 1])
        return indexes

    @cached_property
    def words(self) -> frozenset[str]:
        """Return every word, identifier and key of the document, as written."""
        return frozenset(word for value in (*self.keys, *(v for _, v in self.texts)) for word in WORD.findall(value))

    @cached_property
    def contracts(self) -> tuple[Contract, ...]:
        """Return the contracts this document holds."""
        return read_contracts(self.name, self.data)

    @cached_property
    def timestamp(self) -> datetime | None:
        """Return when the document was saved, if it says so readably."""
        return moment(self.data.get("timestamp"))

    @property
    def task_id(self) -> str:
        """Return the track's id, or nothing for a workflow's document."""
        return text(self.data.get("task_id"))

    @property
    def workflow_id(self) -> str:
        """Return the document's own workflow id."""
        return text(self.data.get("workflow_id"))

    @property
    def phase(self) -> str:
        """Return the phase in lower case."""
        return text(self.data.get("phase")).lower()

    @cached_property
    def stage(self) -> Stage:
        """Return how far a workflow's document has come; the furthest mark it bears decides."""
        if self.data.keys() & {"verification_results", "deployment_readiness"} or "verif" in self.phase:
            return "verified"
        marks = {"parallel_execution_summary", "integration_concerns", "provenance", "merge_summary"}
        if self.data.keys() & marks or "merge" in self.phase:
            return "merged"
        return "parent"

    def source(self, path: Path, value: Any = None) -> Source:
        """Return a source for a path of this document; ``value`` saves looking it up."""
        if value is None:
            value = resolve(self.data, pointer(*path))
        return Source(document=self.name, pointer=pointer(*path), quote=quote(value))


def is_data(path: Path) -> bool:
    """Tell whether what stands there is data, which states nothing about the work."""
    return not DATA.isdisjoint(path)


def moment(value: Any) -> datetime | None:
    """Read an ISO 8601 instant; one without an offset counts as UTC, as the format says. None for anything else."""
    if not isinstance(value, str) or not 10 <= len(value) <= 40:
        return None
    try:
        read = datetime.fromisoformat(value)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
