"""Performance: a fixed load on the spec's own application, which is started for it and surely ended."""

from __future__ import annotations

import math
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from contexts.documents.base import JsonObject
from contexts.spec.checks import LoadRequest, PerformanceCheck, request_name
from tasks.checks import load_generator as load
from tasks.checks.bench import Bench, Step, from_environment
from tasks.checks.results import CheckResult
from tasks.filesystem import remove_folder
from tasks.sandbox.outcome import last_line

_FIGURES = ("p50_ms", "p95_ms", "p99_ms", "mean_ms", "max_ms")
PERCENTILE = "nearest rank: the smallest measured value that at least so many percent of the values do not exceed"


class _AnyOf(threading.Event):
    """Set when any of some events is."""

    def __init__(self, *events: threading.Event) -> None:
        super().__init__()
        self._events = events

    def is_set(self) -> bool:
        return super().is_set() or any(event.is_set() for event in self._events)


def run_performance(check: PerformanceCheck, bench: Bench) -> CheckResult:
    """Start the application, run the load in a process of its own, end the application, compare with the targets."""
    job = _job(check, bench)
    if isinstance(job, str):
        return CheckResult("unverified", job)
    enough, gone = threading.Event(), threading.Event()
    served: list[Step] = []

    def serve() -> None:
        try:
            served.append(bench.run("application", bench.resolve(check.argv), cancel=_AnyOf(bench.cancel, enough)))
        finally:
            gone.set()

    server = threading.Thread(target=serve, name=f"plait-{check.id}-application")
    server.start()
    try:
        generator, raw = _run_load(bench, job, _AnyOf(bench.cancel, gone))
        ended_early = gone.is_set()
    finally:
        enough.set()
        server.join()
    if ended_early or not served:
        return CheckResult("unverified", _why_ended(served))
    return _judge(check, bench, generator, raw)


def _job(check: PerformanceCheck, bench: Bench) -> JsonObject | str:
    requests: list[JsonObject] = []
    for at, request in enumerate(check.requests):
        headers = {name: from_environment(value) for name, value in request.headers.items()}
        unset = next((name for name, value in headers.items() if value is None), None)
        if unset is not None:
            return f"header {unset} takes its value from {request.headers[unset]}, which is not set"
        given = request.model_dump(mode="json", exclude={"targets"})
        requests.append({**given, "headers": headers, "id": request_name(request, at)})
    return {
        "port": bench.ports[0],
        "ready_path": check.ready_path,
        "ready_seconds": check.ready_seconds,
        "request_seconds": check.request_seconds,
        "requests": requests,
    }


def _run_load(bench: Bench, job: JsonObject, cancel: threading.Event) -> tuple[Step, bytes]:
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


def _why_ended(served: Sequence[Step]) -> str:
    if not served:
        return "the application could not be started"
    step = served[0]
    said = last_line(step.log)
    return f"the application ended before the load did: {step.outcome.message}" + (f": {said}" if said else "")


def _judge(check: PerformanceCheck, bench: Bench, generator: Step, raw: bytes) -> CheckResult:
    if not raw:
        return CheckResult("unverified", generator.problem)
    measured: JsonObject = orjson.loads(raw)
    if measured["ready_seconds"] is None:
        where = f"http://127.0.0.1:{bench.ports[0]}{check.ready_path}"
        return CheckResult("unverified", f"the application did not answer at {where} within {check.ready_seconds:g} s")
    requests: JsonObject = {}
    problems: list[str] = []
    for at, request in enumerate(check.requests):
        name = request_name(request, at)
        figures, misses = _compare(request, measured["requests"][name])
        requests[name] = figures
        problems += [f"{name} ({request.method} {request.path}): {miss}" for miss in misses]
    worst: JsonObject = {
        key: max(values) for key in _FIGURES if (values := [one[key] for one in requests.values() if key in one])
    }
    summary: JsonObject = {
        **worst,
        "errors": sum(one["errors"] for one in requests.values()),
        "count": sum(one["count"] for one in requests.values()),
        "requests": requests,
        "percentile": PERCENTILE,
        "ready_seconds": round(measured["ready_seconds"], 3),
        "floor_ms": round(measured["floor_ms"], 3),
    }
    reports = {"load": (raw, "application/json")}
    return CheckResult("failed" if problems else "passed", "; ".join(problems[:10]), {"performance": summary}, reports)


def _compare(request: LoadRequest, measured: JsonObject) -> tuple[JsonObject, list[str]]:
    """Return the figures of one request, and the targets it misses."""
    took = sorted(measured["ms"])
    count = len(took) + len(measured["errors"])
    figures: JsonObject = {
        "method": request.method,
        "path": request.path,
        "count": count,
        "errors": len(measured["errors"]),
        "error_percent": round(100 * len(measured["errors"]) / count, 4),
        "concurrency": request.concurrency,
        "per_second": round(len(took) / measured["seconds"], 2),
        "status": measured["status"],
    }
    if took:
        figures |= {f"p{share}_ms": round(percentile(took, share), 3) for share in (50, 95, 99)}
        figures |= {"mean_ms": round(math.fsum(took) / len(took), 3), "max_ms": round(took[-1], 3)}
    targets: dict[str, Any] = request.targets.model_dump(exclude_none=True)
    most = targets.pop("errors")
    misses = [
        f"{key} is {figures[key]:g}, at most {target:g} is wanted" if key in figures else f"{key} has no value"
        for key, target in targets.items()
        if key not in figures or figures[key] > target
    ]
    if figures["errors"] > most:
        kinds = ", ".join(sorted(set(measured["errors"]))[:3])
        misses.append(f"{figures['errors']} of {count} requests failed ({kinds}), at most {most} may")
    figures["targets"] = request.targets.model_dump(exclude_none=True)
    figures["met"] = not misses
    return figures, misses


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return a percentile of ascending values by nearest rank: the value at position ceil(share/100 x n), from 1."""
    return ordered[max(1, math.ceil(share / 100 * len(ordered))) - 1]
