"""The trees that checks run in: made of commits, set up as the spec says; and what is kept of what ran there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from contexts.documents.findings import Finding
from contexts.documents.refs import BlobRef
from contexts.documents.verification import EvidenceStep
from tasks.checks.bench import Bench, Step, StepFailed
from tasks.checks.own_files import Change
from tasks.run.run import Run
from tasks.sandbox.clean_log import clean_log


def prepare(run: Run, bench: Bench, commit: str, folder: Path) -> None:
    """Write a commit's files into a folder and run the spec's setup there.

    Raises:
        StepFailed: A setup command failed.
    """
    run.repository.checkout(commit, folder, as_repository=True)
    set_up(run, bench, folder)


def set_up(run: Run, bench: Bench, folder: Path) -> None:
    """Run the spec's setup in a folder.

    Raises:
        StepFailed: A setup command failed.
    """
    for argv in run.spec.verification.setup:
        step = bench.run(f"verification.setup {' '.join(argv)}", bench.resolve(argv), cwd=folder)
        if not step.succeeded:
            raise StepFailed(step.problem)


def base_tree(run: Run, bench: Bench) -> Path:
    """Return a folder with the base commit's tree, prepared like the integrated one."""
    folder = bench.place / "base"
    if not folder.exists():
        prepare(run, bench, run.base, folder)
    return folder


def changes_of(run: Run, commit: str) -> dict[str, Change]:
    """Return the paths that differ between the base commit and another, and how."""
    listed = run.repository.git.run("diff-tree", "-r", "-z", "--no-renames", "--name-status", run.base, commit)
    words = [os.fsdecode(word) for word in listed.split(b"\0")[:-1]]
    kinds: Mapping[str, Change] = {"A": "added", "D": "removed"}
    return {path: kinds.get(kind, "changed") for kind, path in zip(words[::2], words[1::2], strict=True)}


def content_at(run: Run, commit: str, path: str) -> bytes | None:
    """Return what the commit says a file holds, None for a file that it does not have."""
    done = run.repository.git.call("cat-file", "blob", f"{commit}:{path}")
    return done.stdout if done.returncode == 0 else None


def paths_of(run: Run, commit: str) -> list[str]:
    """Return the paths of a commit's files."""
    listed = run.repository.git.run("ls-tree", "-r", "-z", "--name-only", commit)
    return [os.fsdecode(path) for path in listed.split(b"\0")[:-1]]


def step_record(bench: Bench, step: Step, log: BlobRef | None) -> EvidenceStep:
    """Return what evidence keeps of one command."""
    return EvidenceStep(
        name=step.name,
        argv=bench.shown(step.argv),
        exit_code=step.outcome.exit_code,
        seconds=round(step.outcome.seconds, 3),
        outcome=step.outcome.message,
        log=log,
    ).compact()


def keep_log(run: Run, step: Step) -> tuple[BlobRef | None, list[Finding]]:
    """Store a step's log; also return what is to be said of the secret values that were taken out of it."""
    if not step.log.is_file():
        return None, []
    try:
        clean, hits = run.store.cleaned(run.workflow_id, step.log.read_bytes(), "text/plain")
    finally:
        clean_log(step.log)
    kinds = sorted({hit.kind for hit in hits if hit.certain})
    found = [
        Finding(
            rule="secrets/value-in-log",
            severity="warning",
            message=f"the log of {step.name} held a secret value ({kind}); revoke it",
            sources=(),
        )
        for kind in kinds
    ]
    return run.store.put_blob(run.workflow_id, clean, "text/plain", scanned=True), found
