"""Arithmetic inside one document: percentages, totals, means and speedups follow from their own numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from contexts.audit.documents import DocumentSet
from contexts.audit.findings import listed
from contexts.audit.registry import claim_rule, doubt
from contexts.audit.sample_documents import merged, track, verified
from contexts.audit.source_document import SourceDocument
from contexts.documents.findings import Doubt
from contexts.json.values import Path, mapping, number, sequence, text, whole
from contexts.text.quantities import Quantity, as_percent, as_quantity, fractions, quantities, read

_KINDS = {
    "unit",
    "integration",
    "e2e",
    "end_to_end",
    "component",
    "contract",
    "smoke",
    "functional",
    "acceptance",
    "security",
    "performance",
    "property",
    "regression",
    "api",
    "ui",
}
_OUTCOMES = {"passed", "failed", "skipped", "errors", "errored", "pending", "xfailed", "failures", "xpassed", "todo"}
_NO_PART = re.compile(
    r"(?:^|_)(?:durations?|times?|seconds?|minutes?|ms|hours?|targets?|thresholds?|limits?|max|min|avg|mean|median|p\d\d|rates?|percent|pct|coverage|ratio|score|version|"
    r"port|retries|workers?|concurrency|new|modified|changed|added|removed|deleted|covered|including|which|flaky|slow|critical|lines|size|bytes|year|budget|id|unique|warm|"
    r"seed|attempts?|batch|parallel|expected|required|baseline|previous|last|open|active|remaining|left|per|exit|code)(?:$|_)",
    re.IGNORECASE,
)
_BREAKDOWN = re.compile(r"(?:(?P<of>[a-z_]{1,40}?)_)?(?:by|per)_|breakdown|results|suites|counts|parts|split")
_SPOKEN_SUM = re.compile(
    r"(?<![\w.,/])(\d{1,7})(?: [a-z]{1,20}){0,2} ?\(((?:\d{1,7} [^\d,;()+]{1,40}(?:, ?| and | ?\+ ?|\)))+)",
    re.IGNORECASE,
)
_PERCENT = re.compile("%")
_PARENTHESIS = re.compile(r"\(\d")
_PASSED = ("passed", "covered", "succeeded", "successful")
_CHANGE = re.compile(
    r"(?:from|was)?\s{0,2}(?P<a>\d{1,9}(?:\.\d{1,4})?)\s?(?P<ua>[A-Za-zµ%]{0,8})\s{1,2}(?:to|→|->|down to"
    r"|up to)\s{1,2}(?P<b>\d{1,9}(?:\.\d{1,4})?)\s?(?P<ub>[A-Za-zµ%]{0,8})"
    r"\s{0,2}[(,;:\u2013-]{0,2}\s{0,2}(?:an? )?(?P<sign>[-+\u2212])?(?P<p>\d{1,4}(?:\.\d{1,3})?)\s?%\s{0,2}"
    r"(?P<word>reduction|decrease|less|smaller|lower|drop|saved|increase|more|larger|higher|growth|faster|improvement)",
    re.IGNORECASE,
)
_AVERAGE = re.compile(
    r"(\d{1,3}(?:\.\d{1,3})?)\s?%\s{1,2}(?:average|avg|mean)"
    r"|(?:average|avg|mean)(?: (?:of|test|code|coverage|is|was|:)){0,4}:?\s{1,2}(\d{1,3}(?:\.\d{1,3})?)\s?%",
    re.IGNORECASE,
)


@claim_rule(
    "arithmetic/percentage",
    "warning",
    "A percentage is not what its own fraction or change gives.",
    example=(verified(verification_results={"tests": {"results": {"unit": "45/50 passed (98%)"}}}),),
    clean=(verified(verification_results={"tests": {"results": {"unit": "45/50 passed (90%)"}}}),),
)
def percentage(documents: DocumentSet) -> Iterator[Doubt]:
    """Recompute ``part/whole (percent)``, ``from A to B (percent less)``, and objects of passed, total and rate."""
    for document in documents.current:
        for path, value in document.holding(_PERCENT):
            for fraction in fractions(value):
                if fraction.percent is None or fraction.whole == 0 or re.search(r"\bvs\b|target|min", fraction.words):
                    continue
                exact = 100 * fraction.part / fraction.whole
                if not rounds(fraction.percent, exact):
                    message = f"{fraction.part} of {fraction.whole} is {exact:.4g}%, not {fraction.percent.value:g}%"
                    yield doubt("arithmetic/percentage", message, (document.source(path),))
            for message in _changes(value):
                yield doubt("arithmetic/percentage", message, (document.source(path),))
        for path, members in document.objects_with(_PASSED.__contains__):
            yield from _rates(document, path, members)


def rounds(stated: Quantity, exact: float) -> bool:
    """Accept rounding either way within the last written digit: 66 % and 67 % are both said of two thirds."""
    return abs(stated.base - exact) < 2 * stated.step * (1 + 1e-9)


def _changes(value: str) -> Iterator[str]:
    for match in _CHANGE.finditer(value):
        a, b, p = float(match.group("a")), float(match.group("b")), float(match.group("p"))
        same = match.group("ua").lower() == match.group("ub").lower() or not match.group("ua")
        if not same or a == 0 or b == 0 or match.group("word").lower() == "improvement":
            continue
        exact = abs(a - b) / a * 100
        other = abs(a - b) / b * 100 if match.group("word").lower() == "faster" else exact
        step = 1.0 if p == int(p) else 0.1
        if abs(exact - p) > step and abs(other - p) > step:
            yield f"from {a:g} to {b:g} is {exact:.3g}%, not {p:g}%"


def _rates(document: SourceDocument, path: Path, members: Mapping[str, object]) -> Iterator[Doubt]:
    part = next(
        (whole(members.get(k)) for k in _PASSED if whole(members.get(k)) is not None),
        None,
    )
    total = whole(members.get("total"))
    if part is None or not total:
        return
    for key in ("pass_rate", "success_rate", "percent", "percentage", "pass_percentage", "rate"):
        raw = members.get(key)
        shown = number(raw)
        stated = (
            as_quantity(shown, "%")
            if shown is not None
            else next((q for q in quantities(text(raw)) if q.dimension == "percent"), None)
        )
        if stated is None:
            continue
        exact = 100 * part / total
        if not rounds(stated, exact) and not (shown is not None and shown <= 1 and abs(shown * 100 - exact) < 1):
            yield doubt(
                "arithmetic/percentage",
                f"{part} of {total} is {exact:.4g}%, not {stated.value:g}%",
                (document.source((*path, key)), document.source((*path, "total"))),
            )


def count_of(value: Any) -> int | None:
    """Read a count from an integer, or from ``46/46 passed`` (how many there were)."""
    plain = whole(value)
    if plain is not None:
        return plain
    found_fractions = list(fractions(text(value)))
    return found_fractions[0].whole if found_fractions and found_fractions[0].start == 0 else None


@claim_rule(
    "arithmetic/total",
    "warning",
    "A total is not the sum of the parts beside it.",
    example=(track("api", implementation_details={"test_count": {"total": 30, "unit": 18, "integration": 10}}),),
    clean=(track("api", implementation_details={"test_count": {"total": 28, "unit": 18, "integration": 10}}),),
)
def total(documents: DocumentSet) -> Iterator[Doubt]:
    """Add up what stands beside a total: kinds of tests, outcomes, members of the same noun, or a sub-object."""
    for document in documents.current:
        for path, value in document.holding(_PARENTHESIS):
            for message in _spoken_sums(value):
                yield doubt("arithmetic/total", message, (document.source(path),))
        for path, members in document.objects_with(_is_total):
            for key in filter(_is_total, members):
                stated = count_of(members[key])
                if stated is None:
                    continue
                for parts in _partitions(key, members):
                    amount = sum(value for _, value in parts)
                    if amount != stated:
                        yield doubt(
                            "arithmetic/total",
                            f"{key} is {stated}, and its parts add up to {amount}",
                            (document.source((*path, key)), *(document.source((*path, *place)) for place, _ in parts)),
                        )
                        break


def _is_total(key: str) -> bool:
    return key == "total" or key.startswith("total_") or key.endswith("_total")


def _spoken_sums(value: str) -> Iterator[str]:
    """Check ``28 tests (18 unit, 10 integration)``; parts that may be only some of the whole are left alone."""
    for match in _SPOKEN_SUM.finditer(value[:1_000]):
        parts = re.findall(r"(\d{1,7}) ([^\d,;()+]{1,40})", match.group(2))
        kinds = all(set(re.findall(r"[a-z0-9]+", words.lower())) & (_KINDS | _OUTCOMES) for _, words in parts)
        amount = sum(int(number_of) for number_of, _ in parts)
        some = any(_NO_PART.search("_".join(words.lower().split())) for _, words in parts)
        if len(parts) >= 2 and not some and (kinds or len(parts) >= 3) and amount != int(match.group(1)):
            yield f"{match.group(1)} is said of parts that add up to {amount}"


def _partitions(key: str, members: Mapping[str, object]) -> Iterator[Sequence[tuple[Path, int]]]:
    """Yield the sets of parts that must each add up to the total."""
    noun = key.removeprefix("total").strip("_").removesuffix("_total")
    stated = count_of(members[key]) or 0
    beside = {k: whole(v) for k, v in members.items() if k != key and whole(v) is not None}
    for known in (_KINDS, _OUTCOMES):
        parts: list[tuple[Path, int]] = [
            ((k,), v) for k, v in beside.items() if v is not None and _bare(k, noun) in known
        ]
        if len(parts) >= 2:
            yield parts
    unknown: list[tuple[Path, int]] = [
        ((k,), v) for k, v in beside.items() if v is not None and _bare(k, noun) not in _KINDS | _OUTCOMES
    ]
    money = any(re.match(r"(?:subtotal|net|discount|rebate|credit|refund)s?(?:_|\Z)", k) for k in beside)
    plainly = (
        not money
        and all(not _NO_PART.search(str(k[0])) and v <= stated for k, v in unknown)
        and len(unknown) == len(beside)
    )
    tail = {str(k[0]).rsplit("_", 1)[-1] for k, _ in unknown}
    if len(unknown) >= 2 and plainly and (key == "total" or len(tail) == 1 or len(beside) == len(members) - 1):
        yield unknown
    for name, child in members.items():
        if isinstance(child, dict) and _BREAKDOWN.match(name):
            inner = {k: count_of(v) for k, v in mapping(child).items()}
            if (
                len(inner) >= 2
                and all(v is not None for v in inner.values())
                and not any(_NO_PART.search(k) for k in inner)
            ):
                outcome = [k for k in inner if k in _OUTCOMES]
                of_another = _is_of_another(name, noun, sum(v or 0 for v in inner.values()), members)
                if (not outcome or len(outcome) == len(inner)) and not of_another:
                    yield [((name, k), v or 0) for k, v in inner.items()]


def _is_of_another(name: str, noun: str, amount: int, members: Mapping[str, object]) -> bool:
    """Tell whether a breakdown is of something else than the total: its name or another figure beside it says so."""
    match = _BREAKDOWN.match(name)
    of = match.group("of") if match else None
    if of is not None:
        return of.removesuffix("s") != noun.removesuffix("s")
    figures = [whole(v) for k, v in members.items() if k != name]
    figures += [whole(v) for k, child in members.items() if k != name for v in mapping(child).values()]
    return amount in figures


def _bare(key: str, noun: str) -> str:
    lower = key.lower()
    for suffix in ("_tests", "_test", "_count", f"_{noun}"):
        lower = lower.removesuffix(suffix) if suffix != "_" else lower
    return lower.removeprefix("tests_")


@claim_rule(
    "arithmetic/mean",
    "warning",
    "An average is not the mean of the values it is the average of.",
    example=(
        merged(
            parallel_execution_summary={
                "tasks": [{"task_id": "a", "test_coverage": "80%"}, {"task_id": "b", "test_coverage": "90%"}]
            },
            metrics={"test_coverage": "88% average"},
        ),
    ),
    clean=(
        merged(
            parallel_execution_summary={
                "tasks": [{"task_id": "a", "test_coverage": "80%"}, {"task_id": "b", "test_coverage": "90%"}]
            },
            metrics={"test_coverage": "85% average"},
        ),
    ),
)
def mean(documents: DocumentSet) -> Iterator[Doubt]:
    """Recompute stated averages from the values of the same name in the document's list of tasks."""
    for document in documents.revisions:
        columns = _columns(document)
        groups: dict[str, list[tuple[Path, Quantity]]] = {}
        for path, value in document.values:
            for stated in _averages(path, value):
                noun = "coverage" if "coverage" in f"{path} {value}".lower() else ""
                if noun in columns:
                    groups.setdefault(f"{noun} {stated.value:g}", []).append((path, stated))
        for key, places in groups.items():
            column = _meant(document, places, columns[key.split(" ", 1)[0]])
            values = [quantity.base for _, quantity in column]
            stated = places[0][1]
            exact = sum(values) / len(values)
            if rounds(stated, exact) or (len({p for p, _ in column}) < 2):
                continue
            yield doubt(
                "arithmetic/mean",
                f"the mean of {listed([f'{v:g}' for v in values], 6)} is {exact:.4g}, not {stated.value:g}",
                (*(document.source(p) for p, _ in places), *(document.source(p) for p, _ in column)),
            )


def _meant(
    document: SourceDocument, places: list[tuple[Path, Quantity]], column: list[tuple[Path, Quantity]]
) -> list[tuple[Path, Quantity]]:
    """Return the values of the tracks that the average names; of all where it names fewer than two."""
    tasks = sequence(mapping(document.data.get("parallel_execution_summary")).get("tasks"))
    said = " ".join(document.source(path).quote for path, _ in places)
    named = [
        (path, quantity)
        for path, quantity in column
        if isinstance(path[2], int)
        and re.search(rf"(?<![\w-]){re.escape(text(mapping(tasks[path[2]]).get('task_id')))}(?![\w-])", said)
    ]
    return named if len(named) > 1 else column


def _columns(document: SourceDocument) -> dict[str, list[tuple[Path, Quantity]]]:
    columns: dict[str, list[tuple[Path, Quantity]]] = {}
    tasks = sequence(mapping(document.data.get("parallel_execution_summary")).get("tasks"))
    for index, task in enumerate(tasks):
        for name, value in mapping(task).items():
            if "coverage" in name.lower():
                shown = number(value)
                quantity = (
                    as_percent(shown)
                    if shown is not None
                    else next(
                        (m.quantity for m in read(text(value)).measured if m.quantity.dimension == "percent"), None
                    )
                )
                if quantity is not None:
                    columns.setdefault("coverage", []).append(
                        (("parallel_execution_summary", "tasks", index, name), quantity)
                    )
                    break
    return columns


def _averages(path: Path, value: Any) -> Iterator[Quantity]:
    key = str(path[-1]).lower() if path else ""
    if isinstance(value, str) and "coverage" in f"{key} {value}".lower():
        for match in _AVERAGE.finditer(value):
            if "weighted" not in value.lower():
                yield quantities(f"{match.group(1) or match.group(2)}%")[0]
        if re.search(r"average|avg|mean", key) and not re.search(r"average|avg|mean", value, re.IGNORECASE):
            yield from (q for q in quantities(value) if q.dimension == "percent")
    shown = number(value)
    if shown is not None and "coverage" in key and re.search(r"average|avg|mean", key) and "weighted" not in key:
        yield as_percent(shown)
