"""Who may run what: which specs, stores and repositories a deployed run may name.

A spec carries commands. Whoever can start a deployed run can name a spec, so a worker takes specs only from folders and
stores that its owner chose, by the environment the worker itself was started with:

    PLAIT_ALLOWED_SPECS          folders of specs and their programs, separated as in PATH; without it, the folder the
                                 code was pulled into
    PLAIT_ALLOWED_STORES         stores beside the worker's own, separated by spaces, each as it is named in a run
    PLAIT_ALLOWED_REPOSITORIES   repository URLs a run may name instead of the spec's, separated by spaces
    PLAIT_ALLOW_INLINE           1: a run may bring a whole spec with it, which is to say any command
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict

from contexts.errors import InputError
from contexts.model.request import RunRequest


class Allowed(BaseModel):
    """What deployed runs may name.

    Attributes:
        folders: Specs, recordings, local repositories and stores may lie in these, links resolved.
        stores: Names of stores beside those.
        repositories: URLs of repositories.
        inline: Whether a run may bring its own spec.
    """

    model_config = ConfigDict(frozen=True)

    folders: tuple[Path, ...]
    stores: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    inline: bool = False


def read_allowed(environment: Mapping[str, str], folder: Path) -> Allowed:
    """Return what a worker's environment allows.

    Args:
        environment: The worker's variables.
        folder: Where the code was pulled into, allowed when no folders are named.
    """
    named = [part for part in environment.get("PLAIT_ALLOWED_SPECS", "").split(os.pathsep) if part]
    own = environment.get("PLAIT_STORE", "")
    return Allowed(
        folders=tuple(Path(part).resolve() for part in named) or (folder.resolve(),),
        stores=(*((own,) if own else ()), *environment.get("PLAIT_ALLOWED_STORES", "").split()),
        repositories=tuple(environment.get("PLAIT_ALLOWED_REPOSITORIES", "").split()),
        inline=environment.get("PLAIT_ALLOW_INLINE") == "1",
    )


def check_allowed(request: RunRequest, allowed: Allowed, folder: Path) -> None:
    """Make sure a deployed run names only what is allowed.

    Args:
        request: What is asked for.
        allowed: What may be.
        folder: What relative paths start from.

    Raises:
        InputError: It names something else; says which setting of the worker would allow it.
    """
    if request.inline is not None and not allowed.inline:
        raise InputError(
            "this worker takes no inline specs, because a spec is a program: name a spec file in an allowed folder, "
            "or start the worker with PLAIT_ALLOW_INLINE=1"
        )
    for what, named in (
        ("spec", request.spec),
        ("spec's folder", request.spec_dir),
        ("recordings folder", request.replay),
    ):
        if named is not None and not _is_inside(named, folder, allowed.folders):
            raise _refused(what, named, allowed, "PLAIT_ALLOWED_SPECS")
    check_store(request.store, allowed, folder)
    repository = request.repository
    if repository is None or repository in allowed.repositories:
        return
    if "://" in repository or not _is_inside(repository, folder, allowed.folders):
        raise _refused("repository", repository, allowed, "PLAIT_ALLOWED_REPOSITORIES")


def check_store(store: str | None, allowed: Allowed, folder: Path) -> None:
    """Make sure a deployed run names a store that is allowed; None is the worker's own.

    Raises:
        InputError: Another store: it may hold specs, and so programs, of anybody.
    """
    if store is None or store in allowed.stores:
        return
    parts = urlsplit(store)
    is_folder = not store.startswith("block:") and parts.scheme in {"", "file"}
    path = unquote(parts.path) if parts.scheme == "file" else store
    if not is_folder or not _is_inside(path, folder, allowed.folders):
        raise _refused("store", store, allowed, "PLAIT_ALLOWED_STORES")


def _is_inside(named: str, folder: Path, folders: tuple[Path, ...]) -> bool:
    """Say whether a path leads into one of the folders; ``~`` is expanded, as opening a store does."""
    resolved = (folder / Path(named).expanduser()).resolve()
    return any(resolved.is_relative_to(each) for each in folders)


def _refused(what: str, named: str, allowed: Allowed, setting: str) -> InputError:
    return InputError(
        f"this worker may not use the {what} {named[:200]!r}: it takes only what lies in "
        f"{', '.join(str(folder) for folder in allowed.folders)}, or what {setting} of the worker names",
        named=named,
        setting=setting,
    )
