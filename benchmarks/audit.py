"""How long the audit takes: six documents as a process, and up to 1,000 tracks of 5 KB.

    python benchmarks/audit.py

The process is timed from a warm start, the median of nine. The large sets lie in a folder and are read and judged, in
seconds of the processor; what a track costs may not grow with their number by more than the machine's noise.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from table import show, verdict

from contexts.audit import audit
from contexts.audit.read_files import read_documents

CLEAN = Path(__file__).parents[1] / "tests" / "contexts" / "audit" / "corpora" / "orders" / "clean"
PROCESS_SECONDS = 0.5
LARGE = 1_000
LARGE_SECONDS = 5.0
GROWTH = 1.5
SIZES = (125, 250, 500, LARGE)


def write_large(folder: Path, tracks: int) -> int:
    """Write a workflow of so many tracks, each of about 5 KB, and its merge; return the bytes of one track."""
    head = {"version": "1.0", "current_agent": "worker", "next_agent": None}
    names = [f"part-{number:04}" for number in range(tracks)]
    tasks = [{"task_id": name, "agent": "worker", "started_at": "2026-03-02T08:00:00Z"} for name in names]
    parent = {**head, "workflow_id": "large", "timestamp": "2026-03-02T08:00:00Z", "phase": "parallel-execution"}
    parent["parallel_tasks"] = tasks
    parent["success_criteria"] = {"all": ["Test coverage >80%", "Response time <100ms"]}
    documents = [_track(head, name, number) for number, name in enumerate(names)]
    merged: dict[str, Any] = {
        **head,
        "workflow_id": "large",
        "timestamp": "2026-03-02T10:00:00Z",
        "phase": "parallel-complete-merge",
        "parallel_execution_summary": {
            "tasks": [{"task_id": name, "status": "completed", "test_coverage": "91%"} for name in names]
        },
        "success_criteria": parent["success_criteria"],
    }
    for key in ("files_modified", "decisions", "pending_actions"):
        merged[key] = [item for document in documents for item in document[key]]
    (folder / "1-parent.json").write_text(json.dumps(parent))
    (folder / "3-merged.json").write_text(json.dumps(merged))
    for name, document in zip(names, documents, strict=True):
        (folder / f"2-{name}.json").write_text(json.dumps(document))
    return len(json.dumps(documents[0]))


def _track(head: dict[str, Any], name: str, number: int) -> dict[str, Any]:
    asked = (number + 1) % 7 if number >= 7 else number
    return {
        **head,
        "workflow_id": f"large-{name}",
        "parent_workflow_id": "large",
        "task_id": name,
        "timestamp": "2026-03-02T09:00:00Z",
        "phase": f"{name}-complete",
        "files_modified": [f"services/{name}/module_{n}.py" for n in range(20)],
        "decisions": [f"Queue {n} of {name} holds {n + 2} partitions of events for {name}-{n}" for n in range(22)],
        "pending_actions": [f"Announce topic {name}.{n} to the owners of {name}-{n}" for n in range(12)],
        "implementation_details": {
            "endpoints": {
                f"GET /{name}/items/{{id}}": {
                    "response_model": "Item",
                    "error_codes": [404],
                    "performance": "P50: 12 ms, P95: 30 ms, P99: 52 ms",
                }
            },
            "schemas": {"Item": {"fields": "id: UUID, name: str (max 80), kind: Literal['a', 'b'], at: datetime"}},
            "test_coverage": {"total": "91%", "test_count": {"total": 30, "unit": 20, "integration": 10}},
        },
        "api_contract_assumptions": {
            f"GET /part-{asked:04}/items/:id": {"response": "{ id: string, name: string }", "error_codes": [404]}
        },
        "test_data": {"seeds": [{"code": f"{name}-{n}", "weight": n, "label": "none"} for n in range(12)]},
        "context_summary": f"{name}: 30 tests, 91% coverage, one endpoint."
        + " Details are in the service's notes." * 8,
    }


def process_seconds(rounds: int = 9) -> float:
    """Return the median wall time of `plait audit` on six documents."""
    with tempfile.TemporaryDirectory() as name:
        files = sorted(path for path in CLEAN.glob("*.json") if path.name != "expected.json")[:6]
        for file in files:
            (Path(name) / file.name).write_bytes(file.read_bytes())
        argv = [str(Path(sys.executable).parent / "plait"), "audit", name]
        taken: list[float] = []
        for _ in range(rounds + 1):
            started = time.perf_counter()
            subprocess.run(argv, check=False, stdout=subprocess.DEVNULL)
            taken.append(time.perf_counter() - started)
    return statistics.median(taken[1:])


def audit_seconds(tracks: int) -> tuple[float, int, int]:
    """Return the seconds that reading and judging take, the bytes of a track, and the number of findings."""
    with tempfile.TemporaryDirectory() as name:
        size = write_large(Path(name), tracks)
        started = time.process_time()  # one thread: what other programs take does not count
        loaded = read_documents([name])
        report = audit(loaded.documents, loaded.findings)
        return time.process_time() - started, size, len(report.findings)


def main() -> int:
    """Measure, print, and return 1 where a promise is missed."""
    process = process_seconds()
    measured = {tracks: audit_seconds(tracks) for tracks in SIZES}
    whole = measured[LARGE][0]
    growth = (whole / LARGE) / (measured[SIZES[0]][0] / SIZES[0])
    show(
        "plait audit",
        ("what", "measured", "promised", ""),
        (
            (
                "six documents, as a process",
                f"{process:.2f} s",
                f"{PROCESS_SECONDS} s",
                verdict(process, PROCESS_SECONDS),
            ),
            (f"{LARGE:,} tracks", f"{whole:.2f} s", f"{LARGE_SECONDS} s", verdict(whole, LARGE_SECONDS)),
            (f"a track's cost, {LARGE:,} to {SIZES[0]}", f"{growth:.2f}", f"{GROWTH}", verdict(growth, GROWTH)),
        ),
    )
    rows = [(n, f"{size:,}", f"{s:.2f} s", f"{1000 * s / n:.2f} ms", found) for n, (s, size, found) in measured.items()]
    show("by size", ("tracks", "bytes a track", "time", "a track", "findings"), rows)
    return int(process > PROCESS_SECONDS or whole > LARGE_SECONDS or growth > GROWTH)


if __name__ == "__main__":
    sys.exit(main())
