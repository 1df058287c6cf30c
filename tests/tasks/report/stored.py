"""Runs put into a store for reports to be made of: a usual one, one with a hostile text everywhere, one of any size."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from contexts.documents.codec import dump
from contexts.documents.context import Context
from contexts.documents.refs import ContextRef
from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOSTILE = "<script>alert('x')</script>\"'><img src=http://192.0.2.1/x onerror=alert(1)>&amp;\u202egnp.exe\u202c\u200b\x1b[31m{{ 7*7 }} \u05e9\u05dc\u05d5\u05dd"


def at(seconds: float) -> str:
    """Return an instant so many seconds after the run's start."""
    return (START + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def context(**fields: Any) -> Context:
    """Return a workflow's document with these fields beside its head."""
    head = {"version": "1.0", "workflow_id": "w", "timestamp": at(0), "current_agent": "orchestrator", "phase": "p"}
    return Context.model_validate_json(dump({**head, **fields}))


def new_store(folder: Path) -> ContextStore:
    return ContextStore(LocalObjects(folder / "store"))


def put_track(
    store: ContextStore,
    workflow_id: str,
    task_id: str,
    attempts: list[tuple[float, float, str]],
    *,
    logged: bool = True,
    **more: Any,
) -> ContextRef:
    """Save a track document whose attempts began and lasted as given, each with a log if asked."""
    status = attempts[-1][2]
    tried = [
        {
            "number": number,
            "status": said,
            "seconds": seconds,
            "started_at": at(start),
            "log": store.put_blob(
                workflow_id, f"log of {task_id}, attempt {number}\n".encode(), "text/plain"
            ).model_dump()
            if logged
            else None,
        }
        for number, (start, seconds, said) in enumerate(attempts, 1)
    ]
    document = {
        "version": "1.0",
        "workflow_id": f"{workflow_id}-{task_id}",
        "parent_workflow_id": workflow_id,
        "task_id": task_id,
        "timestamp": at(attempts[-1][0] + attempts[-1][1]),
        "current_agent": "developer",
        "phase": f"{task_id}-complete",
        "kind": "track",
        "status": status,
        "files_modified": [f"src/{task_id}.py"],
        "context_summary": f"What {task_id} did.",
        "execution": {
            "inputs": "0" * 64,
            "backend": "command",
            "started_at": at(attempts[0][0]),
            "seconds": sum(one[1] for one in attempts),
            "attempts": tried,
        },
        **more,
    }
    return store.save(document, workflow_id=workflow_id, name=f"tracks/{task_id}", after=0)


def record(
    ref: ContextRef | None, task_id: str, seconds: float, status: str = "completed", **more: Any
) -> dict[str, Any]:
    line = {"task_id": task_id, "status": status, "reused": False, "attempts": 1, "seconds": seconds, **more}
    return {**line, "ref": ref.model_dump()} if ref else line


def put_run(store: ContextStore, workflow_id: str = "shop") -> ContextRef:
    """Save a run in which one track waits for another, one fails at its second attempt and blocks a fourth."""
    backend = put_track(store, workflow_id, "backend", [(1, 10, "completed")])
    frontend = put_track(store, workflow_id, "frontend", [(13, 20, "completed")])
    mail = put_track(store, workflow_id, "mail", [(1, 2, "failed"), (5, 3, "failed")])
    log = store.put_blob(workflow_id, "".join(f"line {n}\n" for n in range(20_000)).encode(), "text/plain")
    run = {"id": "abc", "status": "running", "started_at": at(0), "base": "1" * 40}
    head = {"version": "1.0", "workflow_id": workflow_id, "current_agent": "orchestrator", "kind": "workflow"}
    store.save(
        {**head, "timestamp": at(0), "phase": "parallel-execution", "run": run},
        workflow_id=workflow_id,
        name="context",
        after=0,
    )
    store.save(
        {**head, "timestamp": at(34), "phase": "parallel-partial-merge", "run": run},
        workflow_id=workflow_id,
        name="context",
        after=1,
    )
    final = {
        **head,
        "timestamp": at(40),
        "phase": "partial",
        "status": "partial",
        "context_summary": "partial: 2 of 4 tracks completed.",
        "feature_spec": {"name": "Shop", "description": "Sell things."},
        "parallel_tasks": [
            {"task_id": "backend", "agent": "developer", "scope": "The service"},
            {"task_id": "frontend", "agent": "developer", "scope": "The page", "needs": ["backend"]},
            {"task_id": "mail", "agent": "developer", "scope": "Letters"},
            {"task_id": "news", "agent": "developer", "scope": "More letters", "needs": ["mail"]},
        ],
        "files_modified": ["src/backend.py", "src/frontend.py"],
        "decisions": ["Keep it small", {"topic": "colour", "choice": "blue", "rationale": "It is calm"}],
        "pending_actions": ["Sweep", {"action": "order", "subject": "stamps", "status": "open"}],
        "provenance": {
            "decisions": [["backend#/decisions/0"], ["frontend#/decisions/0"]],
            "pending_actions": [["backend#/pending_actions/0", "frontend#/pending_actions/3"], ["frontend#/pending_actions/0"]],
        },
        "integration_concerns": [
            {
                "concern": "Contradicting decisions on 'colour'",
                "kind": "contradicting-decisions",
                "status": "open",
                "tracks": ["backend", "frontend"],
                "files": ["src/page.css"],
                "sources": [
                    {"document": "backend", "pointer": "/decisions/1", "quote": "red it shall be"},
                    {"document": "frontend", "pointer": "/decisions/0", "quote": "blue it shall be"},
                ],
            }
        ],
        "findings": [
            {"rule": "note/first", "severity": "note", "message": "A small thing", "sources": []},
            {
                "rule": "contract/field",
                "severity": "blocking",
                "message": "The page reads a member the service does not send",
                "sources": [
                    {"document": "tracks/frontend", "pointer": "/api/0", "quote": "reads total"},
                    {"document": "tracks/backend", "pointer": "/api/1", "quote": "sends sum"},
                ],
            },
        ],
        "criteria": [
            {"id": "a.1", "area": "a", "text": "It sells", "required": True, "status": "met", "reason": "check unit passed", "evidence": ["unit"]},
            {"id": "a.2", "area": "a", "text": "It is fast", "required": False, "status": "unverified", "reason": "no check decides it", "evidence": []},
        ],
        "evidence": [
            {
                "check": "unit",
                "kind": "tests",
                "status": "failed",
                "argv": ["python", "-m", "pytest"],
                "exit_code": 1,
                "seconds": 4.5,
                "started_at": at(35),
                "tree": "2" * 40,
                "reason": "1 of 12 tests failed",
                "result": {
                    "tests": {
                        "tests": 12, "passed": 11, "failed": 1, "errors": 0, "skipped": 0, "seconds": 3.5,
                        "failures": [{"test": "test_total", "message": "1 != 2"}],
                    },
                    "coverage": {"percent": 91.25, "lines": {"covered": 73, "total": 80}},
                },
                "log": log.model_dump(),
            }
        ],
        "metrics": {
            "metrics": [
                {"name": "speedup", "value": 1.09, "unit": "x", "formula": "ran_sum / tracks_wall", "display": "1.09x", "note": None}
            ],
            "absent": [],
        },
        "run": {
            **run,
            "status": "partial",
            "exit_code": 3,
            "completed_at": at(41),
            "integrated": "3" * 40,
            "branch": f"plait/{workflow_id}",
            "reasons": ["required track mail failed", "required track news blocked"],
            "tracks": [
                record(backend, "backend", 10),
                record(frontend, "frontend", 20),
                record(mail, "mail", 5, "failed", reason="the program ended with exit code 1", attempts=2),
                record(None, "news", 0, "blocked", reason="it needs mail, which did not complete", attempts=0),
            ],
        },
    }  # fmt: skip
    return store.save(final, workflow_id=workflow_id, name="context", after=2)


def put_deployed_run(store: ContextStore, workflow_id: str = "live", **changes: Any) -> ContextRef:
    """Save a run that people decided on everywhere and that is in production, at the second try.

    Args:
        changes: Fields of the final document instead of the usual ones.
    """
    page = put_track(store, workflow_id, "page", [(1, 2, "completed")])
    log = store.put_blob(workflow_id, b"uploading\nsent\n", "text/plain").model_dump()
    tree, subject = "4" * 40, "5" * 64
    smoke = {
        "check": "smoke",
        "kind": "command",
        "status": "passed",
        "argv": ["curl", "-f"],
        "seconds": 1,
        "tree": tree,
    }
    staged = {
        "id": "a1", "environment": "staging", "subject": "6" * 64, "status": "done", "argv": ["./deploy.sh", "staging"],
        "started_at": at(10), "completed_at": at(12), "seconds": 2, "exit_code": 0, "tree": tree, "log": log,
        "url": "https://staging.example.com", "checks": [smoke],
    }  # fmt: skip
    failed = {
        "id": "b1", "environment": "production", "subject": subject, "status": "failed", "argv": ["./deploy.sh"],
        "started_at": at(30), "completed_at": at(31), "seconds": 1, "exit_code": 9, "tree": tree, "reason": "the disk is full",
    }  # fmt: skip
    done = failed | {
        "id": "b2",
        "status": "done",
        "started_at": at(50),
        "completed_at": at(54),
        "exit_code": 0,
        "log": log,
    }
    del done["reason"]
    who = {"gate": "release", "subject": subject, "tree": tree}
    approvals = [
        {
            **who,
            "subject": "7" * 64,
            "tree": "8" * 40,
            "decision": "rejected",
            "by": "Bea",
            "note": "Too early",
            "timestamp": at(5),
        },
        {
            **who,
            "decision": "approved",
            "by": "Ann",
            "note": "Told them at noon",
            "timestamp": at(20),
            "ticked": ["told"],
        },
        {**who, "decision": "rerun", "by": "Cem", "note": "The disk is larger", "timestamp": at(40), "attempt": "b1"},
    ]
    document = {
        "version": "1.0", "workflow_id": workflow_id, "timestamp": at(60), "current_agent": "orchestrator",
        "kind": "workflow", "phase": "deployed", "status": "deployed",
        "parallel_tasks": [{"task_id": "page", "agent": "developer", "scope": "The page"}],
        "files_modified": ["src/page.py"],
        "decisions": [{"topic": "naming", "choice": "snake_case"}, {"topic": "naming", "choice": "camelCase"}, "Keep it small"],
        "provenance": {"decisions": [["api#/decisions/0"], ["page#/decisions/0"], ["page#/decisions/1"]]},
        "integration_concerns": [
            {
                "concern": "Contradicting decisions on 'naming'", "kind": "contradicting-decisions", "status": "settled",
                "tracks": ["api", "page"],
                "sources": [
                    {"document": "api", "pointer": "/decisions/0", "quote": "snake_case"},
                    {"document": "page", "pointer": "/decisions/0", "quote": "camelCase"},
                ],
                "settlement": {"choice": "camelCase", "by": "Bob", "why": "browsers do", "timestamp": at(3)},
                "settled_before": [{"choice": "snake_case", "by": "Dan", "why": "it is older", "timestamp": at(2)}],
            }
        ],
        "findings": [
            {
                "rule": "contract/field", "severity": "blocking", "message": "A member is not sent", "sources": [],
                "waived": {"by": "Ann", "why": "fine", "timestamp": at(4)},
            }
        ],
        "criteria": [
            {"id": "a.1", "area": "a", "text": "It sells", "required": True, "status": "met", "reason": "check unit passed"},
            {"id": "a.2", "area": "a", "text": "It is fast", "required": True, "status": "waived", "reason": "waived by Ann: fast enough"},
        ],
        "evidence": [{"check": "lint", "kind": "command", "status": "failed", "argv": ["lint"], "exit_code": 1, "seconds": 1, "tree": tree}],
        "waivers": [{"target": "lint", "kind": "check", "by": "Ann", "why": "only style", "timestamp": at(4)}],
        "approvals": approvals,
        "deployments": [staged, failed, done],
        "deployment_readiness": {
            "staging": {
                "status": "deployed", "url": staged["url"], "deployed_at": at(12), "validation": "1 of 1 check passed",
                "evidence": staged,
            },
            "production": {
                "status": "deployed", "gate": "release", "subject": subject, "deployed_at": at(54),
                "prerequisites": [
                    {"id": "tested", "text": "Tests pass", "status": "met", "reason": "check unit passed"},
                    {"id": "told", "text": "Users were told", "status": "met", "manual": True, "by": "Ann"},
                ],
                "approval": approvals[-1], "evidence": done,
            },
        },
        "run": {
            "id": "d", "status": "deployed", "exit_code": 0, "started_at": at(0), "completed_at": at(60), "tree": tree,
            "integrated": "9" * 40, "tracks": [record(page, "page", 2)],
        },
    }  # fmt: skip
    return store.save({**document, **changes}, workflow_id=workflow_id, name="context", after=0)


KEPT = {"version", "ref", "log", "sha256", "workflow_id", "_checksum"}


def poisoned(value: Any, text: str = HOSTILE) -> Any:
    """Return a JSON value with the text in place of every string, but where a string leads to something stored."""
    if isinstance(value, str):
        return text
    if isinstance(value, list):
        return [poisoned(one, text) for one in value]
    if isinstance(value, dict):
        return {key: one if key in KEPT else poisoned(one, text) for key, one in value.items()}
    return value


def made_valid(hostile: dict[str, Any], usual: dict[str, Any]) -> dict[str, Any]:
    """Put the usual value back wherever a document may not hold the hostile one: at instants, ids, paths, known words."""
    while True:
        try:
            Context.model_validate_json(dump(hostile))
        except ValidationError as error:
            for problem in error.errors():
                _put_back(problem["loc"], hostile, usual)
        else:
            return hostile


def _put_back(path: tuple[int | str, ...], hostile: Any, usual: Any) -> None:
    # A union's members stand in the path by their names.
    *way, last = [part for part in path if isinstance(part, int) or (part != "str" and not part[0].isupper())]
    for part in way:
        hostile, usual = hostile[part], usual[part]
    if isinstance(hostile[last], str):
        hostile[last] = usual[last]


def put_poisoned_deployment(store: ContextStore, text: str = HOSTILE) -> ContextRef:
    """Save the deployed run with a hostile text in every string field that may hold one; what people decided is still recognised."""
    usual = put_deployed_run(store)
    document = store.load(usual)
    final = poisoned(document, text)
    final["run"]["tracks"] = document["run"]["tracks"]
    for entry in final["integration_concerns"]:
        entry["status"] = "settled"
    for name, value in (("staging", "https"), ("production", "blocked")):
        final["deployment_readiness"][name]["status"] = f"{value} {text}"
    for entry, one in zip(final["deployments"], document["deployments"], strict=True):
        entry["id"] = one["id"]
    for entry in final["waivers"]:
        entry["kind"] = "check"
    del final["_checksum"]
    return store.save(made_valid(final, document), workflow_id="live", name="context", after=1)


def put_poisoned_run(store: ContextStore, text: str = HOSTILE) -> ContextRef:
    """Save the usual run with a hostile text in every string field of every document that may hold one, and as its log."""
    usual = put_run(store)
    document = store.load(usual)
    log = store.put_blob("shop", (text + "\n").encode() * 3, "text/plain").model_dump()
    records = []
    for one in document["run"]["tracks"]:
        if "ref" not in one:
            records.append(poisoned(one, text))
            continue
        kept = store.load(ContextRef(**one["ref"]))
        # The store takes a document only under its own name, so the names that lead to it stay.
        track = poisoned(kept, text) | {name: kept[name] for name in ("parent_workflow_id", "task_id")}
        track = made_valid(track, kept)
        ref = store.save(track, workflow_id="shop", name=one["ref"]["document"], after=1)
        records.append({**poisoned(one, text), "ref": ref.model_dump(), "task_id": one["task_id"]})
    final = poisoned(document, text)
    final["run"]["tracks"] = records
    # Times and statuses decide what is drawn: with them kept, hostile names reach the pictures too.
    final["run"]["started_at"], final["run"]["completed_at"] = at(0), at(41)
    for entry, one in zip(final["parallel_tasks"], document["parallel_tasks"], strict=True):
        entry["task_id"] = one["task_id"]
    for entry in final["evidence"]:
        entry["started_at"], entry["log"], entry["seconds"] = at(35), log, 4.5
    final["run"]["phases"] = [{"name": text, "started_at": at(0), "completed_at": at(3)}]
    del final["_checksum"]
    return store.save(made_valid(final, document), workflow_id="shop", name="context", after=3)


def put_wide_run(store: ContextStore, count: int, workflow_id: str = "wide", *, details: int = 0) -> ContextRef:
    """Save a run of many tracks, ten at a time, every hundredth failed, the last needing the first.

    Args:
        details: Bytes of details every track wrote down beside the rest.
    """
    written = {f"part-{number}": "done as agreed. " * 6 for number in range(details // 100)}

    def put(number: int) -> dict[str, Any]:
        status = "failed" if number % 100 == 99 else "completed"
        start, seconds = (number // 10) * 2.0, 1.0 + number % 7 / 7
        failed = status == "failed"
        attempts = [(start, seconds, status)]
        name = f"track-{number}"
        ref = put_track(store, workflow_id, name, attempts, logged=failed, implementation_details=written)
        return record(ref, name, seconds, status)

    with ThreadPoolExecutor(16) as pool:  # the disk syncs every save, and it syncs many at once
        records = list(pool.map(put, range(count)))
    end = count / 5 + 5
    document = {
        "version": "1.0",
        "workflow_id": workflow_id,
        "timestamp": at(end),
        "current_agent": "integration-verifier",
        "phase": "integration-verified",
        "kind": "workflow",
        "status": "verified",
        "parallel_tasks": [
            {"task_id": f"track-{n}", "agent": "developer", "scope": f"Part {n} of the work, said in a sentence as long as they are",
             "needs": ["track-0"] if n == count - 1 else []}
            for n in range(count)
        ],
        "decisions": [f"Decision {n % 5} of track {n // 5}, with its reason in a few words" for n in range(count * 5)],
        "pending_actions": [f"Action {n}" for n in range(count)],
        "provenance": {
            "decisions": [[f"track-{n // 5}#/decisions/{n % 5}"] for n in range(count * 5)],
            "pending_actions": [[f"track-{n}#/pending_actions/0"] for n in range(count)],
        },
        "files_modified": [f"src/track-{n}.py" for n in range(count)],
        "run": {"id": "w", "status": "verified", "exit_code": 0, "started_at": at(0), "completed_at": at(end), "tracks": records},
    }  # fmt: skip
    return store.save(document, workflow_id=workflow_id, name="context", after=0)
