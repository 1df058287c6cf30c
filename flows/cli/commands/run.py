"""`plait run`: the whole road, watched."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flows.cli.run_options import Fresh, RepositoryOption, Rerun, Ui, check_tracks
from flows.cli.session import Given


def run(
    spec: Path,
    /,
    *,
    replay: Annotated[Path | None, Parameter(help="Play back the context files of this folder.")] = None,
    fresh: Fresh = False,
    rerun: Rerun = (),
    repository: RepositoryOption = None,
    ui: Ui = False,
    session: Given,
) -> int:
    """Run or resume a workflow here: what is finished and unchanged is reused.

    Args:
        spec: The spec, YAML or JSON.
    """
    from contexts.spec.load import load_spec
    from flows.cli.watched_run import run_watched

    loaded = load_spec(spec)
    check_tracks(rerun, loaded.spec)

    return run_watched(
        session,
        loaded.spec.workflow_id,
        [track.task_id for track in loaded.spec.parallel_tasks],
        ui=ui,
        spec=str(spec.absolute()),
        replay=str(replay.absolute()) if replay else None,
        repository=repository,
        fresh=fresh,
        rerun=rerun,
    )
