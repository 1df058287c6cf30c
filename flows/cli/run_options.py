"""Options that say what is to be done again: of `plait run`, `resume` and `plan` alike."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from contexts.spec.model import Spec

Rerun = Annotated[
    tuple[str, ...],
    Parameter(negative="", show_default=False, help="Do this track again; may be given several times."),
]
Fresh = Annotated[bool, Parameter(negative="", show_default=False, help="Do everything again.")]
Ui = Annotated[
    bool,
    Parameter(
        negative="",
        show_default=False,
        help="Show it in Prefect's UI: use the server here, or start one that stays.",
    ),
]
RepositoryOption = Annotated[str | None, Parameter(help="Folder or URL of the repository, instead of the spec's.")]


def check_tracks(task_ids: Iterable[str], spec: Spec) -> None:
    """Make sure that the spec has these tracks."""
    from contexts.errors import InputError

    known = [track.task_id for track in spec.parallel_tasks]
    for task_id in task_ids:
        if task_id not in known:
            near = get_close_matches(task_id, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(known[:12])}"
            raise InputError(f"--rerun {task_id}: the spec has no such track; {hint}", name=task_id)
