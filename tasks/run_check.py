"""Phase verify, first half: one mapped task per check, each leaving its evidence in the store."""

from __future__ import annotations

import shutil
from typing import Any

import orjson
from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed

from contexts.faults import reach
from contexts.model.base import JsonObject, entries
from contexts.model.checks import Check
from contexts.model.parts import Evidence
from contexts.model.refs import ContextRef
from tasks.checks.command import Ran, check_inputs, run_check_command
from tasks.progress import Progress, report
from tasks.run import Run


@task(name="run_check", task_run_name="check {run.workflow_id} · {check_id}", cache_policy=NO_CACHE)
def run_check(run: Run, merged: ContextRef, check_id: str) -> Any:
    """Run one check on the integrated tree, or take over its pass on the very same tree and command.

    Returns:
        Reference of the evidence record, a JSON blob. A failed check is evidence too, so the task completes; its
        state is named Passed, Failed, Unverified or Reused.
    """
    check = next(one for one in run.spec.verification.checks if one.id == check_id)
    document = run.store.load(merged)
    commit, tree = str(document["run"]["integrated"]), str(document["run"]["tree"])
    inputs = check_inputs(check, tree)
    for earlier in entries(document, "evidence"):
        if earlier.get("inputs") == inputs and earlier.get("status") == "passed":
            report(
                Progress(
                    run.workflow_id, "check", check_id, "passed", "reused: same tree, same command", earlier["seconds"]
                )
            )
            blob = run.store.put_json(run.workflow_id, {**earlier, "reused": True})
            return Completed(name="Reused", message="Passed before on this tree", data=blob)
    report(Progress(run.workflow_id, "check", check_id, "running"))
    reach("check.before-run")
    ran = run_at(run, check, commit)
    reach("check.after-run")
    evidence = evidence_of(run, check, ran, tree, inputs)
    blob = run.store.put_json(run.workflow_id, evidence)
    reach("check.evidence-saved")
    report(Progress(run.workflow_id, "check", check_id, ran.status, ran.reason, ran.seconds))
    return Completed(name=ran.status.capitalize(), message=ran.reason or None, data=blob)


def run_at(run: Run, check: Check, commit: str) -> Ran:
    """Run a check on a fresh tree of a commit, after the spec's set-up commands."""
    place = run.repository.root / "checks" / check.id
    shutil.rmtree(place, ignore_errors=True)
    tree = place / "tree"
    run.repository.checkout(commit, tree, as_repository=True)
    ran: Ran | None = None
    for number, argv in enumerate(run.spec.verification.setup):
        setup = Check(id=f"{check.id}-setup-{number}", argv=argv, env=check.env, timeout_minutes=check.timeout_minutes)
        ran = run_check_command(setup, tree=tree, place=place / f"setup-{number}", folder=run.folder, cancel=run.cancel)
        if ran.status != "passed":
            reason = f"verification.setup {' '.join(argv)}: {ran.reason}"
            return Ran("unverified", reason, ran.argv, ran.exit_code, ran.started_at, ran.seconds, {}, {}, ran.log)
    return run_check_command(
        check,
        tree=tree,
        place=place,
        folder=run.folder,
        cancel=run.cancel,
        on_line=lambda line: report(Progress(run.workflow_id, "line", check.id, "running", line)),
    )


def evidence_of(run: Run, check: Check, ran: Ran, tree: str, inputs: str) -> JsonObject:
    """Return the record of a check that ran, its log and reports kept as blobs."""
    log = run.store.put_blob(run.workflow_id, ran.log.read_bytes(), "text/plain") if ran.log.is_file() else None
    reports = {
        kind: run.store.put_blob(run.workflow_id, raw, "application/xml" if kind == "tests" else "application/json")
        for kind, raw in ran.reports.items()
    }
    record = Evidence(
        check=check.id,
        kind=check.kind,
        status=ran.status,
        argv=list(check.argv),
        exit_code=ran.exit_code,
        seconds=ran.seconds,
        started_at=ran.started_at,
        tree=tree,
        result=ran.result or None,
        log=log,
        reports=reports or None,
        reason=ran.reason or None,
        inputs=inputs,
    )
    return orjson.loads(record.model_dump_json(exclude_none=True))
