"""The spec: what a user writes to have a feature built, YAML or JSON.

It is the workflow's document plus how to run it. Unknown fields are errors, so that a typing mistake is not a silent
default; fields that begin with ``x-`` are the user's own.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from contexts.documents.base import Closed, Identifier, Instant, Number, RelativePath
from contexts.documents.handin import FileFormat
from contexts.documents.parts import FeatureSpec, Metadata
from contexts.documents.version import FORMAT_VERSION, SUMMARY_LIMIT
from contexts.spec.checks import Check
from contexts.spec.constraints import Audit, Constraint
from contexts.spec.policy import Agent, Budget, Deployment, Group, Policy, Repository


class OperationTypes(Closed):
    """Which of a file's types an operation sends and answers, by their names in the file; ``NAME[]`` is a list.

    Attributes:
        request: Type of the request's body.
        response: Type of the body of a successful response.
        message: Type of what an operation that is not HTTP carries.
    """

    request: str | None = None
    response: str | None = None
    message: str | None = None


class TrackFile(Closed):
    """A file of a track's work that describes an interface.

    Attributes:
        path: The file, from the root of the repository.
        format: Its language; default: what its ending and its content say.
        operations: By operation the types it uses, where the file has no operations of its own.
    """

    path: RelativePath
    format: FileFormat | None = None
    operations: dict[str, OperationTypes] | None = None


class TrackContracts(Closed):
    """Files of a track's work that describe interfaces, beside those that its hand-in names.

    Attributes:
        provides: What they describe is offered.
        assumes: What they describe is expected of other tracks, or of the product as it was.
    """

    provides: tuple[TrackFile, ...] = ()
    assumes: tuple[TrackFile, ...] = ()


class Track(Closed):
    """One unit of parallel work, done by one agent in its own workspace.

    Attributes:
        task_id: Name of the track, unique in the workflow.
        agent: The role that does it; `agents` says what really runs.
        scope: What is to be done, in words.
        needs: Tracks that must be completed before this one starts.
        owns: Globs (``**`` crosses folders) of the files this track may change; overlaps are warned about.
        required: Whether the workflow needs it to be done.
        retries: How often a failure that can pass is tried again.
        timeout_minutes: Deadline of one attempt, in minutes.
        estimate_minutes: Expected duration, in minutes, for the plan only.
        ports: How many free loopback ports the track gets in ``PLAIT_PORTS``.
        checkpoint_minutes: How often what the agent has left in ``PLAIT_CONTEXT`` so far is saved, in minutes.
        migrations: Names of schema migrations the track adds, so that two heads are seen before they exist.
        criteria: Areas of ``success_criteria`` this track must meet; default: the area named like it, else all.
        contracts: Files of its work that describe interfaces: read after the merge, and compared.
        metadata: Labels for people.
        context_ref: Name of the track's file on export; default: derived from its task_id.
        status: Read in documents that are used as specs; a run starts from what the store holds.
        started_at: When a recorded track began, for the times of a replay.
    """

    task_id: Identifier
    agent: str = Field(min_length=1)
    scope: str = ""
    needs: tuple[Identifier, ...] = ()
    owns: tuple[RelativePath, ...] = ()
    required: bool = True
    retries: int = Field(default=0, ge=0, le=20)
    timeout_minutes: Number = Field(default=60, gt=0, le=60 * 24 * 7)
    estimate_minutes: Number | None = Field(default=None, ge=0, le=60 * 24 * 365)
    checkpoint_minutes: Number = Field(default=30, gt=0, le=60 * 24 * 365)
    ports: int = Field(default=0, ge=0, le=64)
    migrations: tuple[str, ...] = ()
    criteria: tuple[str, ...] | None = None
    contracts: TrackContracts | None = None
    metadata: Metadata | None = None

    context_ref: RelativePath | None = None
    status: str | None = None
    started_at: Instant | None = None


class Criterion(Closed):
    """A success criterion with the check that decides it.

    One without a ``check``, or written as a text alone, is decided by nothing: it stays unverified. It is required all
    the same unless it says ``required: false``, so the run ends as ``verification-incomplete`` (exit code 1) until a
    person waives it: ``plait edit ID waive CRITERION --by NAME --why TEXT``.

    Attributes:
        id: Name for waivers; default: derived from area and position.
        text: The criterion in words.
        check: The check whose result decides.
        metric: Dotted path into the check's result, compared with ``target``; none: the check must pass.
        target: Comparison and value, such as ``>= 90`` or ``< 100``.
        required: Whether the workflow needs it to be done.
    """

    id: Identifier | None = None
    text: str = Field(min_length=1)
    check: Identifier | None = None
    metric: str | None = None
    target: str | None = None
    required: bool = True


class Verification(Closed):
    """The commands that give evidence, run by plait on the integrated tree.

    Attributes:
        checks: Run in order; those marked ``parallel`` side by side.
        setup: Argument lists run once in the tree before the checks.
    """

    checks: tuple[Check, ...] = ()
    setup: tuple[tuple[str, ...], ...] = ()


class Spec(Closed):
    """A whole spec. The head fields of a context document are optional here and get their usual values.

    Attributes:
        workflow_id: Name of the workflow; what is stored under it is gone on with.
        feature_spec: What is to be built.
        parallel_tasks: The tracks.
        version: Format version; a newer major version is refused.
        timestamp: When the spec was written.
        current_agent: Who wrote it.
        next_agent: Who is next.
        phase: Where the workflow stands.
        context_summary: The workflow in at most 500 characters.
        metadata: Labels for people.
        shared_constraints: What every track must keep to; given to every agent.
        integration_requirements: What must hold once all is merged; given to every agent.
        constraints: What may be decided, by topic; a decision against one is a warning.
        audit: What the audit of a run looks at.
        success_criteria: Criteria by area, as texts or with the check that decides; a text alone stays unverified, is
            required all the same, and so ends the run as ``verification-incomplete`` (exit code 1).
        repository: The git repository; none: tracks work in plain folders, and no branch is made.
        agents: What really runs, by role.
        groups: Tracks merged first among themselves.
        verification: The commands that give evidence.
        deployment: What happens to verified work.
        budget: What the workflow may cost.
        policy: What happens when tracks fail.
        max_parallel: How many tracks run at a time.
        secrets: What happens when a secret value is about to be saved: it is replaced, or the save is an error. What
            only its name makes a secret is replaced in documents and logs either way.
    """

    workflow_id: str = Field(min_length=1, max_length=80)
    feature_spec: FeatureSpec = Field(default_factory=FeatureSpec)
    parallel_tasks: tuple[Track, ...] = Field(min_length=1)

    version: str = FORMAT_VERSION
    timestamp: Instant | None = None
    current_agent: str = "orchestrator"
    next_agent: str | None = None
    phase: str = "parallel-execution"
    context_summary: str | None = Field(default=None, max_length=SUMMARY_LIMIT)
    metadata: Metadata | None = None
    shared_constraints: tuple[Any, ...] = ()
    integration_requirements: tuple[Any, ...] = ()
    success_criteria: dict[str, tuple[str | Criterion, ...]] = {}
    constraints: tuple[Constraint, ...] = ()
    audit: Audit = Field(default_factory=Audit)

    repository: Repository | None = None
    agents: dict[str, Agent] = {}
    groups: tuple[Group, ...] = ()
    verification: Verification = Field(default_factory=Verification)
    deployment: Deployment | None = None
    budget: Budget = Field(default_factory=Budget)
    policy: Policy = Field(default_factory=Policy)
    max_parallel: int = Field(default=5, ge=1, le=256)
    secrets: Literal["redact", "refuse"] = "redact"

    @field_validator("parallel_tasks")
    @classmethod
    def _tracks_are_distinct(cls, tracks: tuple[Track, ...]) -> tuple[Track, ...]:
        twice = [task_id for task_id, count in Counter(track.task_id for track in tracks).items() if count > 1]
        if twice:
            raise ValueError(f"task_id {twice[0]!r} is given to more than one track; every track needs its own")
        known = {track.task_id for track in tracks}
        for track in tracks:
            for need in track.needs:
                if need not in known:
                    raise ValueError(f"track {track.task_id!r} needs {need!r}, which no track is called")
        return tracks

    @model_validator(mode="after")
    def _names_resolve(self) -> Self:
        checks = [check.id for check in self.verification.checks]
        twice = [name for name, count in Counter(checks).items() if count > 1]
        if twice:
            raise ValueError(f"check id {twice[0]!r} is used twice in verification.checks")
        for area, criteria in self.success_criteria.items():
            for criterion in criteria:
                if isinstance(criterion, Criterion) and criterion.check and criterion.check not in checks:
                    raise ValueError(
                        f"criterion {criterion.text!r} in {area!r} names check {criterion.check!r}, "
                        "which verification.checks does not have"
                    )
        for track in self.parallel_tasks:
            for area in track.criteria or ():
                if area not in self.success_criteria:
                    raise ValueError(f"track {track.task_id!r} names criteria area {area!r}, which does not exist")
        self._deployment_resolves(checks)
        return self

    def _deployment_resolves(self, checks: list[str]) -> None:
        if self.deployment is None:
            return
        own = [check.id for check in self.deployment.checks]
        known = [*checks, *own]
        twice = next((name for name in own if known.count(name) > 1), None)
        if twice:
            raise ValueError(f"check id {twice!r} of deployment.checks is used twice; give each check its own")
        staging, production = self.deployment.staging, self.deployment.production
        for name in staging.checks if staging else ():
            if name not in known:
                raise ValueError(
                    f"deployment.staging names check {name!r}, which neither verification.checks nor "
                    "deployment.checks has"
                )
        criteria = {
            (one.id if isinstance(one, Criterion) else None) or f"{area}.{index + 1}"
            for area, given in self.success_criteria.items()
            for index, one in enumerate(given)
        }
        # A check of staging that is not run there gives no evidence, so nothing may rest on it.
        proven = {*checks, *(staging.checks if staging else ())}
        for one in production.prerequisites if production else ():
            if one.check and one.check not in proven:
                raise ValueError(f"prerequisite {one.id!r} names check {one.check!r}, which is not run")
            if one.criterion and one.criterion not in criteria:
                there = ", ".join(sorted(criteria))
                raise ValueError(f"prerequisite {one.id!r} names criterion {one.criterion!r}; there are {there}")

    def track(self, task_id: str) -> Track:
        """Return the track of that name.

        Raises:
            KeyError: No track is called so.
        """
        return next(track for track in self.parallel_tasks if track.task_id == task_id)
