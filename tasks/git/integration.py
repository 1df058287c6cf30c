"""Merge the tracks' branches one after another, in the object database alone; a conflicting one is left out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from contexts.errors import RepositoryError
from tasks.git.paths import readable
from tasks.git.snapshot import changed_paths
from tasks.git.trusted_git import TrustedGit, failure


@dataclass(frozen=True, slots=True)
class BranchConflict:
    """A branch that was left out.

    Attributes:
        task_id: Whose branch it is.
        files: Paths that could not be merged.
        against: Tracks already integrated that changed those files, in the order of integration.
    """

    task_id: str
    files: tuple[str, ...]
    against: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Integration:
    """What became of the branches.

    Attributes:
        commit: Full id of the new tip; the old one where nothing was added.
        tree: Full id of its tree.
        merged: Tracks whose work is in it.
        conflicts: Tracks whose work is not.
    """

    commit: str
    tree: str
    merged: tuple[str, ...]
    conflicts: tuple[BranchConflict, ...]


def integrate(
    git: TrustedGit, tip: str, branches: Sequence[tuple[str, str]], when: datetime | None = None
) -> Integration:
    """Merge branches into a tip, in the order given.

    Args:
        git: The orchestrator's git.
        tip: Commit to begin with.
        branches: task_id and commit of each.
        when: Date of the merge commits; None for the newest date of what each merges, so that the same branches give
            the same commit at any time on any machine.

    Raises:
        RepositoryError: A commit is not there.
    """
    commits = {commit: git.commit_of(commit) for commit in (tip, *(commit for _, commit in branches))}
    missing = [commit for commit, found in commits.items() if found is None]
    if missing:
        raise RepositoryError(
            f"commit {missing[0]} is not in {git.git_dir}; restore its bundle first", commit=missing[0]
        )
    touched: dict[str, frozenset[str]] = {}
    merged: list[tuple[str, str]] = []
    conflicts: list[BranchConflict] = []
    inside = {tip}
    for task_id, commit in branches:
        # What is in a tip is in all that follow: a thousand tracks that changed nothing cost git nothing.
        if commit in inside or _contains(git, tip, commit):
            inside.add(commit)
            merged.append((task_id, commit))
            continue
        tree, files = _merge_tree(git, tip, commit)
        if files:
            conflicts.append(BranchConflict(task_id, files, _against(git, commit, files, merged, touched)))
            continue
        if tree != git.tree_of(tip):
            new = _commit(git, tree, (tip, commit), f"Integrate {task_id}", when)
            touched[task_id] = frozenset(changed_paths(git, tip, new))
            tip = new
        inside.add(tip)
        merged.append((task_id, commit))
    return Integration(tip, git.tree_of(tip), tuple(task_id for task_id, _ in merged), tuple(conflicts))


def _contains(git: TrustedGit, tip: str, commit: str) -> bool:
    done = git.call("merge-base", "--is-ancestor", commit, tip)
    if done.returncode > 1:
        raise failure(("merge-base",), done.stderr)
    return done.returncode == 0


def _merge_tree(git: TrustedGit, ours: str, theirs: str) -> tuple[str, tuple[str, ...]]:
    """Return the merged tree and the paths in conflict; both commits are known to exist."""
    done = git.call("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs)
    words = [word for word in done.stdout.split(b"\0") if word]
    # A status of 1 without a tree is an error too: git 2.39 answers so for a bad ref.
    if done.returncode > 1 or not words:
        raise failure(("merge-tree",), done.stderr)
    files = tuple(sorted({readable(os.fsdecode(word)) for word in words[1:]}))
    if done.returncode == 1 and not files:
        raise failure(("merge-tree",), done.stderr or b"error: a conflict without a file")
    return words[0].decode(), files if done.returncode else ()


def _against(
    git: TrustedGit,
    commit: str,
    files: tuple[str, ...],
    merged: Sequence[tuple[str, str]],
    touched: dict[str, frozenset[str]],
) -> tuple[str, ...]:
    same = tuple(task_id for task_id, _ in merged if touched.get(task_id, frozenset()) & set(files))
    if same:
        return same
    # Renames and folders in a file's place conflict under names nobody touched: ask git pair by pair.
    return tuple(task_id for task_id, other in merged if _merge_tree(git, other, commit)[1])


def _commit(git: TrustedGit, tree: str, parents: tuple[str, ...], message: str, when: datetime | None) -> str:
    if when is None:
        dates = git.text("show", "-s", "--format=%ct", *parents).split()
        when = datetime.fromtimestamp(max(int(date) for date in dates), tz=UTC)
    named = [word for parent in parents for word in ("-p", parent)]
    return git.run("commit-tree", tree, *named, stdin=f"{message}\n".encode(), when=when).decode().strip()
