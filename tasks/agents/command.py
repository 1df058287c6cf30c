"""The `command` backend: a program of the user's, run in the sandbox."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import orjson

from contexts.errors import DocumentError
from contexts.spec.load import resolve_argv
from contexts.spec.policy import CommandAgent
from tasks.agents.backend import Delivery, Job
from tasks.agents.left import read_left
from tasks.filesystem import remove_folder
from tasks.sandbox.environment import agent_environment, split_environment
from tasks.sandbox.outcome import last_line
from tasks.sandbox.supervisor import Outcome, run_supervised


@dataclass(frozen=True, slots=True)
class CommandBackend:
    """Runs ``argv`` in the workspace; ``PLAIT_ASSIGNMENT`` and ``PLAIT_CONTEXT`` name the two files it must know."""

    agent: CommandAgent
    folder: Path
    name: str = "command"
    works: bool = True

    def run(self, job: Job) -> Delivery:
        """Run the program and read what it left; a failure says what happened and whether it can pass."""
        assignment, left = job.exchange / "assignment.json", job.exchange / "context.json"
        for path in (assignment, left, job.log):
            remove_folder(path)  # an earlier attempt may have left a link, a pipe or a folder there
        assignment.write_bytes(orjson.dumps(job.assignment.model_dump(mode="json"), option=orjson.OPT_INDENT_2))
        passed, extra = split_environment(self.agent.env)
        environment = agent_environment(
            job.exchange / "home",
            passed=passed,
            extra={
                **extra,
                "PLAIT_ASSIGNMENT": str(assignment),
                "PLAIT_CONTEXT": str(left),
                "PLAIT_PORTS": " ".join(str(port) for port in job.assignment.ports),
                "PLAIT_WORKFLOW_ID": job.assignment.workflow_id,
                "PLAIT_TASK_ID": job.assignment.task_id,
            },
        )
        outcome = run_supervised(
            resolve_argv(self.agent.argv, folder=self.folder),
            cwd=job.workspace,
            env=environment,
            log=job.log,
            deadline=job.deadline,
            cancel=job.cancel,
            on_line=job.on_line,
        )
        return self._judge(outcome, left, job)

    def _judge(self, outcome: Outcome, left: Path, job: Job) -> Delivery:
        if outcome.reason == "cancelled":
            return Delivery(None, "the run was stopped", cancelled=True, exit_code=outcome.exit_code)
        if outcome.reason == "deadline":
            minutes = (job.deadline or 0) / 60
            unit = "minute" if minutes == 1 else "minutes"
            return Delivery(None, f"not done at its deadline of {minutes:g} {unit}", retryable=True)
        if outcome.reason in {"not-started", "lost"}:
            return Delivery(None, outcome.message)
        if outcome.exit_code != 0:
            retryable = outcome.exit_code in self.agent.retryable_exit_codes
            how = f"exit code {outcome.exit_code}" if outcome.exit_code is not None else f"signal {outcome.signal}"
            last = last_line(job.log)
            reason = f"the program ended with {how}" + (f": {last}" if last else "")
            return Delivery(None, reason, retryable, exit_code=outcome.exit_code)
        try:
            found = read_left(left)
        except DocumentError as error:
            return Delivery(None, error.message, exit_code=0, untold=True)
        return Delivery(found.document, exit_code=0, claims=found.claims, odd=found.odd)
