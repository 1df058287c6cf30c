"""Who may run what: which specs, stores and repositories a deployed run may name.

A spec carries commands. Whoever can start a deployed run can name a spec, so a worker takes specs only from folders and
stores that its owner chose, by the environment the worker itself was started with:

    PLAIT_ALLOWED_SPECS          folders of specs and their programs, separated as in PATH; without it, the folder the
                                 code was pulled into
    PLAIT_ALLOWED_STORES         stores beside the worker's own, separated by spaces, each as it is named in a run
    PLAIT_ALLOWED_REPOSITORIES   repository URLs a run may name instead of the spec's, separated by spaces
    PLAIT_ALLOW_INLINE           1: a run may bring a whole spec with it, which is to say any command

What was looked at is what is used: a check returns the request with every path absolute and its links resolved, and the
run goes on with that one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from contexts.errors import InputError
from contexts.spec.repository_name import is_url, locate
from contexts.spec.request import RunRequest
from contexts.store.url import ENVIRONMENT_VARIABLE, folder_of
from flows.deployments.repository_places import places_of


class Allowed(BaseModel):
    """What deployed runs may name.

    Attributes:
        folders: Specs, recordings, local repositories and stores may lie in these, links resolved.
        stores: Names of stores beside those.
        repositories: Names of repositories beside those in the folders.
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
    own = environment.get(ENVIRONMENT_VARIABLE, "")
    return Allowed(
        folders=tuple(Path(part).resolve() for part in named) or (folder.resolve(),),
        stores=(*((own,) if own else ()), *environment.get("PLAIT_ALLOWED_STORES", "").split()),
        repositories=tuple(environment.get("PLAIT_ALLOWED_REPOSITORIES", "").split()),
        inline=environment.get("PLAIT_ALLOW_INLINE") == "1",
    )


def check_allowed(request: RunRequest, allowed: Allowed, folder: Path) -> RunRequest:
    """Make sure a deployed run names only what is allowed, and return the request that says what was allowed.

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
    return request.model_copy(
        update={
            "spec": _path("spec", request.spec, allowed, folder),
            "spec_dir": _path("spec's folder", request.spec_dir, allowed, folder),
            "replay": _path("recordings folder", request.replay, allowed, folder),
            "store": check_store(request.store, allowed, folder),
            "repository": _repository(request.repository, allowed, folder),
        }
    )


def check_store(store: str | None, allowed: Allowed, folder: Path) -> str | None:
    """Make sure a deployed run names a store that is allowed, and return its name; None is the worker's own.

    Raises:
        InputError: Another store: it may hold specs, and so programs, of anybody.
    """
    if store is None or store in allowed.stores:
        return store
    try:
        named = folder_of(store)
    except (InputError, ValueError):
        named = None
    found = None if named is None else _resolved(named, allowed, folder)
    if found is None:
        raise _refused("store", store, allowed, "PLAIT_ALLOWED_STORES")
    return found


def _path(what: str, named: str | None, allowed: Allowed, folder: Path) -> str | None:
    if named is None:
        return None
    found = _resolved(Path(named), allowed, folder)
    if found is None:
        raise _refused(what, named, allowed, "PLAIT_ALLOWED_SPECS")
    return found


def _resolved(named: Path, allowed: Allowed, folder: Path) -> str | None:
    """Return a path, absolute and resolved; None where it leads out of the folders or can be none of this machine."""
    try:
        found = (folder / named.expanduser()).resolve()
        found.exists()  # longer than a path may be: an error here, not where it is opened
    except (OSError, RuntimeError, ValueError):
        return None
    return str(found) if _is_inside(found, allowed.folders) else None


def _repository(named: str | None, allowed: Allowed, folder: Path) -> str | None:
    """Return what git is to be given: a URL that is allowed, or the path of a repository that lies in the folders.

    Whoever starts a run chooses among what is there. So a repository must be there, and all of it: what its git folder
    leads to is read, and written at delivery, as much as the folder itself.
    """
    if named is None:
        return None
    try:
        where = locate(named, folder)
        listed = where in _located(allowed.repositories, folder)
        outside = not listed and (is_url(where) or not _is_inside(Path(where), allowed.folders))
        leads_out = not listed and not outside and not _stays_inside(Path(where), allowed.folders)
    except (InputError, OSError, RuntimeError, ValueError) as error:
        raise _refused("repository", named, allowed, "PLAIT_ALLOWED_REPOSITORIES", str(error)) from error
    if outside or leads_out:
        why = "there is none, or it leads out of where it lies" if leads_out else ""
        raise _refused("repository", named, allowed, "PLAIT_ALLOWED_REPOSITORIES", why)
    return where


def _located(listed: tuple[str, ...], folder: Path) -> set[str]:
    found: set[str] = set()
    for each in listed:
        with suppress(InputError):  # one that no run can name serves nobody
            found.add(locate(each, folder))
    return found


def _stays_inside(repository: Path, folders: tuple[Path, ...]) -> bool:
    return repository.is_dir() and all(_is_inside(place, folders) for place in places_of(repository))


def _is_inside(path: Path, folders: tuple[Path, ...]) -> bool:
    """Say whether an absolute path, its links resolved, leads into one of the folders."""
    return any(path.is_relative_to(each) for each in folders)


def _refused(what: str, named: str, allowed: Allowed, setting: str, why: str = "") -> InputError:
    return InputError(
        f"this worker may not use the {what} {named[:200]!r}{why and f' ({why})'}: it takes only what lies in "
        f"{', '.join(str(folder) for folder in allowed.folders)}, or what {setting} of the worker names",
        name=named,
    )
