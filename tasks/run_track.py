"""Phase tracks: one mapped task per track. Looks in the store first; runs the agent only if it must."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.states import Completed

from contexts.documents.refs import ContextRef
from tasks.run.outcome import TrackNotCompleted
from tasks.run.run import Run
from tasks.track.bring import bring_track


def may_pass(_task: Any, _run: TaskRun, state: State[Any]) -> bool:
    """Tell Prefect whether a failed track is worth another attempt: only failures that can pass are."""
    error: Any = state.result(raise_on_failure=False)
    return isinstance(error, TrackNotCompleted) and error.retryable


@task(
    name="run_track",
    task_run_name="{run.workflow_id} · {task_id} · {agent}",
    cache_policy=NO_CACHE,
    retry_condition_fn=may_pass,
)
def run_track(run: Run, task_id: str, agent: str, prerequisites: Mapping[str, ContextRef]) -> Any:
    """Bring one track to its context document.

    Args:
        run: The run.
        task_id: The track.
        agent: Its role, for the name people see.
        prerequisites: Documents of the transitive prerequisites, all completed.

    Returns:
        A `TrackOutcome`; the state is named Reused when the store already held the result.

    Raises:
        TrackNotCompleted: The agent did not deliver; its document, with the log, is saved.
        StoreError: The store did not take the document, so the track does not count as done.
    """
    del agent
    try:
        found = bring_track(run, task_id, prerequisites, number=_attempt_number())
    except Exception as error:
        run.endings[task_id] = error
        raise
    run.endings[task_id] = found
    return Completed(name="Reused", message=f"Same inputs as {found.ref}", data=found) if found.reused else found


def _attempt_number() -> int:
    context = TaskRunContext.get()
    return context.task_run.run_count if context else 1
