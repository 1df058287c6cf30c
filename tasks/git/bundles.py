"""Carry a track's commits as bytes from one machine to another."""

from __future__ import annotations

import re
import tempfile
import uuid
from pathlib import Path

from contexts.errors import RepositoryError
from tasks.filesystem import remove_folder
from tasks.git.trusted_git import TrustedGit, create_git_dir

_REF = "refs/plait/bundle"
_NEEDS = re.compile(rb"^-([0-9a-f]{40,64})", re.MULTILINE)
_TIP = re.compile(rb"^([0-9a-f]{40,64}) ", re.MULTILINE)


def bundle(git: TrustedGit, start: str, commit: str) -> bytes:
    """Return the commits from ``start`` (left out) to ``commit`` as a git bundle.

    Nothing new gives a bundle of no objects, which `unbundle` takes like any other.
    """
    if git.commit_of(start) == git.commit_of(commit):
        return f"# v2 git bundle\n-{start} \n{start} {_REF}\n\n".encode()
    # The ref's name is in the bundle, so it must be the same every time for equal commits to give equal bytes.
    scratch = f"{_REF}/{commit}"
    git.run("update-ref", scratch, commit)
    return git.run("bundle", "create", "--quiet", "-", scratch, f"^{start}")


def bundle_history(git: TrustedGit, commit: str) -> bytes:
    """Return a commit with its whole history as a git bundle that builds on nothing."""
    scratch = f"{_REF}/{commit}"
    git.run("update-ref", scratch, commit)
    return git.run("bundle", "create", "--quiet", "-", scratch)


def restore_history(folder: Path, data: bytes) -> None:
    """Make a bare repository from a bundle of `bundle_history`; its branch ``main`` is that commit.

    Args:
        folder: Where it goes; what an interrupted attempt left there is replaced.
        data: The bundle.

    Raises:
        RepositoryError: It is no bundle, or it is damaged.
    """
    if (folder / "refs" / "heads" / "main").exists():
        return
    remove_folder(folder)
    tip = _TIP.search(data.partition(b"\n\n")[0])
    git = create_git_dir(folder, bare=True, object_format="sha256" if tip and len(tip[1]) == 64 else "sha1")
    commit = unbundle(git, data)
    (folder / "HEAD").write_text("ref: refs/heads/main\n")
    git.run("update-ref", "refs/heads/main", commit)


def unbundle(git: TrustedGit, data: bytes) -> str:
    """Take over a bundle's commits and return the last one's full id.

    Raises:
        RepositoryError: It is no bundle, it is damaged, or the commit it builds on is not here; the sentence names that
            commit.
    """
    head, blank, _ = data.partition(b"\n\n")
    tip = _TIP.search(head)
    if not data.startswith(b"# v") or not blank or tip is None:
        raise RepositoryError("these bytes are not a git bundle; the blob is not the one the track saved")
    commit = tip[1].decode()
    needs = [match.decode() for match in _NEEDS.findall(head)]
    for needed in needs:
        if git.commit_of(needed) is None:
            raise RepositoryError(
                f"the bundle builds on commit {needed}, which is not in the repository; "
                "give one that contains it with --repository",
                commit=needed,
            )
    if git.commit_of(commit) is None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, f"{uuid.uuid4().hex}.bundle")
            file.write_bytes(data)
            git.run("bundle", "unbundle", str(file))
    # Connected all the way down to what was here before; a damaged or cut bundle ends here.
    git.run("rev-list", "--objects", "--quiet", commit, *(f"^{needed}" for needed in needs))
    git.run("update-ref", f"{_REF}/{commit}", commit)
    return commit
