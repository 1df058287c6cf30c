"""`plait clean`: remove kept workspaces of finished workflows, but no uncommitted work, and no result unasked."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from flows.cli.session import Given

if TYPE_CHECKING:
    from contexts.store.contexts import ContextStore


@dataclass(frozen=True, slots=True)
class _Found:
    """One workspace, or one result in the outbox, and why it is kept; empty when it may go."""

    workflow_id: str
    task_id: str
    path: str
    kept: str


def clean(workflow_id: str | None = None, /, *, yes: bool = False, outbox: bool = False, session: Given) -> int:
    """List the workspaces that can go, and with --yes remove them; uncommitted work and running workflows are kept.

    Args:
        workflow_id: Only this workflow; default: all of the store.
        yes: Remove without asking.
        outbox: Remove finished results too that the store has not taken.
    """
    store = session.contexts()
    roots = _roots(store, workflow_id)
    found = [
        one for root, name in roots for one in (*_look(store, root, name), *_kept(store, root, name, outbox=outbox))
    ]
    going = [one for one in found if not one.kept]
    remove = bool(going) and (yes or _agreed(session, len(going)))
    if remove:
        found = [_removed(store, one) if not one.kept else one for one in found]
    if session.as_json:
        session.emit({"removed": remove, "workspaces": [asdict(one) for one in found]})
        return 0
    if not found:
        session.note(f"no workspaces of workflows in {store.identity}")
        return 0
    from flows.cli.terminal.tables import print_table

    gone = "removed" if remove else "can go"
    print_table(
        session.out(),
        ("workflow", "track", "workspace", ""),
        [(one.workflow_id, one.task_id, one.path, one.kept or gone) for one in found],
        fold=("workspace", ""),
    )
    if going and not remove:
        session.note("nothing was removed; --yes removes what can go")
    return 0


def _agreed(session: Given, count: int) -> bool:
    if session.as_json or not sys.stdin.isatty() or not sys.stdout.isatty():
        return False
    from rich.prompt import Confirm

    return Confirm.ask(f"remove {count} workspaces?", default=False)


def _roots(store: ContextStore, workflow_id: str | None) -> list[tuple[Path, str]]:
    """Return the folders of this store's workflows on this machine, with the workflow's id."""
    from tasks.run.workspaces import workspace_root

    if workflow_id is not None:
        from flows.cli.lookup import revisions_of

        root = workspace_root(store, workflow_id)
        if not root.is_dir():
            # Only a name that is nowhere is an error: a workflow whose folders are gone already is clean.
            revisions_of(store, workflow_id)
            return []
        return [(root, workflow_id)]
    home = workspace_root(store, "x").parent
    mark = f"-{sha256(store.identity.encode()).hexdigest()[:8]}"
    if not home.is_dir():
        return []
    return [
        (folder, folder.name.removesuffix(mark))
        for folder in sorted(home.iterdir())
        if folder.name.endswith(mark) and folder.is_dir() and not folder.is_symlink()
    ]


def _is_running(store: ContextStore, workflow_id: str) -> bool:
    from contexts.leases.record import read_lease

    lease = read_lease(store.objects, workflow_id)
    return lease is not None and lease.end_reason is None and not lease.holder_is_gone()


def _look(store: ContextStore, root: Path, workflow_id: str) -> list[_Found]:
    running = _is_running(store, workflow_id)
    found: list[_Found] = []
    for space in _repository(root).workspaces():
        kept = ""
        if running:
            kept = "kept: the workflow is running"
        elif space.uncommitted:
            kept = "kept: holds work nobody took over"
        found.append(_Found(workflow_id, space.task_id, str(space.path), kept))
    return found


def _kept(store: ContextStore, root: Path, workflow_id: str, *, outbox: bool) -> list[_Found]:
    from contexts.store.outbox import Outbox
    from tasks.run.reuse import outbox_folder

    if _is_running(store, workflow_id):
        why = "kept: the workflow is running"
    else:
        why = "" if outbox else "kept: a result that is not stored yet; run the workflow, or --outbox"
    box = Outbox(outbox_folder(root), store, workflow_id)
    found = [_Found(workflow_id, one.task_id, str(one.folder), why) for one in box.entries()]
    if box.unreadable:
        found.append(_Found(workflow_id, "", str(box.root), f"kept: {box.unreadable}"))
    return found


def _removed(store: ContextStore, one: _Found) -> _Found:
    from contexts.store.outbox import Outbox
    from tasks.run.reuse import outbox_folder
    from tasks.run.workspaces import workspace_root

    outbox = Outbox(outbox_folder(workspace_root(store, one.workflow_id)), store, one.workflow_id)
    for kept in outbox.entries(one.task_id):
        if str(kept.folder) == one.path:
            outbox.remove(kept)
            return one
    repository = _repository(workspace_root(store, one.workflow_id))
    with repository.locked():
        if repository.remove_workspace(one.task_id):
            return one
    return _Found(one.workflow_id, one.task_id, one.path, "kept: holds work nobody took over")


def _repository(root: Path):  # noqa: ANN202 named in the import below
    from contexts.errors import RepositoryError
    from tasks.git.repository import Repository
    from tasks.git.user_repository import UserRepository

    # Workspaces are told from the orchestrator's own git dir alone; the user's repository may be gone.
    try:
        return Repository(root, UserRepository(str(root / "trusted.git")))
    except RepositoryError as error:
        raise RepositoryError(
            f"{root} is damaged ({error.message}); run the workflow again, which makes it anew, or remove the folder"
        ) from error
