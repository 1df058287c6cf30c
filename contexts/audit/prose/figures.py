"""Arithmetic over figures: numbers, and texts that are a fraction, a percentage or a factor and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator

from contexts.audit.documents import DocumentSet
from contexts.audit.findings import listed
from contexts.audit.prose.notations import NUMBER, fraction, percent, stated, step
from contexts.audit.registry import claim_rule, doubt
from contexts.audit.sample_documents import merged, plan, track, verified
from contexts.audit.source_document import SourceDocument
from contexts.documents.findings import Doubt, Source
from contexts.json.values import Path, at, mapping, sequence, text, whole

_KINDS = ("unit", "integration", "e2e")
_OUTCOMES = ("passed", "failed", "errors", "skipped")
_FACTOR = re.compile(rf"({NUMBER}) ?[x\u00d7](?: faster)?")
_OF_RUN = re.compile(rf"(?:speedup: )?({NUMBER})x faster than sequential\b.{{0,200}}", re.IGNORECASE)
_TOTAL_ROW = re.compile(rf".{{0,80}}\btotal\b.{{0,80}} ({NUMBER})x", re.IGNORECASE)


@claim_rule(
    "arithmetic/percentage",
    "warning",
    "A percentage is not what its own fraction gives.",
    example=(verified(verification_results={"tests": {"results": {"unit": "45/50 passed (98%)"}}}),),
    clean=(verified(verification_results={"tests": {"results": {"unit": "45/50 passed (90%)"}}}),),
)
def percentage(documents: DocumentSet) -> Iterator[Doubt]:
    """Recompute texts that are ``part/whole passed (percent)``."""
    for document in documents.current:
        for path, value in stated(document):
            part, total, shown = fraction(value) or (0, 0, "")
            if shown and total and abs(100 * part / total - float(shown)) > step(shown):
                yield doubt(
                    "arithmetic/percentage",
                    f"{part}/{total} is {100 * part / total:.4g}%, not {shown}%",
                    (document.source(path),),
                )


@claim_rule(
    "arithmetic/total",
    "warning",
    "A total is not the sum of the kinds or outcomes of tests beside it.",
    example=(track("api", implementation_details={"test_count": {"total": 30, "unit": 18, "integration": 10}}),),
    clean=(track("api", implementation_details={"test_count": {"total": 28, "unit": 18, "integration": 10}}),),
)
def total(documents: DocumentSet) -> Iterator[Doubt]:
    """Add up objects of numbers that hold a total, and beside it nothing but parts of it."""
    for document in documents.current:
        for path, value in stated(document):
            members = mapping(value)
            if "total" not in members:
                continue
            said = whole(members["total"])
            for kind in (_KINDS, _OUTCOMES):
                parts = {key: whole(part) for key, part in members.items() if key != "total"}
                amounts = [part for part in parts.values() if part is not None]
                complete = len(amounts) == len(parts) > 1 and parts.keys() <= set(kind)
                if complete and said is not None and sum(amounts) != said:
                    yield doubt(
                        "arithmetic/total",
                        f"{' + '.join(map(str, amounts))} is {sum(amounts)}, not {said}",
                        (document.source((*path, "total")), *(document.source((*path, key)) for key in parts)),
                    )


@claim_rule(
    "arithmetic/mean",
    "warning",
    "An average coverage is not the mean of the tracks' coverages beside it.",
    example=(
        merged(
            parallel_execution_summary={
                "tasks": [{"task_id": "a", "test_coverage": "80%"}, {"task_id": "b", "test_coverage": "90%"}]
            },
            metrics={"total_test_coverage": "91% average"},
        ),
    ),
    clean=(
        merged(
            parallel_execution_summary={
                "tasks": [{"task_id": "a", "test_coverage": "80%"}, {"task_id": "b", "test_coverage": "90%"}]
            },
            metrics={"total_test_coverage": "85% average"},
        ),
    ),
)
def mean(documents: DocumentSet) -> Iterator[Doubt]:
    """Compare ``N% average`` among the metrics with the coverages of the summary's tasks."""
    for document in documents.revisions:
        tasks = [mapping(task) for task in sequence(at(document.data, "parallel_execution_summary", "tasks"))]
        # What a text says behind the percentage does not change it.
        values = [percent(text(task.get("test_coverage")).partition(" (")[0]) for task in tasks]
        known = [value for value in values if value is not None]
        for key, value in mapping(document.data.get("metrics")).items():
            average = percent(value) if text(value).endswith("% average") else None
            if average is None or not known or len(known) < len(values):
                continue
            if abs(average - sum(known) / len(known)) > 1:
                yield doubt(
                    "arithmetic/mean",
                    f"the mean of {', '.join(f'{one:g}' for one in known)} is {sum(known) / len(known):.4g}, "
                    f"not {average:g}",
                    (document.source(("metrics", key)), document.source(("parallel_execution_summary", "tasks"))),
                )


@claim_rule(
    "arithmetic/tests-unaccounted",
    "warning",
    "A later document counts other tests of a kind than the tracks count.",
    example=(
        plan("api"),
        track("api", implementation_details={"test_count": {"total": 28, "unit": 18, "integration": 10}}),
        verified(verification_results={"tests": {"results": {"unit_tests": "46/46 passed"}}}),
    ),
    clean=(
        plan("api"),
        track("api", implementation_details={"test_count": {"total": 28, "unit": 18, "integration": 10}}),
        verified(verification_results={"tests": {"results": {"unit_tests": "18/18 passed"}}}),
    ),
)
def tests_unaccounted(documents: DocumentSet) -> Iterator[Doubt]:
    """Add up the tracks' members ``test_count`` by kind, where the documents of all tracks are there."""
    if not documents.has_all_tracks:
        return
    for kind in _KINDS:
        places = [(track, path, n) for track in documents.tracks for path, n in _counted(track, kind)]
        expected = sum(amount for _, _, amount in places)
        for document in documents.at_stage("verified") if places else ():
            for path, value in stated(document):
                told = fraction(value) if path[-1:] == (f"{kind}_tests",) else None
                if told and told[1] != expected:
                    yield doubt(
                        "arithmetic/tests-unaccounted",
                        f"{told[1]} {kind} tests here, and the tracks document {expected}",
                        (document.source(path), *(track.source(where) for track, where, _ in places)),
                    )


def _counted(track: SourceDocument, kind: str) -> Iterator[tuple[Path, int]]:
    for path, value in stated(track):
        amount = whole(value) if path[-2:] == ("test_count", kind) else None
        if amount is not None:
            yield path, amount


@claim_rule(
    "arithmetic/speedups-disagree",
    "warning",
    "The documents state different speedups for the same workflow.",
    example=(merged(metrics={"speedup": "2.6x faster"}), verified(metrics={"speedup": "3.4x"})),
    clean=(merged(metrics={"speedup": "2.6x faster"}), verified(metrics={"speedup": "2.6x"})),
)
def speedups_disagree(documents: DocumentSet) -> Iterator[Doubt]:
    """Compare the metrics' speedups, and what reports write in lines about the whole run."""
    factors: dict[str, Source] = {}
    for document in documents.revisions:
        match = _FACTOR.fullmatch(text(at(document.data, "metrics", "speedup")))
        if match:
            factors.setdefault(match.group(1), document.source(("metrics", "speedup")))
    for report in documents.reports:
        for index, line in enumerate(sequence(report.data.get("lines"))):
            match = _OF_RUN.fullmatch(text(line)) or _TOTAL_ROW.fullmatch(text(line))
            if match:
                factors.setdefault(match.group(1), report.source(("lines", index)))
    if len({float(factor) for factor in factors}) > 1:
        shown = listed([f"{factor}x" for factor in factors])
        yield doubt("arithmetic/speedups-disagree", f"{len(factors)} speedups that disagree: {shown}", factors.values())
