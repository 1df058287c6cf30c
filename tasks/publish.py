"""Phase publish: what people see of a run in the Prefect UI."""

from __future__ import annotations

from collections.abc import Sequence

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE

from contexts.faults import reach
from contexts.model.refs import ContextRef
from tasks.artifact_keys import artifact_key
from tasks.overview import overview, track_rows
from tasks.progress import Progress, report
from tasks.run import Run
from tasks.tables import publish_tables


@task(name="publish", task_run_name="publish {run.workflow_id}", cache_policy=NO_CACHE)
def publish(run: Run, final: ContextRef, sizes: Sequence[tuple[str, ContextRef]]) -> ContextRef:
    """Publish the run's overview and its table of tracks as artifacts.

    Args:
        run: The run.
        final: The final context.
        sizes: The contexts the phases saved, by phase.
    """
    report(Progress(run.workflow_id, "phase", "publish", "running"))
    document = run.store.load(final)
    create_markdown_artifact(  # pyright: ignore[reportUnusedCoroutine] called synchronously, Prefect's dispatcher decides
        markdown=overview(document, sizes),
        key=artifact_key(run.workflow_id, "overview"),
        description=f"Overview of {run.workflow_id}",
    )
    create_table_artifact(  # pyright: ignore[reportUnusedCoroutine] same
        table=track_rows(document),
        key=artifact_key(run.workflow_id, "tracks"),
        description=f"Tracks of {run.workflow_id}",
    )
    publish_tables(run.store, final, document)
    reach("publish.done")
    report(Progress(run.workflow_id, "phase", "publish", "done"))
    return final
