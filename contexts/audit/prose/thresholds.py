"""Thresholds: measured values against targets and criteria; what the author ticked does not count."""

from __future__ import annotations

from collections.abc import Iterator

from contexts.audit.documents import DocumentSet
from contexts.audit.prose.criteria import criteria, measured_for, relaxations
from contexts.audit.prose.measures import pairs
from contexts.audit.prose.percentiles import disordered, is_rank, percentile
from contexts.audit.registry import claim_rule, doubt
from contexts.audit.sample_documents import parent, track, verified
from contexts.documents.findings import Doubt


@claim_rule(
    "thresholds/target-missed",
    "warning",
    "A measured value does not meet the target written beside it.",
    example=(
        verified(
            verification_results={
                "performance": {"measurements": {"search": "P50: 40ms, P99: 310ms ✅ (target <300ms)"}}
            }
        ),
    ),
    clean=(
        verified(
            verification_results={
                "performance": {"measurements": {"search": "P50: 40ms, P99: 290ms ✅ (target <300ms)"}}
            }
        ),
    ),
)
def target_missed(documents: DocumentSet) -> Iterator[Doubt]:
    """Compare every value with the target in the same text, object or table row."""
    for document in (*documents.current, *documents.reports):
        for pair in pairs(document):
            if pair.bound.allows(pair.measured.quantity.base):
                continue
            called = " and is called met" if pair.ticked else ""
            # What is written like a strict limit may have been rounded up to it.
            met_by_rounding = pair.measured.quantity.base == pair.bound.quantity.base
            yield doubt(
                "thresholds/target-missed",
                f"{pair.measured} does not meet the target {pair.bound}{called}",
                (document.source(pair.at), document.source(pair.bound_at)),
                "note" if met_by_rounding else None,
            )


@claim_rule(
    "thresholds/criterion-relaxed",
    "warning",
    "A later document measures against a target looser than the success criterion.",
    example=(
        parent(success_criteria={"api": ["Response time <100ms"]}),
        verified(
            success_criteria={"api": ["Response time <100ms"]},
            verification_results={"performance": {"measurements": {"search": "P95: 180ms (target <200ms)"}}},
        ),
    ),
    clean=(
        parent(success_criteria={"api": ["Response time <100ms"]}),
        verified(
            success_criteria={"api": ["Response time <100ms"]},
            verification_results={"performance": {"measurements": {"search": "P95: 80ms (target <90ms)"}}},
        ),
    ),
)
def criterion_relaxed(documents: DocumentSet) -> Iterator[Doubt]:
    """Compare the spec's criteria with the targets later documents measure against, and with their own criteria."""
    for criterion in criteria(documents):
        looser = list(relaxations(documents, criterion))
        if looser:
            failing = [m.source() for m in measured_for(documents, criterion) if not m.meets(criterion.bound)]
            targets = ", ".join(dict.fromkeys(str(bound) for bound, _ in looser))
            yield doubt(
                "thresholds/criterion-relaxed",
                f"the criterion {criterion.shown!r} is measured against the looser {targets}",
                (*(source for _, source in looser), criterion.source(), *failing),
            )


@claim_rule(
    "thresholds/criterion-unmet",
    "warning",
    "Measured values do not meet a success criterion.",
    example=(
        parent(success_criteria={"api": ["Test coverage >90%"]}),
        track("api", implementation_details={"test_coverage": {"total": "84%"}}),
    ),
    clean=(
        parent(success_criteria={"api": ["Test coverage >90%"]}),
        track("api", implementation_details={"test_coverage": {"total": "94%"}}),
    ),
    yields_to=("thresholds/criterion-relaxed", "thresholds/target-missed"),
)
def criterion_unmet(documents: DocumentSet) -> Iterator[Doubt]:
    """Compare the latest values measured for a criterion with it: all of them must meet it."""
    for criterion in criteria(documents):
        failing = [m for m in measured_for(documents, criterion) if not m.meets(criterion.bound)]
        if failing:
            values = ", ".join(dict.fromkeys(str(m.chosen(criterion.bound)) for m in failing))
            yield doubt(
                "thresholds/criterion-unmet",
                f"the criterion {criterion.shown!r} is not met: {values}",
                (*(m.source() for m in failing), criterion.source()),
            )


@claim_rule(
    "thresholds/percentile-order",
    "warning",
    "A lower percentile is greater than a higher one of the same measurement.",
    example=(
        verified(verification_results={"performance": {"measurements": {"search": {"p50_ms": 90, "p95_ms": 40}}}}),
    ),
    clean=(verified(verification_results={"performance": {"measurements": {"search": {"p50_ms": 40, "p95_ms": 90}}}}),),
)
def percentile_order(documents: DocumentSet) -> Iterator[Doubt]:
    """Compare the percentiles among the members of one object."""
    for document in documents.current:
        for path, members in document.objects_with(is_rank):
            named = {name: value for name in members if (value := percentile(name, members[name])) is not None}
            if len(named) > 1 and path[:1] != ("success_criteria",) and disordered(list(named.values())):
                sources = (document.source((*path, name)) for name in named)
                yield doubt("thresholds/percentile-order", "percentiles that fall", sources)
