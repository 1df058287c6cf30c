"""How checks are run: side by side those that may, then one after another those that must run alone.

Then, where tracks name any, the files that describe interfaces are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prefect import Task, unmapped
from prefect.client.schemas.objects import State

from contexts.documents.refs import BlobRef, ContextRef
from contexts.spec.checks import Check
from tasks.run.contract_files import named_in
from tasks.run.run import Run
from tasks.run_check import read_contract_files


def run_checks(task: Task[..., Any], run: Run, subject: object, checks: Sequence[Check]) -> list[BlobRef]:
    """Run checks, each in a task run of its own, and return their evidence in the order of the checks.

    A check that is not `parallel` (a load, say) begins when all others have ended, and nothing begins beside it.

    Args:
        task: Takes the run, what is checked, and the check's id; returns the reference of the evidence.
        run: The run.
        subject: What is checked: a context, or a commit.
        checks: The checks.
    """
    together = [check.id for check in checks if check.parallel]
    futures = task.map(unmapped(run), unmapped(subject), together)
    done: dict[str, BlobRef] = dict(zip(together, futures.result(), strict=True))
    for check in checks:
        if not check.parallel:
            ended = task(run, subject, check.id)  # here, where an interrupt reaches it
            done[check.id] = ended.result() if isinstance(ended, State) else ended
    return [done[check.id] for check in checks]


def contract_file_evidence(run: Run, merged: ContextRef) -> list[BlobRef]:
    """Read the files that merged tracks name as contracts, in a task run of its own; nothing where none are named.

    Returns:
        Reference of the evidence.
    """
    if not named_in(run, merged):
        return []
    ended = read_contract_files(run, merged)
    return [ended.result() if isinstance(ended, State) else ended]
