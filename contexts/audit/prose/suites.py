"""Tests of each kind that later documents count, against those the tracks document."""

from __future__ import annotations

import re
from collections.abc import Iterator

from contexts.audit.documents import DocumentSet
from contexts.audit.prose.arithmetic import count_of
from contexts.audit.registry import claim_rule, doubt
from contexts.audit.sample_documents import plan, track, verified
from contexts.audit.source_document import SourceDocument
from contexts.documents.findings import Doubt, Source
from contexts.json.values import Path, whole

_KIND = re.compile(r"unit|integration|e2e|end.to.end|component|contract|smoke|property|load", re.IGNORECASE)


@claim_rule(
    "arithmetic/tests-unaccounted",
    "warning",
    "A later document counts other tests than the tracks document.",
    example=(
        plan("api"),
        track("api", implementation_details={"test_count": {"total": 28, "unit": 18, "integration": 10}}),
        verified(
            verification_results={
                "tests": {"results": {"unit_tests": "46/46 passed", "integration_tests": "10/10 passed"}}
            }
        ),
    ),
    clean=(
        plan("api"),
        track("api", implementation_details={"test_count": {"total": 28, "unit": 18, "integration": 10}}),
        verified(
            verification_results={
                "tests": {"results": {"unit_tests": "18/18 passed", "integration_tests": "10/10 passed"}}
            }
        ),
    ),
)
def tests_unaccounted(documents: DocumentSet) -> Iterator[Doubt]:
    """Add up the tracks' tests of each kind."""
    if not documents.has_all_tracks:
        return
    documented: dict[str, list[tuple[Source, int]]] = {}
    for document in documents.tracks:
        for kind, path, amount in _kinds_counted(document):
            documented.setdefault(kind, []).append((document.source(path), amount))
    for document in documents.at_stage("verified"):
        for path, value in document.values:
            kind = _kind(str(path[-1])) if path and path[0] in {"verification_results", "test_results"} else ""
            amount = count_of(value) if kind else None
            known = documented.get(kind, [])
            if amount is None or not known:
                continue
            total = sum(number_of for _, number_of in known)
            if amount != total:
                yield doubt(
                    "arithmetic/tests-unaccounted",
                    f"{amount} {kind} tests here, and the tracks document {total}",
                    (document.source(path), *(source for source, _ in known)),
                )


def _kind(key: str) -> str:
    match = _KIND.search(key)
    if match is None or re.search(r"coverage|duration|time|percent|rate|failed|skipped", key, re.IGNORECASE):
        return ""
    return "e2e" if match.group().lower().startswith("end") else match.group().lower()


def _kinds_counted(document: SourceDocument) -> Iterator[tuple[str, Path, int]]:
    """Yield how many tests of each kind a track says it has."""
    for path, members in document.objects:
        if not path or not re.search(r"test", str(path[-1]), re.IGNORECASE):
            continue
        kinds = {
            _kind(key): (key, whole(value)) for key, value in members.items() if _kind(key) and whole(value) is not None
        }
        for kind, (key, amount) in kinds.items():
            yield kind, (*path, key), amount or 0
        scenarios = whole(members.get("total_scenarios"))
        if (
            scenarios is not None
            and not kinds
            and re.search(
                r"e2e|end-to-end|playwright|cypress",
                f"{document.task_id} {document.phase} {document.data.get('current_agent')}",
            )
        ):
            yield "e2e", (*path, "total_scenarios"), scenarios
