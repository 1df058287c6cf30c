"""How a spec is run: repository, agents, groups, budget, policy, deployment."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from contexts.documents.base import Closed, Identifier, Number
from contexts.spec.checks import Check

Argv = Annotated[tuple[str, ...], Field(min_length=1)]
"""A program and its arguments; ``{python}`` and ``{spec_dir}`` are replaced, and no shell is involved."""


class Repository(Closed):
    """The git repository a feature is built in.

    Attributes:
        path: Folder (relative to the spec) or URL.
        base: Branch, tag or commit the tracks start from; pinned at the first run.
        setup: Argument lists that prepare a fresh workspace.
        setup_minutes: Deadline of each of these, in minutes. How long they may take decides nothing of what the tracks
            produce, so finished tracks are reused when it changes.
        store_base: Save the base commit with its history in the store, so that another machine needs no repository.
    """

    path: str = Field(default=".", min_length=1)
    base: str = Field(default="HEAD", min_length=1)
    setup: tuple[Argv, ...] = ()
    setup_minutes: Number = Field(default=30, gt=0, le=60 * 24)
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
    """Tracks and groups merged first among themselves.

    Attributes:
        id: Name of the group.
        tracks: Tracks in it.
        groups: Groups in it.
    """

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
    """What happens when tracks fail, or the store does not answer.

    Attributes:
        on_failure: ``keep-going``: whatever does not depend on the failure runs; ``all``: nothing new starts once a
            required track has failed.
        quorum: Enough that this many tracks complete; none: every required track must.
        retry_backoff_seconds: Wait before the second attempt, doubled each time.
        store_patience_minutes: How long a run waits for a store that does not answer, beyond the 50 s for which every
            request is tried again, before it ends with exit code 6. Agents at work go on meanwhile, and what they
            finish is kept on the machine. 0: do not wait.
    """

    on_failure: Literal["keep-going", "all"] = "keep-going"
    quorum: int | None = Field(default=None, ge=1)
    retry_backoff_seconds: Number = Field(default=2, ge=0, le=3600)
    store_patience_minutes: Number = Field(default=15, ge=0, le=60 * 24)


class Prerequisite(Closed):
    """Something that must hold before production: decided by evidence, or ticked by a person.

    Attributes:
        id: Name, for ``plait approve --tick``.
        text: What must hold, in words; it is what the person who approves reads.
        check: The check that must have passed, of ``verification`` or of ``deployment``.
        criterion: The success criterion that must be met or waived.
        manual: A person ticks it.
    """

    id: Identifier
    text: str = Field(min_length=1)
    check: Identifier | None = None
    criterion: str | None = Field(default=None, min_length=1)
    manual: bool = False

    @model_validator(mode="after")
    def _has_one_judge(self) -> Self:
        if sum((self.check is not None, self.criterion is not None, self.manual)) != 1:
            raise ValueError(
                f"prerequisite {self.id!r} needs exactly one of: check, criterion, or 'manual: true'; a person ticks "
                "what is manual"
            )
        return self


class Staging(Closed):
    """Where the integrated work is tried out.

    Attributes:
        argv: Deploys it; run in a checkout of the integrated tree. ``{python}`` and ``{spec_dir}`` are replaced. What
            it starts itself ends with it, so it hands over to whatever keeps the application running.
        url: Where the application is then; checks get it as ``PLAIT_STAGING_URL``.
        checks: Checks, of ``verification`` or of ``deployment``, run against it.
        env: Variables for the command; a value ``env:NAME`` passes NAME from plait's own environment.
        timeout_minutes: Deadline of the command, in minutes.
    """

    argv: Argv
    url: str | None = Field(default=None, min_length=1)
    checks: tuple[Identifier, ...] = ()
    env: dict[str, str] = {}
    timeout_minutes: Number = Field(default=30, gt=0, le=60 * 24)


class Production(Closed):
    """The real thing, behind a gate that a person opens.

    Attributes:
        argv: Deploys it, once per tree; without one a person does, after the gate.
        prerequisites: What must hold first.
        gate: Name of the gate, for ``plait approve``.
        env: Variables for the command, as for staging.
        timeout_minutes: Deadline of the command, in minutes.
    """

    argv: Argv | None = None
    prerequisites: tuple[Prerequisite, ...] = ()
    gate: Identifier = "production"
    env: dict[str, str] = {}
    timeout_minutes: Number = Field(default=30, gt=0, le=60 * 24)

    @field_validator("prerequisites")
    @classmethod
    def _names_are_distinct(cls, given: tuple[Prerequisite, ...]) -> tuple[Prerequisite, ...]:
        names = [one.id for one in given]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ValueError(f"prerequisite id {twice!r} is used twice; give each prerequisite its own")
        return given


class Deployment(Closed):
    """What happens to verified work: staging, then a gate, then production.

    Attributes:
        staging: Deployed to without asking.
        production: Deployed to once the prerequisites hold and a person has approved.
        checks: Checks that make sense only against staging.
    """

    staging: Staging | None = None
    production: Production | None = None
    checks: tuple[Check, ...] = ()
