"""How a spec is run: repository, agents, groups, budget, policy, deployment."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from contexts.model.base import Closed, Identifier, Number, RelativePath

Argv = Annotated[tuple[str, ...], Field(min_length=1)]
"""A program and its arguments; ``{python}`` and ``{spec_dir}`` are replaced, and no shell is involved."""


class Repository(Closed):
    """The git repository a feature is built in.

    Attributes:
        path: Folder (relative to the spec) or URL.
        base: Branch, tag or commit the tracks start from; pinned at the first run.
        setup: Argument lists that prepare a fresh workspace.
        store_base: Save the base commit itself in the store, so that another machine needs no repository.
    """

    path: str = Field(default=".", min_length=1)
    base: str = Field(default="HEAD", min_length=1)
    setup: tuple[Argv, ...] = ()
    store_base: bool = False


class CommandAgent(Closed):
    """A program that does the track: reads ``PLAIT_ASSIGNMENT``, writes ``PLAIT_CONTEXT``.

    Attributes:
        argv: Program and arguments, run in the track's workspace.
        env: Variables for it; a value ``env:NAME`` passes NAME from plait's own environment.
        retryable_exit_codes: Exit codes of failures that can pass.
    """

    backend: Literal["command"]
    argv: Argv
    env: dict[str, str] = {}
    retryable_exit_codes: tuple[int, ...] = (75,)


class ReplayAgent(Closed):
    """Plays back a context document recorded earlier instead of running anything.

    Attributes:
        path: Folder with recordings, or one file, relative to the spec; matched by ``task_id``.
    """

    backend: Literal["replay"]
    path: str = Field(min_length=1)


Agent = Annotated[CommandAgent | ReplayAgent, Field(discriminator="backend")]


class Group(Closed):
    """Tracks and groups merged first among themselves."""

    id: Identifier
    tracks: tuple[Identifier, ...] = ()
    groups: tuple[Group, ...] = ()


class Budget(Closed):
    """What a workflow may cost, over all its runs.

    Attributes:
        cost_usd: US dollars that agents report as spent.
        tokens: Input plus output tokens that agents report.
    """

    cost_usd: Number | None = Field(default=None, ge=0)
    tokens: int | None = Field(default=None, ge=0)


class Policy(Closed):
    """What happens when tracks fail.

    Attributes:
        on_failure: ``keep-going``: whatever does not depend on the failure runs; ``all``: nothing new starts once a
            required track has failed.
        quorum: Enough that this many tracks complete; none: every required track must.
        retry_backoff_seconds: Wait before the second attempt, doubled each time.
    """

    on_failure: Literal["keep-going", "all"] = "keep-going"
    quorum: int | None = Field(default=None, ge=1)
    retry_backoff_seconds: Number = Field(default=2, ge=0, le=3600)


class Prerequisite(Closed):
    """Something that must hold before production: decided by a check, or ticked by a person."""

    id: Identifier
    text: str
    check: Identifier | None = None


class DeployTarget(Closed):
    """One environment: the command that deploys to it, checks afterwards, and what must hold before."""

    argv: Argv | None = None
    url: str | None = None
    checks: tuple[Identifier, ...] = ()
    prerequisites: tuple[Prerequisite, ...] = ()
    timeout_minutes: Number = Field(default=30, gt=0)
    gate: Identifier | None = None
    env: dict[str, str] = {}
    reports: dict[str, RelativePath] = {}
    metadata: dict[str, Any] = {}


class Deployment(Closed):
    """Staging, then a gate, then production."""

    staging: DeployTarget | None = None
    production: DeployTarget | None = None
