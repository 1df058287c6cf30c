"""A track's workspace from start to commit: prepared before the agent, taken over after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from contexts.documents.context import Context
from contexts.documents.records import Execution, Refused
from contexts.documents.refs import BlobRef
from contexts.errors import ChecksumMismatch, NotFound, RepositoryError, SecretRefused
from contexts.failpoints import failpoint
from contexts.redaction import find_secrets, redact_text
from contexts.spec.load import resolve_argv
from contexts.spec.model import Track
from contexts.spec.policy import Repository
from contexts.store.contexts import ContextStore
from tasks.filesystem import remove_folder
from tasks.git.paths import SECRET_NAME, readable
from tasks.git.snapshot import Staged
from tasks.run.track_runtime import TrackRuntime
from tasks.sandbox.clean_log import clean_log
from tasks.sandbox.environment import agent_environment
from tasks.sandbox.outcome import last_line
from tasks.sandbox.supervisor import run_supervised

MOST_REFUSED = 1000
"""Paths left out that a document names; a track can plant millions."""


@dataclass(frozen=True, slots=True)
class Started:
    """A workspace that is ready, or why it is not.

    Attributes:
        folder: Where the agent works.
        start: The commit it starts from.
        failure: Why the agent cannot start; empty when it can.
    """

    folder: Path
    start: str
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """What git says a track produced.

    Attributes:
        files: Paths changed against the start commit.
        secrets: Places (``path:line``) where a secret value was redacted, with its kind.
        guesses: Places where a value has the name of a secret, which were left as they are.
    """

    start: str
    commit: str
    tree: str
    files: tuple[str, ...]
    refused: tuple[Refused, ...]
    secrets: tuple[tuple[str, str], ...]
    guesses: tuple[tuple[str, str], ...]
    bundle: BlobRef | None

    def recorded_in(self, execution: Execution) -> Execution:
        """Return an execution record that tells of it."""
        refused = list(self.refused[:MOST_REFUSED])
        told = execution.changed(start=self.start, commit=self.commit, tree=self.tree)
        told = told.changed(bundle=self.bundle) if self.bundle else told
        return told.changed(refused=refused) if refused else told


def restore_commit(run: TrackRuntime, task_id: str, commit: str | None, bundle: BlobRef | None) -> str | None:
    """Return the commit of a track's work, fetched from its bundle where this machine lacks it.

    None for a track that worked on no files.

    Raises:
        RepositoryError: The bundle is lost or damaged.
    """
    if commit is None or run.repository.git.commit_of(commit):
        return commit
    if bundle:
        try:
            body = run.store.get_blob(run.workflow_id, bundle)
        except (NotFound, ChecksumMismatch) as error:
            raise RepositoryError(
                f"the files of track {task_id} are lost ({error.message}); restore the store from a backup, or make "
                f"them again with `plait resume {run.workflow_id} --rerun {task_id}`",
                name=task_id,
            ) from error
        run.repository.unbundle(body)
    return commit


def start_workspace(run: TrackRuntime, track: Track, needed: Mapping[str, Context]) -> Started:
    """Return a fresh workspace at the commit that integrates the base and all prerequisites, in spec order."""
    made = {name: one.execution for name, one in needed.items() if one.execution}
    commits = [(name, restore_commit(run, name, one.commit, one.bundle)) for name, one in made.items()]
    branches = [(name, commit) for name, commit in commits if commit]
    start = run.base
    failure = ""
    if branches:
        joined = run.repository.start_commit(run.base, branches)
        start = joined.commit
        if joined.conflicts:
            conflict = joined.conflicts[0]
            failure = (
                f"its prerequisites {conflict.task_id} and {', '.join(conflict.against)} conflict in "
                f"{', '.join(conflict.files[:5])}; settle that first"
            )
    folder = run.repository.create_workspace(track.task_id, start, as_repository=run.has_repository)
    started = Started(folder, start, failure)
    return started if failure else _set_up(run, track, started)


def _set_up(run: TrackRuntime, track: Track, started: Started) -> Started:
    exchange = run.exchange(track.task_id)
    repository = run.spec.repository or Repository()
    for argv in repository.setup:
        log = exchange / "setup.log"
        remove_folder(log)  # an earlier attempt may have left a link, a pipe or a folder there
        outcome = run_supervised(
            resolve_argv(argv, folder=run.folder),
            cwd=started.folder,
            env=agent_environment(exchange / "home"),
            log=log,
            deadline=float(repository.setup_minutes) * 60,
            cancel=run.cancel,
        )
        clean_log(log)
        if outcome.exit_code != 0:
            failure = f"repository.setup {' '.join(argv)}: {outcome.message} {last_line(log)}"
            return Started(started.folder, started.start, failure.rstrip())
    return started


def collect(run: TrackRuntime, track: Track, place: Started, gathering: ContextStore) -> Work:
    """Commit what the agent left in its workspace, without its secrets, and gather the commits as a bundle.

    Args:
        run: The run.
        track: The track.
        place: Its workspace.
        gathering: Where the bundle is put.

    Raises:
        SecretRefused: The spec refuses secret values, and a file holds one.
    """
    found: list[tuple[str, str]] = []
    guessed: list[tuple[str, str]] = []

    def inspect(staged: Staged) -> None:
        by_path: dict[str, list[tuple[int, str]]] = {}
        for path, line, text in staged.added_lines():
            by_path.setdefault(path, []).append((line, text))
        for path, lines in by_path.items():
            hits = redact_text("\n".join(text for _, text in lines)).hits
            for hit in hits:
                where = (f"{readable(path)}:{lines[hit.line - 1][0]}", hit.kind)
                (found if hit.certain else guessed).append(where)
            if not any(hit.certain for hit in hits):
                continue
            if run.spec.secrets == "refuse":
                raise SecretRefused(f"{found[0][0]} holds a secret value ({found[0][1]}); pass secrets by reference")
            staged.replace(path, _without_new(staged.before(path), staged.read(path)))
        if run.spec.secrets == "refuse" and any(one.why == SECRET_NAME for one in staged.refused):
            raise SecretRefused("a file's name holds a secret value; pass secrets by reference")

    snapshot = run.repository.snapshot(
        track.task_id, place.folder, place.start, _message(run, track), datetime.now(UTC), inspect=inspect
    )
    failpoint("track.committed")
    bundle = None
    if snapshot.commit != place.start:
        body = run.repository.bundle(run.base, snapshot.commit)
        bundle = gathering.put_blob(run.workflow_id, body, "application/x-git-bundle")
        failpoint("track.bundle-saved")
    return Work(
        start=place.start,
        commit=snapshot.commit,
        tree=snapshot.tree,
        files=snapshot.files,
        refused=tuple(Refused(path=one.path, why=one.why) for one in snapshot.refused),
        secrets=tuple(found),
        guesses=tuple(guessed),
        bundle=bundle,
    )


def _without_new(before: bytes, after: bytes) -> bytes:
    """Return a file without the secret values that were not in it before: those are the user's own."""
    text = after.decode("utf-8", "surrogateescape")
    old = before.decode("utf-8", "surrogateescape")
    parts: list[str] = []
    position = 0
    for start, end, kind, _ in find_secrets(text, guesses=False):
        if text[start:end] in old:
            continue
        parts += (text[position:start], f"[redacted:{kind}]")
        position = end
    return "".join((*parts, text[position:])).encode("utf-8", "surrogateescape")


def _message(run: TrackRuntime, track: Track) -> str:
    scope = redact_text(track.scope, guesses=False).text
    title = scope.strip().split("\n")[0][:60] or track.task_id
    return f"{track.task_id}: {title}\n\nWorkflow: {run.workflow_id}\nAgent: {track.agent}\n"
