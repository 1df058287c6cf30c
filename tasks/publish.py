"""Phase publish: what people see of a run in the Prefect UI."""

from __future__ import annotations

from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from contexts.documents.context import Context
from contexts.documents.refs import ContextRef
from contexts.failpoints import failpoint
from contexts.store.contexts import Saved
from tasks.filesystem import remove_folder
from tasks.prefect_ui.artifact_keys import artifact_key
from tasks.prefect_ui.artifacts import publish_image, publish_markdown, publish_table
from tasks.prefect_ui.ornaments import Ornaments
from tasks.prefect_ui.overview import overview, track_rows
from tasks.prefect_ui.tables import publish_tables
from tasks.report import build_report, timeline_data_uri
from tasks.run.progress import Progress, report
from tasks.run.run import REPORT, RESULT, Run


@task(name="publish", task_run_name="publish {run.workflow_id}", cache_policy=NO_CACHE)
def publish(run: Run, final: ContextRef, sizes: Sequence[tuple[str, ContextRef]], ornaments: Ornaments) -> ContextRef:
    """Publish the run's report, and its overview and tables as artifacts.

    Args:
        run: The run.
        final: The final context.
        sizes: The contexts the phases saved, by phase.
        ornaments: Takes the artifacts.
    """
    report(Progress(run.workflow_id, "phase", "publish", "running"))
    context = run.store.load_context(final)
    markdown, rows = overview(context, sizes), track_rows(context)
    about, listing = f"Overview of {run.workflow_id}", f"Tracks of {run.workflow_id}"
    page, table = artifact_key(run.workflow_id, "overview"), artifact_key(run.workflow_id, "tracks")
    ornaments.add("overview", lambda: publish_markdown(page, markdown, about))
    ornaments.add("tracks", lambda: publish_table(table, rows, listing))
    publish_tables(run.store, final, context, ornaments)
    _publish_report(run, final, context, ornaments)
    _write_result(run, context)
    failpoint("publish.done")
    report(Progress(run.workflow_id, "phase", "publish", "done"))
    return final


def _write_result(run: Run, context: Context) -> None:
    """Write the integrated files where people find them; a repository of theirs has them as a branch."""
    integrated = context.run.integrated if context.run else None
    if run.delivers or not integrated or not context.files_modified:
        return
    folder = run.repository.root / RESULT
    remove_folder(folder)
    run.repository.checkout(integrated, folder)


def _publish_report(run: Run, final: ContextRef, context: Context, ornaments: Ornaments) -> None:
    """Write the run's report beside its workspaces and into the store, and its timeline into the UI."""
    html = build_report(run.store, final)
    (run.repository.root / REPORT).write_bytes(html)
    blob = run.store.put_blob(run.workflow_id, html, "text/html", scanned=True, kind="report")
    recorded = (context.run.tracks if context.run else None) or ()
    refs = [one.ref for one in recorded if one.ref]
    tracks = [Saved(ref, one).context for ref, one in zip(refs, run.store.load_many(refs), strict=True)]
    timeline = timeline_data_uri(context, tracks)
    key = artifact_key(run.workflow_id, "timeline")
    description = f"Timeline of {run.workflow_id}; report: plait report {run.workflow_id}, blob {blob.sha256}"
    ornaments.add("timeline", lambda: publish_image(key, timeline, description))
