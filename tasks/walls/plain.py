"""Workspaces for a spec without a repository: plain folders, compared by content before and after."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contexts.errors import RepositoryError
from contexts.names import check_id
from tasks.walls.folders import remove_folder, set_aside
from tasks.walls.paths import MAX_FILE_BYTES, Refused, why_refused_link, why_refused_path


@dataclass(frozen=True, slots=True)
class Listing:
    """A folder's content at one moment.

    Attributes:
        files: Relative path to sha256 of a file's content, or of ``link:`` and a link's target.
        refused: What does not count, and why.
    """

    files: Mapping[str, str]
    refused: tuple[Refused, ...]


def create_plain_workspace(root: Path, task_id: str) -> Path:
    """Return a fresh empty folder for a track; leftover work of an earlier try is set aside, not deleted."""
    workspace = root / "tracks" / check_id(task_id, "task_id") / "work"
    if workspace.is_symlink() or (workspace.exists() and any(workspace.iterdir())):
        set_aside(workspace)
    workspace.mkdir(parents=True, exist_ok=True, mode=0o700)
    return workspace


def open_plain_workspace(root: Path, task_id: str) -> Path:
    """Return a track's folder.

    Raises:
        RepositoryError: There is none.
    """
    workspace = root / "tracks" / check_id(task_id, "task_id") / "work"
    if workspace.is_symlink() or not workspace.is_dir():
        raise RepositoryError(
            f"track {task_id} has no workspace at {workspace}; run the track again", path=str(workspace)
        )
    return workspace


def remove_plain_workspace(root: Path, task_id: str, *, keep: Listing | None = None) -> bool:
    """Remove a track's folder unless it differs from ``keep``; return whether it is gone.

    Args:
        root: The workflow's folder.
        task_id: The track.
        keep: The content that has been saved elsewhere; None for a folder whose content nobody needs.
    """
    workspace = root / "tracks" / check_id(task_id, "task_id") / "work"
    if keep is not None and workspace.is_dir() and list_files(workspace).files != keep.files:
        return False
    remove_folder(workspace)
    return True


def list_files(folder: Path, *, max_file_bytes: int = MAX_FILE_BYTES) -> Listing:
    """Hash every file below a folder, following no link; the same rules as for repositories say what is refused."""
    files: dict[str, str] = {}
    refused: list[Refused] = []
    for parent, folders, names in os.walk(folder, followlinks=False):
        relative = os.path.relpath(parent, folder)
        prefix = "" if relative == "." else f"{relative}/"
        links = [name for name in folders if Path(parent, name).is_symlink()]
        if prefix and ".git" in folders:
            refused.append(Refused(f"{prefix}.git", "it is a git repository of its own inside the tree"))
        folders[:] = [name for name in folders if name not in links and name != ".git"]
        for name in [*names, *links]:
            path = f"{prefix}{name}"
            taken, why = _digest(Path(parent, name), path, max_file_bytes)
            if why is None:
                files[path] = taken
            else:
                refused.append(Refused(path, why))
    return Listing(dict(sorted(files.items())), tuple(sorted(refused, key=lambda item: item.path)))


def files_changed(before: Listing, after: Listing) -> tuple[str, ...]:
    """Return the paths that were added, changed or removed between two listings, sorted."""
    paths = before.files.keys() | after.files.keys()
    return tuple(sorted(path for path in paths if before.files.get(path) != after.files.get(path)))


def _digest(file: Path, path: str, max_file_bytes: int) -> tuple[str, str | None]:
    """Return a digest, or why there is none."""
    why = why_refused_path(path)
    status = file.lstat()
    if why is None and stat.S_ISLNK(status.st_mode):
        target = os.readlink(file)  # noqa: PTH115 - Path would tidy the target
        return hashlib.sha256(b"link:" + os.fsencode(target)).hexdigest(), why_refused_link(path, target)
    if why is None and not stat.S_ISREG(status.st_mode):
        why = "it is neither a file nor a link"
    if why is None and status.st_size > max_file_bytes:
        why = f"it is larger than {max_file_bytes} bytes"
    if why is None and not os.access(file, os.R_OK):
        why = "it cannot be read"
    if why is not None:
        return "", why
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest(), None
