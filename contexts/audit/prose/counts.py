"""Arithmetic between lists, summaries and documents: counts against what they count, times against their tasks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from contexts.audit.documents import DocumentSet
from contexts.audit.findings import listed
from contexts.audit.prose.arithmetic import count_of
from contexts.audit.registry import claim_rule, doubt
from contexts.audit.sample_documents import track
from contexts.audit.source_document import SourceDocument
from contexts.documents.findings import Doubt
from contexts.json.pointer import pointer, resolve
from contexts.json.values import Path, at, mapping, number, sequence, text, whole
from contexts.text.quantities import Quantity, as_percent, quantities

_TEST_NOUNS = {"test", "scenario", "case", "spec", "suite", "check"}
_SPOKEN = re.compile(
    r"(?<![\w.,/%$#-])(\d{1,6})\s(?:(?:[A-Za-z0-9-]{1,20}\s){0,3}?(tests?|scenarios|files|tracks)\b|([a-z]{4,20}s)\b)(?!\s(?:per|a|each|ago|later)\b)",
    re.IGNORECASE,
)
_OF = re.compile(r"\bof\s(\d{1,6})\s", re.IGNORECASE)
_SUMMARY = ("parallel_execution_summary", "tasks")


def _singular(word: str) -> str:
    lower = word.lower()
    return f"{lower[:-3]}y" if lower.endswith("ies") else lower.removesuffix("s")


@claim_rule(
    "arithmetic/count",
    "warning",
    "A count is not the length of the list it counts.",
    example=(
        track(
            "e2e",
            implementation_details={"test_files": {"cart.spec.ts": {"tests": 3, "scenarios": ["adds", "removes"]}}},
        ),
    ),
    clean=(
        track(
            "e2e",
            implementation_details={"test_files": {"cart.spec.ts": {"tests": 2, "scenarios": ["adds", "removes"]}}},
        ),
    ),
)
def count(documents: DocumentSet) -> Iterator[Doubt]:
    """Compare counts with lists beside them, with the document's own lists, and with the tracks' lists."""
    for document in documents.current:
        for path, members in document.objects_with(_counts):
            for key, where in _counted_lists(members):
                stated = whole(members[key])
                length = len(sequence(members[where]))
                if stated != length and not _adds_up(stated, members[where]):
                    yield doubt(
                        "arithmetic/count",
                        f"{key} says {stated}, and {where} has {length}",
                        (document.source((*path, key)), document.source((*path, where))),
                    )
        yield from _own_files(document)
    for document in documents.revisions:
        yield from _task_files(documents, document)


def _adds_up(stated: int | None, listed_values: Any) -> bool:
    """Tell whether a list holds amounts, of which a total is the sum and not the number."""
    amounts = [number(value) for value in sequence(listed_values)]
    return bool(amounts) and None not in amounts and stated == sum(value for value in amounts if value is not None)


def _counted_lists(members: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    lists = [name for name, value in members.items() if isinstance(value, list)]
    for key, value in members.items():
        if whole(value) is None:
            continue
        noun = _count_noun(key)
        if not noun:
            continue
        same = [name for name in lists if _singular(name.rsplit("_", 1)[-1]) == noun or _singular(name) == noun]
        near = [name for name in lists if noun in _TEST_NOUNS and _singular(name.rsplit("_", 1)[-1]) in _TEST_NOUNS]
        chosen = same or (near if len(lists) == 1 else [])
        if len(chosen) == 1:
            yield key, chosen[0]


def _counts(key: str) -> bool:
    return bool(_count_noun(key))


@lru_cache(maxsize=8_192)
def _count_noun(key: str) -> str:
    lower = key.lower()
    for pattern in (r"(?:total_|num_|number_of_|n_)(\w{1,40})\Z", r"(\w{1,40})_(?:count|total)\Z"):
        match = re.match(pattern, lower)
        if match:
            return _singular(match.group(1).rsplit("_", 1)[-1])
    return _singular(lower) if _singular(lower) in _TEST_NOUNS and lower.endswith("s") else ""


def _own_files(document: SourceDocument) -> Iterator[Doubt]:
    files = document.data.get("files_modified")
    if not isinstance(files, list):
        return
    length = len(sequence(files))
    for path, members in document.objects_with(_counts_files):
        for key in filter(_counts_files, members if path and "tasks" not in path else ()):
            stated = whole(members[key])
            if stated is not None and stated != length:
                yield doubt(
                    "arithmetic/count",
                    f"{key} says {stated}, and files_modified has {length}",
                    (document.source((*path, key)), document.source(("files_modified",))),
                )


@lru_cache(maxsize=8_192)
def _counts_files(key: str) -> bool:
    return bool(re.fullmatch(r"(?:total_)?files(?:_modified|_changed)?(?:_count)?", key))


def _task_files(documents: DocumentSet, document: SourceDocument) -> Iterator[Doubt]:
    tasks = sequence(at(document.data, "parallel_execution_summary", "tasks"))
    for index, raw in enumerate(tasks):
        own = documents.track.get(text(mapping(raw).get("task_id")))
        for key in ("files_count", "files_modified", "file_count", "files"):
            stated = whole(mapping(raw).get(key))
            if stated is not None and own is not None and isinstance(own.data.get("files_modified"), list):
                length = len(sequence(own.data["files_modified"]))
                if stated != length:
                    yield doubt(
                        "arithmetic/count",
                        f"{key} of {own.task_id} says {stated}, and its document has {length}",
                        (
                            document.source(("parallel_execution_summary", "tasks", index, key)),
                            own.source(("files_modified",)),
                        ),
                    )


@claim_rule(
    "arithmetic/spoken-count",
    "warning",
    "A summary's count is not one that the document's own figures give.",
    example=(
        track(
            "api",
            implementation_details={"test_count": {"total": 28, "unit": 18, "integration": 10}},
            context_summary="All done, 31 tests.",
        ),
    ),
    clean=(
        track(
            "api",
            implementation_details={"test_count": {"total": 28, "unit": 18, "integration": 10}},
            context_summary="All done, 28 tests.",
        ),
    ),
    yields_to=(
        "arithmetic/count",
        "arithmetic/total",
        "fidelity/items-invented",
        "fidelity/items-lost",
        "fidelity/items-duplicated",
    ),
)
def spoken_count(documents: DocumentSet) -> Iterator[Doubt]:
    """Compare numbers of tests, files, tracks and listed things in summaries with the document's figures."""
    for document in documents.current:
        summary = text(document.data.get("context_summary"))[:2_000]
        if document.task_id and "overage" in summary:
            yield from _spoken_coverage(document, summary)
        for match in _SPOKEN.finditer(summary):
            stated, noun = int(match.group(1)), _singular(match.group(2) or match.group(3))
            whole_of = _OF.search(match.group()) if noun == "track" else None
            figures = _figures(document, noun)
            # How many of them were merged or done is another question, unless it is more than there are.
            if whole_of and not any(stated > amount for _, amount in figures):
                stated, figures = int(whole_of.group(1)), _planned(document)
            amounts = {amount for _, amount in figures}
            if amounts and stated not in amounts and stated not in _sums(figures):
                yield doubt(
                    "arithmetic/spoken-count",
                    f"the summary says {match.group().strip()!r}, and the figures are "
                    f"{listed([str(amount) for amount in sorted(amounts)])}",
                    (document.source(("context_summary",)), *(document.source(path) for path, _ in figures[:6])),
                )


_SPOKEN_COVERAGE = re.compile(r"(?<![\w.])(\d{1,3}(?:\.\d{1,2})?)\s?% (?:[a-z-]{1,20} ){0,2}coverage", re.IGNORECASE)


def _spoken_coverage(document: SourceDocument, summary: str) -> Iterator[Doubt]:
    """Compare the coverage that a track's summary speaks of with the percentages the track reports as coverage."""
    figures = [
        (path, quantity)
        for path, value in document.values
        if path[:1] in {("implementation_details",), ("test_coverage",), ("test_results",)}
        and "coverage" in "/".join(map(str, path)).lower()
        and (quantity := _percentage(value)) is not None
    ]
    for match in _SPOKEN_COVERAGE.finditer(summary):
        stated = quantities(f"{match.group(1)}%")[0]
        if figures and not any(abs(stated.base - q.base) <= 2 * max(stated.step, q.step) for _, q in figures):
            yield doubt(
                "arithmetic/spoken-count",
                f"the summary says {match.group()!r}, and the figures are "
                f"{listed([f'{q.value:g}%' for _, q in figures])}",
                (document.source(("context_summary",)), *(document.source(path) for path, _ in figures[:6])),
            )


def _percentage(value: Any) -> Quantity | None:
    plain = number(value)
    if plain is not None:
        return as_percent(plain) if 0 < plain <= 100 else None
    return next((q for q in quantities(text(value)[:80]) if q.dimension == "percent"), None)


def _sums(figures: list[tuple[Path, int]]) -> set[int]:
    groups: dict[Path, int] = {}
    for path, amount in figures:
        groups[path[:-1]] = groups.get(path[:-1], 0) + amount
    return {*groups.values(), sum(amount for _, amount in figures)}


def _planned(document: SourceDocument) -> list[tuple[Path, int]]:
    """Return how many tracks there are, merged or not: those that are planned, and those that are merged besides."""
    planned = document.data.get("parallel_tasks")
    if not isinstance(planned, list):
        merged = at(document.data, *_SUMMARY)
        return [(_SUMMARY, len(sequence(merged)))] if isinstance(merged, list) else []
    names = {text(mapping(task).get("task_id")) for task in sequence(planned)}
    besides = [
        task for task in sequence(at(document.data, *_SUMMARY)) if text(mapping(task).get("task_id")) not in names
    ]
    return [(("parallel_tasks",), len(sequence(planned)) + len(besides))]


def _figures(document: SourceDocument, noun: str) -> list[tuple[Path, int]]:
    if noun == "file":
        files = document.data.get("files_modified")
        return [(("files_modified",), len(sequence(files)))] if isinstance(files, list) else []
    if noun == "track":
        tasks = at(document.data, "parallel_execution_summary", "tasks")
        # A list without tracks is what a merge of none has, and says so.
        return [(_SUMMARY, len(sequence(tasks)))] if isinstance(tasks, list) else _planned(document)
    if noun in {"test", "scenario", "case"}:
        return [
            (path, amount)
            for path, value in document.values
            if _counts_tests(path) and (amount := _tests_of(path, value)) is not None
        ]
    lists = [
        path
        for path, value in document.values
        if path
        and isinstance(path[-1], str)
        and isinstance(value, list | dict)
        and _singular(path[-1]) == noun != path[-1].lower()
        and "test_data" not in path
    ]
    if len(lists) != 1:
        return []
    path = lists[0]
    value: Any = resolve(document.data, pointer(*path))
    own = {key: whole(mapping(value).get(key)) for key in ("total", "count")}
    totals = [((*path, key), amount) for key, amount in own.items() if amount is not None]
    # Things grouped by file or place are as many as their total says, and not as the groups.
    return totals or [(path, len(sequence(value)) or len(mapping(value)))]


@lru_cache(maxsize=8_192)
def _is_of_tests(key: str) -> bool:
    return re.search(r"test|scenario|suite", key.lower()) is not None


def _counts_tests(path: Path) -> bool:
    """Tell whether a place can hold a number of tests: its last keys speak of tests, and of no other figure."""
    named = [part for part in path if isinstance(part, str)]
    if not any(map(_is_of_tests, named[-3:])) or named[0].lower() in {
        "context_summary",
        "success_criteria",
        "decisions",
        "pending_actions",
        "contracts",
        "api_contract_assumptions",
    }:
        return False
    return not re.search(
        r"codes?\Z|duration|coverage/(?!total_|test)|percent|_ms\Z|seconds|exit_code|version|covered|retries|port|limit|timeout|_total\Z(?<!tests_total)",
        "/".join(named[-3:]).lower(),
    )


def _tests_of(path: Path, value: Any) -> int | None:
    amount = count_of(value)
    if amount is None and isinstance(value, str):
        match = re.match(r"(\d{1,6})(?![\d.,%])", value)
        amount = int(match.group(1)) if match and path[-1] != "timestamp" else None
    if amount is None and isinstance(value, list) and _singular(str(path[-1])) in _TEST_NOUNS:
        amount = len(sequence(value))
    return amount
