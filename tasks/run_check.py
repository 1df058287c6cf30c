"""Phase verify, first half: one mapped task per check, each leaving its evidence in the store."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed

from contexts.model.base import JsonObject, entries, section
from contexts.model.checks import Check
from contexts.model.parts import Evidence
from contexts.model.refs import BlobRef, ContextRef
from tasks.checks.bench import Bench, Step, StepFailed, lease_for
from tasks.checks.own_files import changed_files
from tasks.checks.ran import Judged, Ran, finding, notes_on
from tasks.checks.run import check_inputs, run_on
from tasks.checks.untouched import rewritten, stamps
from tasks.progress import Progress, report
from tasks.run import Run
from tasks.walls.folders import remove_folder


@task(name="run_check", task_run_name="check {run.workflow_id} · {check_id}", cache_policy=NO_CACHE)
def run_check(run: Run, merged: ContextRef, check_id: str) -> Any:
    """Run one check on the integrated tree, or take over its pass on the very same inputs.

    Returns:
        Reference of the evidence record, a JSON blob. A failed check is evidence too, so the task completes; its
        state is named Passed, Failed, Unverified or Reused.
    """
    check = next(one for one in run.spec.verification.checks if one.id == check_id)
    document = run.store.load(merged)
    changed_by = _changed_by(document)
    tracks = _track_refs(document)
    inputs = check_inputs(
        check,
        str(document["run"]["tree"]),
        folder=run.folder,
        base=run.base,
        setup=run.spec.verification.setup,
        changed_by=changed_by,
        consumers=[ref.sha256 for ref in tracks.values()],
    )
    for earlier in entries(document, "evidence"):
        if earlier.get("inputs") == inputs and earlier.get("status") == "passed":
            why = "reused: same tree, same command"
            report(Progress(run.workflow_id, "check", check_id, "passed", why, earlier["seconds"]))
            blob = run.store.put_json(run.workflow_id, {**earlier, "reused": True})
            return Completed(name="Reused", message="Passed before on this tree", data=blob)
    report(Progress(run.workflow_id, "check", check_id, "running"))
    with lease_for(check) as lent:
        bench = _bench(run, check, lent.ports, changed_by, tracks)
        ran, more = _run(run, check, bench, str(document["run"]["integrated"]))
    evidence = _evidence(run, check, bench, ran, more, {"tree": document["run"]["tree"], "inputs": inputs})
    blob = run.store.put_json(run.workflow_id, evidence)
    status, reason = ran.judged.status, ran.judged.reason
    if status == "passed":
        remove_folder(bench.place)
    report(Progress(run.workflow_id, "check", check_id, status, reason, evidence["seconds"]))
    return Completed(name=status.capitalize(), message=reason or None, data=blob)


def _changed_by(document: JsonObject) -> dict[str, list[str]]:
    """Return the files each track changed, from the merged document's provenance."""
    changed: dict[str, list[str]] = {}
    files = entries(document, "files_modified")
    for path, sources in zip(files, entries(section(document, "provenance"), "files_modified"), strict=False):
        for source in sources:
            changed.setdefault(str(source).partition("#")[0], []).append(path)
    return changed


def _track_refs(document: JsonObject) -> dict[str, ContextRef]:
    """Return the documents of the tracks whose work is in the integrated tree."""
    left_out = entries(document["run"], "left_out")
    return {
        task_id: ContextRef.model_validate(one["ref"])
        for task_id, one in section(document, "track_contexts").items()
        if one.get("ref") and task_id not in left_out
    }


def _bench(
    run: Run, check: Check, ports: tuple[int, ...], changed_by: dict[str, list[str]], tracks: dict[str, ContextRef]
) -> Bench:
    place = run.repository.root / "checks" / check.id
    remove_folder(place)
    wanted = tracks if check.kind == "contract" else {}
    return Bench(
        tree=place / "tree",
        place=place,
        folder=run.folder,
        cancel=run.cancel,
        seconds=float(check.timeout_minutes) * 60,
        changed_by=changed_by,
        consumers=dict(zip(wanted, run.store.load_many(list(wanted.values())), strict=True)),
        on_line=lambda line: report(Progress(run.workflow_id, "line", check.id, "running", line)),
        env=check.env,
        ports=ports,
    )


def _run(run: Run, check: Check, bench: Bench, commit: str) -> tuple[Ran, list[JsonObject]]:
    """Run a check in a tree of its own; also return what is to be said of its own files and of the tree's."""
    try:
        _prepare(run, bench, commit, bench.tree)
    except StepFailed as error:
        return Ran(Judged("unverified", str(error)), tuple(bench.steps), notes_on(bench.steps), 0.0), []
    found: list[JsonObject] = []
    if run.has_repository:
        bench.base = partial(_base, run, bench)
        changed = run.repository.changed_paths(run.base, commit)
        found += changed_files(check, bench.tree, changed, bench.changed_by)
    before = stamps(bench.tree)
    prepared = len(bench.steps)
    ran = run_on(check, bench)
    touched = rewritten(bench.tree, before, lambda path: _content(run, commit, path))
    if touched:
        names = ", ".join(touched[:5]) + (f" and {len(touched) - 5} more" if len(touched) > 5 else "")
        message = f"check {check.id} rewrote files of the tree it checks: {names}; no other check sees that"
        found.append(finding("evidence/tree-rewritten", "warning", message))
    return Ran(ran.judged, ran.steps[prepared:], ran.notes, ran.seconds), found


def _prepare(run: Run, bench: Bench, commit: str, folder: Path) -> None:
    """Write a commit's files into a folder and run the spec's setup there.

    Raises:
        StepFailed: A setup command failed.
    """
    run.repository.checkout(commit, folder, as_repository=True)
    for argv in run.spec.verification.setup:
        step = bench.run(f"verification.setup {' '.join(argv)}", bench.resolve(argv), cwd=folder)
        if not step.succeeded:
            raise StepFailed(step.problem)


def _base(run: Run, bench: Bench) -> Path:
    """Return a folder with the base commit's tree, prepared like the integrated one."""
    folder = bench.place / "base"
    if not folder.exists():
        _prepare(run, bench, run.base, folder)
    return folder


def _content(run: Run, commit: str, path: str) -> bytes | None:
    """Return what the commit says a file holds, None for a file that it does not have."""
    done = run.repository.git.call("cat-file", "blob", f"{commit}:{path}")
    return done.stdout if done.returncode == 0 else None


def _evidence(
    run: Run, check: Check, bench: Bench, ran: Ran, more: Sequence[JsonObject], known: JsonObject
) -> JsonObject:
    judged = ran.judged
    only = ran.steps[0] if len(ran.steps) == 1 else None
    steps = [
        {
            "name": step.name,
            "argv": bench.shown(step.argv),
            "exit_code": step.outcome.exit_code,
            "seconds": round(step.outcome.seconds, 3),
            "outcome": step.outcome.message,
            "log": _log(run, step),
        }
        for step in ran.steps
    ]
    reports = {name: run.store.put_blob(run.workflow_id, raw, media) for name, (raw, media) in judged.reports.items()}
    record = Evidence.model_validate(
        {
            **known,
            "check": check.id,
            "kind": check.kind,
            "status": judged.status,
            "argv": list(check.argv),
            "exit_code": only.outcome.exit_code if only else None,
            "seconds": round(only.outcome.seconds, 3) if only else ran.seconds,
            "started_at": ran.steps[0].started_at if ran.steps else None,
            "result": dict(judged.result) or None,
            "log": steps[0]["log"] if only else None,
            "reports": reports or None,
            "reason": judged.reason[:4000] or None,
            "steps": None if only else steps or None,
            "findings": [*judged.findings, *more] or None,
            "notes": list(ran.notes) or None,
        }
    )
    return orjson.loads(record.model_dump_json(exclude_none=True))


def _log(run: Run, step: Step) -> BlobRef | None:
    return run.store.put_blob(run.workflow_id, step.log.read_bytes(), "text/plain") if step.log.is_file() else None


def load_evidence(run: Run, blobs: list[BlobRef]) -> list[JsonObject]:
    """Return the evidence records of finished checks."""
    return [orjson.loads(run.store.get_blob(run.workflow_id, blob)) for blob in blobs]
