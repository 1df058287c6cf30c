"""How checks are run: side by side those that may, then one after another those that must run alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prefect import Task, unmapped
from prefect.client.schemas.objects import State

from contexts.documents.refs import BlobRef
from contexts.spec.checks import Check
from tasks.run.run import Run


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
