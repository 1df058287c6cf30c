"""Going on with a stored workflow: whether the programs of what is to run are at hand, before anything is written.

What is finished needs no program. So this looks first at what the spec's commands name, and only where something is
not at hand at what the run would do: which tracks it would run, which checks, which deployment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from contexts.documents.context import Context
from contexts.documents.verification import Evidence
from contexts.errors import SpecError
from contexts.plan.reuse import Reuse
from contexts.spec.checks import Check
from contexts.spec.load import LoadedSpec, check_agents
from contexts.spec.model import Spec
from contexts.spec.policy import CommandAgent
from contexts.spec.programs import Command, Programs, check_commands, commands_of, setup_commands
from contexts.spec.request import RunRequest
from contexts.store.contexts import CONTEXT, ContextStore
from contexts.verification.deployment_gate import assess_gate, last_attempt, subjects_of
from contexts.verification.verdict import PAST_VERIFICATION
from tasks.agents.replay import Recording
from tasks.run.base_commit import kept_base
from tasks.run.reuse import plan_reuse

Purpose = Literal["build", "check"]
"""What a run is for: the whole road, or its checks alone."""


def refuse_without_programs(
    request: RunRequest,
    loaded: LoadedSpec,
    store: ContextStore,
    workflow_id: str,
    recordings: dict[str, Recording],
    purpose: Purpose,
) -> None:
    """Make sure that what a run of a stored workflow would start is at hand.

    Raises:
        SpecError: Something would be run whose program is not here, or a role that must work has no agent.
    """
    programs = loaded.programs
    if programs is None:
        return
    lacking = {command: lack for command in commands_of(loaded.spec) if (lack := programs.lacking(command))}
    if purpose == "check":
        names = [check.id for check in loaded.spec.verification.checks]
        _refuse(workflow_id, programs, lacking, [("", one) for one in check_commands(loaded.spec, names)])
        return
    if not lacking and _agents_are_there(loaded, recordings):
        return
    ahead = _Ahead(request, loaded, store, workflow_id, recordings)
    done = {one.task_id for one in ahead.tracks if one.action == "reuse"}
    _refuse(workflow_id, programs, lacking, [*ahead.commands()])
    check_agents(loaded.spec, folder=loaded.folder, replayed=recordings.keys() | done)


def refuse_without_programs_of(
    spec: Spec, loaded: LoadedSpec, workflow_id: str, task_id: str, recordings: Mapping[str, Recording]
) -> None:
    """Make sure that what one track of a stored workflow would start is at hand.

    Raises:
        SpecError: Its agent's program is not here, or one that prepares its workspace.
    """
    agent = spec.agents.get(spec.track(task_id).agent)
    if loaded.programs is None or task_id in recordings or not isinstance(agent, CommandAgent):
        return
    wanted = [*setup_commands(spec), Command(f"agents.{spec.track(task_id).agent}", agent.argv)]
    lacking = {command: lack for command in wanted if (lack := loaded.programs.lacking(command))}
    _refuse(workflow_id, loaded.programs, lacking, [(f"track {task_id}", one) for one in wanted])


def _agents_are_there(loaded: LoadedSpec, recordings: dict[str, Recording]) -> bool:
    try:
        check_agents(loaded.spec, folder=loaded.folder, replayed=recordings)
    except SpecError:
        return False
    return True


def _refuse(
    workflow_id: str, programs: Programs, lacking: dict[Command, str], wanted: Sequence[tuple[str, Command]]
) -> None:
    for why, command in wanted:
        if command not in lacking:
            continue
        where = f" in {programs.folder}" if programs.how == "named" else ""
        raise SpecError(
            f"{workflow_id} cannot go on here: {command.place} is to run{f' ({why})' if why else ''}, and "
            f"{lacking[command]}{where if '{spec_dir}' in lacking[command] else ''}; "
            "name the spec's folder with --spec-dir FOLDER (a deployed run: spec_dir), or run it with its spec file",
            name=workflow_id,
            place=command.place,
        )


class _Ahead:
    """What a run would do, from the store alone."""

    def __init__(
        self,
        request: RunRequest,
        loaded: LoadedSpec,
        store: ContextStore,
        workflow_id: str,
        recordings: dict[str, Recording],
    ) -> None:
        self.loaded = loaded
        self.spec = loaded.spec
        self.store = store
        self.workflow_id = workflow_id
        self.recordings = recordings
        self.newest = store.require(workflow_id).context
        wanted = self.spec.repository
        pinned = wanted is None or kept_base(self.newest.run, wanted, fresh=request.fresh)
        if request.fresh or not pinned:
            why = "you asked for it" if request.fresh else "its base is pinned anew"
            self.tracks = tuple(Reuse(track.task_id, "run", why) for track in self.spec.parallel_tasks)
        else:
            self.tracks = plan_reuse(loaded, store, workflow_id, forced=frozenset(request.rerun))

    def commands(self) -> Iterator[tuple[str, Command]]:
        """Yield what would be run, each with the reason where there is one to tell."""
        running = [one for one in self.tracks if one.action == "run"]
        working = [one for one in running if one.task_id not in self.recordings]
        if working:
            yield from ((f"track {working[0].task_id} is to run", one) for one in setup_commands(self.spec))
        for one in working:
            role = self.spec.track(one.task_id).agent
            agent = self.spec.agents.get(role)
            if isinstance(agent, CommandAgent):
                yield f"track {one.task_id}: {one.reason}", Command(f"agents.{role}", agent.argv)
        checks = [check.id for check in self.spec.verification.checks]
        again = checks if running else [name for name in checks if not self._has_passed(name)]
        yield from (("", one) for one in check_commands(self.spec, again))
        yield from (("", one) for one in self._deployment(anew=bool(running or again)))

    def _has_passed(self, name: str) -> bool:
        check = next(one for one in self.spec.verification.checks if one.id == name)
        return self._proven(check, self.newest.evidence or ())

    def _proven(self, check: Check, before: Sequence[Evidence]) -> bool:
        """Say whether a check's earlier pass would be taken over."""
        from tasks.run.evidence import earlier_pass, inputs_at, subject_of  # noqa: PLC0415 it imports the run, which asks

        merged = self._merged()
        start = merged.run and (merged.run.start or merged.run.base) if merged else None
        if merged is None or not start:
            return False
        subject = subject_of(merged)
        inputs = inputs_at(self.spec, check, subject, folder=self.loaded.folder, known=self.loaded.known, base=start)
        return earlier_pass(check, inputs, before) is not None

    def _merged(self) -> Context | None:
        """Return the newest context with an integrated tree; None where there is none."""
        for number in reversed(self.store.revisions(self.workflow_id, CONTEXT).get(CONTEXT, ())):
            context = self.store.load_revision(self.workflow_id, CONTEXT, number).context
            if context.run and context.run.tree:
                return context
        return None

    def _deployment(self, *, anew: bool) -> Iterator[Command]:
        """Yield the deployment's commands that would be run; with ``anew`` there may be another tree to deploy."""
        deployment, merged = self.spec.deployment, self._merged()
        record = merged.run if merged else None
        if deployment is None or not (anew or (record and record.status in PAST_VERIFICATION)):
            return
        tree = record.tree if record else None
        subjects = subjects_of(self.spec, tree, folder=self.loaded.folder, known=self.loaded.known) if tree else {}
        staging = deployment.staging
        if staging:
            attempt = last_attempt(self.newest, "staging", subjects.get("staging", ""))
            if anew or attempt is None or attempt.status != "done":
                yield Command("deployment.staging", staging.argv)
                yield from check_commands(self.spec, staging.checks)
            else:
                url = {"PLAIT_STAGING_URL": attempt.url} if attempt.url else {}
                for check in (*self.spec.verification.checks, *deployment.checks):
                    given = check.model_copy(update={"env": {**check.env, **url}})
                    if check.id in staging.checks and not self._proven(given, attempt.checks or ()):
                        yield from check_commands(self.spec, [check.id])
        if deployment.production and tree and assess_gate(self.spec, self.newest, subjects).action == "deploy":
            yield Command("deployment.production", deployment.production.argv or ())
