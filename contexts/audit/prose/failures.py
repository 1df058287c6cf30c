"""Claims of passing: a status that says passed above results that hold failures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from contexts.audit.documents import DocumentSet
from contexts.audit.findings import listed
from contexts.audit.prose.claims import FINISHED, complete
from contexts.audit.registry import claim_rule, doubt
from contexts.audit.sample_documents import verified
from contexts.documents.findings import Doubt
from contexts.json.values import Path, mapping, sequence, text, whole
from contexts.text.plural import counted
from contexts.text.quantities import fractions

_FAILED = re.compile(r"\A(?:fail(?:ed|ing|ure)?|error|red|unmet|not passed|blocked)\Z", re.IGNORECASE)


@claim_rule(
    "claims/passed-with-failures",
    "warning",
    "A status says passed while the results beside it hold failures.",
    example=(verified(verification_results={"tests": {"status": "passed", "results": {"unit": "44/46 passed"}}}),),
    clean=(verified(verification_results={"tests": {"status": "passed", "results": {"unit": "46/46 passed"}}}),),
)
def passed_with_failures(documents: DocumentSet) -> Iterator[Doubt]:
    """Look below every status that says passed for failures: fractions below one, failed counts, crosses, statuses."""
    for document in documents.at_stage("verified"):
        areas = mapping(document.data.get("verification_results"))
        failed = [name for name, area in areas.items() if _FAILED.match(text(mapping(area).get("status")).strip())]
        if failed and complete(document):
            yield doubt(
                "claims/passed-with-failures",
                f"{document.phase!r}, and {listed(failed)} did not pass",
                (
                    *(document.source(("verification_results", name, "status")) for name in failed),
                    document.source(("phase",) if "phase" in document.data else ("status",)),
                ),
            )
    for document in documents.current:
        seen = set[Path]()
        for path, members in document.objects:
            status = members.get("status", members.get("result"))
            key = "status" if "status" in members else "result"
            if not isinstance(status, str) or not FINISHED.match(status.strip()):
                continue
            if not path and key == "status" and document.own:
                continue  # plait says that the track delivered, not that its tests passed
            failing = [p for p in _failures(path, members) if p not in seen]
            seen.update(failing)
            if failing:
                yield doubt(
                    "claims/passed-with-failures",
                    f"{key} {status!r} with {counted(len(failing), 'result')} that did not pass",
                    (*(document.source(p) for p in failing), document.source((*path, key))),
                )


def _failures(path: Path, members: Mapping[str, object]) -> Iterator[Path]:
    """Yield places of failures directly in an object, its lists, or its own results object."""
    for name, value in members.items():
        if name in {"status", "pending_actions"}:
            continue
        where = (*path, name)
        if isinstance(value, str):
            if _is_failure(value):
                yield where
        elif isinstance(value, list):
            for index, item in enumerate(sequence(value)):
                entry = text(item) or text(mapping(item).get("status")) or text(mapping(item).get("result"))
                if _is_failure(entry) or (entry.lower() in {"failed", "failure", "error"}):
                    yield (*where, index)
                elif (whole(mapping(item).get("exit_code")) or 0) != 0:
                    yield (*where, index, "exit_code")
                elif _failed(mapping(mapping(item).get("result"))):
                    yield (*where, index, "result", "failed")
                elif _failed(mapping(item)):
                    yield (*where, index, "failed")
        elif isinstance(value, dict) and _short(mapping(value)):
            yield (*where, "passed")
        elif isinstance(value, dict) and (
            "failed" in value
            or name
            in {
                "results",
                "checks",
                "tests",
                "suites",
                "measurements",
                "details",
                "summary",
                "counts",
            }
        ):
            inner = mapping(value)
            yield from _failures(where, inner)
        elif (
            re.fullmatch(r"(?:tests?_)?(?:failed|failures|errors|failing)(?:_count|_tests)?", name)
            and (whole(value) or 0) > 0
            and not members.keys() & _LOAD
        ):
            yield where


# Of these some may fail: how many is for a target to say.
_LOAD = {"requests", "messages", "events", "calls", "iterations", "operations", "samples", "rows", "records", "jobs",
         "deliveries", "transactions", "queries", "uploads"}  # fmt: skip


def _short(counts: Mapping[str, object]) -> bool:
    """Tell whether fewer passed than there were, and no count says what became of the others."""
    passed, total = whole(counts.get("passed")), whole(counts.get("total"))
    told = {"failed", "skipped", "failures", "errors", "pending", "xfailed"} & counts.keys()
    return passed is not None and total is not None and passed < total and not told


def _failed(result: Mapping[str, object]) -> bool:
    return (whole(result.get("failed")) or 0) > 0 and not result.keys() & _LOAD


def _is_failure(value: str) -> bool:
    if re.search(r"[❌✗✘]", value) or value.strip().lower() in {"failed", "failing"}:
        return True
    for fraction in fractions(value):
        if fraction.part < fraction.whole and re.search(r"\bpass|succe|\bgreen\b", fraction.words, re.IGNORECASE):
            skipped = re.search(r"(\d{1,6}) skipped", value)
            return fraction.part + (int(skipped.group(1)) if skipped else 0) < fraction.whole
    return bool(
        re.search(r"(?<![\d.])[1-9]\d{0,6} (?:tests? )?(?:failed|failures|failing)\b", value)
    ) and not re.search(r"expected|retried|then passed", value)
