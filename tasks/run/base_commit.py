"""Where a workflow's repository is on this machine, and which commit its tracks start from."""

from __future__ import annotations

from pathlib import Path

from contexts.documents.records import RunRecord
from contexts.errors import InputError, RepositoryError
from contexts.spec.load import LoadedSpec
from contexts.spec.model import Spec
from contexts.spec.policy import Repository as Wanted
from contexts.spec.repository_name import locate
from contexts.store.contexts import ContextStore
from contexts.text.plural import first_of
from tasks.git.bundles import restore_history
from tasks.git.repository import Repository
from tasks.git.user_repository import UserRepository
from tasks.run.workspaces import workspace_root

RESTORED = "base.git"
"""The repository made of the store's copy of the base, where the user's own is out of reach."""


def kept_base(record: RunRecord | None, wanted: Wanted, *, fresh: bool) -> str | None:
    """Return the commit that was pinned for this very base, None where it is to be pinned now.

    Args:
        record: What the workflow's last run did, where there was one.
        wanted: What the spec says.
        fresh: Whether the user asked to do everything again.
    """
    if fresh or record is None or record.base_name != wanted.base:
        return None
    return record.base or None


def open_repository(
    loaded: LoadedSpec,
    store: ContextStore,
    workflow_id: str,
    record: RunRecord | None,
    *,
    named: str | None,
    fresh: bool,
) -> tuple[Repository, str]:
    """Open the repository a workflow is built in, and return it with the commit its tracks start from.

    Args:
        loaded: The spec; where it names no repository, an empty one is made.
        store: The workflow's store.
        workflow_id: The workflow.
        record: What its last run did, where there was one.
        named: Folder or URL that is used instead of the spec's.
        fresh: Pin the base anew.

    Raises:
        RepositoryError: It cannot be reached, or does not hold the base, and the store has no copy of it.
        InputError: Files that tracks own have uncommitted changes, which a new base would leave out.
    """
    root = workspace_root(store, workflow_id)
    wanted = loaded.spec.repository
    if wanted is None:
        repository = Repository.prepare_empty(root)
        return repository, repository.pin("HEAD")
    kept = kept_base(record, wanted, fresh=fresh)
    copy = record.base_bundle if record else None
    try:
        repository = Repository.prepare(root, _where(loaded, wanted, named))
        if kept:
            return repository, repository.pin(kept)
    except RepositoryError:
        if not kept or not copy or named is not None:
            raise
        restore_history(root / RESTORED, store.get_blob(workflow_id, copy))
        repository = Repository.prepare(root, str(root / RESTORED))
        return repository, repository.pin(kept)
    _refuse_uncommitted(repository.user, loaded.spec)
    return repository, repository.pin(wanted.base)


def check_repository(loaded: LoadedSpec, record: RunRecord | None, *, named: str | None, fresh: bool) -> None:
    """Make sure, without writing anything, that the repository can be opened and holds what is to be pinned.

    Args:
        loaded: The spec.
        record: As for `open_repository`; a base that was pinned before is not looked for here, but where a stored
            workflow goes on whose base is not in the store, a folder that is its repository must be there.
        named: As for `open_repository`.
        fresh: As for `open_repository`.

    Raises:
        RepositoryError: It cannot be read, or does not hold the base.
        InputError: Files that tracks own have uncommitted changes.
    """
    wanted = loaded.spec.repository
    if wanted is None:
        return
    kept = kept_base(record, wanted, fresh=fresh)
    if kept and record and (loaded.programs is None or record.base_bundle):
        return
    user = UserRepository(_where(loaded, wanted, named))
    if kept:
        return
    user.check_base(wanted.base)
    _refuse_uncommitted(user, loaded.spec)


def _where(loaded: LoadedSpec, wanted: Wanted, named: str | None) -> str:
    return locate(wanted.path, loaded.folder) if named is None else locate(named, Path.cwd())


def _refuse_uncommitted(user: UserRepository, spec: Spec) -> None:
    owned = tuple(dict.fromkeys(glob for track in spec.parallel_tasks for glob in track.owns))
    changed = user.dirty(owned) if owned else ()
    if changed:
        shown = first_of(changed, 5)
        raise InputError(
            f"the repository has uncommitted changes in files that tracks own: {shown}; commit or stash them"
        )
