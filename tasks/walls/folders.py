"""Make, fill, set aside and remove the folders agents and checks work in."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from contexts.errors import RepositoryError
from tasks.walls.git import EMPTY_TREES, TrustedGit, create_git_dir


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


def remove_folder(folder: Path) -> None:
    """Remove a folder with all in it, also what an agent made read-only, or whatever stands there; follow no link."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        folder.unlink()
    elif folder.exists():
        folder.chmod(0o700)
        for parent, names, _ in os.walk(folder):
            for name in names:
                if not (path := Path(parent, name)).is_symlink():
                    path.chmod(0o700)  # before the walk descends into it
        shutil.rmtree(folder)


def set_aside(folder: Path) -> Path:
    """Rename a folder out of the way, to the first free ``NAME-left-N`` beside it, and return where it is now."""
    number = 1
    while (aside := folder.with_name(f"{folder.name}-left-{number}")).exists() or aside.is_symlink():
        number += 1
    folder.rename(aside)
    return aside
