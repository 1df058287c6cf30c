"""What a run says while it goes: structured log records that any handler can show.

The command line draws them as a live table; Prefect's API logger sends them to the UI; a test collects them.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Literal

from contexts.redaction import redact_text
from contexts.text.visible import show_invisible

LOGGER = "plait.progress"
SERVER_LOGGER = "plait.server"
"""Takes what is to be said of a Prefect server in trouble."""

Kind = Literal["run", "phase", "track", "line", "check", "group", "store"]


@dataclass(frozen=True, slots=True)
class Progress:
    """One thing that happened.

    Attributes:
        workflow_id: The workflow it happened in.
        kind: ``phase``, ``track``, ``check`` and ``group`` (a merge of some tracks) change a status; ``line`` is a line
            an agent printed; ``run`` says where the whole run can be seen; ``store`` that it does not answer, or does.
        subject: The phase, the task_id, the check's id, the group's, or the run's address.
        status: For a track as in `contexts.documents.parts.TrackStatus`, or ``reused``; for others ``running``,
            ``done``, ``failed``, ``passed``, ``unverified``; for the store ``waiting``, ``answers``, ``kept``.
        message: One line for people.
        seconds: How long the finished thing took, if it is finished.
    """

    workflow_id: str
    kind: Kind
    subject: str
    status: str
    message: str = ""
    seconds: float | None = None


def report(progress: Progress) -> None:
    """Tell whoever listens, without secrets and unseen characters; agents' own lines at DEBUG, the rest at INFO."""
    progress = replace(progress, message=show_invisible(redact_text(progress.message).text))
    level = logging.DEBUG if progress.kind == "line" else logging.INFO
    subject = show_invisible(progress.subject)
    text = f"{progress.kind} {subject}: {progress.status} {progress.message}".rstrip()
    logging.getLogger(LOGGER).log(level, "%s", text, extra={"plait": progress})
