"""Measured times and targets, where a whole text is ``P50: 40ms, P99: 310ms (target <300ms)``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from contexts.audit.documents import DocumentSet
from contexts.audit.findings import listed
from contexts.audit.prose.notations import NUMBER, stated
from contexts.audit.registry import claim_rule, doubt
from contexts.audit.sample_documents import parent, verified
from contexts.documents.findings import Doubt, Source
from contexts.json.values import mapping, sequence, text

_MILLISECONDS = {"ms": 1.0, "s": 1000.0}
_VALUE = rf"P[0-9]{{2}}: {NUMBER} ?(?:ms|s)"
_LINE = re.compile(rf"({_VALUE}(?:, {_VALUE}){{0,9}})(?: ?✅)? \(target ?<=? ?({NUMBER}) ?(ms|s)\)", re.IGNORECASE)
_EACH = re.compile(rf"(P[0-9]{{2}}): ({NUMBER}) ?(ms|s)", re.IGNORECASE)
_CRITERION = re.compile(rf"[a-z ]{{0,40}}\btime ?<=? ?({NUMBER}) ?(ms|s)", re.IGNORECASE)


def _read(value: Any) -> tuple[list[tuple[str, float]], float] | None:
    """Return percentiles and target of such a text, in milliseconds."""
    match = _LINE.fullmatch(text(value).strip())
    if match is None:
        return None
    measured = [
        (name.lower(), float(amount) * _MILLISECONDS[unit.lower()])
        for name, amount, unit in _EACH.findall(match.group(1))
    ]
    return measured, float(match.group(2)) * _MILLISECONDS[match.group(3).lower()]


@claim_rule(
    "thresholds/target-missed",
    "warning",
    "A measured percentile does not meet the target written beside it.",
    example=(verified(verification_results={"performance": {"search": "P50: 40ms, P99: 310ms ✅ (target <300ms)"}}),),
    clean=(verified(verification_results={"performance": {"search": "P50: 40ms, P99: 290ms ✅ (target <300ms)"}}),),
)
def target_missed(documents: DocumentSet) -> Iterator[Doubt]:
    """Compare each percentile with the target behind it."""
    for document in documents.current:
        for path, value in stated(document):
            measured, target = _read(value) or ([], 0.0)
            missed = [f"{name} {amount:g}ms" for name, amount in measured if amount > target]
            if missed:
                yield doubt(
                    "thresholds/target-missed",
                    f"{listed(missed)} does not meet the target <{target:g}ms",
                    (document.source(path),),
                )


@claim_rule(
    "thresholds/criterion-relaxed",
    "warning",
    "A later document measures against a target looser than the only time among the success criteria.",
    example=(
        parent(success_criteria={"api": ["Response time <100ms"]}),
        verified(verification_results={"performance": {"search": "P95: 180ms (target <200ms)"}}),
    ),
    clean=(
        parent(success_criteria={"api": ["Response time <100ms"]}),
        verified(verification_results={"performance": {"search": "P95: 80ms (target <100ms)"}}),
    ),
)
def criterion_relaxed(documents: DocumentSet) -> Iterator[Doubt]:
    """Compare the targets of a verification with the criterion, where there is no other it could be about."""
    times = list(_criteria(documents))
    if len(times) != 1:
        return
    said, criterion, wanted = times[0]
    looser: dict[str, Source] = {}
    for document in documents.at_stage("verified"):
        for path, value in stated(document):
            read = _read(value) if path[:1] == ("verification_results",) else None
            if read and read[1] > wanted:
                looser.setdefault(f"<{read[1]:g}ms", document.source(path))
    if looser:
        yield doubt(
            "thresholds/criterion-relaxed",
            f"the criterion {said!r} is measured against the looser {listed(list(looser))}",
            (*looser.values(), criterion),
        )


def _criteria(documents: DocumentSet) -> Iterator[tuple[str, Source, float]]:
    """Yield the success criteria that are a time: the text, its place, milliseconds."""
    holder = documents.criteria_holder
    for area, given in mapping(holder.data.get("success_criteria")).items() if holder else ():
        for index, one in enumerate(sequence(given)):
            said = one if isinstance(one, str) else text(mapping(one).get("text"))
            match = _CRITERION.fullmatch(said.strip())
            if match and holder:
                place = holder.source(("success_criteria", area, index))
                yield said, place, float(match.group(1)) * _MILLISECONDS[match.group(2).lower()]
