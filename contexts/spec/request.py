"""What a person or schedule asks for when starting a run."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class RunRequest(BaseModel):
    """One run, as asked for; exactly one of ``spec``, ``workflow_id`` and ``inline`` names the workflow.

    Attributes:
        spec: Path of a spec file.
        workflow_id: A workflow that is already in the store.
        inline: A whole spec as an object.
        store: Where contexts are kept, as `contexts.store.url.open_objects` takes it; None for the default.
        replay: Folder of recorded track documents that stand in for agents.
        spec_dir: The spec's folder, where a stored workflow is named whose programs are to be taken from there.
        repository: Path or URL of the repository, where the spec's own does not exist here.
        fresh: Run every track again.
        rerun: Tracks to run again whatever the store holds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    spec: str | None = None
    workflow_id: str | None = None
    inline: dict[str, Any] | None = None
    spec_dir: str | None = None
    store: str | None = None
    replay: str | None = None
    repository: str | None = None
    fresh: bool = False
    rerun: tuple[str, ...] = ()
