"""What agents claim of tests and coverage, beside what evidence shows; nothing is decided by it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from contexts.documents.context import Context
from contexts.documents.findings import Doubt, Source
from contexts.documents.handin import Claim
from contexts.documents.verification import ComparedClaim, Evidence
from contexts.json.values import sequence
from contexts.store.keys import TRACKS

TOLERANCE = 0.5
"""How far a claimed coverage may be from the measured one, in percentage points."""


def compare_claims(
    tracks: Mapping[str, Context], evidence: Sequence[Evidence]
) -> tuple[list[ComparedClaim], list[Doubt]]:
    """Compare what the tracks' documents claim with evidence.

    Args:
        tracks: Documents of the tracks, by task_id.
        evidence: Evidence records of all checks.

    Returns:
        Every claimed figure with what shows it, and one warning for each claim that evidence contradicts.
    """
    rows: list[ComparedClaim] = []
    doubts: list[Doubt] = []
    for task_id, document in tracks.items():
        for index, claim in enumerate(sequence(document.claimed_results)):
            if not isinstance(claim, Claim):
                continue
            of_claim = list(_figures(task_id, claim, evidence))
            rows += of_claim
            wrong = [one for one in of_claim if one.agrees is False]
            if wrong:
                doubts.append(_doubt(task_id, index, wrong))
        rows += _older(task_id, document)
    return rows, doubts


def _figures(task_id: str, claim: Claim, evidence: Sequence[Evidence]) -> Iterator[ComparedClaim]:
    for figure in ("tests", "passed", "coverage"):
        claimed: float | None = getattr(claim, figure)
        if claimed is None:
            continue
        known = [(one.check, shown) for one in evidence if (shown := _shown(one, claim, figure)) is not None]
        # A file that several checks measured is theirs all; without the name of a check nothing says which is meant.
        check, shown = known[0] if len(known) == 1 else (claim.check, None)
        # The merged tree has the tests of other tracks as well: that it shows more contradicts nobody.
        agrees = None if shown is None else shown >= claimed - (TOLERANCE if figure == "coverage" else 0)
        yield ComparedClaim(
            task_id=task_id, check=check, file=claim.file, figure=figure, claimed=claimed, shown=shown, agrees=agrees
        )


def _shown(one: Evidence, claim: Claim, figure: str) -> float | None:
    """Return what a check shows of a claimed figure; nothing where the claim is not about this check."""
    if claim.check is not None and claim.check != one.check:
        return None
    if claim.file is not None:
        measured = one.figures.coverage
        file = (measured.files or {}).get(claim.file) if measured and figure == "coverage" else None
        return file.percent if file else None
    if claim.check is None:
        return None
    if figure == "coverage":
        line = one.figures.number("coverage.line_percent")
        return one.figures.number("coverage.percent") if line is None else line
    return one.figures.number(f"tests.{figure}")


def _doubt(task_id: str, index: int, wrong: Sequence[ComparedClaim]) -> Doubt:
    said = ", ".join(f"{one.figure} {one.claimed:g} (shown: {one.shown:g})" for one in wrong)
    about = wrong[0].file or f"check {wrong[0].check}"
    return Doubt(
        rule="claims/evidence",
        severity="warning",
        message=f"track {task_id} claims of {about} what check {wrong[0].check} does not show: {said}",
        sources=(Source(document=f"{TRACKS}{task_id}", pointer=f"/claimed_results/{index}", quote=said),),
    )


def _older(task_id: str, document: Context) -> Iterator[ComparedClaim]:
    """Yield what a document of the older form says of coverage as one number; it names no check."""
    for holder in (document.implementation_details or {}, document.test_results or {}):
        for name in ("test_coverage", "coverage"):
            value = holder.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                yield ComparedClaim(task_id=task_id, figure="coverage", claimed=value)
