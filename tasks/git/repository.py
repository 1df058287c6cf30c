"""One workflow's repository folder: the orchestrator's git dir, and a private workspace for every track.

root/trusted.git            only the orchestrator's; what is committed, merged and delivered lives here
root/tracks/ID/work         a track's workspace, with a .git of its own that no other track shares
root/tracks/ID/work-left-N  an earlier try whose work was never taken over
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from contexts.errors import BadIdentifier, RepositoryError
from contexts.identifiers import check_id
from tasks.filesystem import remove_folder, set_aside
from tasks.git.bundles import bundle, unbundle
from tasks.git.folders import fill_folder
from tasks.git.integration import Integration, integrate
from tasks.git.snapshot import Snapshot, Staged, added_lines, changed_paths
from tasks.git.trusted_git import TrustedGit, create_git_dir
from tasks.git.user_repository import UserRepository, deliver, names_of, no_base

_REFSPECS = tuple(f"+refs/{kind}/*:refs/source/{kind}/*" for kind in ("heads", "tags", "remotes"))


@dataclass(frozen=True, slots=True)
class Workspace:
    """One track's folder as `Repository.workspaces` lists it.

    Attributes:
        task_id: The track.
        path: The folder.
        start: Commit it was made from, None for one set aside.
        uncommitted: It holds work that no snapshot took over; always so for one set aside.
    """

    task_id: str
    path: Path
    start: str | None
    uncommitted: bool


@contextmanager
def _lock(root: Path) -> Generator[None]:
    descriptor = os.open(root / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class Repository:
    """All git work of one workflow; make one with `prepare`."""

    def __init__(self, root: Path, user: UserRepository) -> None:
        self.root = root.resolve()
        self.user = user
        self.git = TrustedGit(self.root / "trusted.git")

    @classmethod
    def prepare(cls, root: Path, where: str) -> Self:
        """Make or open a workflow's repository folder and fetch the user's branches and tags into it.

        Objects are copied: neither hard links nor alternates tie the folder to the user's repository.

        Args:
            root: Folder of plait's own; two processes may prepare it at the same time.
            where: The user's repository, a path or URL.

        Raises:
            RepositoryError: It is no repository, or cannot be reached.
        """
        repository = cls(root, UserRepository(where))
        repository.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        with repository.locked():
            if not repository._is_prepared():
                repository._make()
            else:
                try:
                    repository.fetch()
                except RepositoryError:
                    if not repository.git.is_damaged() or not repository.user.answers():
                        raise
                    repository._make()
        return repository

    def _is_prepared(self) -> bool:
        return (self.git.git_dir / "plait" / "prepared").exists() and self.git.is_whole()

    def _make(self) -> None:
        remove_folder(self.git.git_dir)  # an attempt that was interrupted, or what is left after damage
        create_git_dir(self.git.git_dir, bare=True, object_format=self.user.object_format)
        (self.git.git_dir / "plait").mkdir()
        self.fetch()
        (self.git.git_dir / "plait" / "prepared").touch()

    @classmethod
    def prepare_empty(cls, root: Path) -> Self:
        """Make or open a workflow's folder that starts from nothing, for a spec without a repository."""
        empty = root.absolute() / "empty.git"
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _lock(root):
            main = empty / "refs" / "heads" / "main"
            if not main.exists() or TrustedGit(empty).commit_of("refs/heads/main") is None:
                remove_folder(empty)  # an attempt that was interrupted
                git = create_git_dir(empty, bare=True)
                tree = git.run("hash-object", "-w", "-t", "tree", "--stdin", stdin=b"").decode().strip()
                when = datetime(2000, 1, 1, tzinfo=UTC)
                commit = git.run("commit-tree", tree, stdin=b"Nothing yet\n", when=when).decode().strip()
                (empty / "HEAD").write_text("ref: refs/heads/main\n")
                git.run("update-ref", "refs/heads/main", commit)
        return cls.prepare(root, str(empty))

    def locked(self) -> AbstractContextManager[None]:
        """Hold the folder's lock against other processes and threads."""
        return _lock(self.root)

    def fetch(self, *wanted: str) -> None:
        """Fetch the user's branches and tags, or the refspecs named."""
        url = self.user.url
        options = (
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-maintenance",
            "--no-recurse-submodules",
            "--update-shallow",
        )
        if wanted:
            self.git.run("fetch", *options, "--", url, *wanted, as_user=True)
            return
        listed = self.git.text("ls-remote", "--", url, "HEAD", as_user=True)
        head = ("+HEAD:refs/source/HEAD",) if listed else ()
        self.git.run("fetch", *options, "--prune", "--", url, *_REFSPECS, *head, as_user=True)

    def pin(self, base: str) -> str:
        """Return the full id of the commit a base names: branch, tag, remote branch or id, also with ``~`` or ``^``.

        Raises:
            RepositoryError: The user's repository has no such commit.
        """
        for candidate in names_of(base, "refs/source"):
            if found := self.git.commit_of(candidate):
                return found
        if re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", base):  # and nothing after it: git is given it as it stands
            return self._fetch_commit(base)
        if not self.git.run("for-each-ref", "--count=1", "refs/source"):
            raise RepositoryError(f"{self.user.url} has no commit yet; commit something there first", commit=base)
        raise no_base(self.user.url, base)

    def _fetch_commit(self, commit: str) -> str:
        """Ask the user's repository for a commit that none of its branches holds any more."""
        try:
            self.fetch(f"{commit}:refs/source/commits/{commit}")
        except RepositoryError as error:
            raise RepositoryError(
                f"commit {commit} is not in {self.user.url}; give a repository that contains it with --repository",
                commit=commit,
            ) from error
        return commit

    def dirty(self, globs: Sequence[str]) -> tuple[str, ...]:
        """Return paths with uncommitted changes in the user's repository that one of the globs owns."""
        return self.user.dirty(tuple(globs))

    def create_workspace(self, task_id: str, commit: str, *, as_repository: bool = True) -> Path:
        """Return a fresh workspace at a commit; one with work nobody took over is set aside as ``work-left-N``."""
        folder = self._folder(task_id)
        if self._holds_uncommitted(task_id):
            set_aside(folder)
        remove_folder(folder)
        self._note(task_id, "seen").unlink(missing_ok=True)
        start = self.git.commit_of(commit)
        if start is None:
            raise RepositoryError(
                f"commit {commit} is not in {self.git.git_dir}; restore its bundle first", commit=commit
            )
        fill_folder(self.git, start, folder, branch=f"plait/{task_id}", as_repository=as_repository)
        self._write_note(task_id, "start", start)
        return folder

    def stage(self, workspace: Path, start: str) -> Staged:
        """Hash a workspace's content, to be looked at and then committed (see `Staged`)."""
        self._refuse_links(workspace)
        return Staged(self.git, workspace, start)

    def snapshot(
        self,
        task_id: str,
        workspace: Path,
        start: str,
        message: str,
        when: datetime,
        *,
        inspect: Callable[[Staged], None] | None = None,
    ) -> Snapshot:
        """Commit what an agent left in its workspace, on top of ``start``.

        Args:
            task_id: The track.
            workspace: Its folder; nothing may be running in it.
            start: The commit it began from.
            message: The commit's message.
            when: The commit's date.
            inspect: Called with the staged content before it is committed: read `Staged.added_lines`, and
                `Staged.replace` what must not be kept; an exception means no commit.
        """
        with self.stage(workspace, start) as staged:
            seen = staged.tree
            if inspect is not None:
                inspect(staged)
            snapshot = staged.commit(message, when)
        if snapshot.commit != start:
            self.git.run("update-ref", f"refs/plait/tracks/{check_id(task_id, 'task_id')}", snapshot.commit)
        self._write_note(task_id, "seen", seen)
        return snapshot

    def diff_text(self, start: str, commit: str) -> Iterator[tuple[str, int, str]]:
        """Yield path, line number and text of every line a commit adds."""
        return added_lines(self.git, start, commit)

    def changed_paths(self, start: str, commit: str) -> tuple[str, ...]:
        """Return the paths that differ between two commits, sorted."""
        return changed_paths(self.git, start, commit)

    def tree(self, commit: str) -> str:
        """Return the full id of a commit's tree."""
        return self.git.tree_of(commit)

    def integrate(self, tip: str, branches: Sequence[tuple[str, str]], when: datetime | None = None) -> Integration:
        """Merge branches (task_id, commit) into a tip one after another (see `tasks.git.integration`)."""
        return integrate(self.git, tip, branches, when)

    def start_commit(self, base: str, prerequisites: Sequence[tuple[str, str]]) -> Integration:
        """Integrate a track's transitive prerequisites, in spec order, into the commit it starts from."""
        return integrate(self.git, base, prerequisites)

    def bundle(self, start: str, commit: str) -> bytes:
        """Return a track's commits as bytes (see `tasks.git.bundles`)."""
        return bundle(self.git, start, commit)

    def unbundle(self, data: bytes) -> str:
        """Take over a bundle and return its commit."""
        return unbundle(self.git, data)

    def checkout(self, commit: str, folder: Path, *, as_repository: bool = False) -> Path:
        """Write a commit's files into an empty folder for checks, with a throw-away ``.git`` for tools that want it."""
        fill_folder(self.git, commit, folder.absolute(), as_repository=as_repository)
        return folder

    def deliver(self, branch: str, commit: str, *, previous: str | None) -> str:
        """Put a branch into the user's repository; return the name really used (see `user_repository.deliver`)."""
        return deliver(self.git, self.user, branch, commit, previous=previous)

    def workspaces(self) -> tuple[Workspace, ...]:
        """List every track's workspace, and those that were set aside, by track."""
        found: list[Workspace] = []
        tracks = self.root / "tracks"
        for track in sorted(tracks.iterdir()) if tracks.is_dir() else ():
            if not _is_task_id(track.name) or track.is_symlink() or not track.is_dir():
                continue  # not plait's
            for folder in sorted(track.iterdir()):
                if folder.name == "work":
                    start = self._read_note(track.name, "start")
                    found.append(Workspace(track.name, folder, start, self._holds_uncommitted(track.name)))
                elif folder.name.startswith("work-left-"):
                    found.append(Workspace(track.name, folder, None, uncommitted=True))
        return tuple(found)

    def remove_workspace(self, task_id: str, *, keep_uncommitted: bool = True) -> bool:
        """Remove a track's workspace; return False where it was kept because nobody took over what it holds."""
        if keep_uncommitted and self._holds_uncommitted(task_id):
            return False
        remove_folder(self._folder(task_id))
        for kind in ("start", "seen"):
            self._note(task_id, kind).unlink(missing_ok=True)
        return True

    def _holds_uncommitted(self, task_id: str) -> bool:
        folder = self._folder(task_id)
        if folder.is_symlink():
            return True
        if not folder.is_dir():
            return False
        start = self._read_note(task_id, "start")
        if start is None or self.git.commit_of(start) is None:
            return any(folder.iterdir())
        with self.stage(folder, start) as staged:
            return bool(staged.refused) or staged.tree not in {self._read_note(task_id, "seen"), self.tree(start)}

    def _folder(self, task_id: str) -> Path:
        folder = self.root / "tracks" / check_id(task_id, "task_id") / "work"
        self._refuse_links(folder.parent)
        return folder

    def _refuse_links(self, folder: Path) -> None:
        """Refuse a folder on the way to which an agent put a link in a folder's place."""
        if folder.is_symlink() or (folder.is_relative_to(self.root) and folder.resolve() != folder):
            raise RepositoryError(
                f"{folder} was replaced by a link; remove the link and run the track again", path=str(folder)
            )

    def _note(self, task_id: str, kind: str) -> Path:
        # Beside the objects, not in the track's folder: an agent's folder says nothing that plait believes.
        return self.git.room() / f"{check_id(task_id, 'task_id')}.{kind}"

    def _write_note(self, task_id: str, kind: str, value: str) -> None:
        self._note(task_id, kind).write_text(value)

    def _read_note(self, task_id: str, kind: str) -> str | None:
        note = self._note(task_id, kind)
        return note.read_text() if note.exists() else None


def _is_task_id(name: str) -> bool:
    try:
        check_id(name, "task_id")
    except BadIdentifier:
        return False
    return True
