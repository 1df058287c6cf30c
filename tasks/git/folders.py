"""Fill the folders agents and checks work in with a commit's files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from contexts.errors import RepositoryError
from tasks.git.trusted_git import EMPTY_TREES, TrustedGit, create_git_dir


def fill_folder(git: TrustedGit, commit: str, folder: Path, *, branch: str | None = None, as_repository: bool) -> None:
    """Write a commit's files into an empty folder.

    With ``as_repository`` the folder gets a ``.git`` of its own, made by plait and shared with nobody, so that whatever
    is planted there reaches no other track. It borrows the orchestrator's objects and is never read back.

    Args:
        git: The orchestrator's git.
        commit: What to write.
        folder: A folder that is missing or empty.
        branch: Branch to be on; None for a detached HEAD.
        as_repository: Whether to make a ``.git``.

    Raises:
        RepositoryError: The folder holds something.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise RepositoryError(f"{folder} is not empty; remove it or name another folder", path=str(folder))
    if not as_repository and git.tree_of(commit) in EMPTY_TREES:
        return
    index = git.room() / f"fill-{os.getpid()}-{os.urandom(8).hex()}"
    try:
        git.run("read-tree", "--reset", "-u", commit, work_tree=folder, index=index)
        if as_repository:
            _make_repository(git, commit, folder / ".git", branch)
            shutil.copyfile(index, folder / ".git" / "index")
    finally:
        index.unlink(missing_ok=True)


def _make_repository(git: TrustedGit, commit: str, git_dir: Path, branch: str | None) -> None:
    create_git_dir(git_dir, bare=False, object_format=git.text("rev-parse", "--show-object-format"))
    (git_dir / "objects" / "info").mkdir(exist_ok=True)
    (git_dir / "objects" / "info" / "alternates").write_text(f"{git.git_dir / 'objects'}\n")
    if (git.git_dir / "shallow").exists():
        shutil.copyfile(git.git_dir / "shallow", git_dir / "shallow")
    if branch is None:
        (git_dir / "HEAD").write_text(f"{commit}\n")
        return
    ref = git_dir / "refs" / "heads" / branch
    ref.parent.mkdir(parents=True, exist_ok=True)
    ref.write_text(f"{commit}\n")
    (git_dir / "HEAD").write_text(f"ref: refs/heads/{branch}\n")
