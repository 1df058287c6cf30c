"""The user's repository: read from it, deliver a branch to it, change nothing else in it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from contexts.errors import RepositoryError
from contexts.spec.repository_name import is_url, locate
from tasks.git.paths import matches_any, readable
from tasks.git.trusted_git import TrustedGit, list_remote


class UserRepository:
    """Where a workflow's code comes from, a folder of this machine or a URL.

    Args:
        where: Path or URL, as the spec says; a relative path starts from the current folder.

    Raises:
        RepositoryError: It is no git repository.
    """

    def __init__(self, where: str) -> None:
        self.url = locate(where, Path.cwd())
        self.work_tree: Path | None = None
        self.git_dir: Path | None = None
        self.object_format = "sha1"
        if is_url(self.url):
            return
        if not os.path.lexists(self.url):
            raise RepositoryError(
                f"there is no repository at {where!r}; give a folder that is one, or a URL", path=where
            )
        self._find(Path(self.url))

    def _find(self, folder: Path) -> None:
        names = ("--absolute-git-dir", "--is-bare-repository", "--show-object-format")
        if not folder.is_dir():  # git would follow a file that names a git dir elsewhere
            raise _no_repository(folder)
        git = folder / ".git"
        candidate = TrustedGit(git if git.exists() else folder, users_own=True)
        try:
            # A .git that is a file (linked worktree, submodule) leads to the git dir it names.
            words = candidate.text("rev-parse", *names).splitlines()
            common = candidate.text("rev-parse", "--path-format=absolute", "--git-common-dir")
        except (RepositoryError, NotADirectoryError) as error:
            if "dubious" in str(error):
                raise
            raise _no_repository(folder) from error
        self.url = str(folder)
        self.git_dir = Path(words[0])
        self.common_dir = Path(common)
        self.work_tree = folder if git.exists() else None
        self.object_format = words[2]

    def git(self) -> TrustedGit:
        """Return git on the user's repository, with the user's own configuration but none of its hooks.

        Raises:
            RepositoryError: The repository is a URL.
        """
        if self.git_dir is None:
            raise RepositoryError(f"{self.url} is not on this machine; give a folder with --repository")
        return TrustedGit(self.git_dir, users_own=True)

    def answers(self) -> bool:
        """Say whether the repository can be read at all."""
        try:
            list_remote(self.url)
        except RepositoryError:
            return False
        return True

    def check_base(self, base: str) -> None:
        """Make sure that a base is there, as far as that can be seen without fetching.

        Raises:
            RepositoryError: The repository cannot be read, has no commit yet, or has no such branch, tag or commit.
        """
        candidates = names_of(base, "refs")
        if self.git_dir is not None:
            git = self.git()
            found = any(git.commit_of(name) for name in candidates)
            empty = not found and not git.run("for-each-ref", "--count=1")
        else:
            refs = {line.partition("\t")[2] for line in list_remote(self.url).splitlines()}
            found = looks_like_id(base) or any(_split_revision(name)[0] in refs for name in candidates)
            empty = not refs
        if empty:
            raise RepositoryError(f"{self.url} has no commit yet; commit something there first", commit=base)
        if not found:
            raise no_base(self.url, base)

    def dirty(self, globs: tuple[str, ...]) -> tuple[str, ...]:
        """Return uncommitted paths (modified, staged, untracked) that a glob owns; none for a URL or bare one."""
        if self.work_tree is None:
            return ()
        return tuple(sorted({path for path in self._uncommitted() if matches_any(path, globs)}))

    def _uncommitted(self) -> Iterator[str]:
        listed = self.git().run(
            "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--ignore-submodules=dirty",
            work_tree=self.work_tree,
        )  # fmt: skip
        for entry in listed.split(b"\0"):
            if entry:
                yield readable(os.fsdecode(entry[3:]))

    def checked_out(self) -> frozenset[str]:
        """Return the branches that are checked out in any worktree; moving them would surprise who works there."""
        lines = self.git().text("worktree", "list", "--porcelain").splitlines()
        return frozenset(line.removeprefix("branch refs/heads/") for line in lines if line.startswith("branch "))

    def branch(self, name: str) -> str | None:
        """Return the commit a branch is at, None where there is none."""
        if self.git_dir is not None:
            return self.git().commit_of(f"refs/heads/{name}")
        return None


def _no_repository(folder: Path) -> RepositoryError:
    return RepositoryError(
        f"{folder} is not a git repository; give the top folder of one, or run git init and commit there",
        path=str(folder),
    )


def names_of(base: str, root: str) -> list[str]:
    """Return what a base may stand for, in order: branch, tag, remote branch, commit id, also with ``~`` or ``^``.

    Args:
        base: Name as the user gave it.
        root: Where the user's references are: ``refs`` in the user's repository itself.

    Raises:
        RepositoryError: It holds control characters.
    """
    if not base.isprintable():
        raise RepositoryError(f"{base!r} is no name of a branch, tag or commit; check repository.base", commit=base)
    name, suffix = _split_revision(base)
    if name in {"HEAD", ""}:
        return [f"HEAD{suffix}" if root == "refs" else f"{root}/HEAD{suffix}"]
    if name.startswith("refs/"):
        return [f"{root}/{name.removeprefix('refs/')}{suffix}"]
    named = [f"{root}/{kind}/{name}{suffix}" for kind in ("heads", "tags", "remotes")]
    return [*named, base] if looks_like_id(base) else named


def looks_like_id(base: str) -> bool:
    """Say whether a base may be a commit's id."""
    return re.fullmatch(r"[0-9a-f]{7,64}", _split_revision(base)[0]) is not None


def no_base(url: str, base: str) -> RepositoryError:
    """Return the error for a base the user's repository does not have."""
    return RepositoryError(f"{url} has no branch, tag or commit {base!r}; check repository.base", commit=base)


def _split_revision(base: str) -> tuple[str, str]:
    """Split ``main~2`` into ``main`` and ``~2``."""
    at = min((at for at in (base.find("~"), base.find("^")) if at >= 0), default=len(base))
    return base[:at], base[at:]


def deliver(trusted: TrustedGit, user: UserRepository, branch: str, commit: str, *, previous: str | None) -> str:
    """Put a branch into the user's repository, never over commits plait did not put there.

    Args:
        trusted: The orchestrator's git, which holds the commit.
        user: The user's repository.
        branch: Wanted name.
        commit: Full id.
        previous: What plait delivered last, None for nothing.

    Returns:
        The name really used: ``branch``, or ``branch-2``, ``-3`` where the earlier ones are elsewhere or checked out.
    """
    ref = f"refs/plait/deliver/{commit}"
    trusted.run("update-ref", ref, commit)
    if user.git_dir is None:
        return _push(trusted, user, branch, commit, previous)
    git = TrustedGit(user.common_dir, users_own=True)
    git.run(
        "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules",
        "--update-shallow", str(trusted.git_dir), ref,
    )  # fmt: skip
    busy = user.checked_out()
    for name in _names(branch):
        there = user.branch(name)
        if there == commit:
            return name
        if there not in {None, previous} or name in busy:
            continue
        old = there or "0" * len(commit)
        done = git.call("update-ref", "-m", "plait: deliver", f"refs/heads/{name}", commit, old)
        if done.returncode == 0:
            return name
        # Somebody moved it this very moment, or a branch of that name stands where a folder is needed.
    raise RepositoryError(f"no branch name like {branch!r} is free in {user.url}; delete some of them and run again")


def _push(trusted: TrustedGit, user: UserRepository, branch: str, commit: str, previous: str | None) -> str:
    listed = trusted.text("ls-remote", "--heads", "--", user.url, as_user=True)
    heads = {ref.removeprefix("refs/heads/"): sha for sha, ref in (line.split("\t") for line in listed.splitlines())}
    for name in _names(branch):
        there = heads.get(name)
        if there == commit:
            return name
        if there not in {None, previous}:
            continue
        lease = f"--force-with-lease=refs/heads/{name}:{there or ''}"
        trusted.run(
            "push", "--quiet", "--no-verify", lease, "--", user.url, f"{commit}:refs/heads/{name}", as_user=True
        )
        return name
    raise RepositoryError(f"no branch name like {branch!r} is free at {user.url}; delete some of them and run again")


def _names(branch: str) -> Iterator[str]:
    yield branch
    for number in range(2, 100):
        yield f"{branch}-{number}"
    flat = branch.replace("/", "-")
    if flat != branch:
        yield from _names(flat)
