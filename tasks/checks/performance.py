"""Performance: a fixed load on the spec's own application, which is started for it and surely ended."""

from __future__ import annotations

import math
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson
from pydantic import BaseModel

from contexts.documents.base import Number
from contexts.documents.figures import CheckFigures, Performance, RequestFigures, Targets, Times
from contexts.spec.checks import LoadRequest, PerformanceCheck, request_name
from tasks.checks import load_generator as load
from tasks.checks.bench import Bench, Step, from_environment
from tasks.checks.results import CheckResult
from tasks.checks.served import while_served
from tasks.filesystem import remove_folder

PERCENTILE = "nearest rank: the smallest measured value that at least so many percent of the values do not exceed"


class _Load(BaseModel):
    """What `tasks.checks.load_generator` measured of one request."""

    ms: list[float]
    status: dict[str, int]
    errors: list[str]
    seconds: float


class _Measured(BaseModel):
    """What it measured of all; without times where the application never answered."""

    ready_seconds: float | None
    floor_ms: float | None
    requests: dict[str, _Load]


def run_performance(check: PerformanceCheck, bench: Bench) -> CheckResult:
    """Start the application, run the load in a process of its own, end the application, compare with the targets."""
    job = _job(check, bench)
    if isinstance(job, str):
        return CheckResult("unverified", job)
    (generator, raw), ended = while_served(
        bench, bench.resolve(check.argv), check.id, lambda cancel: _run_load(bench, job, cancel)
    )
    if ended:
        return CheckResult("unverified", ended)
    return _judge(check, bench, generator, raw)


def _job(check: PerformanceCheck, bench: Bench) -> load.Job | str:
    requests: list[load.Request] = []
    for at, request in enumerate(check.requests):
        known = {name: from_environment(value) for name, value in request.headers.items()}
        headers = {name: value for name, value in known.items() if value is not None}
        unset = next((name for name in known if name not in headers), None)
        if unset is not None:
            return f"header {unset} takes its value from {request.headers[unset]}, which is not set"
        requests.append(
            {
                "id": request_name(request, at),
                "method": request.method,
                "path": request.path,
                "headers": headers,
                "body": request.body,
                "status": list(request.status),
                "answers": request.answers,
                "warmup": request.warmup,
                "count": request.count,
                "concurrency": request.concurrency,
            }
        )
    return {
        "port": bench.ports[0],
        "ready_path": check.ready_path,
        "ready_seconds": check.ready_seconds,
        "request_seconds": check.request_seconds,
        "requests": requests,
    }


def _run_load(bench: Bench, job: load.Job, cancel: threading.Event) -> tuple[Step, bytes]:
    """Run the generator and return what it measured; job and result lie where the application is not told of."""
    work = Path(tempfile.mkdtemp(prefix="load-", dir=bench.place))
    job_file, result = work / "job.json", work / "result.json"
    job_file.touch(mode=0o600)
    job_file.write_bytes(orjson.dumps(job))
    argv = (sys.executable, "-I", str(Path(load.__file__).resolve()), str(job_file), str(result))
    try:
        step = bench.run("load", argv, cwd=work, cancel=cancel)
        # Before the application is told to end, lest it writes figures of its own as the last thing it does.
        return step, result.read_bytes() if step.succeeded and result.is_file() else b""
    finally:
        remove_folder(work)  # the job may hold tokens


def _judge(check: PerformanceCheck, bench: Bench, generator: Step, raw: bytes) -> CheckResult:
    if not raw:
        return CheckResult("unverified", generator.problem)
    measured = _Measured.model_validate_json(raw)
    if measured.ready_seconds is None or measured.floor_ms is None:
        where = f"http://127.0.0.1:{bench.ports[0]}{check.ready_path}"
        return CheckResult("unverified", f"the application did not answer at {where} within {check.ready_seconds:g} s")
    requests: dict[str, RequestFigures] = {}
    problems: list[str] = []
    for at, request in enumerate(check.requests):
        name = request_name(request, at)
        figures, misses = _compare(request, measured.requests[name])
        requests[name] = figures
        problems += [f"{name} ({request.method} {request.path}): {miss}" for miss in misses]
    summary = Performance(
        errors=sum(one.errors for one in requests.values()),
        count=sum(one.count for one in requests.values()),
        requests=requests,
        percentile=PERCENTILE,
        ready_seconds=round(measured.ready_seconds, 3),
        floor_ms=round(measured.floor_ms, 3),
        **_worst([_times(one) for one in requests.values()]),
    )
    reports = {"load": (raw, "application/json")}
    status = "failed" if problems else "passed"
    return CheckResult(status, "; ".join(problems[:10]), CheckFigures(performance=summary), reports)


def _compare(request: LoadRequest, measured: _Load) -> tuple[RequestFigures, list[str]]:
    """Return the figures of one request, and the targets it misses."""
    took = sorted(measured.ms)
    errors = len(measured.errors)
    count = len(took) + errors
    times: dict[str, float] = {}
    if took:
        times = {f"p{share}_ms": round(percentile(took, share), 3) for share in (50, 95, 99)}
        times |= {"mean_ms": round(math.fsum(took) / len(took), 3), "max_ms": round(took[-1], 3)}
    targets = Targets(**request.targets.model_dump(exclude_none=True))
    misses = [
        f"{key} is {times[key]:g}, at most {target:g} is wanted" if key in times else f"{key} has no value"
        for key, target in _times(targets).items()
        if key not in times or times[key] > target
    ]
    if errors > request.targets.errors:
        kinds = ", ".join(sorted(set(measured.errors))[:3])
        misses.append(f"{errors} of {count} requests failed ({kinds}), at most {request.targets.errors} may")
    figures = RequestFigures(
        method=request.method,
        path=request.path,
        count=count,
        errors=errors,
        error_percent=round(100 * errors / count, 4),
        concurrency=request.concurrency,
        per_second=round(len(took) / measured.seconds, 2),
        status=measured.status,
        targets=targets,
        met=not misses,
        **times,
    )
    return figures, misses


def _times(figures: Times) -> dict[str, Number]:
    """Return the times that are there, by name."""
    named = {
        "p50_ms": figures.p50_ms, "p95_ms": figures.p95_ms, "p99_ms": figures.p99_ms, "mean_ms": figures.mean_ms,
        "max_ms": figures.max_ms,
    }  # fmt: skip
    return {name: value for name, value in named.items() if value is not None}


def _worst(requests: Sequence[Mapping[str, Number]]) -> dict[str, Number]:
    """Return the longest of each time that any request has."""
    worst: dict[str, Number] = {}
    for times in requests:
        for name, value in times.items():
            worst[name] = max(value, worst.get(name, value))
    return worst


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return a percentile of ascending values by nearest rank: the value at position ceil(share/100 x n), from 1."""
    return ordered[max(1, math.ceil(share / 100 * len(ordered))) - 1]
