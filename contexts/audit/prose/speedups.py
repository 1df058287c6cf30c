"""Arithmetic of time saved: speedups, and sequential and parallel times against the tasks' own durations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from contexts.audit.documents import DocumentSet
from contexts.audit.prose.arithmetic import rounds
from contexts.audit.registry import claim_rule, doubt
from contexts.audit.sample_documents import merged
from contexts.audit.source_document import SourceDocument
from contexts.documents.findings import Doubt, Source
from contexts.json.values import Path, mapping, number, sequence, text
from contexts.text.plural import counted
from contexts.text.quantities import Quantity, as_quantity, quantities, speedups

_SPOKEN = re.compile(
    r"parallel|concurrent|wall|side by side|sequential|serial|one by one|one after (?:another|the other)", re.IGNORECASE
)
_FACTOR = re.compile(r"\d\s?[x\u00d7]", re.IGNORECASE)
_PARALLEL = re.compile(r"parallel|concurrent|wall|side by side", re.IGNORECASE)


_SEQUENTIAL = re.compile(r"sequential|serial|one by one|one after (?:another|the other)", re.IGNORECASE)


@claim_rule(
    "arithmetic/speedup",
    "warning",
    "A speedup is not the quotient of the times stated with it.",
    example=(
        merged(
            metrics={"development_time": "50 minutes parallel (vs 100 minutes sequential)", "speedup": "2.4x faster"}
        ),
    ),
    clean=(
        merged(metrics={"development_time": "50 minutes parallel (vs 100 minutes sequential)", "speedup": "2x faster"}),
    ),
)
def speedup(documents: DocumentSet) -> Iterator[Doubt]:
    """Divide sequential by parallel time where an object states both and a factor."""
    for document in documents.current:
        for path, members in document.objects:
            factor = _factor(members)
            times = _times(path, members) if factor else None
            if times is None or factor is None:
                continue
            (sequential, sequential_at), (parallel, parallel_at) = times
            key, stated = factor
            if parallel.base and not rounds(stated, sequential.base / parallel.base):
                yield doubt(
                    "arithmetic/speedup",
                    f"{sequential} by {parallel} is {sequential.base / parallel.base:.3g}, not {stated.value:g}",
                    (document.source((*path, key)), document.source(parallel_at), document.source(sequential_at)),
                )


def _times(path: Path, members: Mapping[str, object]) -> tuple[tuple[Quantity, Path], tuple[Quantity, Path]] | None:
    sequential = parallel = None
    for below, value in _with_inner(members):
        where, name = (*path, *below), str(below[-1])
        shown = number(value)
        if shown is not None:
            unit = next((u for u in ("minutes", "seconds", "hours", "ms", "min") if name.lower().endswith(u)), "")
            quantity = as_quantity(shown, unit)
            if _SEQUENTIAL.search(name):
                sequential = (quantity, where)
            elif _PARALLEL.search(name) and "speed" not in name.lower() and "max" not in name.lower():
                parallel = (quantity, where)
        elif isinstance(value, str) and len(value) < 300:
            for quantity, kind in spoken_times(value, name):
                if kind == "sequential":
                    sequential = (quantity, where)
                elif kind == "parallel":
                    parallel = (quantity, where)
    if sequential is None or parallel is None or sequential[0].dimension != parallel[0].dimension:
        return None
    return sequential, parallel


def _with_inner(members: Mapping[str, object]) -> Iterator[tuple[Path, Any]]:
    """Yield the members of an object, and those of an object of times among them."""
    for name, value in members.items():
        yield (name,), value
        if isinstance(value, dict) and re.search(r"time|duration|minutes", name):
            yield from (((name, inner), raw) for inner, raw in mapping(value).items())


def spoken_times(value: str, name: str = "") -> Iterator[tuple[Quantity, str]]:
    """Yield the durations of a text that it calls parallel or sequential: the nearest such word after, else before."""
    if not (_SPOKEN.search(value) or _SPOKEN.search(name)):
        return
    times = list(_spans(value))
    taken = False
    for index, quantity in enumerate(times):
        after = value[quantity.end : times[index + 1].start if index + 1 < len(times) else len(value)]
        before = "" if taken else value[times[index - 1].end if index else 0 : quantity.start]
        taken = False
        for words in (after, before, name if len(times) == 1 else ""):
            if _SEQUENTIAL.search(words) or _PARALLEL.search(words):
                # Words behind a duration are its own, and not those before the next one.
                taken = words is after
                yield quantity, "sequential" if _SEQUENTIAL.search(words) else "parallel"
                break


def _spans(value: str) -> Iterator[Quantity]:
    """Yield the durations of a text; ``4 h 30 min`` is one, ``90 m`` may be metres."""
    last: Quantity | None = None
    for quantity in quantities(value):
        if quantity.dimension != "time" or quantity.unit == "m":
            continue
        joined = last is not None and re.fullmatch(r"\s{0,2}(?:and\s)?", value[last.end : quantity.start])
        if last is not None and joined and last.unit[:1] in {"h", "d", "m"} and quantity.base < last.base:
            amount = (last.base + quantity.base) / 60_000
            last = replace(
                quantity, value=amount, unit="min", base=last.base + quantity.base, start=last.start, end=quantity.end
            )
            continue
        if last is not None:
            yield last
        last = quantity
    if last is not None:
        yield last


def _factor(members: Mapping[str, object]) -> tuple[str, Quantity] | None:
    for name, value in members.items():
        if "speed" in name.lower():
            shown = number(value)
            if shown is not None:
                return name, as_quantity(shown, "x")
            factors = list(speedups(text(value)))
            if len(factors) == 1:
                return name, factors[0]
    return None


@claim_rule(
    "arithmetic/times",
    "warning",
    "A sequential or parallel time does not follow from the tasks' own durations.",
    example=(
        merged(
            parallel_execution_summary={
                "tasks": [{"task_id": "a", "duration_minutes": 40}, {"task_id": "b", "duration_minutes": 60}]
            },
            metrics={"development_time": "60 minutes parallel (vs 120 minutes sequential)"},
        ),
    ),
    clean=(
        merged(
            parallel_execution_summary={
                "tasks": [{"task_id": "a", "duration_minutes": 40}, {"task_id": "b", "duration_minutes": 60}]
            },
            metrics={"development_time": "60 minutes parallel (vs 100 minutes sequential)"},
        ),
    ),
)
def times(documents: DocumentSet) -> Iterator[Doubt]:
    """Compare with the sum of the durations (sequential) and the longest of them (parallel, total: at least that)."""
    for document in documents.revisions:
        summary = mapping(document.data.get("parallel_execution_summary"))
        tasks = sequence(summary.get("tasks"))
        minutes = [number(mapping(task).get("duration_minutes")) for task in tasks]
        if len(minutes) < 2 or any(value is None for value in minutes):
            continue
        durations = [value for value in minutes if value is not None]
        places = [("parallel_execution_summary", "tasks", index, "duration_minutes") for index in range(len(tasks))]
        for path, kind, stated, step in _stated_times(document, summary):
            exact = sum(durations) if kind == "sequential" else max(durations)
            wrong = abs(stated - exact) > step if kind == "sequential" else stated < exact - step
            if wrong:
                what = "add up to" if kind == "sequential" else "reach"
                yield doubt(
                    "arithmetic/times",
                    f"{stated:g} minutes {kind}, and the tasks' durations {what} {exact:g}",
                    (document.source(path), *(document.source(place) for place in places)),
                )


def _stated_times(document: SourceDocument, summary: Mapping[str, object]) -> Iterator[tuple[Path, str, float, float]]:
    total = number(summary.get("total_duration_minutes"))
    if total is not None:
        yield ("parallel_execution_summary", "total_duration_minutes"), "parallel", total, 1.0
    for below, value in _with_inner(mapping(document.data.get("metrics"))):
        shown, name = number(value), str(below[-1])
        if shown is not None and name.endswith("minutes"):
            kind = "sequential" if "sequential" in name else "parallel" if "parallel" in name else ""
            if kind:
                yield ("metrics", *below), kind, shown, 1.0
        elif isinstance(value, str):
            for quantity, kind in spoken_times(value[:300], name):
                yield ("metrics", *below), kind, quantity.base / 60_000, max(2 * quantity.step / 60_000, 0.5)


@claim_rule(
    "arithmetic/speedups-disagree",
    "warning",
    "The documents state different speedups for the same workflow.",
    example=(merged(metrics={"speedup": "2.6x faster"}, context_summary="Done 3.4x faster than sequentially."),),
    clean=(merged(metrics={"speedup": "2.6x faster"}, context_summary="Done 2.6x faster than sequentially."),),
    yields_to=("arithmetic/speedup",),
)
def speedups_disagree(documents: DocumentSet) -> Iterator[Doubt]:
    """Collect the speedups over sequential work that the workflow's documents state; they must agree as written."""
    stated = list[tuple[Quantity, Source]]()
    for document in (*documents.revisions, *documents.reports):
        for path, value in document.values:
            stated.extend((quantity, document.source(path)) for quantity in _overall(path, value))
    for report in documents.reports:
        stated.extend((quantity, report.source(path)) for path, quantity in _rows(report))
    distinct = list[tuple[Quantity, Source]]()
    for quantity, source in stated:
        if not any(abs(quantity.value - other.value) <= max(quantity.step, other.step) + 1e-9 for other, _ in distinct):
            distinct.append((quantity, source))
    if len(distinct) > 1:
        values = list(dict.fromkeys(str(quantity) for quantity, _ in stated))
        yield doubt(
            "arithmetic/speedups-disagree",
            f"{counted(len(values), 'speedup')} that disagree: {', '.join(values)}",
            (s for _, s in stated),
        )


def _overall(path: Path, value: Any) -> Iterator[Quantity]:
    shown = number(value)
    if shown is None and not (isinstance(value, str) and _FACTOR.search(value)):
        return
    keys = "/".join(str(part) for part in path).lower()
    if "tasks" in path or "phases" in path or "steps" in path:
        return
    if shown is not None and re.search(r"speed_?up(?:_factor)?\Z", keys):
        # As a text would give it; one that no text gives, such as 10000 or more, is compared with nothing.
        yield from speedups(f"{round(shown, 4):g}x")
    elif isinstance(value, str):
        for match in re.finditer(r"[^.;\n|]{0,200}(?:\.\d[^.;\n|]{0,200}){0,4}", value[:4_000]):
            sentence = match.group()
            words = f"{sentence} {keys.rsplit('/', 1)[-1]}"
            about = re.search(
                r"speed-?up|faster than (?:sequential|one (?:by|after))|parallel.{0,80}faster|faster.{0,80}parallel",
                words,
                re.IGNORECASE,
            )
            theoretical = re.search(
                r"theoretical|ideal|limit|maximum|up to|expected|estimated|target|could", sentence, re.IGNORECASE
            )
            factors = list(speedups(sentence))
            if about and not theoretical and len(factors) == 1 and factors[0].value != 1:
                yield factors[0]


def _rows(report: SourceDocument) -> Iterator[tuple[Path, Quantity]]:
    """Yield the factors of total rows below a header whose last column is the speedup; rows end at an empty line."""
    below = False
    for path, line in report.texts:
        words = line.strip().strip("|").strip().lower()
        if not words:
            below = False
        elif re.search(r"\bspeed-?up\Z", words):
            below = True
        elif below and re.search(r"\btotal|\boverall|\ball\b", words):
            factors = list(speedups(words))
            if len(factors) == 1 and factors[0].value != 1:
                yield path, factors[0]
