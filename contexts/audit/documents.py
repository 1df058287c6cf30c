"""The documents of one workflow, told apart by what they contain: parent, merged, verified, tracks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Literal

from contexts.audit.findings import Source, quote
from contexts.audit.words import stem
from contexts.contract.compare import Mismatch, compare_all
from contexts.contract.model import Contract
from contexts.contract.read import read_contracts
from contexts.contract.values import Path, at, mapping, pointer, resolve, sequence, text, walk

Stage = Literal["parent", "merged", "verified"]
_STAGES: tuple[Stage, ...] = ("parent", "merged", "verified")
# A sentence longer than this is a log or a blob, not a claim; grammars read only the beginning of it.
LONGEST_TEXT = 4_000
_DIGIT = re.compile(r"[0-9]")
_PART = re.compile(r"[a-z0-9]+")
_WORD = re.compile(r"[\w-]{2,120}")


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
    data: Mapping[str, Any]
    size: int = 0
    prose: bool = False

    @cached_property
    def values(self) -> tuple[tuple[Path, Any], ...]:
        """Return every value with its path, in document order."""
        return tuple(walk(self.data))

    @cached_property
    def texts(self) -> tuple[tuple[Path, str], ...]:
        """Return every string with its path, cut to what grammars read."""
        return tuple((path, value[:LONGEST_TEXT]) for path, value in self.values if isinstance(value, str))

    @cached_property
    def figures(self) -> tuple[tuple[Path, str], ...]:
        """Return the strings that hold a digit: only these can state a quantity."""
        return tuple((path, value) for path, value in self.texts if _DIGIT.search(value))

    @cached_property
    def objects(self) -> tuple[tuple[Path, Mapping[str, Any]], ...]:
        """Return every JSON object with its path."""
        return tuple((path, mapping(value)) for path, value in self.values if isinstance(value, dict))

    @cached_property
    def words(self) -> frozenset[str]:
        """Return every word, identifier and key of the document, as written."""
        keys = {part for path, _ in self.values for part in path[-1:] if isinstance(part, str)}
        return frozenset(word for value in (*keys, *(v for _, v in self.texts)) for word in _WORD.findall(value))

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
            value = resolve(self.data, pointer(path))
        return Source(self.name, pointer(path), quote(value))


@dataclass(frozen=True, eq=False)
class DocumentSet:
    """All documents of one workflow; any subset of them is a set, and rules without their inputs say nothing."""

    workflow_id: str
    documents: tuple[SourceDocument, ...]

    @cached_property
    def revisions(self) -> tuple[SourceDocument, ...]:
        """Return the workflow's own documents, oldest stage first, then by time and name."""
        own = [document for document in self.documents if not document.task_id and not document.prose]
        return tuple(sorted(own, key=lambda d: (_STAGES.index(d.stage), _instant(d), d.name)))

    def at_stage(self, stage: Stage) -> tuple[SourceDocument, ...]:
        """Return the workflow's documents of one stage."""
        return tuple(document for document in self.revisions if document.stage == stage)

    @cached_property
    def tracks(self) -> tuple[SourceDocument, ...]:
        """Return the newest document of every track, in the order of the tracks' ids."""
        newest: dict[str, SourceDocument] = {}
        for document in sorted((d for d in self.documents if d.task_id), key=lambda d: (_instant(d), d.name)):
            newest[document.task_id] = document
        return tuple(newest[task_id] for task_id in sorted(newest))

    @cached_property
    def merged_tracks(self) -> tuple[SourceDocument, ...]:
        """Return the tracks whose documents the merge took in; what it names as left out is not lost."""
        left_out = {
            text(mapping(entry).get("task_id"))
            for entry in sequence(self.merge.data.get("omissions") if self.merge else None)
            if mapping(entry).get("what") == "track"
        }
        return tuple(document for document in self.tracks if document.task_id not in left_out)

    @cached_property
    def track(self) -> Mapping[str, SourceDocument]:
        """Return the newest document of a track by its task id."""
        return {document.task_id: document for document in self.tracks}

    @cached_property
    def tracks_by_word(self) -> Mapping[str, Mapping[SourceDocument, None]]:
        """Return, by the stem of every word of their ids and phases, the tracks that have it."""
        named: dict[str, dict[SourceDocument, None]] = {}
        for track in self.tracks:
            for word in _PART.findall(f"{track.task_id} {track.phase}".lower()):
                named.setdefault(stem(word), {})[track] = None
        return named

    @cached_property
    def current(self) -> tuple[SourceDocument, ...]:
        """Return every document that counts: the workflow's revisions and the newest of each track."""
        return (*self.revisions, *self.tracks)

    @cached_property
    def reports(self) -> tuple[SourceDocument, ...]:
        """Return what was written about the workflow in prose."""
        return tuple(document for document in self.documents if document.prose)

    @cached_property
    def plan(self) -> SourceDocument | None:
        """Return the earliest document that says which tracks there are."""
        return next((d for d in self.revisions if sequence(d.data.get("parallel_tasks"))), None)

    @cached_property
    def criteria_holder(self) -> SourceDocument | None:
        """Return the earliest document that states success criteria: the spec's word."""
        return next((d for d in self.revisions if d.data.get("success_criteria")), None)

    @cached_property
    def merge(self) -> SourceDocument | None:
        """Return the first document that merges tracks: a merged one, else a verified one that carries their lists."""
        merged = self.at_stage("merged")
        if merged:
            return merged[0]
        return next((d for d in self.at_stage("verified") if {"files_modified", "decisions"} & d.data.keys()), None)

    @cached_property
    def has_all_tracks(self) -> bool:
        """Tell whether the plan or the merge names tracks, and every one is among the documents."""
        return bool(self.named_tracks) and self.named_tracks <= self.track.keys()

    @cached_property
    def named_tracks(self) -> frozenset[str]:
        """Return the task ids of the plan; where there is none, those of the merge's summary."""
        listed: list[Any] = list(sequence(self.plan.data.get("parallel_tasks"))) if self.plan else []
        for document in () if self.plan else self.revisions:
            listed += sequence(at(document.data, "parallel_execution_summary", "tasks"))
        return frozenset(text(mapping(task).get("task_id")) for task in listed) - {""}

    @cached_property
    def absent_tracks(self) -> frozenset[str]:
        """Return the task ids of the plan that no document is of."""
        return self.named_tracks - self.track.keys()

    @cached_property
    def providers(self) -> tuple[Contract, ...]:
        """Return what the tracks provide; what the workflow's documents say only where no track does."""
        return self._contracts("provider")

    @cached_property
    def consumers(self) -> tuple[Contract, ...]:
        """Return what the tracks expect of others."""
        return self._contracts("consumer")

    def _contracts(self, role: str) -> tuple[Contract, ...]:
        group = self.tracks or self.revisions[-1:]
        return tuple(contract for d in group for contract in d.contracts if contract.role == role)

    @cached_property
    def mismatches(self) -> tuple[tuple[Contract, Contract, Mismatch], ...]:
        """Return every mismatch between the contracts, with both sides."""
        complete = self.has_all_tracks if self.named_tracks else None
        return compare_all(self.consumers, self.providers, complete=complete)

    @cached_property
    def spoken(self) -> Counter[str]:
        """Return in how many documents each word occurs."""
        return Counter(word for document in self.current for word in document.words)

    @cached_property
    def keyed(self) -> Mapping[str, tuple[tuple[SourceDocument, Path], ...]]:
        """Return the tracks' objects and lists by the key they stand under."""
        places: dict[str, list[tuple[SourceDocument, Path]]] = {}
        for document in self.tracks:
            for path, value in document.values:
                if path and isinstance(path[-1], str) and isinstance(value, dict | list):
                    places.setdefault(path[-1], []).append((document, path))
        return {key: tuple(found[:50]) for key, found in places.items()}

    def elsewhere(self, name: str, document: SourceDocument) -> bool:
        """Tell whether all words of a name occur in some other document than this one."""
        return all(self.spoken[word] > (word in document.words) for word in _WORD.findall(name))

    @cached_property
    def by_name(self) -> Mapping[str, SourceDocument]:
        """Return documents by file name."""
        return {document.name: document for document in self.documents}


def split(documents: Sequence[SourceDocument]) -> Iterator[DocumentSet]:
    """Put documents into sets, one a workflow, in the order the workflows first appear.

    A track belongs to the workflow its ``parent_workflow_id`` names, or to the one whose id its own begins with. When
    nothing says so, but exactly one workflow plans its ``task_id``, it belongs there.
    """
    sets: dict[str, list[SourceDocument]] = {}
    planned: dict[str, set[str]] = {}
    contexts = [document for document in documents if not document.prose]
    for document in contexts:
        if not document.task_id:
            sets.setdefault(document.workflow_id, [])
            for task in sequence(document.data.get("parallel_tasks")):
                planned.setdefault(text(mapping(task).get("task_id")), set()).add(document.workflow_id)
    for document in contexts:
        sets.setdefault(_home(document, sets.keys(), planned), []).append(document)
    for report in (document for document in documents if document.prose):
        named = [workflow_id for workflow_id in sets if any(workflow_id in line for _, line in report.texts)]
        for workflow_id in named or (list(sets) if len(sets) == 1 else []):
            sets[workflow_id].append(report)
    for workflow_id, members in sets.items():
        yield DocumentSet(workflow_id, tuple(sorted(members, key=lambda d: d.name)))


def _home(document: SourceDocument, known: Iterable[str], planned: Mapping[str, set[str]]) -> str:
    if not document.task_id:
        return document.workflow_id
    known = set(known)
    parent = text(document.data.get("parent_workflow_id"))
    if parent in known:
        return parent
    plans = planned.get(document.task_id, set[str]())
    if len(plans) == 1:
        return next(iter(plans))
    if parent:
        return parent
    stem = document.workflow_id.removesuffix(f"-{document.task_id}")
    return stem or document.workflow_id


def moment(value: Any) -> datetime | None:
    """Read an ISO 8601 instant; one without an offset counts as UTC, as the format says. None for anything else."""
    if not isinstance(value, str) or not 10 <= len(value) <= 40:
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def _instant(document: SourceDocument) -> float:
    return document.timestamp.timestamp() if document.timestamp else 0.0
