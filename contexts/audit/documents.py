"""The documents of one workflow, told apart by what they contain: parent, merged, verified, tracks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from contexts.audit.source_document import STAGES, WORD, SourceDocument, Stage
from contexts.contracts.compare import Mismatch, compare_all
from contexts.contracts.model import Contract
from contexts.json.values import Path, at, mapping, sequence, text


@dataclass(frozen=True, eq=False)
class DocumentSet:
    """All documents of one workflow; any subset of them is a set, and rules without their inputs say nothing."""

    workflow_id: str
    documents: tuple[SourceDocument, ...]

    @cached_property
    def revisions(self) -> tuple[SourceDocument, ...]:
        """Return the workflow's own documents, oldest stage first, then by time and name."""
        own = [document for document in self.documents if not document.task_id and not document.prose]
        return tuple(sorted(own, key=lambda d: (STAGES.index(d.stage), _instant(d), d.name)))

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
        return all(self.spoken[word] > (word in document.words) for word in WORD.findall(name))

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


def _instant(document: SourceDocument) -> float:
    return document.timestamp.timestamp() if document.timestamp else 0.0
