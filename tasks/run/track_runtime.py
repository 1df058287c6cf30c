"""What a track needs of its run: the narrow interface behind which it can also be at work in another process."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from contexts.documents.base import JsonObject
from contexts.documents.context import Context
from contexts.documents.refs import ContextRef
from contexts.plan.inputs_digest import Inputs
from contexts.spec.model import Spec, Track
from contexts.store.contexts import ContextStore, Saved
from tasks.git.repository import Repository
from tasks.run.backends import Backend
from tasks.run.budget import Ledger
from tasks.run.outage import Outage


class TrackRuntime(Protocol):
    """What a track has at hand.

    `tasks.run.runtime.Runtime` is it, in the flow's process as in any other; see there for what each member is.
    """

    @property
    def id(self) -> str:
        """Names the run among the workflow's runs."""
        ...

    @property
    def workflow_id(self) -> str:
        """The workflow."""
        ...

    @property
    def spec(self) -> Spec:
        """What is to be built."""
        ...

    @property
    def folder(self) -> Path:
        """What ``{spec_dir}`` means."""
        ...

    @property
    def store(self) -> ContextStore:
        """Where contexts go."""
        ...

    @property
    def repository(self) -> Repository:
        """Where branches are integrated."""
        ...

    @property
    def base(self) -> str:
        """The commit tracks start from."""
        ...

    @property
    def cancel(self) -> threading.Event:
        """Set when everything is to stop."""
        ...

    @property
    def ledger(self) -> Ledger:
        """What the tracks have cost, and what they may."""
        ...

    @property
    def outage(self) -> Outage:
        """What is told where the store does not answer, and what is kept meanwhile."""
        ...

    @property
    def has_repository(self) -> bool:
        """Whether a repository is the base of the work."""
        ...

    @property
    def delivers(self) -> bool:
        """Whether the user's own repository is within reach and receives branches."""
        ...

    def is_forced(self, task_id: str) -> bool:
        """Whether a track runs whatever the store holds."""
        ...

    def latest(self, name: str) -> Saved | None:
        """Return the newest revision of a document that this run knows of."""
        ...

    def save(self, name: str, document: Context | JsonObject, *, at_once: bool = False) -> ContextRef:
        """Save a document as the revision after the last one this run has read or written."""
        ...

    def next_revision(self, name: str) -> int:
        """Return the number of the revision that the next save of a document makes."""
        ...

    def ready_store(self, *, at_once: bool = False) -> ContextStore:
        """Return the store to write to, once this run is sure that the workflow is its own."""
        ...

    def backend(self, track: Track) -> Backend:
        """Return what really runs a track."""
        ...

    def inputs(self, track: Track, results: Mapping[str, str]) -> Inputs:
        """Return what decides a track's result, from the result digests of its prerequisites."""
        ...

    def exchange(self, task_id: str) -> Path:
        """Return a track's own folder beside its workspace."""
        ...
